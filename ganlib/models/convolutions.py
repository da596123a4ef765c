"""Keras's convolutions, computed in TensorFlow on a processor in ways that are faster there.

Weights and results are the same. Three ways are used:

- *With fewer multiplications* (`ganlib.models.winograd`), for 3 x 3 pixels and many channels.
- *As volumes one slice deep.* For one float32 image TensorFlow leaves the weights of a two-dimensional convolution in
  their order, for which oneDNN has no fast one on some processors: that takes 2.8 times as long on an AVX2 core.
- *In blocks.* A convolution to one channel fills one lane of sixteen. Where it moves pixel by pixel, it is done as one
  that moves four pixels at a time and makes all 4 x 4 results as channels.
"""

import functools

import keras
import numpy as np
from keras import ops

from ganlib.models import winograd
from ganlib.models.processor import tensorflow_on_processor

#: Pixels in a row of a block.
_BLOCK = 4


@keras.saving.register_keras_serializable(package="ganlib")
class Conv2D(keras.layers.Conv2D):
    """Keras's convolution; the same weights and results."""

    def add_weight(self, *args, **kwargs):
        """Add a weight; the kernel keeps its own type until it is used, so that it is rounded once."""
        return super().add_weight(*args, **kwargs, autocast=kwargs.get("name") != "kernel")

    def convolution_op(self, inputs, kernel):
        """Convolve: (batch, height, width, channels) with (height, width, channels, filters)."""
        is_plain = self.groups == 1 and self.dilation_rate == (1, 1)
        if is_plain and winograd.serves(inputs, kernel, self.strides):
            return winograd.convolve(inputs, kernel, self.padding)
        kernel = ops.cast(kernel, inputs.dtype)
        if is_plain and self._is_done_in_blocks(inputs):
            return _in_blocks(inputs, kernel)
        if is_plain and _as_volumes(inputs):
            return _volume_convolution(inputs, kernel, self.strides, self.padding)
        return super().convolution_op(inputs, kernel)

    def _is_done_in_blocks(self, inputs):
        if self.filters > 1 or self.padding != "valid" or self.strides != (1, 1) or min(self.kernel_size) < _BLOCK:
            return False
        made = [side and side - kernel + 1 for side, kernel in zip(inputs.shape[1:3], self.kernel_size, strict=True)]
        return tensorflow_on_processor() and all(side and side % _BLOCK == 0 for side in made)


@keras.saving.register_keras_serializable(package="ganlib")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """Keras's transposed convolution; its gradient is a convolution, and computed as in `Conv2D`."""

    def call(self, inputs):
        """Convolve: (batch, height, width, channels) to (batch, strides x height, strides x width, filters)."""
        if not _as_volumes(inputs):
            return super().call(inputs)
        volumes, kernels = ops.expand_dims(inputs, 1), ops.expand_dims(self.kernel, 0)
        outputs = ops.conv_transpose(volumes, kernels, strides=(1, *self.strides), padding=self.padding)
        outputs = ops.squeeze(outputs, 1) + self.bias if self.use_bias else ops.squeeze(outputs, 1)
        return self.activation(outputs)


def _as_volumes(inputs):
    return keras.backend.standardize_dtype(inputs.dtype) == "float32" and tensorflow_on_processor()


def _volume_convolution(inputs, kernel, strides, padding):
    volumes, kernels = ops.expand_dims(inputs, 1), ops.expand_dims(kernel, 0)
    return ops.squeeze(ops.conv(volumes, kernels, strides=(1, *strides), padding=padding), 1)


def _in_blocks(inputs, kernel):
    """A valid convolution to one channel: (batch, height, width, channels) to (batch, height', width', 1)."""
    import tensorflow as tf

    height, width, channels, _ = kernel.shape
    shifts = ops.cast(_shifts(height, width), kernel.dtype)
    kernels = ops.tensordot(shifts, ops.reshape(kernel, (height * width, channels)), 1)
    kernels = ops.transpose(kernels, (0, 1, 3, 2))
    strides = (_BLOCK, _BLOCK)
    if _as_volumes(inputs):
        made = _volume_convolution(inputs, kernels, strides, "valid")
    else:
        made = ops.conv(inputs, kernels, strides=strides, padding="valid")
    return tf.nn.depth_to_space(made, _BLOCK)


@functools.cache
def _shifts(height, width):
    """Where the weights of a kernel stand in the block's kernel, for each pixel of the block.

    Returns:
        float32 (height + 3, width + 3, 16, height x width), ones and zeros.
    """
    placed = np.zeros((height + _BLOCK - 1, width + _BLOCK - 1, _BLOCK, _BLOCK, height, width), np.float32)
    for row, column in np.ndindex(_BLOCK, _BLOCK):
        for down, right in np.ndindex(height, width):
            placed[row + down, column + right, row, column, down, right] = 1
    return placed.reshape(*placed.shape[:2], _BLOCK**2, height * width)
