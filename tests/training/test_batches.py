"""Every slice once an epoch, in an order that a resumed training finds again, wherever the slices come from."""

import numpy as np
import pytest

from ganlib.cohort import Cohort
from ganlib.errors import InputError
from ganlib.runs import Augmentation
from ganlib.runs.passage import Passage
from ganlib.training.batches import SliceBatches
from ganlib.training.slices import HeldSlices, training_slices
from tests.training.small import run_config

_AUGMENTATION = Augmentation(flip=True, rotation_degrees=20, scale=0.1, shift_px=1, intensity=0.1)


def _slices(number=7):
    return HeldSlices(np.broadcast_to(np.arange(number, dtype=np.float32)[:, None, None], (number, 4, 4)))


def _values(batches):
    pairs = [batches[index][0] for index in range(len(batches))]
    return np.array([[np.asarray(part).mean(axis=(1, 2, 3)) for part in pair] for pair in pairs])


def test_paired_batches_hold_the_same_slices_and_unpaired_ones_do_not():
    options = {"batch_size": 1, "seed": 0, "epochs": range(3)}
    paired = _values(SliceBatches(_slices(), _slices(), paired=True, **options))
    unpaired = _values(SliceBatches(_slices(), _slices(), paired=False, **options))
    np.testing.assert_array_equal(paired[:, 0], paired[:, 1])
    assert (unpaired[:, 0] != unpaired[:, 1]).any()


def test_every_slice_comes_once_in_every_epoch_and_each_epoch_has_its_own_order():
    values = _values(SliceBatches(_slices(), _slices(), batch_size=1, paired=False, seed=0, epochs=range(2)))
    first, second = values[:7, 0].ravel(), values[7:, 0].ravel()
    assert sorted(first) == sorted(second) == list(range(7))
    assert first.tolist() != second.tolist()


def test_halves_of_different_size_make_epochs_of_the_smaller():
    batches = SliceBatches(_slices(4), _slices(7), batch_size=2, paired=False, seed=0, epochs=range(9))
    values = _values(batches).swapaxes(0, 1).reshape(2, 9, 4)
    assert batches.steps == 2
    assert all(sorted(epoch) == [0, 1, 2, 3] for epoch in values[0])
    assert all(len(set(epoch)) == 4 for epoch in values[1])
    assert set(values[1].ravel()) == set(range(7))


@pytest.mark.parametrize("augmentation", [Augmentation(), _AUGMENTATION], ids=["plain", "augmented"])
def test_resumed_training_sees_the_batches_of_the_epochs_that_are_left(augmentation):
    options = {"batch_size": 2, "paired": False, "seed": 4, "augmentation": augmentation}
    whole = _values(SliceBatches(_slices(), _slices(), epochs=range(5), **options))
    rest = _values(SliceBatches(_slices(), _slices(), epochs=range(3, 5), **options))
    np.testing.assert_array_equal(whole[-len(rest) :], rest)
    assert len(whole) == 5 * 3


def _from_cohort(tiny_cohort, augmentation, *, paired=True, **options):
    cohort = Cohort(tiny_cohort)
    passage = Passage(run_config(), cohort.ranges)
    a, b = (training_slices(cohort, contrast, cohort.ids("train"), passage, **options) for contrast in ("T1w", "T2w"))
    return SliceBatches(
        a, b, batch_size=2, paired=paired, seed=4, epochs=range(1, 3), augmentation=augmentation, row_to_column_mm=0.8
    )


@pytest.mark.parametrize("augmentation", [Augmentation(), _AUGMENTATION], ids=["plain", "augmented"])
@pytest.mark.parametrize("channels", [1, 3])
def test_batches_are_the_same_from_memory_and_read_ahead_by_item_and_by_pipeline(tiny_cohort, augmentation, channels):
    in_memory = _from_cohort(tiny_cohort, augmentation, channels=channels)
    read_ahead = _from_cohort(tiny_cohort, augmentation, channels=channels, memory_bytes=1)
    assert in_memory.in_memory
    assert not read_ahead.in_memory
    expected = [in_memory[index][0] for index in range(len(in_memory))]
    assert expected[0][0].shape == (2, 16, 16, channels)
    for batches in (read_ahead, in_memory.for_backend(), read_ahead.for_backend()):
        found = [batches[index] for index in range(len(batches))] if batches is read_ahead else list(batches)
        assert len(found) == len(expected) == 2 * 3
        for (pair,), wanted in zip(found, expected, strict=True):
            for image, same in zip(pair, wanted, strict=True):
                np.testing.assert_array_equal(image, same)
    read_ahead.close()


def test_augmented_pairs_still_fit_and_change_from_epoch_to_epoch(tiny_cohort):
    moving = _AUGMENTATION.model_copy(update={"intensity": 0.0})
    batches = _from_cohort(tiny_cohort, moving)
    with Cohort(tiny_cohort) as cohort:
        ranges = [cohort.ranges[contrast] for contrast in ("T1w", "T2w")]
    sums = []
    for index in range(len(batches)):
        pair = (np.asarray(part) for part in batches[index][0])
        sums.append(sum(each.unscale(image) for each, image in zip(ranges, pair, strict=True)))
    # T1w and T2w add up to 1000 inside the mask and to 0 outside, so that where they move apart they add up to more.
    assert np.max(sums) < 1000.1
    assert np.median(np.array(sums)[np.array(sums) > 1]) > 999.9
    assert not np.array_equal(batches[0][0][0], _from_cohort(tiny_cohort, Augmentation())[0][0][0])


def test_unpaired_images_move_apart(tiny_cohort):
    batches = _from_cohort(tiny_cohort, _AUGMENTATION.model_copy(update={"intensity": 0.0}), paired=False)
    with Cohort(tiny_cohort) as cohort:
        ranges = [cohort.ranges[contrast] for contrast in ("T1w", "T2w")]
    pair = (np.asarray(part) for part in batches[0][0])
    assert np.max(sum(each.unscale(image) for each, image in zip(ranges, pair, strict=True))) > 1100


def test_batch_larger_than_the_cohort_is_refused():
    with pytest.raises(InputError, match="batch_size 8 is larger than the 7"):
        SliceBatches(_slices(), _slices(), batch_size=8, paired=True, seed=0, epochs=range(1))


def test_pairs_of_different_number_are_a_mistake():
    with pytest.raises(ValueError, match="are no pairs"):
        SliceBatches(_slices(6), _slices(7), batch_size=1, paired=True, seed=0, epochs=range(1))
