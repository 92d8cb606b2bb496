"""Tensors as NumPy arrays over the same memory, and back."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..optimizers.storage import numpy_dtype
from ..rows import Rows
from ..typing import Array

API = getattr(torch.Tensor, "__dlpack_c_exchange_api__", None)
"""How the core looks at a tensor by itself, since torch 2.10."""

STEPPED = (
    *(torch.float32, torch.float64, torch.bfloat16, torch.float16),
    *(torch.complex64, torch.complex128),
)
"""What parameters may be."""

PLAIN = (torch.Tensor, torch.nn.Parameter)
"""Tensors that are nothing but memory; a subclass may be anything."""


def local(tensor: torch.Tensor) -> torch.Tensor:
    """What of a tensor lies in this process: all of it, or the shard of a `DTensor`."""
    shard = getattr(tensor, "to_local", None)
    return tensor if shard is None else shard()


def array_of(tensor: torch.Tensor) -> Array:
    """The memory of a tensor as an array. Of a complex one: of real and imaginary parts, last."""
    tensor = local(tensor.detach())
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    tensor = tensor.clone() if tensor._is_zerotensor() else tensor.resolve_neg()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(numpy_dtype("bfloat16", "torch.bfloat16"))
    return tensor.numpy()


def memory_of(param: torch.Tensor) -> Array:
    """The same without a hold on the memory, which may then be given back: for parameters.

    (`Tensor.numpy` forbids for good that storage is resized.)
    """
    like = local(param.detach())
    if not is_as_it_lies(like) or not like.numel():
        return array_of(param)
    if like.is_complex():
        like = torch.view_as_real(like)
    if not like.data_ptr():
        raise RuntimeError(
            f"expected a parameter with its memory, got one of shape {tuple(param.shape)} whose "
            "storage is empty; step when it is there again"
        )
    name = str(like.dtype).removeprefix("torch.")
    dtype = numpy_dtype(name, str(like.dtype))
    reach = sum(step * (n - 1) for step, n in zip(like.stride(), like.shape, strict=True)) + 1
    memory: Any = (ctypes.c_byte * (reach * dtype.itemsize)).from_address(like.data_ptr())
    strides = tuple(step * dtype.itemsize for step in like.stride())
    array: Array = np.ndarray(tuple(like.shape), dtype, memory, strides=strides)
    return array


def is_as_it_lies(tensor: torch.Tensor) -> bool:
    """Whether the memory of a tensor holds its values, and not their conjugates or negatives."""
    return not (tensor.is_conj() or tensor.is_neg() or tensor._is_zerotensor())


def write(param: torch.Tensor, array: Array) -> None:
    """Copies the values of an array into a parameter."""
    values = _plain_tensor(array)
    mine = local(param.detach())
    mine.copy_(torch.view_as_complex(values) if mine.is_complex() else values)


def _plain_tensor(array: Array) -> torch.Tensor:
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def tensor_of(array: Array, param: torch.Tensor) -> torch.Tensor:
    """A tensor over the memory of a state array: of its parameter's kind, if of its shape."""
    tensor = _plain_tensor(array)
    alike = array.shape == (*local(param).shape, *((2,) if param.is_complex() else ()))
    if param.is_complex() and alike:
        tensor = torch.view_as_complex(tensor)
    if local(param) is not param and alike:
        tensor = _like_shard(tensor, param)
    return tensor


def _like_shard(tensor: torch.Tensor, param: Any) -> torch.Tensor:
    """A tensor as this process's part of one that is spread as its parameter is."""
    from torch.distributed.tensor import DTensor

    return DTensor.from_local(
        tensor,
        param.device_mesh,
        param.placements,
        run_check=False,
        shape=param.shape,
        stride=param.stride(),
    )


