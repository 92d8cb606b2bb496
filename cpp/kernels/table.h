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

/// A factored rule sums a matrix in tiles of this many rows and columns. Part of the results.
constexpr int64_t kFactoredRows = 64, kFactoredCols = 1024;

/// The buffers of one tensor from some element on.
struct Streams {
    void *param;
    const void *grad;
    void *slot[kMaxSlots];
};

/// What every step does around its rule, rounded once; the rule's own scalars follow it.
template <class T>
struct Common {
    T grad_scale; ///< times the gradient; negative to maximize
    T clip_value; ///< limit of |g| after that, or infinity
    T l2;         ///< coupled decay, λ
    T keep;       ///< decoupled decay, 1 − ηλ, or 1
    T rate;
};

/// The scalars of a rule as they cross from the host.
template <class T, class Rule>
struct Scalars {
    Common<T> common;
    Rule rule;
};

constexpr size_t kScalarBytes = 192;

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

using SweepLoop = void (*)(const void *scalars, const Streams *, int64_t n);

struct RuleLoops {
    SweepLoop sweep[kMaxVariants][2][kDtypes]; ///< by variant, coupled decay, dtype
};

#define OPTCORE_RULE(name, Type, options) name,
#define OPTCORE_FACTORED_RULE(name, Type) name,
enum class RuleId : int {
#include "../rules/rules.def"
    count
};
#undef OPTCORE_RULE
#undef OPTCORE_FACTORED_RULE
constexpr int kRules = static_cast<int>(RuleId::count);

/// Everything one ISA level offers.
struct KernelTable {
    const char *name;
    RuleLoops rule[kRules]; ///< empty for factored rules
    FactoredLoops factored[kDtypes];
    /// Σx² of at most kBlock elements, in double, in 16 virtual lanes.
    double (*sum_squares[kDtypes])(const void *x, int64_t n);
    /// The byte floor: reads what a rule with k slots reads, writes what it writes, no more.
    void (*stream[kDtypes])(const Streams *, int slots, int64_t n);
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
