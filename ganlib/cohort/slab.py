"""A whole volume as the slices that a network of a run sees, and back."""

from dataclasses import dataclass, replace

import numpy as np

from ganlib.cohort.masks import computed_mask, given_mask, nonzero_mask
from ganlib.cohort.regrid import covering_grid
from ganlib.cohort.slices import PLANES, centred_offset, crop_or_pad
from ganlib.cohort.volumes import Grid, Volume, read_volume, resampled
from ganlib.errors import InputError

#: Voxel sizes that differ by less than this fraction are one size.
_VOXEL_TOLERANCE = 0.01
_STEP_TOLERANCE = 0.05


@dataclass(frozen=True, eq=False)
class Slab:
    """A source volume, cut as the slices of a cohort are.

    Args:
        source: `Volume`, as it is in its file but for its orientation.
        grid: canonical `Grid` of the slices: that of `source`, or the one it was resampled onto.
        plane: `Plane`.
        slices: float32 (slices, height, width) at the size that the run was trained on.
        stride: how many slices on the next one lies that the network takes for a neighbour.
        lost: fraction of the non-zero voxels that lie outside the window of that size.
    """

    source: Volume
    grid: Grid
    plane: object
    slices: np.ndarray
    stride: int
    lost: float

    @property
    def resampled(self):
        """True if the slices are interpolated."""
        return self.grid is not self.source.grid

    @property
    def filled(self):
        """Numbers of the slices that are not empty."""
        return np.flatnonzero(self.slices.any(axis=(1, 2)))

    @property
    def positions_mm(self):
        """World coordinate of every slice along the slice axis."""
        return self.plane.positions_mm(self.grid)

    def restored(self, slices):
        """Slices of this slab's shape back as a volume on the grid of the source.

        Args:
            slices: float array (slices, height, width).

        Returns:
            float32 (x, y, z), in the canonical orientation of the source; 0 where no slice reaches.
        """
        whole = self.plane.whole(self.grid)
        offset = centred_offset(whole, slices.shape[1:])
        volume = np.empty(self.grid.shape, np.float32)
        self.plane.slices(volume)[...] = crop_or_pad(slices, whole, tuple(-start for start in offset))
        if not self.resampled:
            return volume
        return resampled(replace(self.source, grid=self.grid, data=volume), self.source.grid, order=1)


def read_slab(path, preparation, *, channels=1, resample=False):
    """Read a volume and cut it as the slices of a run's cohort were.

    Args:
        path: the NIfTI file.
        preparation: what the run's cohort did (`ganlib.runs.preparation.Preparation`).
        channels: how many neighbouring slices make up one image of the network.
        resample: interpolate the volume onto pixels of the run's size, where they differ.

    Returns:
        `Slab`.

    Raises:
        InputError: the file cannot be used, is empty, or has other pixels than the run and `resample` is False.
    """
    plane, source = PLANES[preparation.plane], read_volume(path, preparation.orientation)
    if not source.data.any():
        raise InputError(f"{path}: every voxel is 0; give the image that is to be translated")
    stride, problem = _fit(source.grid, plane, preparation, channels)
    grid, data = source.grid, source.data
    if problem:
        if not resample:
            raise InputError(f"{path}: {problem}; set resample (--resample) to interpolate it there and back")
        grid = covering_grid(
            source.grid, preparation.orientation, _voxels(source.grid, plane, preparation, channels),
            on_axes=preparation.on_axes,
        )  # fmt: skip
        data, stride = resampled(source, grid, order=1), 1
    slices = crop_or_pad(plane.slices(data), preparation.shape, centred_offset(plane.whole(grid), preparation.shape))
    lost = 1 - np.count_nonzero(slices) / max(np.count_nonzero(data), 1)
    return Slab(source, grid, plane, slices, stride, float(lost))


def volume_mask(volume, kind, *, mask_path=None):
    """Mask of one volume by itself, as the cohort of a run took it.

    Args:
        volume: `Volume`.
        kind: `"nonzero"`, `"computed"` (a head mask) or `"given"`.
        mask_path: mask file on the volume's grid; it is used whatever `kind` says.

    Returns:
        Boolean array (x, y, z), canonical orientation.

    Raises:
        InputError: a mask file is needed and none is given, or it lies on another grid, or the mask is empty.
    """
    name = volume.path.name
    if mask_path is not None:
        found = read_volume(mask_path, volume.orientation)
        if not found.grid.matches(volume.grid):
            raise InputError(f"{mask_path}: lies on another grid than {volume.path}; resample it")
        return given_mask(found.data, subject_id=name, path=mask_path)
    if kind == "given":
        raise InputError(f"{volume.path}: the run's cohort had mask files; name the one of this volume (--mask)")
    return (computed_mask if kind == "computed" else nonzero_mask)({name: volume.data}, subject_id=name)


def _fit(grid, plane, preparation, channels):
    """How many slices on a neighbour lies; and what keeps the volume from being used as it is, or None."""
    row, column, spacing = plane.voxel_mm(grid)
    wanted = preparation.voxel_mm[:2]
    if any(abs(a - b) > _VOXEL_TOLERANCE * b for a, b in zip((row, column), wanted, strict=True)):
        return 1, f"pixels of {row:.4g} × {column:.4g} mm, but the run learned from {wanted[0]:.4g} × {wanted[1]:.4g}"
    step = preparation.slice_step_mm
    if channels == 1 or step is None:
        return 1, None
    stride = round(step / spacing)
    if stride < 1 or abs(stride * spacing - step) > _STEP_TOLERANCE * step:
        return 1, f"slices every {spacing:.4g} mm, but the run learned from neighbours {step:.4g} mm apart"
    return stride, None


def _voxels(grid, plane, preparation, channels):
    """Voxel size of the grid to resample onto, along the canonical axes; slices stay as far apart as they are."""
    spacing = preparation.slice_step_mm if channels > 1 and preparation.slice_step_mm else plane.voxel_mm(grid)[2]
    size = dict(zip(plane.axes, (spacing, *preparation.voxel_mm[:2]), strict=True))
    return tuple(size[axis] for axis in range(3))
