// The handles in use. A handle is looked up here before it is followed, so one that was destroyed,
// is of another kind, or is in the hands of another thread, is an error and not a crash.
#ifndef OPTCORE_CAPI_HANDLES_H
#define OPTCORE_CAPI_HANDLES_H

#include <atomic>
#include <memory>
#include <type_traits>

#include "../schedules/schedule.h"
#include "errors.h"

namespace optcore::capi {

enum class HandleKind { schedule, optimizer, state };

/// What every object behind a handle has.
struct Handle {
    explicit Handle(HandleKind of) : kind(of) {}
    const HandleKind kind;
    /// The calls that read it now, or one of those below.
    std::atomic<int> users{0};
};
constexpr int kChanging = -1; ///< one call, which may change it
constexpr int kCut = -2;      ///< such a call, of a thread that a fork left behind

void enrol(const void *handle, Handle *object);
/// Takes it out of the table; throws if there is no such handle, or it is in use.
void strike_off(const void *handle, HandleKind kind);

/// Begins a call on a handle of that kind; throws if it is none, or other calls are in the way.
Handle *begin_use(const void *handle, HandleKind kind, bool changes);
void end_use(Handle *object) noexcept;

/// A schedule never changes, so a share in it will do: the handle may go meanwhile.
SchedulePtr pointed_at(const optcore_schedule *handle);

/// One call on an object: Use(T *) keeps all other calls out, Use(const T *) those that change it.
template <class T>
class Use {
public:
    explicit Use(T *handle)
        : handle_(handle),
          object_(begin_use(handle, std::remove_const_t<T>::kKind, !std::is_const_v<T>)) {}
    ~Use() { end_use(object_); }
    Use(const Use &) = delete;
    Use &operator=(const Use &) = delete;
    T *operator->() const { return handle_; }

private:
    T *handle_;
    Handle *object_;
};

/// Gives a new object to the caller.
template <class T>
void hand_out(std::unique_ptr<T> object, T **out) {
    enrol(object.get(), object.get());
    *out = object.release();
}

/// The end of a handle; NULL is fine.
template <class T>
void destroyed(T *handle) {
    if (!handle)
        return;
    strike_off(handle, T::kKind);
    delete handle;
}

} // namespace optcore::capi

struct optcore_schedule : optcore::capi::Handle {
    static constexpr auto kKind = optcore::capi::HandleKind::schedule;
    explicit optcore_schedule(optcore::SchedulePtr of) : Handle(kKind), schedule(std::move(of)) {}
    const optcore::SchedulePtr schedule;
};

#endif
