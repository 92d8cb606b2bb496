#include "handles.h"

#include <mutex>
#include <unordered_map>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace optcore::capi {
namespace {

struct Table {
    std::mutex mutex;
    std::unordered_map<const void *, Handle *> handles;

    Table();
};

/// Never destroyed, as handles may be let go while the process ends.
Table &table() {
    static Table *const all = new Table;
    return *all;
}

/// A fork waits for those who look something up, who would hold the child's table for ever. Other
/// threads' calls do not go on in the child: those that read are over, the others are cut in two.
Table::Table() {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork([] { table().mutex.lock(); }, [] { table().mutex.unlock(); },
                   [] {
                       for (const auto &[handle, object] : table().handles)
                           object->users = object->users < 0 ? kCut : 0;
                       table().mutex.unlock();
                   });
#endif
}

const char *words(HandleKind kind) {
    switch (kind) {
    case HandleKind::schedule: return "a schedule";
    case HandleKind::optimizer: return "an optimizer";
    case HandleKind::state: return "a saved state";
    }
    return "";
}

const char *noun(HandleKind kind) { return words(kind) + (words(kind)[1] == 'n' ? 3 : 2); }

/// The object of a handle, while the table is locked.
Handle &found(const Table &t, const void *handle, HandleKind kind) {
    not_null(handle, noun(kind));
    const auto at = t.handles.find(handle);
    if (at == t.handles.end())
        fail(OPTCORE_BAD_HANDLE, "handle", words(kind), "a pointer that is no handle",
             "it was destroyed, or never made: make a new one");
    if (at->second->kind != kind)
        fail(OPTCORE_BAD_HANDLE, "handle", words(kind), words(at->second->kind),
             "pass the handle that this function is for");
    return *at->second;
}

[[noreturn]] void refuse(const Handle &object, int users) {
    const std::string it = std::string("this ") + noun(object.kind);
    if (users == kCut)
        throw Failure(OPTCORE_BUSY, it + " was being changed by another thread when the process "
                                         "was forked, and stays as it was left; expected one that "
                                         "is whole: make a new one in the child");
    throw Failure(OPTCORE_BUSY, it + " is in use by another thread, or by the call that led here; "
                                     "expected one call at a time: use a lock, or one for each "
                                     "thread");
}

} // namespace

void enrol(const void *handle, Handle *object) {
    Table &t = table();
    const std::lock_guard<std::mutex> lock(t.mutex);
    t.handles[handle] = object;
}

void strike_off(const void *handle, HandleKind kind) {
    Table &t = table();
    const std::lock_guard<std::mutex> lock(t.mutex);
    const Handle &object = found(t, handle, kind);
    if (const int users = object.users.load(std::memory_order_acquire))
        refuse(object, users);
    t.handles.erase(handle);
}

Handle *begin_use(const void *handle, HandleKind kind, bool changes) {
    Table &t = table();
    const std::lock_guard<std::mutex> lock(t.mutex);
    Handle &object = found(t, handle, kind);
    const int users = object.users.load(std::memory_order_acquire);
    if (changes ? users != 0 : users < 0)
        refuse(object, users);
    if (changes)
        object.users.store(kChanging, std::memory_order_relaxed);
    else
        object.users.fetch_add(1, std::memory_order_relaxed);
    return &object;
}

void end_use(Handle *object) noexcept {
    if (object->users.load(std::memory_order_relaxed) < 0)
        object->users.store(0, std::memory_order_release);
    else
        object->users.fetch_sub(1, std::memory_order_release);
}

SchedulePtr pointed_at(const optcore_schedule *handle) {
    Table &t = table();
    const std::lock_guard<std::mutex> lock(t.mutex);
    found(t, handle, HandleKind::schedule);
    return handle->schedule;
}

} // namespace optcore::capi
