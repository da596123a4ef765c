"""Our convolutions are Keras's: same weights, same results, same gradients, whatever way they are computed."""

import keras
import numpy as np
import pytest

from ganlib.models.convolutions import Conv2D, Conv2DTranspose

_CASES = [
    (Conv2D, keras.layers.Conv2D, {"kernel_size": 3, "strides": 1, "padding": "same"}),
    (Conv2D, keras.layers.Conv2D, {"kernel_size": 4, "strides": 2, "padding": "same", "activation": "relu"}),
    (Conv2D, keras.layers.Conv2D, {"kernel_size": 7, "strides": 1, "padding": "valid"}),
    (Conv2DTranspose, keras.layers.Conv2DTranspose, {"kernel_size": 3, "strides": 2, "padding": "same"}),
    (
        Conv2DTranspose,
        keras.layers.Conv2DTranspose,
        {"kernel_size": 1, "strides": 1, "padding": "same", "use_bias": False, "activation": "tanh"},
    ),
]


def _trained(layer, images, targets):
    """Outputs, and what one step of plain gradient descent makes of the weights."""
    model = keras.Sequential([keras.Input(images.shape[1:]), layer])
    rng = np.random.default_rng(5)
    layer.set_weights([rng.normal(size=weight.shape).astype(np.float32) for weight in layer.get_weights()])
    outputs = keras.ops.convert_to_numpy(model(images))
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    model.train_on_batch(images, np.resize(targets, outputs.shape))
    return outputs, layer.get_weights()


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(("ours", "theirs", "settings"), _CASES)
def test_same_outputs_and_gradients_as_keras(ours, theirs, settings, batch):
    rng = np.random.default_rng(batch)
    images, targets = rng.normal(size=(batch, 12, 8, 3)).astype(np.float32), rng.normal(size=1000).astype(np.float32)
    (made, moved), (expected, expected_moved) = (
        _trained(layer(5, **settings), images, targets) for layer in (ours, theirs)
    )
    np.testing.assert_allclose(made, expected, atol=1e-4)
    for weight, expected_weight in zip(moved, expected_moved, strict=True):
        np.testing.assert_allclose(weight, expected_weight, atol=1e-4)


@pytest.mark.parametrize(("ours", "theirs", "settings"), _CASES)
def test_saved_and_loaded(tmp_path, ours, theirs, settings):
    image = keras.Input((12, 8, 3))
    network = keras.Model(image, ours(5, **settings)(image))
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    assert type(loaded.layers[-1]) is ours
    images = np.random.default_rng(0).normal(size=(1, 12, 8, 3)).astype(np.float32)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(loaded(images)), keras.ops.convert_to_numpy(network(images))
    )


def test_groups_and_dilation_are_keras_own():
    images = np.random.default_rng(0).normal(size=(1, 12, 8, 128)).astype(np.float32)
    for settings in ({"groups": 2}, {"dilation_rate": 2}):
        ours, theirs = (kind(128, 3, **settings) for kind in (Conv2D, keras.layers.Conv2D))
        ours.build(images.shape)
        theirs.build(images.shape)
        theirs.set_weights(ours.get_weights())
        made, expected = (keras.ops.convert_to_numpy(layer(images)) for layer in (ours, theirs))
        np.testing.assert_allclose(made, expected, atol=1e-5)


class TestInBlocks:
    """A convolution to one channel, four pixels at a time."""

    @pytest.mark.parametrize("size", [7, 5, (7, 4)])
    @pytest.mark.parametrize("batch", [1, 2])
    def test_same_outputs_and_gradients_as_keras(self, size, batch):
        height, width = np.broadcast_to(size, 2)
        rng = np.random.default_rng(batch)
        images = rng.normal(size=(batch, 12 + height - 1, 8 + width - 1, 3)).astype(np.float32)
        targets = rng.normal(size=1000).astype(np.float32)
        (made, moved), (expected, expected_moved) = (
            _trained(kind(1, size), images, targets) for kind in (Conv2D, keras.layers.Conv2D)
        )
        assert made.shape == (batch, 12, 8, 1)
        np.testing.assert_allclose(made, expected, atol=1e-4)
        for weight, expected_weight in zip(moved, expected_moved, strict=True):
            np.testing.assert_allclose(weight, expected_weight, atol=1e-4)

    @pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the other backends have their own ways")
    def test_only_where_it_pays_and_can_be_done(self):
        def done(*shape, **settings):
            layer = Conv2D(**{"filters": 1, "kernel_size": 7, **settings})
            return layer._is_done_in_blocks(keras.KerasTensor((1, *shape)))

        assert done(18, 14, 3)
        assert not done(18, 14, 3, filters=2)
        assert not done(18, 14, 3, padding="same")
        assert not done(18, 14, 3, strides=2)
        assert not done(14, 14, 3, kernel_size=3)
        assert not done(19, 14, 3)
        assert not done(None, 14, 3)
