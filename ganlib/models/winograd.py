"""Convolutions of 3 x 3 pixels with 2.25 times fewer multiplications, in TensorFlow on a processor.

A tile of 2 x 2 results is computed from the 4 x 4 pixels around it. Pixels and kernel are transformed by sums,
multiplied as 16 products of matrices (one for each place in the tile), and the products are transformed back. Results
and both gradients are those of the direct convolution but for rounding: in float32 2e-6 of the largest value; in
bfloat16 the error's standard deviation is 0.5 % of the values' instead of 0.3 %.

XLA makes one pass over memory of each transform, without which they would eat up what is won. It has no fast product of
matrices for a processor, so that one stays TensorFlow's.

Reference: Lavin & Gray 2016, arXiv:1509.09308, F(2 x 2, 3 x 3).
"""

import functools
import math
import sys

import keras
from keras import ops

from ganlib.models.processor import tensorflow_on_processor

#: With fewer channels, or fewer multiplications in the direct convolution, the transforms take what the products save.
MIN_CHANNELS = 96
MIN_MULTIPLICATIONS = 35e6


def is_available():
    """Whether TensorFlow computes on a processor under Linux, where this was tried."""
    return sys.platform == "linux" and tensorflow_on_processor()


def serves(inputs, kernel, strides):
    """Whether this is a faster way to a convolution, here and for these shapes.

    Args:
        inputs: images (batch, height, width, channels).
        kernel: weights (height, width, channels, filters) of one group.
        strides: down and across.
    """
    if tuple(kernel.shape[:2]) != (3, 3) or tuple(strides) != (1, 1) or min(kernel.shape[2:]) < MIN_CHANNELS:
        return False
    if None in inputs.shape or any(side % 2 for side in inputs.shape[1:3]):
        return False
    if math.prod(inputs.shape[:3]) * math.prod(kernel.shape) < MIN_MULTIPLICATIONS:
        return False
    return keras.backend.standardize_dtype(inputs.dtype) in ("float32", "bfloat16") and is_available()


def convolve(inputs, kernel, padding):
    """Convolve images with a kernel of 3 x 3 pixels, pixel by pixel.

    Args:
        inputs: float32 or bfloat16 (batch, height, width, channels), both sides even.
        kernel: float32, or of the inputs' type, (3, 3, channels, filters).
        padding: `same` for zeros around the images, `valid` for results where the kernel lies within them.

    Returns:
        (batch, height', width', filters), as large as the inputs, or two pixels smaller either way.
    """
    import tensorflow as tf

    margin = 1 if padding == "same" else 0
    tiles = (inputs.shape[0], *(side // 2 - 1 + margin for side in inputs.shape[1:3]))

    @tf.custom_gradient
    def convolved(inputs, kernel):
        pixels, weights = _in_one_pass(_of_pixels, inputs, margin), _in_one_pass(_of_kernel, kernel, to=inputs.dtype)

        def gradients(upstream):
            products = _in_one_pass(_of_upstream, upstream)
            to_inputs = _in_one_pass(_to_pixels, tf.matmul(products, weights, transpose_b=True), tiles, margin)
            to_kernel = _in_one_pass(_to_kernel, tf.matmul(pixels, products, transpose_a=True), to=kernel.dtype)
            return to_inputs, to_kernel

        return _in_one_pass(_to_results, tf.matmul(pixels, weights), tiles), gradients

    return convolved(tf.convert_to_tensor(inputs), tf.convert_to_tensor(kernel))


def _in_one_pass(transform, values, *settings, to=None):
    return _compiled(transform, tuple(values.shape), values.dtype, to or values.dtype, settings)(values)


@functools.cache
def _compiled(transform, shape, kind, to, settings):
    """A transform of one shape, compiled by XLA, that computes in float32 whatever it is given and returns."""
    import tensorflow as tf

    def transformed(values):
        return tf.cast(transform(tf.cast(values, tf.float32), *settings), to)

    return tf.function(transformed, input_signature=[tf.TensorSpec(shape, kind)], jit_compile=True)


# Each transform is done across and down. Transformed pixels are (16, images x tiles, channels), a transformed kernel is
# (16, channels, filters): 16 are 4 places across x 4 down.


def _of_pixels(images, margin):
    images = ops.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    return ops.reshape(_four_of_pixels(_four_of_pixels(images, 1), 3), (16, -1, images.shape[-1]))


def _four_of_pixels(images, axis):
    """Every second, since a tile begins at every second pixel, of the four that a tile spans."""
    end = images.shape[axis] - 2
    at = [_strided(images, axis, start, end + start // 2 * 2) for start in range(4)]
    return ops.stack([at[0] - at[2], at[1] + at[2], at[2] - at[1], at[1] - at[3]])


def _to_pixels(places, tiles, margin):
    images = _pixels_of_four(_pixels_of_four(_unfolded(places, tiles), 3), 1)
    return images[:, margin : images.shape[1] - margin, margin : images.shape[2] - margin]


def _pixels_of_four(places, axis):
    """What the four places of every tile give back to its pixels, two of which the next tile has too."""
    at = ops.unstack(places)
    nothing = ops.zeros_like(_strided(at[0], axis, 0, 1))
    even = ops.concatenate([at[0], nothing], axis) + ops.concatenate([nothing, at[1] + at[2] - at[0]], axis)
    odd = ops.concatenate([at[1] - at[2] + at[3], nothing], axis) - ops.concatenate([nothing, at[3]], axis)
    return _alternating(even, odd, axis)


def _to_results(places, tiles):
    places = _unfolded(places, tiles)
    for axis in (3, 1):
        at = ops.unstack(places)
        places = _alternating(at[0] + at[1] + at[2], at[1] - at[2] - at[3], axis)
    return places


def _of_upstream(images):
    for axis in (1, 3):
        even, odd = (_strided(images, axis, start, None) for start in range(2))
        images = ops.stack([even, even + odd, even - odd, -odd])
    return ops.reshape(images, (16, -1, images.shape[-1]))


def _of_kernel(kernel):
    for axis in (0, 1):
        at = ops.unstack(kernel, axis=axis)
        kernel = ops.stack([at[0], (at[0] + at[1] + at[2]) / 2, (at[0] - at[1] + at[2]) / 2, at[2]])
    return ops.reshape(kernel, (16, *kernel.shape[2:]))


def _to_kernel(places):
    kernel = ops.reshape(places, (4, 4, *places.shape[1:]))
    for axis in (0, 1):
        at = ops.unstack(kernel, axis=axis)
        both = (at[1] + at[2]) / 2
        kernel = ops.stack([at[0] + both, (at[1] - at[2]) / 2, both + at[3]])
    return kernel


def _unfolded(places, tiles):
    return ops.reshape(places, (4, 4, *tiles, places.shape[-1]))


def _strided(images, axis, start, end):
    return images[(*(slice(None),) * axis, slice(start, end, 2))]


def _alternating(even, odd, axis):
    both = ops.stack([even, odd], axis + 1)
    return ops.reshape(both, (*both.shape[:axis], 2 * both.shape[axis], *both.shape[axis + 2 :]))
