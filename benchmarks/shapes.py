"""The shapes of the models: made-up lists that show one thing each, and those of real networks."""

from __future__ import annotations

from itertools import pairwise

Shapes = list[tuple[int, ...]]


def mlp(*sizes: int) -> Shapes:
    """Weights and biases of a multilayer perceptron."""
    return [shape for pair in pairwise(sizes) for shape in (pair, pair[1:])]


def resnet50() -> Shapes:
    """ResNet-50 (He et al., 2016): 161 tensors, 25.6M parameters."""

    def conv(outputs: int, inputs: int, size: int) -> Shapes:
        return [(outputs, inputs, size, size), (outputs,), (outputs,)]  # with its batch norm

    shapes, inputs = conv(64, 3, 7), 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            shapes += conv(width, inputs, 1) + conv(width, width, 3) + conv(4 * width, width, 1)
            if block == 0:
                shapes += conv(4 * width, inputs, 1)  # the shortcut changes its width
            inputs = 4 * width
    return [*shapes, (1000, inputs), (1000,)]


def gpt2() -> Shapes:
    """GPT-2 small (Radford et al., 2019): 148 tensors, 124M parameters."""
    width, layers = 768, 12
    norm: Shapes = [(width,), (width,)]
    attention: Shapes = [(width, 3 * width), (3 * width,), (width, width), (width,)]
    block = [*norm, *attention, *norm, *mlp(width, 4 * width, width)]
    return [(50257, width), (1024, width), *block * layers, *norm]


MODELS: dict[str, Shapes] = {
    "ten": [(10,)],  # what a call costs
    "24k": [(24_000,)],  # fits a core's own cache
    "256k": [(1 << 18,)],
    "16M": [(1 << 24,)],  # fits no cache
    "200x1000": [(1000,)] * 200,
    "1000x16": [(16,)] * 1000,
    "MLP": mlp(784, 256, 128, 10),
    "ResNet-50": resnet50(),
    "GPT-2": gpt2(),
}
