/**
 * @file optcore.h
 * @brief optcore's C interface: every optimizer and schedule of the Python package, with the same
 * bits.
 *
 * A training loop needs five calls:
 *
 * @code{.c}
 * optcore_optimizer *opt = NULL;
 * optcore_optimizer_create("adamw", &opt);
 * optcore_optimizer_set(opt, OPTCORE_ALL_GROUPS, "lr", 3e-3);
 * optcore_tensor w = {.struct_size = sizeof w, .name = "w", .data = weights, .count = 1000};
 * optcore_optimizer_add(opt, 0, &w, NULL);
 * for (...) {
 *     optcore_step step = {.struct_size = sizeof step, .count = 1, .data = &gradient};
 *     if (optcore_optimizer_step(opt, &step, NULL) != OPTCORE_OK)
 *         puts(optcore_last_error());
 * }
 * optcore_optimizer_destroy(opt);
 * @endcode
 *
 * ## What holds for every function
 *
 * - It returns a code, OPTCORE_OK or an error; then optcore_last_error() says in words, for this
 *   thread, which argument it was, what was expected, what came, and how to mend it. On an error
 *   nothing has changed: no parameter, no state, no step number, no output.
 * - Pointers may be NULL only where their documentation says so; else NULL is an error, no crash.
 * - Every struct that you pass begins with `struct_size`: set it to `sizeof` of the struct and the
 *   rest to zero, which is the default of every field. So programs that were compiled against an
 *   older header, with shorter structs, go on working; what a newer header adds is accepted as long
 *   as it is zero, and is an error if it is not. Of an array of structs, the first one's
 *   `struct_size` is the distance from each to the next.
 * - Memory is yours: buffers of parameters, gradients and, if you like, state stay where they are
 *   and are borrowed. Parameters and state are borrowed from optcore_optimizer_add() and
 *   optcore_optimizer_start() until optcore_optimizer_destroy(), gradients for the one call.
 * - Counts and step numbers have 64 bits. No exception, no output and no signal crosses the border.
 * - A handle that was destroyed, is of another kind, or is no handle, is an error, as far as can be
 *   told: a table of the handles in use is looked at before one is followed.
 * - Different handles may be used by different threads at the same time. One optimizer in two
 *   threads at once is OPTCORE_BUSY in the second. Schedules never change: any threads may read
 * one.
 * - Strings that are returned belong to the library and last as long as their documentation says;
 *   those without a word last for the process.
 *
 * ## Names
 *
 * Optimizers have the names of Python's classes; case and underscores do not count: "AdamW",
 * "adamw", "schedule_free_sgd". Hyperparameters have the core's names: those of the Python class,
 * but for pairs, which are two numbers (`betas` are "beta1" and "beta2"), and for options that may
 * be None or a word, which are numbers of 0 and 1 beside their value ("momentum_schedule").
 * optcore_rule_value() lists them. On an unknown name the message lists near ones.
 */
#ifndef OPTCORE_OPTCORE_H
#define OPTCORE_OPTCORE_H

#include <stddef.h>
#include <stdint.h>

/** @name Linking
 * Define OPTCORE_SHARED where you link the shared library on Windows.
 * @{ */
#if defined(_WIN32) && defined(OPTCORE_BUILD)
#define OPTCORE_API __declspec(dllexport)
#elif defined(_WIN32) && defined(OPTCORE_SHARED)
#define OPTCORE_API __declspec(dllimport)
#elif defined(__GNUC__)
#define OPTCORE_API __attribute__((visibility("default")))
#else
#define OPTCORE_API
#endif

