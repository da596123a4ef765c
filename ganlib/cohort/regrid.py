"""The grid that a volume is brought to before a network sees it, when its own has other voxels."""

import numpy as np
from nibabel.orientations import axcodes2ornt

from ganlib.cohort.volumes import Grid

#: Voxels beyond the volume on every side, since linear interpolation knows nothing beyond the last voxel's centre.
_MARGIN = 1


def covering_grid(grid, orientation, voxel_mm, *, on_axes):
    """The smallest grid of other voxels that covers a volume.

    Args:
        grid: canonical `Grid` of the volume.
        orientation: its axis codes, index to direction.
        voxel_mm: voxel size along its three axes, mm.
        on_axes: True for axes along the world's, so that an oblique volume is turned upright; False keeps its own.

    Returns:
        Canonical `Grid`.

    Example:
        >>> covering_grid(Grid((4, 4, 4), np.eye(4)), "RAS", (2, 2, 2), on_axes=True).shape
        (4, 4, 4)
    """
    directions = _world_axes(orientation) if on_axes else grid.affine[:3, :3] / np.array(grid.voxel_mm)
    corners = grid.world_mm(np.array(list(np.ndindex(2, 2, 2))) * (np.array(grid.shape) - 1))
    along = corners @ np.linalg.inv(directions).T
    low, high, size = along.min(axis=0), along.max(axis=0), np.array(voxel_mm, float)
    shape = np.ceil((high - low) / size - 1e-6).astype(int) + 1 + 2 * _MARGIN
    start = (low + high) / 2 - (shape - 1) / 2 * size
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = directions * size, directions @ start
    return Grid(tuple(int(length) for length in shape), affine)


def _world_axes(orientation):
    """Direction cosines (3, 3) of axes along the world's, index to RAS."""
    directions = np.zeros((3, 3))
    for index, (axis, sign) in enumerate(axcodes2ornt(tuple(orientation))):
        directions[int(axis), index] = sign
    return directions
