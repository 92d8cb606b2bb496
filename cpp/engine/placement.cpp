#include "placement.h"

namespace optcore {
namespace {

constexpr size_t kLine = 64, kLarge = size_t(1) << 20;

/// The first address at or after `at` that is `residue` modulo `period`.
size_t next(size_t at, size_t residue, size_t period) {
    return at + (residue + period - at % period) % period;
}

} // namespace

Placement place_slots(const std::vector<SlotRequest> &slots) {
    Placement p;
    for (const SlotRequest &slot : slots) {
        if (slot.bytes < kLarge) {
            p.offset.push_back(next(p.total, slot.param % kLine, kLine));
        } else {
            // The parameter and its slots share the 64 KiB evenly; with three slots that leaves
            // the gradient, which comes from elsewhere, on its own.
            const size_t apart = kPlacementBase / size_t(slot.count + 1) / kLine * kLine;
            const size_t residue = (slot.param + apart * size_t(slot.index + 1)) % kPlacementBase;
            p.offset.push_back(next(p.total, residue, kPlacementBase));
        }
        p.total = p.offset.back() + slot.bytes;
    }
    return p;
}

} // namespace optcore