#ifdef __cplusplus
#define OPTCORE_NOEXCEPT noexcept
extern "C" {
#else
#define OPTCORE_NOEXCEPT
#endif
/** @} */

/** @defgroup version Version and errors
 * @{ */

/** The version of this interface: the upper 16 bits break programs when they change, the lower 16
 *  count what was added. */
#define OPTCORE_ABI_VERSION 0x00010000u

/** The version of the library that is linked. A program made with this header runs with every
 *  library whose upper 16 bits are the same and whose lower 16 are not smaller. */
OPTCORE_API uint32_t optcore_abi_version(void) OPTCORE_NOEXCEPT;

/** optcore's own version, "0.1.0". */
OPTCORE_API const char *optcore_version(void) OPTCORE_NOEXCEPT;

/** What a function returns. */
typedef int32_t optcore_status;

/** The values of ::optcore_status. Later versions may add some: treat what you do not know as an
 * error. */
enum {
    OPTCORE_OK = 0,            /**< All went well. */
    OPTCORE_NULL_POINTER = 1,  /**< A pointer that may not be NULL was. */
    OPTCORE_BAD_HANDLE = 2,    /**< No handle, destroyed, or of another kind. */
    OPTCORE_BAD_STRUCT = 3,    /**< `struct_size` is too small, or an unknown field is not zero. */
    OPTCORE_BAD_VALUE = 4,     /**< A number out of range, or arguments that do not go together. */
    OPTCORE_BAD_DTYPE = 5,     /**< A buffer of a type that does not fit here. */
    OPTCORE_BAD_LAYOUT = 6,    /**< A shape, strides, alignment or overlap that does not fit. */
    OPTCORE_UNKNOWN_NAME = 7,  /**< No rule, value, slot, schedule, argument or ISA of that name. */
    OPTCORE_UNSUPPORTED = 8,   /**< Known, but not by this door, this rule or this build. */
    OPTCORE_OUT_OF_MEMORY = 9, /**< Memory was refused, or is too small. */
    OPTCORE_OUT_OF_RANGE = 10, /**< An index beyond the last one. */
    OPTCORE_WRONG_TIME = 11,   /**< Called before, or after, the state was made. */
    OPTCORE_BUSY = 12,         /**< The optimizer is in use by another thread. */
    OPTCORE_NONFINITE = 13,    /**< A gradient is infinite or NaN, and ::OPTCORE_RAISE is set. */
    OPTCORE_BAD_STATE = 14,    /**< Saved state of another rule, version, option or tensor. */
    OPTCORE_INTERNAL = 15      /**< A mistake of the library. */
};

/** What went wrong in this thread's last call that failed; "" before any did. It lasts until this
 *  thread's next call that fails. */
OPTCORE_API const char *optcore_last_error(void) OPTCORE_NOEXCEPT;

/** The name of a code, "OPTCORE_BAD_VALUE"; "unknown" for others. */
OPTCORE_API const char *optcore_status_name(optcore_status status) OPTCORE_NOEXCEPT;

/** @} */

/** @defgroup arrays Arrays
 * @{ */

/** How the elements of a buffer are stored. */
typedef int32_t optcore_dtype;

/** The values of ::optcore_dtype. */
enum {
    OPTCORE_F32 = 0,  /**< IEEE binary32, the default. */
    OPTCORE_F64 = 1,  /**< IEEE binary64. */
    OPTCORE_BF16 = 2, /**< bfloat16: the upper half of a binary32. */
    OPTCORE_F16 = 3,  /**< IEEE binary16. */
    OPTCORE_U8 = 4,   /**< Codes of 8-bit state, 256 of which share a scale. */
    OPTCORE_I16 = 5,  /**< The lower halves of parameters with OPTCORE_SPLIT. */
    OPTCORE_I32 = 6,  /**< Row indices only. */
    OPTCORE_I64 = 7,  /**< Row indices only. */
    OPTCORE_U32 = 8,  /**< Row indices only. */
    OPTCORE_U64 = 9   /**< Row indices only. */
};

/** Bytes of one element, 0 for no ::optcore_dtype. */
OPTCORE_API size_t optcore_dtype_bytes(optcore_dtype dtype) OPTCORE_NOEXCEPT;

/** The name that NumPy has for it: "float32", "float64", "bfloat16", "float16", "uint8", ... */
OPTCORE_API const char *optcore_dtype_name(optcore_dtype dtype) OPTCORE_NOEXCEPT;

/** An array, where it lies. */
typedef struct optcore_array {
    size_t struct_size;
    const char *name; /**< May be NULL where it is passed in without a meaning. */
    void *data;       /**< May be NULL if it has no elements. */
    int64_t count;    /**< Elements in all. */
    optcore_dtype dtype;
    int32_t ndim;           /**< Axes; 0 with `shape` NULL stands for one axis of `count`. */
    const int64_t *shape;   /**< `ndim` extents, or NULL for one axis of `count`. */
    const int64_t *strides; /**< In elements; NULL: C-contiguous, the last axis fastest. */
} optcore_array;

/** √Σx² over all elements of these arrays together: float64 sums in a fixed order, the same bits as
 *  `optcore.global_norm`, whatever the number of threads.
 *  @param arrays `count` of them, float32, float64, bfloat16 or float16; NULL if `count` is 0.
 *  @param threads 0 for the default.
 *  @param norm receives it. */
OPTCORE_API optcore_status optcore_norm(const optcore_array *arrays, int64_t count, int32_t threads,
                                        double *norm) OPTCORE_NOEXCEPT;

/** What gradients of that norm are multiplied by to be clipped to `limit`, torch's
 *  min(1, limit/(norm + 1e-6)). */
OPTCORE_API optcore_status optcore_clip_factor(double norm, double limit,
                                               double *factor) OPTCORE_NOEXCEPT;

/** @} */

/** @defgroup runtime Threads and instruction sets
 * @{ */

/** The threads that a step uses when it is told nothing: OMP_NUM_THREADS, CPU affinity and the
 *  container's quota decide. 1 in a library without OpenMP. */
OPTCORE_API optcore_status optcore_get_threads(int32_t *threads) OPTCORE_NOEXCEPT;

/** Sets that default for the process; 0 restores it. optcore_options::threads is for one optimizer.
 *  Which thread does what changes no bits. */
OPTCORE_API optcore_status optcore_set_threads(int32_t threads) OPTCORE_NOEXCEPT;

/** 1 if the library runs its own threads, 0 if it was built with OPTCORE_OPENMP=OFF. */
OPTCORE_API int32_t optcore_has_openmp(void) OPTCORE_NOEXCEPT;

/** One piece of work of a step, for optcore_executor::run: call it once for each k. Never throws.
 */
typedef void (*optcore_work)(void *argument, int32_t k);

/** The host's own threads: see optcore_options::executor. */
typedef struct optcore_executor {
    size_t struct_size;
    void *context;   /**< Handed back to `run`; may be NULL. */
    int32_t threads; /**< How many threads a step is divided among at most, 1 or more. */
    int32_t reserved;
    /** Calls `work(argument, k)` exactly once for every k in [0, n), n ≤ `threads`, on any threads,
     *  and returns when all have returned. */
    void (*run)(void *context, int32_t n, optcore_work work, void *argument);
} optcore_executor;

/** The instruction set level in use, "x86_64_v3": the best that the library has and the CPU runs,
 * or the one that the environment variable OPTCORE_ISA names.
 *  @param name receives it. An error if OPTCORE_ISA names none that is available. */
OPTCORE_API optcore_status optcore_isa(const char **name) OPTCORE_NOEXCEPT;

/** The i-th level that this CPU runs, lowest first; OPTCORE_OUT_OF_RANGE after the last one. */
OPTCORE_API optcore_status optcore_available_isa(int64_t index, const char **name) OPTCORE_NOEXCEPT;

/** Uses another level from now on, for the process. Every level gives the same bits. */
OPTCORE_API optcore_status optcore_use_isa(const char *name) OPTCORE_NOEXCEPT;

/** @} */

/** @defgroup rules The catalogue of optimizers
 * @{ */

/** One optimizer of the catalogue. */
typedef struct optcore_rule_info {
    size_t struct_size;
    const char *name;  /**< "adamw" */
    const char *title; /**< Python's class: "AdamW" */
    const char *rule;  /**< The rule that state is saved under: "adam" */
    const char *kind;  /**< How much of the model an element's step depends on: "elementwise",
                            "per_tensor" or "global". */
    int64_t values;    /**< How many hyperparameters, switches and options it has. */
    int32_t available; /**< 0: it needs NumPy's BLAS or Python, and cannot be made here. */
    int32_t maskable;  /**< 1: "cautious" and "cautious_weight_decay" may be set. */
} optcore_rule_info;

/** What a named value of an optimizer is. */
enum {
    OPTCORE_NUMBER = 0, /**< A number, or a schedule; it may change between steps. */
    OPTCORE_SWITCH = 1, /**< 0 or 1; it may change between steps. */
    OPTCORE_OPTION = 2  /**< 0 or 1; it decides which state there is, so it stays. */
};

/** A named value of an optimizer. */
typedef struct optcore_value_info {
    size_t struct_size;
    const char *name;
    double initial; /**< What it is if nothing is set. */
    int32_t kind;   /**< ::OPTCORE_NUMBER, ::OPTCORE_SWITCH or ::OPTCORE_OPTION */
    int32_t fixed;  /**< 1: it cannot change once the state is made, and takes no schedule. */
} optcore_value_info;

/** How many optimizers there are, those that cannot be made here included. */
OPTCORE_API int64_t optcore_rule_count(void) OPTCORE_NOEXCEPT;

/** The optimizer at an index. @param info filled in; `struct_size` has to be set. */
OPTCORE_API optcore_status optcore_rule_at(int64_t index, optcore_rule_info *info) OPTCORE_NOEXCEPT;

/** The optimizer of a name. */
OPTCORE_API optcore_status optcore_rule_find(const char *name,
                                             optcore_rule_info *info) OPTCORE_NOEXCEPT;

/** The value at an index, below optcore_rule_info::values, of the optimizer of a name. */
OPTCORE_API optcore_status optcore_rule_value(const char *name, int64_t index,
                                              optcore_value_info *info) OPTCORE_NOEXCEPT;

/** @} */

/** @defgroup schedules Schedules
 * A schedule is a pure function of the step number. Arguments and formulas are those of
 * `optcore.schedules`; those that are left out have the defaults there. Schedules of schedules are
 * of the same catalogue: "product", "sum", "scaled", "clipped", "shifted", "every", "sequential",
 * "warmup".
 * @{ */

/** A schedule. It is immutable; what is made of it keeps it alive. */
typedef struct optcore_schedule optcore_schedule;

/** A named argument of a schedule: the field that its type asks for is read, the others have to be
 *  zero. optcore_schedule_argument_info::kind says which. */
typedef struct optcore_argument {
    size_t struct_size;
    const char *name;
    double number;                            /**< OPTCORE_ARG_NUMBER */
    uint64_t whole;                           /**< OPTCORE_ARG_COUNT; for a flag 0 or 1 */
    const char *word;                         /**< OPTCORE_ARG_WORD */
    const double *numbers;                    /**< OPTCORE_ARG_NUMBERS: `length` of them */
    const uint64_t *wholes;                   /**< OPTCORE_ARG_COUNTS: `length` of them */
    const optcore_schedule *const *schedules; /**< OPTCORE_ARG_SCHEDULES: `length` of them; for
                                                   OPTCORE_ARG_SCHEDULE one, `length` 1 */
    int64_t length;
} optcore_argument;

/** What an argument of a schedule is. */
enum {
    OPTCORE_ARG_NUMBER = 0,
    OPTCORE_ARG_COUNT = 1, /**< A whole number, mostly of steps. */
    OPTCORE_ARG_FLAG = 2,
    OPTCORE_ARG_WORD = 3,
    OPTCORE_ARG_SCHEDULE = 4,
    OPTCORE_ARG_NUMBERS = 5,
    OPTCORE_ARG_COUNTS = 6,
    OPTCORE_ARG_SCHEDULES = 7
};

/** An argument of a schedule, as the catalogue knows it. */
typedef struct optcore_argument_info {
    size_t struct_size;
    const char *name;
    int32_t kind;     /**< ::OPTCORE_ARG_NUMBER, ... */
    int32_t required; /**< 0: it may be left out, for the default below. */
    double number;    /**< The default of a number, count or flag. */
    const char *word; /**< The default of a word. */
} optcore_argument_info;

/** A schedule of the catalogue. */
typedef struct optcore_schedule_info {
    size_t struct_size;
    const char *name;  /**< "cosine_restarts" */
    const char *title; /**< Python's class: "CosineRestarts" */
    int64_t arguments; /**< How many it has. */
} optcore_schedule_info;

/** How many schedules the catalogue has. */
OPTCORE_API int64_t optcore_schedule_count(void) OPTCORE_NOEXCEPT;

/** The schedule at an index of the catalogue. */
OPTCORE_API optcore_status optcore_schedule_info_at(int64_t index,
                                                    optcore_schedule_info *info) OPTCORE_NOEXCEPT;

/** The argument at an index, below optcore_schedule_info::arguments, of the schedule of a name. */
OPTCORE_API optcore_status optcore_schedule_argument(const char *name, int64_t index,
                                                     optcore_argument_info *info) OPTCORE_NOEXCEPT;

/** Makes a schedule of the catalogue by name.
 *  @param arguments `count` of them in any order; NULL if `count` is 0. What they point at is
 * copied.
 *  @param schedule receives the handle; destroy it when you are done, also while optimizers use it.
 */
OPTCORE_API optcore_status optcore_schedule_create(const char *name,
                                                   const optcore_argument *arguments, int64_t count,
                                                   optcore_schedule **schedule) OPTCORE_NOEXCEPT;

/** Lets a schedule go; NULL is fine. */
OPTCORE_API optcore_status optcore_schedule_destroy(optcore_schedule *schedule) OPTCORE_NOEXCEPT;

/** The value at a step, 0, 1, ... */
OPTCORE_API optcore_status optcore_schedule_at(const optcore_schedule *schedule, uint64_t step,
                                               double *value) OPTCORE_NOEXCEPT;

/** The values at many steps.
 *  @param steps `count` of them; NULL stands for 0, 1, ..., count − 1.
 *  @param values receives `count` numbers; NULL only if `count` is 0. */
OPTCORE_API optcore_status optcore_schedule_fill(const optcore_schedule *schedule,
                                                 const uint64_t *steps, int64_t count,
                                                 double *values) OPTCORE_NOEXCEPT;

/** @} */

/** @defgroup optimizers Optimizers
 * Make one, set what differs from the defaults, add the tensors, and step. The state is made by the
 * first step, or by optcore_optimizer_start() in memory of your own; options that decide which
 * state there is stay as they are from then on, and no tensor can be added.
 * @{ */

/** An optimizer over tensors that belong to you. */
typedef struct optcore_optimizer optcore_optimizer;

/** In the place of a group's index: all groups that there are. */
#define OPTCORE_ALL_GROUPS ((int64_t)-1)

/** What happens when a gradient is infinite or NaN. */
enum {
    OPTCORE_PROPAGATE = 0, /**< The step is taken all the same. */
    OPTCORE_SKIP = 1,      /**< Nothing changes; optcore_step_result::stepped says so. */
    OPTCORE_RAISE = 2      /**< Nothing changes, and the step returns ::OPTCORE_NONFINITE. */
};

/** What keeps small updates of 16-bit parameters from being rounded away. */
enum {
    OPTCORE_NEAREST = 0, /**< Nothing. */
    OPTCORE_STOCHASTIC =
        1,              /**< bfloat16: up or down with the probability that is right on average. */
    OPTCORE_MASTER = 2, /**< A float32 copy is kept. */
    OPTCORE_SPLIT = 3   /**< bfloat16: the other 16 bits of a float32 are kept. */
};

/** What belongs to an optimizer as a whole. */
typedef struct optcore_options {
    size_t struct_size;
    double clip_norm;      /**< Limit of the norm of all gradients; 0: none. Infinity takes the norm
                              alone. */
    double clip_value;     /**< Limit of each element after that; 0: none. */
    int32_t nonfinite;     /**< ::OPTCORE_PROPAGATE, ::OPTCORE_SKIP or ::OPTCORE_RAISE */
    int32_t zero_grads;    /**< 1: gradients are set to zero after a step. */
    int32_t threads;       /**< Threads of a step, obeyed as given; 0: the default. */
    int32_t low_precision; /**< ::OPTCORE_NEAREST, ...; fixed once the state is made. */
    uint64_t seed;         /**< Of stochastic rounding. */
    int32_t average; /**< 1: keep a running average of the parameters (state "ema"); fixed once
                          the state is made. */
    int32_t reserved;
    double average_decay;                     /**< How much of it stays in a step, in [0, 1]. */
    const optcore_schedule *average_schedule; /**< In its place, by step; or NULL. */
    const optcore_executor
        *executor; /**< The host's threads in the place of ours; or NULL. Copied. */
} optcore_options;

/** A parameter: a dense piece of memory that is stepped where it lies. */
typedef struct optcore_tensor {
    size_t struct_size;
    const char *name;    /**< The path that its state is saved under, and that stochastic rounding
                            draws by; unique. NULL: its index in decimals. Copied. */
    void *data;          /**< Aligned to its elements. NULL only if it has none. */
    int64_t count;       /**< Elements in all. */
    optcore_dtype dtype; /**< OPTCORE_F32, OPTCORE_F64, OPTCORE_BF16 or OPTCORE_F16 */
    int32_t ndim;        /**< Axes; with `shape` NULL one axis of `count`. */
    const int64_t
        *shape; /**< `ndim` extents; NULL: one axis of `count`. Rules that look at matrices
                     (Adafactor) take the last two axes as rows and columns. Copied. */
    const int64_t
        *strides;   /**< In elements; NULL: C-contiguous. Any order of axes, but dense. Copied. */
    uint64_t steps; /**< How many steps it has had; 0 for a new one. Bias correction goes by it. */
    void *copy;     /**< A 16-bit copy that every step writes, laid out alike; or NULL. */
    optcore_dtype copy_dtype; /**< Of `copy`: OPTCORE_BF16 or OPTCORE_F16 */
    int32_t reserved;
} optcore_tensor;

/** Makes an optimizer by name, with one group, index 0, at the defaults.
 *  @param name see optcore_rule_at(). One that needs NumPy or Python is ::OPTCORE_UNSUPPORTED.
 *  @param optimizer receives the handle. */
OPTCORE_API optcore_status optcore_optimizer_create(const char *name,
                                                    optcore_optimizer **optimizer) OPTCORE_NOEXCEPT;

/** Lets an optimizer go, with the state that it allocated; NULL is fine. */
OPTCORE_API optcore_status optcore_optimizer_destroy(optcore_optimizer *optimizer) OPTCORE_NOEXCEPT;

/** Adds a group, with the values that group 0 has now. @param group receives its index; may be
 * NULL. */
OPTCORE_API optcore_status optcore_optimizer_add_group(optcore_optimizer *optimizer,
                                                       int64_t *group) OPTCORE_NOEXCEPT;

/** Sets a value of a group, or of all, by name: a number, or 0 or 1 for a switch or option. */
OPTCORE_API optcore_status optcore_optimizer_set(optcore_optimizer *optimizer, int64_t group,
                                                 const char *name, double value) OPTCORE_NOEXCEPT;

/** Lets a schedule give a number: the k-th step, k = 0, 1, ..., uses its value at k. The handle may
 * be destroyed at once. */
OPTCORE_API optcore_status
optcore_optimizer_set_schedule(optcore_optimizer *optimizer, int64_t group, const char *name,
                               const optcore_schedule *schedule) OPTCORE_NOEXCEPT;

/** The value of the next step. */
OPTCORE_API optcore_status optcore_optimizer_get(const optcore_optimizer *optimizer, int64_t group,
                                                 const char *name, double *value) OPTCORE_NOEXCEPT;

/** Sets what belongs to the optimizer as a whole; fields that are fixed have to stay as they were
 *  once the state is made. */
OPTCORE_API optcore_status optcore_optimizer_set_options(
    optcore_optimizer *optimizer, const optcore_options *options) OPTCORE_NOEXCEPT;

/** Stores state in another format than the one that a step computes in: OPTCORE_F32, OPTCORE_BF16
 * or OPTCORE_U8 (8 bits, with a float32 scale for every 256 elements). Before the state is made.
 *  @param slot the state array it is for, "exp_avg"; NULL for all. */
OPTCORE_API optcore_status optcore_optimizer_set_state_dtype(optcore_optimizer *optimizer,
                                                             int64_t group, const char *slot,
                                                             optcore_dtype dtype) OPTCORE_NOEXCEPT;

/** Adds a tensor to a group. Before the state is made. @param index receives its index; may be
 * NULL. */
OPTCORE_API optcore_status optcore_optimizer_add(optcore_optimizer *optimizer, int64_t group,
                                                 const optcore_tensor *tensor,
                                                 int64_t *index) OPTCORE_NOEXCEPT;

/** How many bytes the state of all tensors needs, with room to place it well; see
 *  optcore_optimizer_start(). */
OPTCORE_API optcore_status optcore_optimizer_state_bytes(const optcore_optimizer *optimizer,
                                                         size_t *bytes) OPTCORE_NOEXCEPT;

/** Makes the state, as it is before the first step. A first step does so itself, in memory of the
 *  library.
 *  @param memory of your own, with any alignment, that lasts as long as the optimizer; NULL: the
 *         library allocates it.
 *  @param bytes of that memory, at least optcore_optimizer_state_bytes(); 0 with NULL. */
OPTCORE_API optcore_status optcore_optimizer_start(optcore_optimizer *optimizer, void *memory,
                                                   size_t bytes) OPTCORE_NOEXCEPT;

/** A gradient that is not simply dense and of its tensor's type. */
typedef struct optcore_gradient {
    size_t struct_size;
    void *data;    /**< Read, and written only with zero_grads; NULL: the tensor is left alone. */
    int64_t count; /**< Elements; as many as the tensor has or, with rows, as they have. */
    optcore_dtype
        dtype; /**< OPTCORE_F32, OPTCORE_F64, OPTCORE_BF16 or OPTCORE_F16, of any tensor */
    optcore_dtype row_dtype; /**< Of `rows`: OPTCORE_I64, OPTCORE_I32, OPTCORE_U64 or OPTCORE_U32 */
    const int64_t *strides; /**< In elements, one for each axis of the tensor; NULL: laid out as the
                                 tensor; with `rows`, C-contiguous. */
    const void *rows;  /**< Sparse: the indices along the first axis that `data` has values for,
                          which may repeat and are then added; NULL: dense. */
    int64_t row_count; /**< How many. */
} optcore_gradient;

/** The gradients of a step: either `data` or `gradients`. */
typedef struct optcore_step {
    size_t struct_size;
    int64_t count;     /**< How many; as many as there are tensors, in their order. */
    void *const *data; /**< Gradients of their tensors' dtypes and layouts; NULL in the place of one
                            leaves its tensor, state and step number alone. */
    const optcore_gradient *gradients; /**< In the place of `data`. */
    void *const
        *params;       /**< Where the parameters lie, as a check that it is still there; or NULL. */
    double grad_scale; /**< What the loss was multiplied by, above 0; 0 stands for 1. */
} optcore_step;

/** What came of a step. */
typedef struct optcore_step_result {
    size_t struct_size;
    double grad_norm;    /**< The norm before clipping, unscaled; NaN where none was taken. */
    int64_t bad_tensor;  /**< The first tensor whose gradient was not finite, or −1. */
    int64_t bad_element; /**< And the element in it, in memory order, or −1. */
    int32_t stepped;     /**< 0: a gradient was not finite, and nothing has changed. */
    int32_t reserved;
} optcore_step_result;

/** One step: unscale, look for what is not finite, clip, rule, decay, round, average, all in one
 * pass.
 *  @param result filled in; may be NULL. It is filled in as well for ::OPTCORE_NONFINITE. */
OPTCORE_API optcore_status optcore_optimizer_step(optcore_optimizer *optimizer,
                                                  const optcore_step *step,
                                                  optcore_step_result *result) OPTCORE_NOEXCEPT;

/** Sophia alone: takes an estimate of the Hessian's diagonal, in the place of gradients, into the
 * state "hessian". Parameters and step numbers stay. @param result may be NULL. */
OPTCORE_API optcore_status
optcore_optimizer_update_hessian(optcore_optimizer *optimizer, const optcore_step *estimate,
                                 optcore_step_result *result) OPTCORE_NOEXCEPT;

/** The parameter to evaluate a model with: x of the schedule-free rules, which step at another
 * point; of other rules the parameter itself.
 *  @param out receives its elements in memory order, as float64 for a float64 tensor, else as
 * float32.
 *  @param bytes of `out`, at least what that takes. */
OPTCORE_API optcore_status optcore_optimizer_evaluated(const optcore_optimizer *optimizer,
                                                       int64_t tensor, void *out,
                                                       size_t bytes) OPTCORE_NOEXCEPT;

/** How many tensors there are. */
OPTCORE_API optcore_status optcore_optimizer_tensor_count(const optcore_optimizer *optimizer,
                                                          int64_t *count) OPTCORE_NOEXCEPT;

/** How many steps were taken; the next one reads schedules at this number. */
OPTCORE_API optcore_status optcore_optimizer_step_count(const optcore_optimizer *optimizer,
                                                        uint64_t *steps) OPTCORE_NOEXCEPT;

/** How many steps a tensor has had. */
OPTCORE_API optcore_status optcore_optimizer_tensor_steps(const optcore_optimizer *optimizer,
                                                          int64_t tensor,
                                                          uint64_t *steps) OPTCORE_NOEXCEPT;

/** How many arrays of state a tensor has; 0 before the state is made. */
OPTCORE_API optcore_status optcore_optimizer_slot_count(const optcore_optimizer *optimizer,
                                                        int64_t tensor,
                                                        int64_t *count) OPTCORE_NOEXCEPT;

/** An array of state where it lies: names, dtypes and shapes are those of Python's `opt.state`.
 *  @param array filled in; what it points at lasts as long as the optimizer. */
OPTCORE_API optcore_status optcore_optimizer_slot(const optcore_optimizer *optimizer,
                                                  int64_t tensor, int64_t index,
                                                  optcore_array *array) OPTCORE_NOEXCEPT;

/** @} */

/** @defgroup state Saved state
 * What Python's `state_dict()` holds, as a handle: the rule, the options that decide the state,
 * step numbers, values of the groups, and the arrays by tensor and slot. To write it to a file, go
 * through it with the functions below; to read one, build it with the `optcore_state_set_...` and
 * `optcore_state_add_...` functions. optcore_optimizer_load() checks all of it before it takes
 * anything.
 * @{ */

/** Saved state. */
typedef struct optcore_state optcore_state;

/** The layout of saved state that this library writes; it reads this and older ones. */
#define OPTCORE_STATE_FORMAT 1

/** What saved state says of itself. */
typedef struct optcore_state_header {
    size_t struct_size;
    const char *rule; /**< Of optcore_rule_info::rule; lasts as long as the handle. */
    int64_t format;   /**< ::OPTCORE_STATE_FORMAT */
    uint64_t step;    /**< Steps of the optimizer. */
    int64_t groups;   /**< Filled in when it is read. */
    int64_t tensors;  /**< Filled in when it is read. */
} optcore_state_header;

/** A saved value of a group, by the names of optcore_rule_value(). */
typedef struct optcore_state_value {
    size_t struct_size;
    const char *name; /**< Lasts as long as the handle. */
    double value;
    int32_t
        scheduled; /**< 1: a schedule gave it; the optimizer that takes it over keeps its own. */
    int32_t reserved;
} optcore_state_value;

/** A saved tensor. */
typedef struct optcore_state_tensor {
    size_t struct_size;
    const char *name; /**< Lasts as long as the handle. */
    int64_t group;
    uint64_t steps;
    int64_t arrays; /**< Filled in when it is read. */
} optcore_state_tensor;

/** Copies everything that an optimizer needs to go on from here. */
OPTCORE_API optcore_status optcore_optimizer_save(optcore_optimizer *optimizer,
                                                  optcore_state **state) OPTCORE_NOEXCEPT;

/** Takes over saved state, all of it or, on an error, nothing: rule, format, options, tensors,
 * names and shapes have to be those of the optimizer. Arrays of other float types are converted.
 * Values of groups that the state leaves out stay. The handle is still yours. */
OPTCORE_API optcore_status optcore_optimizer_load(optcore_optimizer *optimizer,
                                                  const optcore_state *state) OPTCORE_NOEXCEPT;

/** New, empty saved state, to be filled from a file. */
OPTCORE_API optcore_status optcore_state_create(optcore_state **state) OPTCORE_NOEXCEPT;

/** Lets saved state go; NULL is fine. */
OPTCORE_API optcore_status optcore_state_destroy(optcore_state *state) OPTCORE_NOEXCEPT;

/** What it says of itself. @param header filled in. */
OPTCORE_API optcore_status optcore_state_get_header(const optcore_state *state,
                                                    optcore_state_header *header) OPTCORE_NOEXCEPT;

/** Sets rule, format and step. */
OPTCORE_API optcore_status
optcore_state_set_header(optcore_state *state, const optcore_state_header *header) OPTCORE_NOEXCEPT;

/** How many values a group has. */
OPTCORE_API optcore_status optcore_state_value_count(const optcore_state *state, int64_t group,
                                                     int64_t *count) OPTCORE_NOEXCEPT;

/** A value of a group. @param value filled in. */
OPTCORE_API optcore_status optcore_state_get_value(const optcore_state *state, int64_t group,
                                                   int64_t index,
                                                   optcore_state_value *value) OPTCORE_NOEXCEPT;

/** Adds a value to a group, which begins to exist with it. */
OPTCORE_API optcore_status optcore_state_add_value(
    optcore_state *state, int64_t group, const optcore_state_value *value) OPTCORE_NOEXCEPT;

/** A tensor. @param tensor filled in. */
OPTCORE_API optcore_status optcore_state_get_tensor(const optcore_state *state, int64_t index,
                                                    optcore_state_tensor *tensor) OPTCORE_NOEXCEPT;

/** Adds a tensor: name, group and steps. @param index receives its index; may be NULL. */
OPTCORE_API optcore_status optcore_state_add_tensor(optcore_state *state,
                                                    const optcore_state_tensor *tensor,
                                                    int64_t *index) OPTCORE_NOEXCEPT;

/** An array of a tensor. @param array filled in; it lasts as long as the handle. */
OPTCORE_API optcore_status optcore_state_get_array(const optcore_state *state, int64_t tensor,
                                                   int64_t index,
                                                   optcore_array *array) OPTCORE_NOEXCEPT;

/** Adds an array to a tensor: name, dtype, shape and data, which are copied. Scalars of a tensor,
 * such as NAdam's "mu_product", are arrays without axes: `shape` not NULL, `ndim` 0, `count` 1. */
OPTCORE_API optcore_status optcore_state_add_array(optcore_state *state, int64_t tensor,
                                                   const optcore_array *array) OPTCORE_NOEXCEPT;

/** @} */

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* OPTCORE_OPTCORE_H */
