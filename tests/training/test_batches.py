"""Every slice once an epoch, in an order that a resumed training finds again."""

import numpy as np
import pytest

from ganlib.errors import InputError
from ganlib.training.batches import SliceBatches


def _slices(number=7):
    return np.broadcast_to(np.arange(number, dtype=np.float32)[:, None, None], (number, 4, 4))


def _values(batches):
    pairs = [batches[index][0] for index in range(len(batches))]
    return np.array([[part.mean(axis=(1, 2, 3)) for part in pair] for pair in pairs])


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


def test_resumed_training_sees_the_batches_of_the_epochs_that_are_left():
    options = {"batch_size": 2, "paired": False, "seed": 4}
    whole = _values(SliceBatches(_slices(), _slices(), epochs=range(5), **options))
    rest = _values(SliceBatches(_slices(), _slices(), epochs=range(3, 5), **options))
    np.testing.assert_array_equal(whole[-len(rest) :], rest)
    assert len(whole) == 5 * 3


def test_tensorflow_reads_the_same_batches():
    batches = SliceBatches(_slices(), _slices(), batch_size=2, paired=False, seed=4, epochs=range(2))
    for index, ((a, b),) in enumerate(batches.for_backend()):
        np.testing.assert_array_equal(a, batches[index][0][0])
        np.testing.assert_array_equal(b, batches[index][0][1])
    assert index + 1 == len(batches)


def test_batch_larger_than_the_cohort_is_refused():
    with pytest.raises(InputError, match="batch_size 8 is larger than the 7"):
        SliceBatches(_slices(), _slices(), batch_size=8, paired=True, seed=0, epochs=range(1))