def gradient_of(param: torch.Tensor, where: str, whole: bool = False) -> Array | Rows | None:
    """A parameter's gradient for a step, or None; `whole`: not as rows."""
    grad: Any = param.grad
    if grad is None:
        return None
    placements = getattr(param, "placements", None)
    if placements is not None and getattr(grad, "placements", placements) != placements:
        grad = grad.redistribute(placements=placements)  # parts may have to be added first
    if grad.dtype not in (param.dtype, getattr(param, "grad_dtype", param.dtype)):
        raise TypeError(
            f"{where}: expected {param.dtype}, as its parameter, got {grad.dtype}; "
            "convert it with .to(param.dtype)"
        )
    if grad.layout == torch.sparse_coo:
        return _rows_of(grad.detach(), param, where, whole)
    if grad.layout != torch.strided:
        raise TypeError(
            f"{where}: expected a dense or a sparse COO gradient, got the layout {grad.layout}; "
            "convert it with .to_dense()"
        )
    if grad.device.type != "cpu":
        raise ValueError(
            f"{where}: expected memory of the CPU, got {grad.device}; move it with .cpu()"
        )
    return array_of(grad)


def _rows_of(grad: torch.Tensor, param: torch.Tensor, where: str, whole: bool) -> Array | Rows:
    """The rows that a sparse gradient names; where it names single elements, all of it."""
    if grad.shape != param.shape:
        raise ValueError(
            f"{where}: expected the shape {tuple(param.shape)}, as its parameter, got "
            f"{tuple(grad.shape)}; sum over the batch first"
        )
    if whole or grad.sparse_dim() != 1:
        return array_of(grad.to_dense())
    return Rows(grad._indices()[0].numpy(), array_of(grad._values()))


def check(
    param: torch.Tensor, where: str, fused: bool | None = False, *, allow_meta: bool = False
) -> None:
    """Raises an error unless a step can update this parameter in place."""
    allowed = ("cpu", "meta") if allow_meta else ("cpu",)
    if param.device.type not in allowed:
        got = (
            f"got one on {param.device}; move the model with .cpu() before the step, or use "
            "torch.optim for it"
        )
        if fused:
            raise RuntimeError(
                "`fused=True` requires all the params to be floating point Tensors in the CPU's "
                f"memory: {where}: {got}"
            )
        raise ValueError(f"{where}: expected a tensor in the CPU's memory, {got}")
    if param.dtype not in STEPPED:
        raise TypeError(
            f"{where}: expected float32, float64, bfloat16, float16 or complex, got {param.dtype}; "
            "convert it with .float()"
        )
    if param.layout != torch.strided:
        raise TypeError(
            f"{where}: expected a dense tensor, got the layout {param.layout}; "
            "convert it with .to_dense()"
        )


def is_dense(array: Array) -> bool:
    """Whether the elements fill one piece of memory, in any order of the axes."""
    expected = array.itemsize
    axes = zip(array.strides, array.shape, strict=True)
    for step, extent in sorted((step, extent) for step, extent in axes if extent != 1):
        if step != expected:
            return array.size == 0
        expected *= extent
    return True


def check_apart(arrays: Sequence[Array], names: Sequence[str]) -> None:
    """Raises an error if arrays share memory, or elements of one do."""
    still_open: list[tuple[int, int]] = []
    bounds = ((*_bounds(array), i) for i, array in enumerate(arrays) if array.size)
    for low, high, i in sorted(bounds):
        still_open = [(end, j) for end, j in still_open if end > low]
        others = [j for _, j in still_open if np.shares_memory(arrays[i], arrays[j])]
        if others or 0 in _steps(arrays[i]):
            raise ValueError(
                f"{names[i]}: expected memory of its own, got some that "
                f"{names[others[0]] if others else 'it'} uses as well; pass a parameter that is "
                "used twice once, and .contiguous() instead of an expanded tensor"
            )
        still_open.append((high, i))


def _steps(array: Array) -> list[int]:
    return [step for step, n in zip(array.strides, array.shape, strict=True) if n > 1]


def _bounds(array: Array) -> tuple[int, int]:
    """The addresses of the first byte, and behind the last; torch has no negative strides."""
    last = sum(step * (n - 1) for step, n in zip(array.strides, array.shape, strict=True))
    return array.ctypes.data, array.ctypes.data + last + array.itemsize


def check_sharding(param: Any, where: str, rule: str, why: str) -> None:
    """Raises an error if the parameter is a shard and the step is one of whole tensors."""
    placements = getattr(param, "placements", ())
    if why and any(not placement.is_replicate() for placement in placements):
        raise TypeError(f"{where}: expected a whole tensor, got a shard {placements}: {rule} {why}")
