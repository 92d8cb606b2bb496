// Where state should lie. NumPy and malloc put large arrays a page and 16 bytes behind each other,
// so that parameter, gradient and state of a power-of-two size run in lockstep through the same
// memory banks, which costs a third of the speed. So the streams of a large tensor are kept apart.
#ifndef OPTCORE_ENGINE_PLACEMENT_H
#define OPTCORE_ENGINE_PLACEMENT_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace optcore {

/// A slot that wants memory: its bytes, the address of its parameter, and which of how many slots
/// of that parameter it is.
struct SlotRequest {
    size_t bytes;
    uintptr_t param;
    int index, count;
};

struct Placement {
    std::vector<size_t> offset; ///< of each slot, from a base that is a multiple of 64 KiB
    size_t total = 0;
};

/// Packs slots below 1 MiB, all first ones, then all second ones, so that the slots of a tensor
/// differ in the low 12 bits of their addresses: where these agree, a load waits for a store that
/// it has nothing to do with. Places larger ones so that no two streams of a tensor are within 16
/// KiB of each other modulo 64 KiB (13 with four slots). Each slot lies as far from a 64-byte line
/// as its parameter.
Placement place_slots(const std::vector<SlotRequest> &slots);

constexpr size_t kPlacementBase = 65536;

} // namespace optcore

#endif
