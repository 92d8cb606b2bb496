// The handles in use. A handle is looked up here before it is followed, so one that was destroyed,
// or is of another kind, is an error and not a crash.
#ifndef OPTCORE_CAPI_HANDLES_H
#define OPTCORE_CAPI_HANDLES_H

#include <memory>

#include "errors.h"

namespace optcore::capi {

enum class HandleKind { schedule, optimizer, state };

void enrol(const void *handle, HandleKind kind);
/// False if there is no such handle; else it is no longer one.
bool strike_off(const void *handle, HandleKind kind) noexcept;
/// Throws unless it is a handle of that kind.
void check_handle(const void *handle, HandleKind kind);

/// Gives a new object to the caller.
template <class T>
void hand_out(std::unique_ptr<T> object, T **out) {
    enrol(object.get(), T::kind);
    *out = object.release();
}

template <class T>
T &opened(T *handle) {
    check_handle(handle, T::kind);
    return *handle;
}

/// The end of a handle; NULL is fine.
template <class T>
void destroyed(T *handle) {
    if (!handle)
        return;
    if (!strike_off(handle, T::kind))
        check_handle(handle, T::kind);
    delete handle;
}

} // namespace optcore::capi

#endif
