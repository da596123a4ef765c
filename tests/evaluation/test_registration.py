"""Residual shifts are found to a twentieth of a pixel, across contrasts, in mm."""

import numpy as np
import pytest
from scipy.ndimage import shift

from ganlib.evaluation.protocols import REGISTRATION, protocol_named
from ganlib.evaluation.registration import RegistrationProtocol, residual_shift

SHIFTS = [(0, 0), (1, 0), (0.5, -0.25), (-2.2, 3.1)]


@pytest.mark.parametrize("moved_by", SHIFTS)
def test_known_shifts_are_found(brain, moved_by):
    image, mask = brain
    found = residual_shift(image, shift(image, moved_by), mask=mask, voxel_mm=(1, 1))
    np.testing.assert_allclose(found, [moved_by], atol=0.051)


@pytest.mark.parametrize("moved_by", SHIFTS)
def test_they_are_found_where_bright_and_dark_are_exchanged(brain, moved_by):
    image, mask = brain
    exchanged = np.where(mask, 1000 - image, 0)
    found = residual_shift(image, shift(exchanged, moved_by), mask=mask, voxel_mm=(1, 1))
    np.testing.assert_allclose(found, [moved_by], atol=0.051)


def test_mm_are_pixels_times_the_voxel_size(brain):
    image, mask = brain
    found = residual_shift(image, np.roll(image, (2, -1), (0, 1)), mask=mask, voxel_mm=(0.7, 2))
    np.testing.assert_allclose(found, [[1.4, -2]], atol=0.051 * 2)


@pytest.mark.real_data
@pytest.mark.parametrize("contrast", ["T2w", "FLAIR"])
def test_a_real_pair_is_registered_and_a_known_shift_adds_to_what_is_left(patient, contrast):
    """The two contrasts of the patient lie within 0.2 mm of each other; what is added is found to 0.1 mm."""
    settings = {"mask": patient["mask"], "voxel_mm": (1, 1)}
    at_rest = residual_shift(patient["T1w"], patient[contrast], **settings)
    assert np.hypot(*at_rest[0]) < 0.2
    moved = residual_shift(patient["T1w"], shift(patient[contrast], (1.3, -2.0), order=3), **settings)
    np.testing.assert_allclose(moved - at_rest, [[1.3, -2.0]], atol=0.1)


def test_the_score_of_a_subject_is_the_mean_length_over_its_slices(brain):
    image, mask = brain
    real, masks = np.stack([image, image, image]), np.stack([mask, mask, np.zeros_like(mask)])
    made = np.stack([np.roll(image, 3, 0), np.roll(image, (0, -1), (0, 1)), image])
    found = RegistrationProtocol("registration", (2, 2)).score(real, made, mask=masks)
    assert found == {"shift_mm": pytest.approx((6 + 2) / 2, abs=0.11)}


def test_what_has_no_edges_has_no_shift(brain):
    image, mask = brain
    for flat in (np.zeros_like(image), np.full_like(image, 300.0), np.where(mask, 300.0, 0)):
        assert np.isnan(REGISTRATION.score(image, flat, mask=mask)["shift_mm"])


def test_what_lies_outside_the_mask_changes_nothing(brain):
    image, mask = brain
    made = shift(image, (0.5, 0.5))
    littered = np.where(mask, made, np.random.default_rng(0).normal(0, 5e3, made.shape))
    assert REGISTRATION.score(image, littered, mask=mask) == REGISTRATION.score(image, made, mask=mask)


def test_the_protocol_and_its_errors(brain):
    image, mask = brain
    assert protocol_named("registration") is REGISTRATION
    assert REGISTRATION.measure_unit("shift_mm") == "mm"
    assert "1/20 pixel" in REGISTRATION.description
    with pytest.raises(ValueError, match="shapes differ"):
        residual_shift(image, image[:-1], mask=mask, voxel_mm=(1, 1))
    with pytest.raises(ValueError, match="mask is empty"):
        residual_shift(image, image, mask=np.zeros_like(mask), voxel_mm=(1, 1))
    with pytest.raises(ValueError, match="NaN"):
        residual_shift(image, image + np.nan, mask=mask, voxel_mm=(1, 1))
