// A step that is more than its rule's loop: stored formats are converted around the loop of the
// compute type, a chunk at a time so that it all stays in the first-level cache, and what follows a
// step is done while the chunk is there. No include guard: see kernels.cpp.

#ifndef OPTCORE_CHUNK
#define OPTCORE_CHUNK 1024 // benchmarks/tune.py tries others; the bits do not depend on it
#endif
constexpr int64_t kChunk = OPTCORE_CHUNK;
static_assert(kChunk % kQuantum == 0 && kBlock % kChunk == 0, "chunks do not straddle blocks");

template <class T>
T *load_param(const Buffers &b, int64_t at, int64_t n, T *room) {
    if constexpr (sizeof(T) == 4) {
        if (b.rounding == Rounding::master) {
            if (b.param_format == Format::bf16)
                load_master<from_bf16, true>(b.param, b.kept, at, n);
            else
                load_master<from_f16, false>(b.param, b.kept, at, n);
            return static_cast<T *>(b.kept) + at;
        }
        if (b.rounding == Rounding::split) {
            load_split(b.param, b.kept, at, n, room);
            return room;
        }
    }
    return loaded(b.param, b.param_format, at, n, room);
}

/// Writes the parameters back where they are stored otherwise. If they are to be `read_again`, what
/// was rounded then stands rounded in `p` as well, as that is what the parameter is.
template <class T>
void store_param(const Buffers &b, int64_t at, int64_t n, T *p, bool read_again) {
    if constexpr (sizeof(T) == 4) {
        if (b.param_format == Format::f32)
            return;
        if (b.rounding == Rounding::split)
            return store_split(p, b.param, b.kept, at, n);
        if (b.rounding == Rounding::stochastic)
            store_stochastic(p, b.param, at, n, b.key);
        else
            store_half(p, b.param_format, b.param, at, n);
        if (b.rounding != Rounding::master && read_again)
            loaded(b.param, b.param_format, at, n, p);
    } else {
        (void)b, (void)at, (void)n, (void)p, (void)read_again;
    }
}

template <class T>
T *load_slot(const Buffers &b, int k, int64_t at, int64_t n, T *room) {
    if constexpr (sizeof(T) == 4) {
        if (b.slot_format[k] == Format::code8) {
            load_codes<false>(b.slot[k], b.scale[k], at, n, room);
            return room;
        }
        if (b.slot_format[k] == Format::signed_code8) {
            load_codes<true>(b.slot[k], b.scale[k], at, n, room);
            return room;
        }
    }
    return loaded(b.slot[k], b.slot_format[k], at, n, room);
}

template <class T>
void store_slot(const Buffers &b, int k, int64_t at, int64_t n, const T *s) {
    if constexpr (sizeof(T) == 4) {
        if (b.slot_format[k] == Format::code8)
            store_codes<false>(s, b.slot[k], b.scale[k], at, n);
        else if (b.slot_format[k] == Format::signed_code8)
            store_codes<true>(s, b.slot[k], b.scale[k], at, n);
        else if (b.slot_format[k] != Format::f32)
            store_half(s, b.slot_format[k], b.slot[k], at, n);
    } else {
        (void)b, (void)k, (void)at, (void)n, (void)s;
    }
}

template <class T>
void update_average(const Buffers &b, int64_t at, int64_t n, const T *OPTCORE_RESTRICT p) {
    T *OPTCORE_RESTRICT average = static_cast<T *>(b.average) + at;
    const T keep = T(b.average_keep), take = T(1 - b.average_keep);
    OPTCORE_INDEPENDENT
    for (int64_t i = 0; i < n; ++i)
        average[i] = average[i] * keep + take * p[i];
}

/// The sums of a block as they grow, chunk by chunk.
struct StatLanes {
    double grad[kLanes] = {}, update[kLanes] = {}, param[kLanes] = {}, largest = 0;

    template <class T>
    void add(const T *g, const T *before, const T *after, int64_t n) {
        add_to_lanes(grad, n, [=](int64_t i) { return squared(g[i]); });
        add_to_lanes(update, n, [=](int64_t i) { return squared(after[i] - before[i]); });
        add_to_lanes(param, n, [=](int64_t i) { return squared(before[i]); });
        const double most =
            double(largest_size<T>(n, [=](int64_t i) { return after[i] - before[i]; }));
        largest = most <= largest ? largest : most;
    }
    BlockStats sums() { return {folded(grad), folded(update), folded(param), largest}; }
};

template <class T>
void tile(SweepLoop loop, const void *scalars, const Buffers *buffers, TileRange range) {
    const Buffers b = *buffers;
    alignas(64) T p_room[kChunk], g_room[kChunk], s_room[kMaxSlots][kChunk], before_room[kChunk];
    const int64_t grad_bytes = kFormatBytes[int(range.grad_format)];
    StatLanes lanes;
    for (int64_t done = 0; done < range.n; done += kChunk) {
        const int64_t at = range.first + done;
        const int64_t n = range.n - done < kChunk ? range.n - done : kChunk;
        T *p = load_param(b, at, n, p_room);
        const T *g = range.grad ? loaded<T>(range.grad, range.grad_format, done, n, g_room) : p;
        const T *before = static_cast<const T *>(range.before) + at;
        if (range.stats && !range.before) {
            cast<T>(p, 0, n, before_room);
            before = before_room;
        }
        if (loop) {
            Streams s = {p, g, {}};
            for (int k = 0; k < b.slots; ++k)
                s.slot[k] = load_slot(b, k, at, n, s_room[k]);
            loop(scalars, &s, n);
            for (int k = 0; k < b.slots; ++k)
                store_slot(b, k, at, n, static_cast<const T *>(s.slot[k]));
            store_param(b, at, n, p, b.average || b.copy || range.stats);
        }
        if (range.stats) {
            if (done % kBlock == 0)
                lanes = StatLanes();
            lanes.add(g, before, p, n);
            if (done % kBlock + kChunk >= kBlock || done + n == range.n)
                range.stats[at / kBlock] = lanes.sums();
        }
        if constexpr (sizeof(T) == 4)
            if (b.copy)
                store_half(p, b.copy_format, b.copy, at, n);
        if (b.average)
            update_average(b, at, n, p);
        if (range.zero_grad)
            memset(static_cast<char *>(range.grad) + done * grad_bytes, 0, size_t(n * grad_bytes));
    }
}

/// Sums of a rule's terms over a run of elements, block by block.
template <class T>
void tile_sums(SumLoop loop, const void *scalars, const Buffers *buffers, TileRange range,
               int count, double *sums) {
    const Buffers b = *buffers;
    alignas(64) T p_room[kChunk], g_room[kChunk], s_room[kMaxSlots][kChunk];
    double lanes[kMaxSums][kLanes];
    for (int64_t done = 0; done < range.n; done += kChunk) {
        const int64_t at = range.first + done;
        const int64_t n = range.n - done < kChunk ? range.n - done : kChunk;
        Streams s = {load_param(b, at, n, p_room),
                     loaded<T>(range.grad, range.grad_format, done, n, g_room),
                     {}};
        for (int k = 0; k < b.slots; ++k)
            s.slot[k] = load_slot(b, k, at, n, s_room[k]);
        if (done % kBlock == 0)
            memset(lanes, 0, sizeof lanes);
        loop(scalars, &s, n, lanes[0]);
        if (done % kBlock + kChunk >= kBlock || done + n == range.n)
            for (int k = 0; k < count; ++k)
                sums[at / kBlock * count + k] = folded(lanes[k]);
    }
}
