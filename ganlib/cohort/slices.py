"""Slices of a volume: in which plane, at which position, and at which size they are stored."""

from dataclasses import dataclass

import numpy as np

from ganlib.errors import InputError


@dataclass(frozen=True)
class Plane:
    """How slices of one plane are taken from a volume, so that they are shown as stored in radiological convention.

    Args:
        orientation: axis codes of the canonical orientation, index to direction.
        axes: canonical axis of slice, row and column. The canonical axes are the world's x, y and z.
    """

    orientation: str
    axes: tuple[int, int, int]

    @property
    def slice_axis(self):
        """Canonical axis across the slices, which is also the world axis (0 = x, 1 = y, 2 = z)."""
        return self.axes[0]

    def slices(self, volume):
        """All slices of a canonical volume: a view (slices, height, width) of an array (x, y, z)."""
        return volume.transpose(self.axes)

    def whole(self, grid):
        """Height and width of a whole slice, pixels."""
        return grid.shape[self.axes[1]], grid.shape[self.axes[2]]

    def voxel_mm(self, grid):
        """Row, column and slice spacing, mm."""
        slice_mm, row_mm, column_mm = (grid.voxel_mm[axis] for axis in self.axes)
        return row_mm, column_mm, slice_mm

    def positions_mm(self, grid):
        """World coordinate of every slice along the slice axis, mm in RAS convention, taken at the slice's centre."""
        centres = np.tile((np.array(grid.shape) - 1) / 2, (grid.shape[self.slice_axis], 1))
        centres[:, self.slice_axis] = np.arange(len(centres))
        return grid.world_mm(centres)[:, self.slice_axis]


#: Axial: rows run from anterior to posterior. Coronal and sagittal: rows run from superior to inferior.
#: Axial and coronal: columns run from the patient's right to the left. Sagittal: from anterior to posterior.
PLANES = {
    "axial": Plane("LPS", (2, 1, 0)),
    "coronal": Plane("LPI", (1, 2, 0)),
    "sagittal": Plane("LPI", (0, 2, 1)),
}


def choose_slices(grid, plane, *, path, slice_mm=None, slice_index=None, slice_step_mm=None):
    """Canonical indices of the slices at the positions asked for.

    Args:
        grid: canonical `Grid` of the volume.
        plane: `Plane`.
        path: the file, for the error message.
        slice_mm: a world coordinate, for the slice nearest to it; or the two ends of a range, for every slice whose
            centre lies in it. RAS convention: +12 mm is above the origin in the axial plane.
        slice_index: canonical index, or several; 0 is the lowest, most anterior or rightmost slice.
        slice_step_mm: with a range, take the slices nearest to every so many mm from its lower end instead of all.

    Returns:
        Ascending list of distinct indices.

    Raises:
        InputError: a position lies outside the volume, or no slice lies in the range.
    """
    positions = plane.positions_mm(grid)
    if slice_index is not None:
        return _checked_indices(np.atleast_1d(slice_index), len(positions), path)
    wanted = np.atleast_1d(np.asarray(slice_mm, float))
    _check_extent(wanted, positions, plane.voxel_mm(grid)[2], path)
    if len(wanted) == 2 and slice_step_mm is None:
        return _within(wanted, positions, path)
    if len(wanted) == 2:
        wanted = np.arange(wanted[0], wanted[1] + 1e-6, slice_step_mm)
    nearest = np.abs(positions[:, None] - wanted).argmin(axis=0)
    return sorted({int(index) for index in nearest})


def crop_or_pad(slices, size, offset):
    """Cut a window out of slices; where it reaches beyond them it is 0 (False).

    With `-offset` and the whole slice's size it puts stored slices back in their place.

    Args:
        slices: array (slices, height, width).
        size: height and width of the window, pixels.
        offset: row and column of the window's first pixel in `slices`; negative where the window begins outside.

    Returns:
        Array (slices, *size) of the same type.

    Example:
        >>> crop_or_pad(np.ones((1, 2, 2), int), (2, 4), (0, -1))
        array([[[0, 1, 1, 0],
                [0, 1, 1, 0]]])
    """
    window = np.zeros((len(slices), *size), slices.dtype)
    there, here = [], []
    for length, wanted, start in zip(slices.shape[1:], size, offset, strict=True):
        first, last = max(start, 0), max(min(start + wanted, length), 0)
        there.append(slice(first, last))
        here.append(slice(first - start, max(last - start, first - start)))
    window[:, *here] = slices[:, *there]
    return window


def centred_offset(whole, size):
    """Offset of a window of `size` in the middle of a slice of `whole` pixels, (row, column)."""
    return tuple((length - wanted) // 2 for length, wanted in zip(whole, size, strict=True))


def padded_size(whole, multiple=4):
    """Smallest height and width that hold a whole slice and that networks can halve twice."""
    return tuple(-(-length // multiple) * multiple for length in whole)


def _checked_indices(indices, number, path):
    for index in indices:
        if not 0 <= index < number:
            raise InputError(f"{path}: no slice {index}; it has slices 0 to {number - 1} in this plane")
    return sorted({int(index) for index in indices})


def _check_extent(wanted, positions, spacing_mm, path):
    low, high = positions.min() - spacing_mm / 2, positions.max() + spacing_mm / 2
    for position in wanted:
        if not low <= position <= high:
            raise InputError(
                f"{path}: no slice at {position:+g} mm; its slices reach from {low:+.1f} to {high:+.1f} mm"
            )


def _within(ends, positions, path):
    inside = np.flatnonzero((positions >= ends[0] - 1e-3) & (positions <= ends[1] + 1e-3))
    if not inside.size:
        raise InputError(f"{path}: no slice centre lies within {ends[0]:+g} to {ends[1]:+g} mm; widen `slice_mm`")
    return [int(index) for index in inside]
