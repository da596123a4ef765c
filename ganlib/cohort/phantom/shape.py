"""The shape of one subject's head: pose, size and smooth warps, as the MNI point under each pixel."""

import numpy as np

from ganlib.cohort.phantom.fields import CENTRE_MM, smooth_field

#: Lattice spacing and standard deviation of the warps, mm: like white noise under Gaussians of 24, 10 and 5 mm.
WARPS_MM = ((40.0, 2.5), (17.0, 1.5), (8.0, 0.7))

#: Share of the largest warp that moves both halves of the head alike, and so would bend the midline, that is left out.
_UNBENDING = 0.85

#: Largest slope of the displacement, mm per mm (Frobenius norm). Below 1 nothing folds.
STEEPEST = 0.55

#: Turns out of the plane are this share of those in the plane: heads are tilted less than their slices are chosen.
_TILT = 0.6

#: Middle and reach in MNI mm, and standard deviation, of the swelling that makes ventricles differ.
_VENTRICLES_MM = np.array([0.0, -12.0, 14.0])
_VENTRICLES_REACH_MM = 24.0
_VENTRICLES_SWELLING = 0.15


def anatomy_points(rng, grid, settings):
    """The MNI point that each pixel of a subject shows.

    Args:
        rng: `numpy.random.Generator`.
        grid: the subject's `Grid`.
        settings: `PhantomSettings`.

    Returns:
        float32 array (3, slices, height, width), MNI x, y, z in mm.
    """
    pixels = np.stack(np.broadcast_arrays(grid.x_mm, grid.y_mm[:, None], grid.z_mm[:, None, None])).astype(np.float32)
    centre = np.array([*CENTRE_MM, settings.slice_mm], np.float32).reshape(3, 1, 1, 1)
    pose = _pose(rng, settings).astype(np.float32)
    return centre + np.tensordot(pose, pixels - centre, 1) + displacement(rng, grid, pixels, settings.warp)


def displacement(rng, grid, pixels_mm, warp):
    """Smooth displacement of a subject, scaled down as a whole where it would be steeper than `STEEPEST`.

    Args:
        rng: `numpy.random.Generator`.
        grid: the subject's `Grid`.
        pixels_mm: MNI mm of each pixel, float array (3, slices, height, width).
        warp: factor on the amplitudes.

    Returns:
        float32 array (3, slices, height, width), mm.
    """
    moved = np.stack([_warp(rng, grid, axis) for axis in range(3)]) + _swelling(rng, pixels_mm)
    moved *= np.float32(warp)
    steps_mm = {2: grid.voxel_mm, 3: grid.voxel_mm} | ({1: grid.spacing_mm} if grid.num_slices > 1 else {})
    slopes = sum((np.gradient(moved, step_mm, axis=axis) ** 2).sum(0) for axis, step_mm in steps_mm.items())
    return moved * np.float32(min(1.0, STEEPEST / max(np.sqrt(slopes.max()), 1e-6)))


def _warp(rng, grid, axis):
    large, *smaller = (np.float32(deviation) * smooth_field(rng, grid, spacing) for spacing, deviation in WARPS_MM)
    if axis == 0:
        large = large - np.float32(_UNBENDING / 2) * (large + large[..., ::-1])
    return large + sum(smaller)


def _swelling(rng, pixels_mm):
    from_middle = pixels_mm - _VENTRICLES_MM.astype(np.float32).reshape(3, 1, 1, 1)
    nearness = np.exp(-(from_middle**2).sum(0) / np.float32(2 * _VENTRICLES_REACH_MM**2))
    swelling = np.clip(rng.normal(0, _VENTRICLES_SWELLING), -0.25, 0.35)
    return np.float32(-swelling) * from_middle * nearness


def _pose(rng, settings):
    """Rotation times scaling, 3 x 3."""
    turn = settings.rotation_rad * np.clip(rng.standard_normal(3), -2, 2) * (_TILT, _TILT, 1)
    # Heads differ in size, and less in proportion: the variances of the two add up.
    size, *axes = settings.scaling * rng.standard_normal(4) * (0.8, 0.6, 0.6, 0.6)
    # Beyond two standard deviations a head would leave the picture.
    scale = np.exp(-np.clip(size + np.array(axes), -1.8 * settings.scaling, 1.8 * settings.scaling))
    return _rotation(turn) * scale


def _rotation(turn):
    """Rotation about x, then y, then z, by angles in radians."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(turn), np.sin(turn)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x
