"""bfloat16: what must stay float32 does, and the losses stay close to float32's."""

import keras
import numpy as np
import pytest

from tests.models.small import OPTIONS, batch, small_model


@pytest.fixture
def bfloat16():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_outputs_variables_and_losses_are_float32(bfloat16, name):
    model, images = small_model(name), batch()
    assert {output.dtype.name for output in model(images)} == {"float32"}
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    assert model.compute_loss(x=images, y_pred=model(images, training=True)).dtype.name == "float32"
    last = [layer for layer in model._flatten_layers() if layer.name.endswith(("_tanh", "_verdict", "_sigmoid"))]
    assert {layer.compute_dtype for layer in last} <= {"float32"}
    if name != "simple":
        inner = [layer.compute_dtype for layer in model._flatten_layers() if "block0_conv0" in layer.name]
        assert "bfloat16" in inner


def test_statistics_of_the_normalisation_are_float32(bfloat16):
    """A mean far from zero: statistics in bfloat16, of 8 bits, would lose the deviations from it."""
    model = small_model("generators_s")
    norm = next(layer for layer in model.to_b.layers if "norm" in layer.name)
    rng = np.random.default_rng(0)
    exact = keras.ops.cast(1000 + 8 * rng.integers(-4, 5, (1, 32, 32, norm.gamma.shape[0])), "bfloat16")
    values = np.asarray(keras.ops.cast(exact, "float32"))
    expected = (values - values.mean(axis=(1, 2), keepdims=True)) / values.std(axis=(1, 2), keepdims=True)
    found = np.asarray(keras.ops.cast(norm(exact), "float32"))
    np.testing.assert_allclose(found, expected, atol=0.02)


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_losses_are_close_to_those_of_float32(bfloat16, name):
    quiet = {"dropout": 0, "latent_noise": 0} if name == "unit" else {}
    half, images = small_model(name, **quiet), batch()
    keras.config.set_dtype_policy("float32")
    whole = small_model(name, **quiet)
    whole.set_weights(half.get_weights())
    for model in (half, whole):
        model.compute_loss(x=images, y_pred=model(images, training=True))
    for part, tracker in whole.trackers.items():
        assert float(half.trackers[part].result()) == pytest.approx(float(tracker.result()), rel=0.02), part
