"""Averaged weights: the average that the formula says, and the model's own weights untouched."""

import keras
import numpy as np
import pytest

from ganlib.training.averages import averaged_weights, keep_averages

_DECAY = 0.8


def _model():
    image = keras.Input((4,))
    hidden = keras.layers.Dense(3, name="judge_hidden")(image)
    return keras.Model(image, keras.layers.Dense(1, name="to_last")(hidden))


def _multi():
    players = keras.optimizers.OptimizerMap(keras.optimizers.Adam(0.1), {"judge_.*": keras.optimizers.SGD(0.1)})
    return keras.optimizers.MultiOptimizer(players)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.Adam(0.1),
        _multi,
        lambda: keras.optimizers.LossScaleOptimizer(_multi()),
    ],
    ids=["one player", "two players", "scaled loss"],
)
def test_averages_follow_their_formula_and_leave_the_weights_alone(make):
    keras.utils.set_random_seed(0)
    model, optimizer = _model(), make()
    keep_averages(optimizer, _DECAY)
    model.compile(optimizer=optimizer, loss="mse")
    x, y = np.random.default_rng(0).normal(size=(2, 8, 4)).astype(np.float32)
    expected = None
    for step in range(5):
        model.train_on_batch(x, y[:, :1])
        now = [value.copy() for value in model.get_weights()]
        expected = now if step == 0 else [_DECAY * a + (1 - _DECAY) * b for a, b in zip(expected, now, strict=True)]
    with averaged_weights(model):
        for found, wanted in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
        assert not np.allclose(model.get_weights()[0], now[0], atol=1e-4)
    for found, wanted in zip(model.get_weights(), now, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_weights_come_back_after_an_error():
    model = _model()
    optimizer = keras.optimizers.Adam(0.1)
    keep_averages(optimizer, _DECAY)
    model.compile(optimizer=optimizer, loss="mse")
    for _ in range(2):
        model.train_on_batch(np.ones((2, 4)), np.zeros((2, 1)))
    own = model.get_weights()
    with pytest.raises(KeyboardInterrupt), averaged_weights(model):
        raise KeyboardInterrupt
    for found, wanted in zip(model.get_weights(), own, strict=True):
        np.testing.assert_array_equal(found, wanted)
