// Tells the compiler that the iterations of the next loop are independent. The buffers of a tensor
// never overlap (the engine has checked), so this is true of every loop that carries it.
#ifndef OPTCORE_KERNELS_LOOP_H
#define OPTCORE_KERNELS_LOOP_H

#if defined(__clang__)
#define OPTCORE_INDEPENDENT _Pragma("clang loop vectorize(enable)")
#define OPTCORE_RESTRICT __restrict__
#elif defined(__GNUC__)
#define OPTCORE_INDEPENDENT _Pragma("GCC ivdep")
#define OPTCORE_RESTRICT __restrict__
#elif defined(_MSC_VER)
#define OPTCORE_INDEPENDENT __pragma(loop(ivdep))
#define OPTCORE_RESTRICT __restrict
#endif

// What stands in a loop has to be part of it, or the loop is not vectorized. Compilers that count
// instructions stop inlining somewhere in a file of this size, so they are told.
#if defined(__GNUC__) || defined(__clang__)
#define OPTCORE_INLINE inline __attribute__((always_inline))
#define OPTCORE_INLINE_LAMBDA __attribute__((always_inline))
#else
#define OPTCORE_INLINE inline
#define OPTCORE_INLINE_LAMBDA
#endif

#endif
