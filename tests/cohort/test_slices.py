import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganlib.cohort.slices import PLANES, centred_offset, choose_slices, crop_or_pad, padded_size
from ganlib.cohort.volumes import Grid
from ganlib.errors import InputError

#: 5 slices of 3 mm, centres at -6, -3, 0, 3 and 6 mm.
GRID = Grid((4, 6, 5), np.array([[-2.0, 0, 0, 3], [0, -2, 0, 5], [0, 0, 3, -6], [0, 0, 0, 1]]))
AXIAL = PLANES["axial"]


def chosen(**position):
    return choose_slices(GRID, AXIAL, path="volume.nii", **position)


@pytest.mark.parametrize(
    ("position", "indices"),
    [
        ({"slice_mm": 0}, [2]),
        ({"slice_mm": 4.4}, [3]),
        ({"slice_mm": -7.5}, [0]),
        ({"slice_mm": (-3, 3)}, [1, 2, 3]),
        ({"slice_mm": (-3.1, 2.9)}, [1, 2]),
        ({"slice_mm": (-6, 6), "slice_step_mm": 6}, [0, 2, 4]),
        ({"slice_mm": (-6, 6), "slice_step_mm": 1}, [0, 1, 2, 3, 4]),
        ({"slice_index": 4}, [4]),
        ({"slice_index": [3, 1, 3]}, [1, 3]),
    ],
)
def test_positions(position, indices):
    assert chosen(**position) == indices


@pytest.mark.parametrize("position", [{"slice_mm": 7.6}, {"slice_mm": -8}, {"slice_mm": (0, 20)}])
def test_a_position_outside_names_file_and_extent(position):
    with pytest.raises(InputError, match=r"volume\.nii: no slice at .* reach from -7\.5 to \+7\.5 mm"):
        chosen(**position)


def test_a_range_between_two_slices_and_an_index_outside():
    with pytest.raises(InputError, match=r"volume\.nii: no slice centre lies within \+1 to \+2 mm"):
        chosen(slice_mm=(1, 2))
    for index in (5, -1):
        with pytest.raises(InputError, match=f"no slice {index}; it has slices 0 to 4"):
            chosen(slice_index=index)


@pytest.mark.parametrize(
    ("plane", "whole", "voxel_mm"),
    [("axial", (6, 4), (2, 2, 3)), ("coronal", (5, 4), (3, 2, 2)), ("sagittal", (5, 6), (3, 2, 2))],
)
def test_rows_columns_and_slices_of_a_plane(plane, whole, voxel_mm):
    plane = PLANES[plane]
    volume = np.arange(120).reshape(GRID.shape)
    assert plane.whole(GRID) == plane.slices(volume).shape[1:] == whole
    assert plane.voxel_mm(GRID) == voxel_mm


def test_slices_are_a_view_that_can_be_written_to():
    volume = np.zeros(GRID.shape)
    AXIAL.slices(volume)[2] = 1
    assert volume[:, :, 2].all()
    assert volume.sum() == 24


def test_crop_and_pad():
    slices = np.arange(1, 7).reshape(1, 2, 3)
    np.testing.assert_array_equal(crop_or_pad(slices, (2, 1), (0, 1))[0], [[2], [5]])
    np.testing.assert_array_equal(crop_or_pad(slices, (4, 3), (-1, 0))[0], [[0, 0, 0], [1, 2, 3], [4, 5, 6], [0, 0, 0]])
    assert not crop_or_pad(slices, (2, 2), (9, 9)).any()
    assert not crop_or_pad(slices, (2, 2), (-9, 0)).any()
    assert crop_or_pad(slices > 0, (1, 1), (0, 0)).dtype == bool


@given(st.tuples(*[st.integers(1, 9)] * 4), st.integers(0, 99))
def test_a_stored_pixel_plus_offset_is_the_pixel_of_the_whole_slice(sizes, seed):
    whole, size = sizes[:2], sizes[2:]
    slices = np.random.default_rng(seed).uniform(1, 2, (2, *whole))
    offset = centred_offset(whole, size)
    stored = crop_or_pad(slices, size, offset)
    for row, column in np.ndindex(*size):
        there = (row + offset[0], column + offset[1])
        inside = all(0 <= pixel < length for pixel, length in zip(there, whole, strict=True))
        np.testing.assert_array_equal(stored[:, row, column], slices[:, *there] if inside else 0)


@given(st.tuples(*[st.integers(1, 9)] * 2), st.integers(0, 5))
def test_padding_is_undone_by_the_opposite_offset(whole, more):
    slices = np.random.default_rng(0).uniform(1, 2, (1, *whole))
    size = tuple(length + more for length in whole)
    offset = centred_offset(whole, size)
    back = crop_or_pad(crop_or_pad(slices, size, offset), whole, tuple(-start for start in offset))
    np.testing.assert_array_equal(back, slices)


def test_padded_size():
    assert padded_size((218, 182)) == (220, 184)
    assert padded_size((220, 184)) == (220, 184)
