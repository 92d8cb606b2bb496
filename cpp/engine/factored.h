#ifndef OPTCORE_ENGINE_FACTORED_H
#define OPTCORE_ENGINE_FACTORED_H

#include <vector>

#include "../rules/adafactor_step.h"
#include "../rules/registry.h"
#include "tensor.h"

namespace optcore {

/// A step of the factored rules in `tensors`, in three passes over all of them together: sums of
/// rows and columns, the size of the update, the update. Split in two so that everything that can
/// fail (memory) has happened before anything is written.
class FactoredPass {
public:
    /// Finds the factored tensors and sets their memory aside. Throws std::bad_alloc.
    FactoredPass(Tensor *tensors, int64_t count, const Group *groups);
    bool empty() const { return jobs_.empty(); }
    /// The step itself, with the gradient's scale and limit that the whole step shares.
    void run(double clip_factor, double clip_value, int threads) noexcept;

private:
    /// One tensor and the memory its step needs.
    struct Job {
        Tensor *tensor;
        AdafactorStep step;
        const void *grad;
        Scalars<float, AdafactorScalars<float>> scalars_f32 = {};
        Scalars<double, AdafactorScalars<double>> scalars_f64 = {};
        int64_t row_tiles = 0, col_tiles = 0;
        // Matrices: Σg², later Σu², and Σθ², by memory row and tile of columns; Σg² by memory
        // column and tile of rows. Vectors: Σu² and Σθ² by block.
        std::vector<double> row_sums = {}, row_p = {}, col_sums = {};
        std::vector<unsigned char> dense_grad = {}, row_factor = {}, col_factor = {};

        bool is_matrix() const { return tensor->matrix->batch > 0; }
        const void *scalars() const {
            return tensor->dtype == Dtype::f32 ? static_cast<const void *>(&scalars_f32)
                                               : &scalars_f64;
        }
    };
    /// A piece of one tensor: rows × cols elements of a matrix, or a block of a vector.
    struct Tile {
        int64_t job, matrix, row, col, rows, cols;
    };

    void add_matrix(Job &job);
    void add_vector(Job &job);
    void fold(Job &job) noexcept;
    void rate(Job &job) noexcept;
    template <class T>
    void fold_matrix(Job &job) noexcept;

    const Group *groups_;
    std::vector<Job> jobs_;
    std::vector<Tile> tiles_;
    int64_t elements_ = 0;
};

} // namespace optcore

#endif
