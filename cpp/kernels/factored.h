// The loops of rules with a factored second moment, tile by tile. Sums follow the rows and columns
// of the matrix as it lies in memory; which of them the paper calls a row does not matter here.
// No include guard: see kernels.cpp.

template <class T>
using FactoredScalars = Scalars<T, Adafactor<T>>;

template <class T>
inline T factored_gradient(const Common<T> &c, T g) {
    return prepared<false>(c, g, T(0));
}

template <class T>
void factored_stats(const void *scalars, const FactoredStreams *f, MatrixTile tile, double *row_g,
                    double *row_p, int64_t row_step, double *OPTCORE_RESTRICT col_g) {
    const Common<T> c = static_cast<const FactoredScalars<T> *>(scalars)->common;
    for (int64_t i = 0; i < tile.rows; ++i) {
        const T *OPTCORE_RESTRICT g = static_cast<const T *>(f->grad) + i * tile.stride;
        const T *OPTCORE_RESTRICT p = static_cast<const T *>(f->param) + i * tile.stride;
        row_g[i * row_step] =
            lane_sum(tile.cols, [=](int64_t j) { return squared(factored_gradient(c, g[j])); });
        row_p[i * row_step] = lane_sum(tile.cols, [=](int64_t j) { return squared(p[j]); });
        OPTCORE_INDEPENDENT
        for (int64_t j = 0; j < tile.cols; ++j)
            col_g[j] = (i == 0 ? 0.0 : col_g[j]) + squared(factored_gradient(c, g[j]));
    }
}

template <class T>
void factored_update_sums(const void *scalars, const FactoredStreams *f, MatrixTile tile,
                          double *row_u, int64_t row_step) {
    const auto s = *static_cast<const FactoredScalars<T> *>(scalars);
    const T *col = static_cast<const T *>(f->col);
    for (int64_t i = 0; i < tile.rows; ++i) {
        const T *g = static_cast<const T *>(f->grad) + i * tile.stride;
        const T row = static_cast<const T *>(f->row)[i];
        row_u[i * row_step] = lane_sum(tile.cols, [=](int64_t j) {
            return squared(s.rule.direction(factored_gradient(s.common, g[j]), row * col[j]));
        });
    }
}

template <class T>
void factored_apply(const void *scalars, const FactoredStreams *f, MatrixTile tile) {
    const auto s = *static_cast<const FactoredScalars<T> *>(scalars);
    const T *OPTCORE_RESTRICT col = static_cast<const T *>(f->col);
    for (int64_t i = 0; i < tile.rows; ++i) {
        const T *OPTCORE_RESTRICT g = static_cast<const T *>(f->grad) + i * tile.stride;
        T *OPTCORE_RESTRICT p = static_cast<T *>(f->param) + i * tile.stride;
        const T row = static_cast<const T *>(f->row)[i];
        OPTCORE_INDEPENDENT
        for (int64_t j = 0; j < tile.cols; ++j) {
            const T u = s.rule.direction(factored_gradient(s.common, g[j]), row * col[j]);
            p[j] = p[j] * s.common.keep - s.common.rate * u;
        }
    }
}

template <class T>
void factored_vector_sums(const void *scalars, const FactoredStreams *f, int64_t n, double *sum_p,
                          double *sum_u) {
    const auto s = *static_cast<const FactoredScalars<T> *>(scalars);
    const T *g = static_cast<const T *>(f->grad), *p = static_cast<const T *>(f->param);
    const T *v = static_cast<const T *>(f->variance);
    *sum_p = lane_sum(n, [=](int64_t i) { return squared(p[i]); });
    *sum_u = lane_sum(n, [=](int64_t i) {
        const T gi = factored_gradient(s.common, g[i]);
        return squared(s.rule.direction(gi, s.rule.variance(gi, v[i])));
    });
}

template <class T>
void factored_vector_apply(const void *scalars, const FactoredStreams *f, int64_t n) {
    const auto s = *static_cast<const FactoredScalars<T> *>(scalars);
    const T *OPTCORE_RESTRICT g = static_cast<const T *>(f->grad);
    T *OPTCORE_RESTRICT p = static_cast<T *>(f->param);
    T *OPTCORE_RESTRICT v = static_cast<T *>(f->variance);
    OPTCORE_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        const T gi = factored_gradient(s.common, g[i]);
        v[i] = s.rule.variance(gi, v[i]);
        p[i] = p[i] * s.common.keep - s.common.rate * s.rule.direction(gi, v[i]);
    }
}

template <class T>
constexpr FactoredLoops factored_loops() {
    return {&factored_stats<T>, &factored_update_sums<T>, &factored_apply<T>,
            &factored_vector_sums<T>, &factored_vector_apply<T>};
}
