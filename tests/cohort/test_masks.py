import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from ganlib.cohort.masks import computed_mask, filled, given_mask, largest_piece, nonzero_mask
from ganlib.errors import InputError


def ball(shape=(20, 20, 20), radius=0.8, centre=0.0):
    axes = np.meshgrid(*[np.linspace(-1, 1, length) - centre for length in shape], indexing="ij")
    return sum(axis**2 for axis in axes) < radius**2


def test_nonzero_counts_negative_ringing_and_fills_enclosed_holes():
    inside = ball()
    t1w = np.where(inside, 100.0, 0)
    t1w[10, 10, 10] = 0  # a hole
    t1w[10, 10, 2] = -5  # ringing at the edge
    np.testing.assert_array_equal(nonzero_mask({"T1w": t1w, "T2w": inside * 50.0}, subject_id="s"), inside)


def test_nonzero_is_where_every_contrast_has_signal():
    a, b = ball(), ball(radius=0.5)
    np.testing.assert_array_equal(nonzero_mask({"A": a * 1.0, "B": b * 1.0}, subject_id="s"), b)


def test_nonzero_refuses_images_with_background_and_images_that_do_not_meet():
    noise = np.random.default_rng(0).uniform(1, 2, (8, 8, 8))
    with pytest.raises(InputError, match=r"'sub-1': 100% .*not skull-stripped.*mask='computed'"):
        nonzero_mask({"A": noise}, subject_id="sub-1")
    left, right = noise.copy(), noise.copy()
    left[:4], right[4:] = 0, 0
    with pytest.raises(InputError, match="'sub-1': its mask is empty"):
        nonzero_mask({"A": left, "B": right}, subject_id="sub-1")


def test_computed_mask_finds_a_head_in_noise_with_dark_inside():
    rng = np.random.default_rng(0)
    head = ball((32, 32, 32))
    image = np.where(head, 100.0, 0) * ~ball((32, 32, 32), 0.2) + np.abs(rng.normal(0, 3, head.shape))
    image[1:3, 1:3, 1:3] = 90  # a fiducial marker away from the head
    mask = computed_mask({"A": image, "B": image * 7}, subject_id="s")
    assert (mask != head).sum() < 0.02 * head.sum()
    assert not mask[1:3, 1:3, 1:3].any()


def test_computed_mask_of_a_constant_image():
    with pytest.raises(InputError, match="'s': its images are constant"):
        computed_mask({"A": np.ones((4, 4, 4))}, subject_id="s")


def test_given_mask_is_above_one_half():
    probabilities = np.array([0, 0.4, 0.5, 0.6, 1, 255.0]).reshape(1, 1, 6)
    np.testing.assert_array_equal(given_mask(probabilities, subject_id="s", path="m.nii")[0, 0], [0, 0, 0, 1, 1, 1])
    with pytest.raises(InputError, match=r"'s': its mask is empty, since m\.nii"):
        given_mask(np.zeros((2, 2, 2)), subject_id="s", path="m.nii")


def test_filling_leaves_what_is_open_to_the_border():
    ring = np.array([[1, 1, 1, 0], [1, 0, 1, 1], [1, 1, 1, 0]], bool)
    np.testing.assert_array_equal(filled(ring), [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 0]])
    assert not filled(np.zeros((3, 3), bool)).any()
    assert filled(np.ones((3, 3), bool)).all()


def test_largest_piece():
    pieces = np.array([1, 0, 1, 1, 0, 1], bool)
    np.testing.assert_array_equal(largest_piece(pieces), [0, 0, 1, 1, 0, 0])
    assert not largest_piece(np.zeros(3, bool)).any()


@pytest.mark.parametrize("where", [np.s_[2:9, 3:8, 2:7], np.s_[0:9, 3:8, 2:7], np.s_[2:10, 0:10, 0:10], np.s_[:, :, :]])
def test_holes_are_filled_wherever_the_mask_lies(where):
    mask = np.zeros((10, 10, 10), bool)
    mask[where] = True
    mask[4:6, 4:6, 4:6] = False  # a hole
    mask[5, 5, :5] = False  # a canal from the hole to the outside
    np.testing.assert_array_equal(filled(mask), mask)
    mask[5, 5, 3] = True
    expected = mask.copy()
    expected[4:6, 4:6, 4:6] = True
    expected[5, 5, 4] = True
    np.testing.assert_array_equal(filled(mask), expected)
    assert not filled(np.zeros((3, 3, 3), bool)).any()


@given(st.integers(0, 10_000), st.floats(0.1, 0.9))
def test_filling_agrees_with_scipy_inside_an_empty_margin(seed, density):
    mask = np.pad(np.random.default_rng(seed).random((5, 6, 7)) < density, 1)
    np.testing.assert_array_equal(filled(mask), ndimage.binary_fill_holes(mask))
