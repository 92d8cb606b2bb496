// Looking at a tensor of another library without a copy and without Python calls, through the
// table of functions that DLPack's exchange protocol has its type carry
// (`__dlpack_c_exchange_api__`).
#ifndef OPTCORE_BINDINGS_DLPACK_H
#define OPTCORE_BINDINGS_DLPACK_H

#include <pybind11/pybind11.h>

#include "arrays.h"

namespace optcore {

/// The binary layout that DLPack 1.x fixes for what follows.
namespace dlpack {

struct Device {
    int32_t type, id;
};
constexpr int32_t kCpu = 1;

struct DataType {
    uint8_t code, bits;
    uint16_t lanes;
};
constexpr uint8_t kFloat = 2, kBfloat = 4;

struct Tensor {
    void *data;
    Device device;
    int32_t ndim;
    DataType dtype;
    int64_t *shape, *strides; ///< in elements
    uint64_t byte_offset;
};

struct ExchangeApi {
    uint32_t major, minor;
    ExchangeApi *previous;
    int (*allocate)(void);               ///< not used here, and so not spelled out
    int (*managed_from_object)(void);    ///< the same
    int (*managed_to_object)(void);      ///< the same
    int (*look)(void *object, Tensor *); ///< borrowed; may be null
    int (*stream)(void);                 ///< not used here
};

} // namespace dlpack

/// How tensors of one library are looked at.
class TensorApi {
public:
    /// `capsule`: what the tensor type carries, or None. A ValueError if it cannot be used.
    explicit TensorApi(py::object capsule);

    /// A tensor of real floats in this machine's memory, or false. No Python error is left behind.
    bool look(PyObject *tensor, dlpack::Tensor *seen) const;
    bool look(PyObject *tensor, dlpack::Tensor *seen, Format *format) const;

private:
    py::object keep_;
    const dlpack::ExchangeApi *api_;
};

} // namespace optcore

#endif
