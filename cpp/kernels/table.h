// What the engine and the per-ISA objects know of each other: plain data and one table of
// functions. No inline code lives here, so nothing of one ISA can leak into another.
#ifndef OPTCORE_KERNELS_TABLE_H
#define OPTCORE_KERNELS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "../rules/rule.h"

namespace optcore {

constexpr int kMaxVariants = 1 << kMaxOptions;

/// Elements in one block of a reduction, and in one tile of the sweep. Part of the results.
constexpr int64_t kBlock = 4096;

/// Elements that share the scale of 8-bit state. Part of the results.
constexpr int64_t kQuantum = 256;

/// A factored rule sums a matrix in tiles of this many rows and columns. Part of the results.
constexpr int64_t kFactoredRows = 64, kFactoredCols = 1024;

/// How the elements of a buffer are stored.
enum class Format : int { f32, f64, bf16, f16, code8, signed_code8, long_double };
constexpr int64_t kFormatBytes[] = {4, 8, 2, 2, 1, 1, sizeof(long double)};

/// The loops a rule has: all of one format, or bfloat16 with float32 state.
enum class Loop : int { f32, f64, bf16, bf16_state_f32 };
constexpr int kLoops = 4;

/// The buffers of one tensor from some element on, in the formats of a loop.
struct Streams {
    void *param;
    const void *grad;
    void *slot[kMaxSlots];
};

/// What every step does around its rule, rounded once; the rule's own scalars follow it.
template <class T>
struct Common {
    T grad_factor; ///< times the gradient; negative to maximize
    T clip_value;  ///< limit of |g| after that, or infinity
    T l2;          ///< coupled decay, λ
    T keep;        ///< decoupled decay, 1 − ηλ, or 1
    T rate;
};

/// The scalars of a rule as they cross from the host.
template <class T, class Rule>
struct Scalars {
    Common<T> common;
    Rule rule;
};

/// Cautious masks: what lies at or below (update) or below (decay) the limit is left out.
template <class T>
struct Masks {
    T update_limit; ///< of u·g; NaN: no mask
    T decay_limit;  ///< of u·θ; NaN: no mask
    T scale;        ///< of what is left of the update
};

template <class T, class Rule>
struct MaskedScalars {
    Common<T> common;
    Rule rule;
    Masks<T> masks;
};

constexpr size_t kScalarBytes = 256;

using SweepLoop = void (*)(const void *scalars, const Streams *, int64_t n);

/// Adds the terms of a run of elements to the lanes of their sums.
using SumLoop = void (*)(const void *scalars, const Streams *, int64_t n, double *lanes);

/// The loops of a rule with one number of state per row, over a piece of a row of at most kBlock
/// elements in the compute type.
struct RowwiseLoops {
    double (*sum)(const void *scalars, const void *param, const void *grad, int64_t n); ///< Σg²
    void (*grow)(const void *scalars, void *slot, double mean); ///< by the mean of g² over the row
    void (*apply)(const void *scalars, void *param, const void *grad, const void *slot, int64_t n);
};

struct RuleLoops {
    SweepLoop sweep[kMaxVariants][2][kLoops]; ///< by variant, coupled decay, loop
    SumLoop sums[kMaxVariants][2][kDtypes];   ///< of rules that take sums
    SweepLoop masked[kMaxVariants][kDtypes];  ///< of maskable rules, with any decay,
    SumLoop agreeing[kMaxVariants][kDtypes];  ///< and the number of elements that the mask leaves
    RowwiseLoops rowwise[2][kDtypes];         ///< by coupled decay; empty for other rules
};

/// What a parameter narrower than float32 is rounded by, so that small updates are not lost.
enum class Rounding : int {
    nearest,
    stochastic, ///< bfloat16 only
    master,     ///< a float32 copy is kept, of which the parameter is the rounding
    split       ///< bfloat16 only: the other 16 bits of a float32 are kept
};

/// All buffers of one tensor, from element 0 on: what a step needs that is more than its rule's
/// loop, because of other formats or of work after the rule.
struct Buffers {
    void *param;
    Format param_format;
    int slots;
    void *slot[kMaxSlots];
    Format slot_format[kMaxSlots];
    float *scale[kMaxSlots]; ///< of 8-bit slots, one per kQuantum elements
    Rounding rounding;
    void *kept;    ///< the float32 master, or the lower 16 bits
    uint64_t key;  ///< of the random bits
    void *average; ///< of the parameters, in the compute type; or null
    double average_keep;
    void *copy; ///< a 16-bit copy of the parameters; or null
    Format copy_format;
};

/// Sums over one block of kBlock elements, for telemetry.
struct BlockStats {
    double grad_squares, update_squares, param_squares, largest_update;
};

/// A run of elements of a tensor, and its gradient there.
struct TileRange {
    int64_t first, n; ///< `first` is a multiple of kBlock where there are sums or 8-bit slots
    void *grad;       ///< of element `first`, dense; null: there is none
    Format grad_format;
    bool zero_grad;
    BlockStats *stats;  ///< of the tensor's block 0; or null
    const void *before; ///< the tensor as it was, if its rule has run already
};

/// One tile of a matrix: rows × cols elements whose rows are `stride` elements apart.
struct MatrixTile {
    int64_t rows, cols, stride;
};

/// A factored rule's scalars and factors. `v = row·col`, with the row's factor already divided.
struct FactoredStreams {
    void *param;
    const void *grad;
    const void *row;
    const void *col;
    void *variance; ///< vectors only
};

struct FactoredLoops {
    /// Sums of squares of g and p along each row of the tile, and of g down each column.
    void (*stats)(const void *scalars, const FactoredStreams *, MatrixTile, double *row_g,
                  double *row_p, int64_t row_step, double *col_g);
    /// Sums of u² along each row of the tile.
    void (*update_sums)(const void *scalars, const FactoredStreams *, MatrixTile, double *row_u,
                        int64_t row_step);
    void (*apply)(const void *scalars, const FactoredStreams *, MatrixTile);
    /// The same for tensors that are no matrices, by blocks: Σp² and Σu², then the step.
    void (*vector_sums)(const void *scalars, const FactoredStreams *, int64_t n, double *sum_p,
                        double *sum_u);
    void (*vector_apply)(const void *scalars, const FactoredStreams *, int64_t n);
};

/// Arithmetic of whole dense vectors. x and y do not overlap where one is written.
struct VectorLoops {
    double (*dot)(const void *x, const void *y, int64_t n); ///< of at most kBlock elements
    void (*axpy)(double a, const void *x, void *y, int64_t n);
    void (*scale)(double a, void *x, int64_t n);
};

#define OPTCORE_RULE(name, Type, options) name,
#define OPTCORE_FACTORED_RULE(name, Type) name,
#define OPTCORE_ROWWISE_RULE(name, Type) name,
enum class RuleId : int {
#include "../rules/rules.def"
    count
};
#undef OPTCORE_RULE
#undef OPTCORE_FACTORED_RULE
#undef OPTCORE_ROWWISE_RULE
constexpr int kRules = static_cast<int>(RuleId::count);

/// Everything one ISA level offers.
struct KernelTable {
    const char *name;
    RuleLoops rule[kRules]; ///< empty for factored rules
    /// Steps a run of elements through `loop`, the rule's loop of the compute type; a null loop
    /// leaves the parameters as they are and does the rest.
    void (*tile[kDtypes])(SweepLoop loop, const void *scalars, const Buffers *, TileRange);
    /// Sums of `count` terms over each block of a run of elements; `sums` is of block 0.
    void (*tile_sums[kDtypes])(SumLoop loop, const void *scalars, const Buffers *, TileRange,
                               int count, double *sums);
    FactoredLoops factored[kDtypes];
    /// Σx² of at most kBlock elements, in double, in 16 virtual lanes; by format, as far as f16.
    double (*sum_squares[4])(const void *x, int64_t n);
    /// The byte floor: reads what a rule with k slots reads, writes what it writes, no more.
    void (*stream[3])(const Streams *, int slots, int64_t n); ///< by format, as far as bf16
    VectorLoops vector[kDtypes];
};

// One table per ISA level; kernels.cpp defines the one of its own.
namespace baseline {
extern const KernelTable table;
}
namespace x86_64_v3 {
extern const KernelTable table;
}
namespace x86_64_v4 {
extern const KernelTable table;
}

} // namespace optcore

#endif
