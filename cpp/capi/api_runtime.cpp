// Versions, threads, instruction sets, norms.
#include <cmath>
#include <deque>
#include <string>
#include <vector>

#include "../engine/cpu.h"
#include "../engine/layout.h"
#include "../engine/norm.h"
#include "../engine/threads.h"
#include "arguments.h"
#include "formats.h"
#include "names.h"
#include "tensors.h"

using namespace optcore;
using namespace optcore::capi;

uint32_t optcore_abi_version(void) noexcept { return OPTCORE_ABI_VERSION; }

const char *optcore_version(void) noexcept { return OPTCORE_VERSION; }

namespace {

/// Names that last for the process, as the engine makes them anew each time.
const char *lasting(const std::string &name) {
    for (const char *level : {"baseline", "x86-64-v3", "x86-64-v4"})
        if (name == level)
            return level;
    return "unknown";
}

/// An array that is only read, in its own memory order, as the gradient of a tensor.
Tensor readable(const optcore_array &a, const std::string &name,
                std::deque<std::vector<Axis>> &axes) {
    Tensor t;
    const Format format = real_format(a.dtype, name);
    const int64_t item = bytes_of(format);
    Layout own;
    own.shape = read_shape(a.shape, a.ndim, a.count, name);
    own.strides = read_strides(a.strides, own.shape, item, name);
    own.size = std::ptrdiff_t(a.count);
    t.size = a.count;
    t.dtype = format == Format::f64 ? Dtype::f64 : Dtype::f32;
    if (a.count == 0)
        return t;
    not_null(a.data, (name + ".data").c_str());
    if (reinterpret_cast<uintptr_t>(a.data) % uintptr_t(item))
        fail(OPTCORE_BAD_LAYOUT, name + ".data",
             "an address that is a multiple of its elements' size", "another", "align the buffer");
    memory_order(own.shape, own.strides, std::ptrdiff_t(item), own.order);
    const Extents strides = own.strides;
    Walk walk = walk_like(own, static_cast<char *>(a.data), strides.data(), std::ptrdiff_t(item));
    t.grad.data = walk.data;
    t.grad.format = format;
    if (!walk.dense) {
        axes.push_back(std::move(walk.axes));
        t.grad.axes = axes.back().data();
        t.grad.axis_count = int(axes.back().size());
    }
    return t;
}

int32_t checked_threads(int32_t threads) {
    if (threads < 0 || threads > 1024)
        fail(OPTCORE_BAD_VALUE, "threads", "1 to 1024, or 0 for the default",
             std::to_string(threads), "pass e.g. 2");
    return threads;
}

} // namespace

optcore_status optcore_norm(const optcore_array *arrays, int64_t count, int32_t threads,
                            double *norm) noexcept {
    return guarded([&] {
        not_null(norm, "norm");
        check_count(count, arrays, "arrays");
        checked_threads(threads);
        guard_forks();
        std::deque<std::vector<Axis>> axes;
        std::vector<Tensor> tensors;
        for (int64_t i = 0; i < count; ++i) {
            const std::string name = "arrays[" + std::to_string(i) + "]";
            const auto array = item(arrays, i, OPTCORE_UP_TO(optcore_array, dtype), "arrays");
            tensors.push_back(readable(array, name, axes));
        }
        std::vector<double> sums;
        *norm = global_norm(tensors.data(), count, threads, sums);
    });
}

optcore_status optcore_clip_factor(double norm, double limit, double *factor) noexcept {
    return guarded([&] {
        not_null(factor, "factor");
        if (!(limit > 0))
            fail(OPTCORE_BAD_VALUE, "limit", "a number above 0", shown(limit), "pass e.g. 1.0");
        *factor = clip_factor(norm, limit);
    });
}

optcore_status optcore_get_threads(int32_t *threads) noexcept {
    return guarded([&] {
        not_null(threads, "threads");
        *threads = num_threads();
    });
}

optcore_status optcore_set_threads(int32_t threads) noexcept {
    return guarded([&] { set_num_threads(checked_threads(threads)); });
}

int32_t optcore_has_openmp(void) noexcept { return openmp_compiled(); }

optcore_status optcore_isa(const char **name) noexcept {
    return guarded([&] {
        not_null(name, "name");
        *name = kernels().name;
    });
}

optcore_status optcore_available_isa(int64_t index, const char **name) noexcept {
    return guarded([&] {
        not_null(name, "name");
        const auto all = available_isas();
        check_index(index, int64_t(all.size()), "index");
        *name = lasting(all[size_t(index)]);
    });
}

optcore_status optcore_use_isa(const char *name) noexcept {
    return guarded([&] {
        not_null(name, "name");
        const auto all = available_isas();
        for (const std::string &each : all)
            if (plain(each) == plain(name))
                return use_isa(each);
        unknown_name("name", "an instruction set that this CPU runs", name, all);
    });
}
