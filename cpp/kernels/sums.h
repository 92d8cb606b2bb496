// Sums in float64 whose bits depend on the numbers alone: 16 virtual lanes whatever the vector
// width, element i in lane i mod 16, the lanes folded in halves. No include guard: see kernels.cpp.

constexpr int kLanes = 16;

inline double folded(double *lane) {
    for (int width = kLanes / 2; width > 0; width /= 2)
        for (int k = 0; k < width; ++k)
            lane[k] = lane[k] + lane[k + width];
    return lane[0];
}

/// Σ f(i) for i in [0, n).
template <class F>
inline double lane_sum(int64_t n, F f) {
    double lane[kLanes] = {};
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
        for (int k = 0; k < kLanes; ++k)
            lane[k] = lane[k] + f(i + k);
    for (int k = 0; i < n; ++i, ++k)
        lane[k] = lane[k] + f(i);
    return folded(lane);
}

template <class T>
inline double squared(T x) {
    return double(x) * double(x);
}

template <class T>
double sum_squares(const void *data, int64_t n) {
    const T *x = static_cast<const T *>(data);
    return lane_sum(n, [=](int64_t i) { return squared(x[i]); });
}
