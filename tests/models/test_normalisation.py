"""Our instance normalisation is Keras's group normalisation, whatever way it is computed."""

import keras
import numpy as np
import pytest

from ganlib.models.normalisation import InstanceNormalization


def _trained(layer, images, targets):
    """Outputs, and what one step of plain gradient descent makes of the weights of a network around the layer."""
    keras.utils.set_random_seed(0)
    shape = (len(images), *images.shape[1:])
    model = keras.Sequential([keras.Input(batch_shape=shape), keras.layers.Conv2D(4, 3), layer])
    outputs = keras.ops.convert_to_numpy(model(images))
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    model.train_on_batch(images, targets)
    return outputs, model.get_weights()


@pytest.mark.parametrize("batch", [1, 3])
def test_same_outputs_and_gradients_as_keras(batch):
    rng = np.random.default_rng(batch)
    images, targets = (rng.normal(size=(batch, *shape)).astype(np.float32) for shape in ((12, 9, 3), (10, 7, 4)))
    (made, moved), (expected, expected_moved) = (
        _trained(layer, images, targets)
        for layer in (InstanceNormalization(), keras.layers.GroupNormalization(groups=-1, epsilon=1e-5))
    )
    np.testing.assert_allclose(made.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(made, expected, atol=1e-4)
    for weight, expected_weight in zip(moved, expected_moved, strict=True):
        np.testing.assert_allclose(weight, expected_weight, atol=1e-4)


def test_bfloat16_has_float32_statistics():
    layer = InstanceNormalization(dtype="mixed_bfloat16")
    # A mean of 1000 with a deviation of 30: bfloat16 itself has steps of 4 there.
    images = keras.ops.cast(np.random.default_rng(0).normal(1000, 30, (1, 64, 64, 2)), "bfloat16")
    made = layer(images)
    assert keras.backend.standardize_dtype(made.dtype) == "bfloat16"
    values = keras.ops.convert_to_numpy(keras.ops.cast(made, "float32"))
    np.testing.assert_allclose(values.mean(axis=(1, 2)), 0, atol=5e-3)
    np.testing.assert_allclose(values.std(axis=(1, 2)), 1, atol=5e-3)


def test_saved_and_loaded(tmp_path):
    image = keras.Input((12, 8, 3))
    network = keras.Model(image, InstanceNormalization(epsilon=1e-3)(image))
    network.save(tmp_path / "network.keras")
    layer = keras.saving.load_model(tmp_path / "network.keras").layers[-1]
    assert type(layer) is InstanceNormalization
    assert layer.epsilon == 1e-3
