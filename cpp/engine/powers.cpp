#include "powers.h"

#include "elementary.h"

namespace optcore {

double Powers::one_minus(double base, std::uint64_t n) {
    Base *found = nullptr;
    for (Base &b : bases_)
        if (b.squarings > 0 && b.base == base)
            found = &b;
    if (!found) {
        found = &bases_[next_++ % kBases];
        found->base = base;
        found->squarings = 0;
    } else if (found->n == n) {
        return found->value;
    }
    found->n = n;
    found->value = math::one_minus_power_by(found->square, &found->squarings, base, n);
    return found->value;
}

} // namespace optcore
