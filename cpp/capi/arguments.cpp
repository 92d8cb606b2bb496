#include "arguments.h"

namespace optcore::capi {
namespace {

constexpr size_t kLargestStruct = 1u << 16; // beyond is no size of a struct, but some other number

} // namespace

void check_struct(const void *object, size_t given, size_t least, size_t known, const char *name) {
    const std::string where = std::string(name) + ".struct_size";
    if (given < least || given > kLargestStruct)
        fail(OPTCORE_BAD_STRUCT, where, std::to_string(known), std::to_string(given),
             "set it to sizeof of the struct, and all else to zero first");
    const auto *bytes = static_cast<const unsigned char *>(object);
    for (size_t i = known; i < given; ++i)
        if (bytes[i])
            fail(OPTCORE_BAD_STRUCT, where,
                 "zeros beyond the " + std::to_string(known) + " bytes that this version knows",
                 "something else at byte " + std::to_string(i),
                 "link a newer library, or set to zero what this one lacks");
}

void check_index(int64_t index, int64_t count, const char *name) {
    if (index < 0 || index >= count)
        fail(OPTCORE_OUT_OF_RANGE, name,
             count > 0 ? "0 to " + std::to_string(count - 1) : "nothing, as there is none",
             std::to_string(index), "count from 0 on");
}

bool flag(int32_t value, const char *name) {
    if (value != 0 && value != 1)
        fail(OPTCORE_BAD_VALUE, name, "0 or 1", std::to_string(value), "set it to 1 to turn it on");
    return value == 1;
}

} // namespace optcore::capi
