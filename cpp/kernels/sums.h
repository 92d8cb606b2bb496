// Sums in float64 whose bits depend on the numbers alone: 16 virtual lanes whatever the vector
// width, element i in lane i mod 16, the lanes folded in halves. No include guard: see kernels.cpp.

constexpr int kLanes = 16;

inline double folded(double *lane) {
    for (int width = kLanes / 2; width > 0; width /= 2)
        for (int k = 0; k < width; ++k)
            lane[k] = lane[k] + lane[k + width];
    return lane[0];
}

/// Adds f(i) for i in [0, n) to the lanes; n is a multiple of kLanes but at the end of a block.
template <class F>
OPTCORE_INLINE void add_to_lanes(double *lanes, int64_t n, F f) {
    double lane[kLanes]; // a copy stays in registers
    for (int k = 0; k < kLanes; ++k)
        lane[k] = lanes[k];
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
        for (int k = 0; k < kLanes; ++k)
            lane[k] = lane[k] + f(i + k);
    for (int k = 0; i < n; ++i, ++k)
        lane[k] = lane[k] + f(i);
    for (int k = 0; k < kLanes; ++k)
        lanes[k] = lane[k];
}

/// Σ f(i) for i in [0, n).
template <class F>
OPTCORE_INLINE double lane_sum(int64_t n, F f) {
    double lane[kLanes] = {};
    add_to_lanes(lane, n, f);
    return folded(lane);
}

// As integers the sizes of floats keep their order, with infinity and NaN above all.
inline int32_t size_bits(float x) { return __builtin_bit_cast(int32_t, x) & INT32_MAX; }
inline int64_t size_bits(double x) { return __builtin_bit_cast(int64_t, x) & INT64_MAX; }

/// max |f(i)| for i in [0, n), or NaN if there is one.
template <class T, class F>
inline T largest_size(int64_t n, F f) {
    decltype(size_bits(T())) most = 0;
    for (int64_t i = 0; i < n; ++i) {
        const auto size = size_bits(f(i));
        most = size > most ? size : most;
    }
    return __builtin_bit_cast(T, most);
}

template <class T>
double sum_squares(const void *data, int64_t n) {
    const T *x = static_cast<const T *>(data);
    return lane_sum(n, [=](int64_t i) { return squared(x[i]); });
}

template <float (*Widened)(uint32_t)>
double sum_squares_16(const void *data, int64_t n) {
    const Half *x = static_cast<const Half *>(data);
    return lane_sum(n, [=](int64_t i) { return squared(Widened(x[i])); });
}
