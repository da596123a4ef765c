import numpy as np
import pytest

from ganlib.cohort.phantom import PhantomSettings
from ganlib.cohort.phantom.fields import Grid, smooth_field
from ganlib.cohort.phantom.shape import anatomy_points

STILL = {"rotation_rad": 0.0, "scaling": 0.0, "warp": 0.0}


def grid(size=(112, 96), voxel_mm=2.0, num_slices=1):
    return Grid(size, voxel_mm, num_slices, 2.0, 12.0)


def test_without_variation_every_pixel_shows_its_own_point():
    points = anatomy_points(np.random.default_rng(0), grid(), PhantomSettings(**STILL))
    np.testing.assert_allclose(points[:, 0, 0, 0], [95, 94, 12], atol=1e-4)
    np.testing.assert_allclose(points[:, 0, -1, -1], [-95, -128, 12], atol=1e-4)


@pytest.mark.parametrize("warp", [1.0, 5.0])
def test_nothing_folds(warp):
    stack = grid(num_slices=3)
    for seed in range(12):
        points = anatomy_points(np.random.default_rng(seed), stack, PhantomSettings(num_slices=3, warp=warp))
        # Columns and rows run against x and y.
        slopes = np.stack([-np.diff(points, axis=3)[:, :-1, :-1], -np.diff(points, axis=2)[:, :-1, :, :-1],
                           np.diff(points, axis=1)[:, :, :-1, :-1]], -1)  # fmt: skip
        assert np.linalg.det(np.moveaxis(slopes, 0, -2) / 2).min() > 0.02


def test_heads_are_not_bent():
    middle = 95 / 2
    for seed in range(20):
        points = anatomy_points(np.random.default_rng(seed), grid(), PhantomSettings(rotation_rad=0.0))
        rows = np.arange(10, 102)
        midline = [np.interp(0, -points[0, 0, row], np.arange(96)) for row in rows]
        bend = np.array(midline) - np.polyval(np.polyfit(rows, midline, 1), rows)
        assert np.abs(bend).max() * 2 < 7
        assert abs(np.mean(midline) - middle) * 2 < 8


def test_field_is_standard_normal():
    values = np.stack([smooth_field(np.random.default_rng(seed), grid(), 15.0) for seed in range(40)])
    assert values.mean() == pytest.approx(0, abs=0.05)
    assert values.std() == pytest.approx(1, abs=0.08)


def test_field_is_the_same_at_any_resolution():
    coarse, fine = (
        smooth_field(np.random.default_rng(0), grid(size, voxel_mm), 20.0)
        for size, voxel_mm in (((112, 96), 2.0), ((224, 192), 1.0))
    )
    np.testing.assert_allclose(fine[0].reshape(112, 2, 96, 2).mean((1, 3)), coarse[0], atol=0.01)
