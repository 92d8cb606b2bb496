#include "placement.h"

namespace optcore {
namespace {

constexpr size_t kLine = 64, kPage = 4096, kLarge = size_t(1) << 20;

/// The first address at or after `at` that is `residue` modulo `period`.
size_t next(size_t at, size_t residue, size_t period) {
    return at + (residue + period - at % period) % period;
}

} // namespace

Placement place_slots(const std::vector<SlotRequest> &slots) {
    Placement p;
    p.offset.resize(slots.size());
    int most = 0;
    for (const SlotRequest &slot : slots)
        most = slot.count > most ? slot.count : most;
    // Small slots, all first ones before all second ones.
    for (int index = 0; index < most; ++index) {
        p.total = next(p.total, kPage / size_t(most + 1) * size_t(index) / kLine * kLine, kPage);
        for (size_t i = 0; i < slots.size(); ++i) {
            const SlotRequest &slot = slots[i];
            if (slot.index != index || slot.bytes >= kLarge)
                continue;
            p.offset[i] = next(p.total, slot.param % kLine, kLine);
            p.total = p.offset[i] + slot.bytes;
        }
    }
    for (size_t i = 0; i < slots.size(); ++i) {
        const SlotRequest &slot = slots[i];
        if (slot.bytes < kLarge)
            continue;
        // The parameter and its slots share the 64 KiB evenly; with three slots that leaves the
        // gradient, which comes from elsewhere, on its own.
        const size_t apart = kPlacementBase / size_t(slot.count + 1) / kLine * kLine;
        const size_t residue = (slot.param + apart * size_t(slot.index + 1)) % kPlacementBase;
        p.offset[i] = next(p.total, residue, kPlacementBase);
        p.total = p.offset[i] + slot.bytes;
    }
    return p;
}

} // namespace optcore
