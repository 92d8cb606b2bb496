#include "layout.h"

#include <algorithm>
#include <cstdlib>

namespace optcore {

bool memory_order(const Extents &shape, const Extents &strides, std::ptrdiff_t item,
                  std::vector<int> &order) {
    order.clear();
    for (int k = 0; k < int(shape.size()); ++k)
        if (shape[k] != 1)
            order.push_back(k);
    std::sort(order.begin(), order.end(), [&](int x, int y) {
        const auto step_x = std::abs(strides[x]), step_y = std::abs(strides[y]);
        return step_x != step_y ? step_x > step_y : x < y;
    });
    std::ptrdiff_t expected = item;
    for (auto k = order.rbegin(); k != order.rend(); ++k) {
        if (std::abs(strides[*k]) != expected)
            return false;
        expected *= shape[*k];
    }
    return true;
}

std::ptrdiff_t reach_below(const Extents &shape, const Extents &strides) {
    std::ptrdiff_t reach = 0;
    for (size_t k = 0; k < shape.size(); ++k)
        if (strides[k] < 0 && shape[k] > 1)
            reach += (shape[k] - 1) * strides[k];
    return reach;
}

Extents contiguous_strides(const Extents &shape, std::ptrdiff_t item) {
    Extents strides(shape.size());
    for (size_t k = shape.size(); k-- > 0; item *= shape[k])
        strides[k] = item;
    return strides;
}

bool lies_alike(const Layout &param, std::ptrdiff_t param_item, const Extents &strides,
                std::ptrdiff_t item) {
    for (size_t k = 0; k < param.shape.size(); ++k)
        if (param.shape[k] > 1 && strides[k] * param_item != param.strides[k] * item &&
            param.size > 0)
            return false;
    return true;
}

const char *matrix_shape(const Layout &param, MatrixShape *matrix) {
    MatrixShape &m = *matrix;
    m = {};
    const int nd = int(param.shape.size());
    if (nd < 2)
        return nullptr;
    m.rows = param.shape[nd - 2];
    m.cols = param.shape[nd - 1];
    m.batch = m.rows && m.cols ? param.size / (m.rows * m.cols) : 0;
    // Which of the last two axes runs faster; the axes before them have to lie in order.
    std::vector<int> straight, turned;
    for (int k = 0; k < nd; ++k)
        if (param.shape[k] != 1)
            straight.push_back(k);
    turned = straight;
    if (m.rows != 1 && m.cols != 1 && turned.size() >= 2)
        std::swap(turned[turned.size() - 1], turned[turned.size() - 2]);
    if (param.size > 0 && param.order != straight) {
        if (param.order != turned)
            return "a batch of matrices over the last two axes, one behind the other";
        std::swap(m.rows, m.cols);
        m.transposed = true;
    }
    for (int k = 0; k < nd; ++k)
        if (param.strides[k] < 0 && param.shape[k] > 1)
            return "strides that are not negative";
    return nullptr;
}

std::ptrdiff_t row_width(const Layout &param, std::ptrdiff_t item) {
    std::ptrdiff_t width = 1, expected = item;
    for (size_t k = param.shape.size(); k-- > 0;) {
        if (param.size > 0 && param.shape[k] > 1 && param.strides[k] != expected)
            return -1;
        expected *= param.shape[k];
        width *= k > 0 ? param.shape[k] : 1;
    }
    return width;
}

Walk walk_like(const Layout &param, char *data, const std::ptrdiff_t *strides,
               std::ptrdiff_t item) {
    Walk walk;
    uintptr_t below = 0, above = 0;
    const auto begin = reinterpret_cast<uintptr_t>(data);
    for (int k : param.order) {
        int64_t stride = strides[k];
        const int64_t extent = param.shape[k];
        (stride < 0 ? below : above) += uintptr_t((extent - 1) * std::abs(stride));
        if (param.strides[k] < 0) {
            data += (extent - 1) * stride;
            stride = -stride;
        }
        if (!walk.axes.empty() && walk.axes.back().stride == stride * extent)
            walk.axes.back() = {walk.axes.back().extent * extent, stride};
        else
            walk.axes.push_back({extent, stride});
    }
    if (walk.axes.empty())
        walk.axes.push_back({1, item});
    walk.data = data;
    walk.low = begin - below;
    walk.high = begin + above + uintptr_t(item);
    walk.dense = walk.axes.size() == 1 && walk.axes[0].stride == item;
    return walk;
}

bool plain_loop(const Buffers &b, Loop *loop) {
    if (b.rounding != Rounding::nearest || b.average || b.copy)
        return false;
    const auto all_slots = [&](Format f) {
        for (int k = 0; k < b.slots; ++k)
            if (b.slot_format[k] != f)
                return false;
        return true;
    };
    switch (b.param_format) {
    case Format::f32: *loop = Loop::f32; return all_slots(Format::f32);
    case Format::f64: *loop = Loop::f64; return all_slots(Format::f64);
    case Format::bf16:
        *loop = all_slots(Format::bf16) ? Loop::bf16 : Loop::bf16_state_f32;
        return all_slots(Format::bf16) || all_slots(Format::f32);
    default: return false;
    }
}

uint64_t path_hash(const std::string &path) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (unsigned char c : path)
        hash = (hash ^ c) * 0x100000001b3u;
    return hash;
}

} // namespace optcore
