"""Training slices: the same whether they are kept in memory or read from the cohort file."""

import numpy as np
import pytest

from ganlib.cohort import Cohort
from ganlib.cohort.intensity import IntensityRange
from ganlib.runs.passage import Passage
from ganlib.training.slices import HeldSlices, ReadSlices, default_memory_bytes, training_slices
from tests.conftest import write_tiny_cohort
from tests.training.small import run_config

_SUBJECTS, _SLICES, _SIDE = 6, 3, 16
_BYTES_PER_SUBJECT = 4 * _SLICES * _SIDE * _SIDE


@pytest.fixture
def cohort(tmp_path):
    with Cohort(write_tiny_cohort(tmp_path / "cohort.h5", slices=_SLICES)) as cohort:
        yield cohort


def _load(cohort, **options):
    passage = Passage(run_config(image_shape=cohort.shape), cohort.ranges)
    return training_slices(cohort, "T1w", cohort.ids("train"), passage, **options)


def test_all_slices_of_all_subjects_in_network_units(cohort):
    slices = _load(cohort)
    assert isinstance(slices, HeldSlices)
    assert len(slices) == _SUBJECTS * _SLICES
    expected = cohort.scaled("sub-01", "T1w")[2]
    np.testing.assert_array_equal(slices.read([5])[0, ..., 0], expected)


@pytest.mark.parametrize("held", [0, 1, 5])
@pytest.mark.parametrize("channels", [1, 3])
def test_slices_that_do_not_fit_are_read_and_are_the_same(cohort, held, channels):
    in_memory = _load(cohort, channels=channels)
    read = _load(cohort, channels=channels, memory_bytes=held * _BYTES_PER_SUBJECT + 1)
    assert isinstance(read, ReadSlices)
    assert len(read._held) == held
    numbers = [17, 0, 7, 7, 3]
    np.testing.assert_array_equal(read.read(numbers), in_memory.read(numbers))


def test_slices_that_just_fit_are_kept(cohort):
    assert isinstance(_load(cohort, memory_bytes=_SUBJECTS * _BYTES_PER_SUBJECT), HeldSlices)
    assert isinstance(_load(cohort, memory_bytes=_SUBJECTS * _BYTES_PER_SUBJECT - 1), ReadSlices)


def test_neighbours_are_channels_and_stay_within_the_subject(cohort):
    slices = _load(cohort, channels=3)
    images = cohort.scaled("sub-01", "T1w")
    first, middle, last = slices.read([3, 4, 5])
    np.testing.assert_array_equal(np.moveaxis(middle, -1, 0), images)
    np.testing.assert_array_equal(np.moveaxis(first, -1, 0), images[[0, 0, 1]])
    np.testing.assert_array_equal(np.moveaxis(last, -1, 0), images[[1, 2, 2]])


def test_slices_are_padded_for_the_networks(cohort):
    passage = Passage(run_config(image_shape=cohort.shape, network_shape=(20, 24)), {"T1w": IntensityRange(0, 1)})
    assert training_slices(cohort, "T1w", ["sub-00"], passage).read([0]).shape == (1, 20, 24, 1)


def test_default_limit_leaves_most_of_the_memory_to_others():
    assert 1e8 < default_memory_bytes() < 1e13


def test_few_images_may_stand_for_many_slices():
    slices = HeldSlices(np.arange(2, dtype=np.float32)[:, None, None], np.array([[0], [1], [0], [1], [1]]))
    assert len(slices) == 5
    np.testing.assert_array_equal(slices.read([4, 2]).ravel(), [1, 0])
