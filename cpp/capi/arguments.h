// Structs as they cross the border: older ones are shorter, newer ones longer.
#ifndef OPTCORE_CAPI_ARGUMENTS_H
#define OPTCORE_CAPI_ARGUMENTS_H

#include <cstring>

#include "errors.h"

namespace optcore::capi {

/// Throws unless a struct of `given` bytes has all that was ever needed, and nothing but zeros
/// beyond the `known` ones.
void check_struct(const void *object, size_t given, size_t least, size_t known, const char *name);

/// The size that a struct begins with. It may lie anywhere.
inline size_t struct_size(const void *object) {
    size_t size;
    std::memcpy(&size, object, sizeof size);
    return size;
}

/// The bytes of a struct up to and with a field: what the first version of the interface had to
/// have.
#define OPTCORE_UP_TO(Type, field) (offsetof(Type, field) + sizeof(Type::field))

/// A copy of a struct that the caller passes, the fields that it lacks at zero.
template <class T>
T taken(const T *object, size_t least, const char *name) {
    not_null(object, name);
    const size_t given = struct_size(object);
    check_struct(object, given, least, sizeof(T), name);
    T copy;
    std::memset(&copy, 0, sizeof copy);
    std::memcpy(&copy, object, given < sizeof copy ? given : sizeof copy);
    return copy;
}

/// Checks a struct that is to be filled in, before anything is done.
template <class T>
void check_output(const T *object, const char *name) {
    not_null(object, name);
    check_struct(object, struct_size(object), 2 * sizeof(size_t), sizeof(T), name);
}

/// Fills it in, as far as it goes.
template <class T>
void give(T *object, T value) {
    const size_t given = struct_size(object);
    value.struct_size = given;
    std::memcpy(static_cast<void *>(object), &value, given < sizeof value ? given : sizeof value);
}

/// The i-th of an array of structs, which may be longer or shorter than ours.
template <class T>
T item(const T *first, int64_t i, size_t least, const char *name) {
    const size_t step = struct_size(first);
    const auto *at =
        reinterpret_cast<const T *>(reinterpret_cast<const char *>(first) + size_t(i) * step);
    if (struct_size(at) != step)
        fail(OPTCORE_BAD_STRUCT, std::string(name) + "[" + std::to_string(i) + "].struct_size",
             std::to_string(step) + ", as the first one has", std::to_string(struct_size(at)),
             "set it in every item to sizeof of the struct");
    return taken(at, least, name);
}

/// A count, 0 or more, of what a pointer points at.
template <class T>
void check_count(int64_t count, const T *pointer, const char *name) {
    if (count < 0)
        fail(OPTCORE_BAD_VALUE, std::string("the count of ") + name, "0 or more",
             std::to_string(count), "count what you pass");
    if (count > 0)
        not_null(pointer, name);
}

/// An index below a count.
void check_index(int64_t index, int64_t count, const char *name);

/// 0 or 1.
bool flag(int32_t value, const char *name);

} // namespace optcore::capi

#endif
