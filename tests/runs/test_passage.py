"""Into the networks and out again: scaled and padded there, undone on the way back."""

import numpy as np
import pytest

from ganlib.cohort.intensity import IntensityRange
from ganlib.runs import Direction, RunConfig
from ganlib.runs.passage import SLICES_PER_CALL, Passage

_RANGES = {"T1w": IntensityRange(0, 100), "T2w": IntensityRange(0, 400)}


def _passage(**settings):
    config = {
        "method": "simple", "method_label": "Simple", "cohort": "c.h5", "cohort_fingerprint": "f", "phantom": True,
        "contrasts": ("T1w", "T2w"), "image_shape": (5, 6), "epochs": 1, "learning_rate": 1e-3, **settings,
    }  # fmt: skip
    return Passage(RunConfig(**config), _RANGES)


def _images(number=3, largest=100):
    return np.random.default_rng(0).uniform(0, largest, (number, 5, 6)).astype(np.float32)


def test_what_enters_leaves_as_it_was():
    passage = _passage(network_shape=(8, 8))
    entered = passage.enter(_images(), "T1w")
    assert entered.shape == (3, 8, 8)
    assert -1 <= entered.min() < entered.max() <= 1
    np.testing.assert_allclose(passage.leave(entered, "T1w"), _images(), atol=1e-4)


def test_translation_comes_in_the_units_of_the_target_whatever_the_number_of_slices():
    images = _images(2 * SLICES_PER_CALL + 3)
    called = []

    def halve(batch):
        called.append(len(batch))
        return (batch + 1) / 2 - 1

    translated = _passage(network_shape=(8, 8)).translate(halve, images, Direction("T1w", "T2w"))
    np.testing.assert_allclose(translated, 4 * images / 2, rtol=1e-4, atol=1e-3)
    assert called == [SLICES_PER_CALL, SLICES_PER_CALL, 3]


def test_own_maximum_scales_each_slice_by_itself_and_the_output_by_the_mean_maximum():
    passage = _passage(slice_maxima={"T1w": 80.0, "T2w": 300.0})
    images = _images()
    images[2] = 0
    entered = passage.enter(images, "T1w")
    np.testing.assert_allclose(entered.max(axis=(1, 2)), [1, 1, -1])
    np.testing.assert_allclose(passage.enter(3 * images, "T1w"), entered, atol=1e-6)
    assert passage.leave(entered, "T2w").max() == pytest.approx(300)


def test_standard_deviation_is_scaled_but_not_moved():
    passage = _passage(network_shape=(8, 8))
    spread = passage.spread(np.full((1, 8, 8), 0.5), "T2w")
    assert spread.shape == (1, 5, 6)
    np.testing.assert_allclose(spread, 100)
    np.testing.assert_allclose(_passage(slice_maxima={"T1w": 1, "T2w": 10}).spread(np.ones((1, 5, 6)), "T2w"), 5)


def test_network_sees_one_channel_or_the_neighbouring_slices():
    seen = []
    images = _images()
    _passage().through(lambda batch: seen.append(batch) or batch, images)
    np.testing.assert_array_equal(seen[0], images[..., np.newaxis])
    _passage(options={"input_channels": 3}).through(lambda batch: seen.append(batch) or batch[..., 1:2], images)
    np.testing.assert_array_equal(np.moveaxis(seen[1][0], -1, 0), images[[0, 0, 1]])
    np.testing.assert_array_equal(np.moveaxis(seen[1][1], -1, 0), images)


def test_function_may_give_several_images():
    mean, deviation = _passage().through(lambda batch: (batch, 2 * batch), _images(SLICES_PER_CALL + 1))
    np.testing.assert_array_equal(2 * mean, deviation)
    assert mean.shape == (SLICES_PER_CALL + 1, 5, 6)
