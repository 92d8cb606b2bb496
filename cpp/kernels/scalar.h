// The few scalar functions that rules use beside + − × ÷. No include guard: read inside the
// namespace of each ISA level, so that no two levels share a function.
#if defined(__GNUC__) || defined(__clang__)
inline float sqrt(float x) { return __builtin_sqrtf(x); }
inline double sqrt(double x) { return __builtin_sqrt(x); }
inline float abs(float x) { return __builtin_fabsf(x); }
inline double abs(double x) { return __builtin_fabs(x); }
#else
inline float sqrt(float x) { return ::sqrtf(x); }
inline double sqrt(double x) { return ::sqrt(x); }
inline float abs(float x) { return ::fabsf(x); }
inline double abs(double x) { return ::fabs(x); }
#endif

/// max(x, low) that lets a NaN in x through.
template <class T>
inline T at_least(T x, T low) {
    return x < low ? low : x;
}

/// min(x, high) that lets a NaN in x through.
template <class T>
inline T at_most(T x, T high) {
    return x > high ? high : x;
}

/// 1, 0 or −1; a NaN stays.
template <class T>
inline T sign(T x) {
    return x > T(0) ? T(1) : x < T(0) ? T(-1) : x;
}

template <class T>
inline double squared(T x) {
    return double(x) * double(x);
}
