// Whole vectors at a time, for methods that work on the parameters as one vector (L-BFGS). No
// include guard: see kernels.cpp.

/// Σxy of at most kBlock elements, multiplied and added in double, in the lanes of sums.h.
template <class T>
double vector_dot(const void *x, const void *y, int64_t n) {
    const T *a = static_cast<const T *>(x), *b = static_cast<const T *>(y);
    return lane_sum(n, [=](int64_t i) { return double(a[i]) * double(b[i]); });
}

template <class T>
inline void axpy_n(T a, const T *OPTCORE_RESTRICT x, T *OPTCORE_RESTRICT y, int64_t n) {
    OPTCORE_INDEPENDENT
    for (int64_t i = 0; i < n; ++i)
        y[i] = T(y[i] + T(a * x[i]));
}

/// y ← y + a·x, with a rounded once.
template <class T>
void vector_axpy(double a, const void *x, void *y, int64_t n) {
    axpy_n(T(a), static_cast<const T *>(x), static_cast<T *>(y), n);
}

/// x ← a·x, with a rounded once.
template <class T>
void vector_scale(double a, void *data, int64_t n) {
    T *x = static_cast<T *>(data);
    const T factor = T(a);
    OPTCORE_INDEPENDENT
    for (int64_t i = 0; i < n; ++i)
        x[i] = T(factor * x[i]);
}

template <class T>
constexpr VectorLoops vector_loops() {
    return {&vector_dot<T>, &vector_axpy<T>, &vector_scale<T>};
}
