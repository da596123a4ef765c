import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganlib.cohort.intensity import IntensityRange
from ganlib.errors import InputError


def test_ends_of_the_range_become_minus_and_plus_one():
    intensity_range = IntensityRange(100, 300)
    np.testing.assert_allclose(intensity_range.scale([100, 200, 300, 400]), [-1, 0, 1, 2])
    np.testing.assert_allclose(intensity_range.fraction([100, 200, 300, 0]), [0, 0.5, 1, -0.5])
    assert intensity_range.scale(np.zeros(2, np.int16)).dtype == np.float32


@given(st.floats(-1e4, 1e4), st.floats(1, 1e4), st.lists(st.floats(-2, 3), min_size=1))
def test_scaling_is_undone_outside_the_range_too(low, width, fractions):
    intensity_range = IntensityRange(low, low + width)
    values = low + width * np.array(fractions)
    error = np.abs(intensity_range.unscale(intensity_range.scale(values)) - values)
    assert error.max() <= 4e-6 * (abs(low) + width)


def test_range_of_positive_and_of_signed_images():
    assert IntensityRange.of(np.arange(1001), "T1w") == IntensityRange(0, 995)
    signed = IntensityRange.of(np.linspace(-1000, 1000, 2001), "CT")
    assert (signed.low, signed.high) == pytest.approx((-990, 990))


def test_no_range():
    for values, words in (
        ([], "masks of the training subjects are empty"),
        ([0, 0], "'T1w': every training voxel .* is 0"),
    ):
        with pytest.raises(InputError, match=words):
            IntensityRange.of(np.array(values), "T1w")
    with pytest.raises(ValueError, match="empty"):
        IntensityRange(1, 1)
