// The floating-point control register: rounding mode and flush-to-zero. OpenMP workers do not
// inherit it, so it is carried over for the length of a step and put back.
#ifndef OPTCORE_ENGINE_FP_MODE_H
#define OPTCORE_ENGINE_FP_MODE_H

#include <cstdint>

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace optcore {

using FpMode = uint64_t;

inline FpMode current_fp_mode() {
#if defined(__SSE2__) || defined(_M_X64)
    return _mm_getcsr() & ~0x3fu; // without the sticky exception flags
#elif defined(__aarch64__) && defined(__GNUC__)
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
#else
    return 0;
#endif
}

inline void set_fp_mode(FpMode mode) {
#if defined(__SSE2__) || defined(_M_X64)
    _mm_setcsr(static_cast<unsigned>(mode) | (_mm_getcsr() & 0x3fu));
#elif defined(__aarch64__) && defined(__GNUC__)
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#else
    (void)mode;
#endif
}

} // namespace optcore

#endif
