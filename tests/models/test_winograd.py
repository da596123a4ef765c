"""Convolutions with fewer multiplications equal direct ones, as far as their numbers' type allows."""

import keras
import numpy as np
import pytest

from ganlib.models import winograd
from ganlib.models.convolutions import Conv2D

tf = pytest.importorskip("tensorflow")
pytestmark = [
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the other backends have their own ways"),
    pytest.mark.skipif(keras.backend.backend() == "tensorflow" and not winograd.is_available(), reason="Linux alone"),
]


def made(convolve, images, kernel, upstream):
    """Results, and the gradients with respect to images and kernel, as float32."""
    with tf.GradientTape() as tape:
        tape.watch([images, kernel])
        results = convolve(images, kernel)
    gradients = tape.gradient(results, [images, kernel], tf.cast(upstream, results.dtype))
    return [tf.cast(each, tf.float32).numpy() for each in (results, *gradients)]


def normal(*shape):
    return tf.constant(np.random.default_rng(sum(shape)).normal(size=shape), tf.float32)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("shape", [(1, 8, 12, 64), (3, 16, 10, 70), (2, 4, 4, 64)])
def test_results_and_both_gradients(shape, padding):
    images, kernel = normal(*shape), normal(3, 3, shape[-1], 66)
    margin = 0 if padding == "same" else 2
    upstream = normal(shape[0], shape[1] - margin, shape[2] - margin, 66)
    found = made(lambda *both: winograd.convolve(*both, padding), images, kernel, upstream)
    expected = made(lambda *both: tf.nn.conv2d(*both, 1, padding.upper()), images, kernel, upstream)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=5e-6 * np.abs(theirs).max())


def test_in_bfloat16_they_are_as_near_as_its_eight_bits_allow():
    images, kernel, upstream = normal(1, 16, 16, 64), normal(3, 3, 64, 64), normal(1, 16, 16, 64)
    exact = made(lambda *both: tf.nn.conv2d(*both, 1, "SAME"), images, kernel, upstream)
    short = tf.cast(images, tf.bfloat16)
    found = made(lambda *both: winograd.convolve(*both, "same"), short, kernel, upstream)
    direct = made(lambda one, two: tf.nn.conv2d(one, tf.cast(two, one.dtype), 1, "SAME"), short, kernel, upstream)
    for ours, theirs, right in zip(found, direct, exact, strict=True):
        error, usual = ((each - right).std() / right.std() for each in (ours, theirs))
        assert 0.001 < error < 0.008
        assert error < 2.5 * usual


@pytest.mark.parametrize(
    ("shape", "settings", "is_served"),
    [
        ((1, 32, 30, 96), {}, True),
        ((2, 16, 30, 96), {"padding": "valid"}, True),
        ((1, 16, 14, 256), {}, True),
        ((1, 16, 14, 128), {}, False),
        ((None, 32, 30, 96), {}, False),
        ((1, 33, 32, 96), {}, False),
        ((1, 64, 64, 64), {}, False),
        ((1, 64, 64, 96), {"filters": 64}, False),
        ((1, 32, 30, 96), {"strides": 2}, False),
        ((1, 32, 30, 96), {"kernel_size": 4}, False),
        ((1, 32, 30, 96), {"dtype": "bfloat16"}, True),
        ((1, 32, 30, 96), {"dtype": "float16"}, False),
    ],
)
def test_only_where_it_is_faster_and_can_be_done(shape, settings, is_served):
    layer = Conv2D(**{"filters": shape[-1], "kernel_size": 3, "padding": "same", **settings})
    layer.build((1, *shape[1:]))
    inputs = keras.KerasTensor(shape, dtype=layer.compute_dtype)
    assert winograd.serves(inputs, layer.kernel, layer.strides) is is_served


def test_the_layer_uses_it_and_learns_from_it():
    ours, theirs = (kind(96, 3, padding="same") for kind in (Conv2D, keras.layers.Conv2D))
    for layer in (ours, theirs):
        layer.build((1, 32, 30, 96))
    theirs.set_weights(ours.get_weights())

    def gradients(layer):
        @tf.function
        def learnt(images):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(layer(images) ** 2)
            return tape.gradient(loss, [weight.value for weight in layer.trainable_variables])

        return learnt

    graph = gradients(ours).get_concrete_function(tf.TensorSpec((1, 32, 30, 96))).graph
    operations = {operation.type for operation in graph.get_operations()}
    assert "BatchMatMulV2" in operations
    assert not any(name.startswith("Conv") for name in operations)
    images = normal(1, 32, 30, 96)
    for found, expected in zip(gradients(ours)(images), gradients(theirs)(images), strict=True):
        np.testing.assert_allclose(found, expected, atol=5e-6 * np.abs(expected).max())
