#include "handles.h"

#include <mutex>
#include <unordered_map>

namespace optcore::capi {
namespace {

struct Table {
    std::mutex mutex;
    std::unordered_map<const void *, HandleKind> kinds;
};

/// Never destroyed, as handles may be let go while the process ends.
Table &table() {
    static Table *const all = new Table;
    return *all;
}

const char *words(HandleKind kind) {
    switch (kind) {
    case HandleKind::schedule: return "a schedule";
    case HandleKind::optimizer: return "an optimizer";
    case HandleKind::state: return "a saved state";
    }
    return "";
}

} // namespace

void enrol(const void *handle, HandleKind kind) {
    Table &t = table();
    const std::lock_guard<std::mutex> lock(t.mutex);
    t.kinds[handle] = kind;
}

bool strike_off(const void *handle, HandleKind kind) noexcept {
    Table &t = table();
    const std::lock_guard<std::mutex> lock(t.mutex);
    const auto found = t.kinds.find(handle);
    if (found == t.kinds.end() || found->second != kind)
        return false;
    t.kinds.erase(found);
    return true;
}

void check_handle(const void *handle, HandleKind kind) {
    not_null(handle, words(kind) + (kind == HandleKind::optimizer ? 3 : 2));
    Table &t = table();
    HandleKind found_kind = kind;
    {
        const std::lock_guard<std::mutex> lock(t.mutex);
        const auto found = t.kinds.find(handle);
        if (found == t.kinds.end())
            fail(OPTCORE_BAD_HANDLE, "handle", words(kind), "a pointer that is no handle",
                 "it was destroyed, or never made: make a new one");
        found_kind = found->second;
    }
    if (found_kind != kind)
        fail(OPTCORE_BAD_HANDLE, "handle", words(kind), words(found_kind),
             "pass the handle that this function is for");
}

} // namespace optcore::capi
