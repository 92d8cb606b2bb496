#include "dlpack.h"

namespace optcore {

TensorApi::TensorApi(py::object capsule) : keep_(std::move(capsule)), api_(nullptr) {
    if (PyCapsule_CheckExact(keep_.ptr()))
        api_ = static_cast<const dlpack::ExchangeApi *>(
            PyCapsule_GetPointer(keep_.ptr(), "dlpack_exchange_api"));
    PyErr_Clear();
    if (!api_ || api_->major != 1 || !api_->look)
        throw py::value_error("api: expected DLPack's table of functions, version 1, that can look "
                              "at a tensor; this library has none: use its NumPy views");
}

bool TensorApi::look(PyObject *tensor, dlpack::Tensor *seen) const {
    if (api_->look(tensor, seen) != 0) {
        PyErr_Clear();
        return false;
    }
    return seen->device.type == dlpack::kCpu && seen->dtype.lanes == 1;
}

bool TensorApi::look(PyObject *tensor, dlpack::Tensor *seen, Format *format) const {
    if (!look(tensor, seen))
        return false;
    const dlpack::DataType type = seen->dtype;
    if (type.code == dlpack::kBfloat && type.bits == 16) {
        *format = Format::bf16;
        return true;
    }
    switch (type.bits) {
    case 16: *format = Format::f16; break;
    case 32: *format = Format::f32; break;
    case 64: *format = Format::f64; break;
    default: return false;
    }
    return type.code == dlpack::kFloat;
}

} // namespace optcore
