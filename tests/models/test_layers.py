"""Reflection padding, dropout and the history pool."""

import keras
import numpy as np
import pytest

from ganlib.models.layers import Dropout, HistoryPool, ReflectionPadding2D


def _image(value):
    return np.full((1, 4, 4, 1), value, np.float32)


def test_reflection_does_not_repeat_the_edge():
    row = np.arange(4, dtype=np.float32).reshape(1, 1, 4, 1).repeat(4, axis=1)
    padded = ReflectionPadding2D(2)(row).numpy()
    assert padded.shape == (1, 8, 8, 1)
    np.testing.assert_array_equal(padded[0, 0, :, 0], [2, 1, 0, 1, 2, 3, 2, 1])


def test_pool_passes_images_on_until_it_is_full():
    pool = HistoryPool(3, (4, 4), 1, seed=0)
    assert [float(pool(_image(value)).numpy().mean()) for value in (1, 2, 3)] == [1, 2, 3]
    assert sorted(pool.images.numpy().mean(axis=(1, 2, 3))) == [1, 2, 3]


def test_full_pool_returns_old_images_about_half_of_the_time_and_loses_none():
    pool = HistoryPool(5, (4, 4), 1, seed=0)
    given, returned = list(range(400)), []
    for value in given:
        returned.append(round(float(pool(_image(value)).numpy().mean())))
    old = np.mean([out != value for out, value in zip(returned, given, strict=True)])
    assert 0.4 < old < 0.6
    kept = pool.images.numpy().mean(axis=(1, 2, 3)).round().astype(int).tolist()
    assert set(returned) | set(kept) == set(given)


def test_pool_of_size_zero_keeps_nothing():
    pool = HistoryPool(0, (4, 4), 1)
    assert [float(pool(_image(value)).numpy().mean()) for value in (7, 8, 9)] == [7, 8, 9]


def test_pool_goes_on_after_saving_as_if_nothing_had_happened(tmp_path):
    def model():
        image = keras.Input((4, 4, 1), batch_size=1)
        return keras.Model(image, HistoryPool(2, (4, 4), 1, seed=3, name="pool")(image))

    first, second = model(), model()
    for value in range(6):
        first(_image(value))
    first.save_weights(tmp_path / "pool.weights.h5")
    second.load_weights(tmp_path / "pool.weights.h5")
    for value in range(6, 30):
        np.testing.assert_array_equal(first(_image(value)).numpy(), second(_image(value)).numpy())


@pytest.mark.parametrize("rate", [0.5, 0.25, 0.3])
def test_dropout_drops_its_share_and_keeps_the_mean(rate):
    shape = (2, 31, 37, 5)
    images, layer = np.ones(shape, np.float32), Dropout(rate, seed=3)
    first, second = (keras.ops.convert_to_numpy(layer(images, training=True)) for _ in range(2))
    assert set(np.unique(first)) == {np.float32(0), np.float32(1 / (1 - rate))}
    # Four standard deviations of a share of 11,470 values.
    assert np.mean(first == 0) == pytest.approx(rate, abs=4 * np.sqrt(rate * (1 - rate) / first.size))
    assert np.mean((first == 0) & (second == 0)) == pytest.approx(rate**2, abs=0.015)
    np.testing.assert_array_equal(layer(images, training=False), images)


def test_dropout_stops_the_gradient_where_it_drops():
    layer, images = Dropout(0.5, seed=3), np.ones((1, 8, 8, 4), np.float32)
    model = keras.Sequential([keras.Input(images.shape[1:]), keras.layers.Dense(4, use_bias=False), layer])
    model.layers[0].set_weights([np.eye(4, dtype=np.float32)])
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=lambda _, made: -keras.ops.sum(made), jit_compile=False)
    model.train_on_batch(images, images)
    moved = model.layers[0].get_weights()[0] - np.eye(4)
    # Every column moved by 2 for each value that was kept: about half of 64, the same for all inputs.
    assert (moved == moved[0]).all()
    assert (moved[0] % 2 == 0).all()
    assert 32 <= moved[0].min() <= moved[0].max() <= 96
