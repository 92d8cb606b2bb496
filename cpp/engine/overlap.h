// Which pieces of memory overlap: for the buffers of a call that are written.
#ifndef OPTCORE_ENGINE_OVERLAP_H
#define OPTCORE_ENGINE_OVERLAP_H

#include <algorithm>
#include <cstdint>
#include <vector>

namespace optcore {

/// A piece of memory, [low, high), and its owner's number for it.
struct Span {
    uintptr_t low, high;
    size_t id;
};

class Spans {
public:
    void add(uintptr_t low, uintptr_t high, size_t id) {
        if (low < high)
            spans_.push_back({low, high, id});
    }
    void clear() { spans_.clear(); }

    /// Sorts, and calls f(id, id) for every two that cross.
    template <class F>
    void each_crossing(F f) {
        std::sort(spans_.begin(), spans_.end(),
                  [](const Span &a, const Span &b) { return a.low < b.low; });
        std::vector<const Span *> open; // those that reach beyond where the present one begins
        for (const Span &b : spans_) {
            open.erase(std::remove_if(open.begin(), open.end(),
                                      [&](const Span *a) { return a->high <= b.low; }),
                       open.end());
            for (const Span *a : open)
                f(a->id, b.id);
            open.push_back(&b);
        }
    }

    /// After that: calls f(id) for every one that crosses [low, high). None crosses another.
    template <class F>
    void each_crossing(uintptr_t low, uintptr_t high, F f) const {
        // The first that ends after this begins.
        auto span = std::upper_bound(spans_.begin(), spans_.end(), low,
                                     [](uintptr_t at, const Span &s) { return at < s.high; });
        for (; span != spans_.end() && span->low < high; ++span)
            f(span->id);
    }

private:
    std::vector<Span> spans_;
};

} // namespace optcore

#endif
