"""Receptive fields: measured by gradients, and expected from kernel sizes and strides alone."""

from typing import NamedTuple

import numpy as np
import pytest


class Conv(NamedTuple):
    """A convolution, its output as large as its input divided by the stride."""

    kernel: int
    stride: int


class Transposed(NamedTuple):
    """A transposed convolution, its output as large as its input times the stride."""

    kernel: int
    stride: int


def expected_field(layers, *, size, index):
    """First and last row of the image that a value depends on.

    Args:
        layers: `Conv` and `Transposed`, from the image on.
        size: rows of the image.
        index: row of the value in the last layer's output.
    """
    sizes = [size]
    for layer in layers:
        sizes.append(sizes[-1] * layer.stride if isinstance(layer, Transposed) else -(-sizes[-1] // layer.stride))
    first = last = index
    for layer, before, after in zip(layers[::-1], sizes[-2::-1], sizes[:0:-1], strict=True):
        first, last = _back(layer, before, after, first, last)
        first, last = max(first, 0), min(last, before - 1)
    return first, last


def _back(layer, before, after, first, last):
    wide, narrow = (after, before) if isinstance(layer, Transposed) else (before, after)
    padding = max((narrow - 1) * layer.stride + layer.kernel - wide, 0) // 2
    if isinstance(layer, Conv):
        return first * layer.stride - padding, last * layer.stride - padding + layer.kernel - 1
    # Input i of a transposed convolution reaches outputs i * stride - padding + (0 ... kernel - 1).
    return -(-(first + padding - layer.kernel + 1) // layer.stride), (last + padding) // layer.stride


def measured_field(network, *, row, output=0):
    """First and last row of the image that a row of the output depends on, in the middle column.

    The network is changed: its weights become positive, so that nothing cancels, and its instance norms, which see the
    whole image, pass everything on.
    """
    tf = pytest.importorskip("tensorflow", reason="fields are measured with TensorFlow's tape")
    for layer in network._flatten_layers():
        if "norm" in layer.name:
            layer.call = lambda inputs: inputs
    for variable in network.trainable_variables:
        variable.assign(np.full(variable.shape, 1 / np.prod(variable.shape[:-1]) if variable.ndim > 1 else 0))
    # So small that tanh is linear.
    image = tf.constant(np.full((1, *network.input_shape[1:]), 1e-6, np.float32))
    with tf.GradientTape() as tape:
        tape.watch(image)
        result = tf.nest.flatten(network(image))[output]
        value = tf.reduce_sum(result[0, row, result.shape[2] // 2])
    rows = np.flatnonzero(np.abs(tape.gradient(value, image).numpy()).sum(axis=(0, 2, 3)))
    return int(rows[0]), int(rows[-1])
