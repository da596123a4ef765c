"""Smooth random fields in millimetres: the same field whatever the voxel size."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

#: Middle of the brain in MNI space, x and y in mm: the middle of every slice.
CENTRE_MM = (0.0, -17.0)

#: The lattice of a field covers this far from the middle, in mm; a head ends at about 100.
_REACH_MM = 140.0

#: Mean over all positions of the sum of squared cubic B-spline weights along one axis.
_MEAN_SQUARE = 151 / 315


@dataclass(frozen=True)
class Grid:
    """Where the pixels of a stack of slices are.

    Args:
        size: height and width, pixels.
        voxel_mm: edge of a pixel.
        num_slices: number of slices.
        spacing_mm: from slice to slice.
        middle_mm: MNI z of the middle of the stack.
    """

    size: tuple[int, int]
    voxel_mm: float
    num_slices: int
    spacing_mm: float
    middle_mm: float

    @property
    def shape(self):
        """(slices, height, width)."""
        return (self.num_slices, *self.size)

    @property
    def x_mm(self):
        """MNI x of each column, (width,): falling, since columns run from the patient's right to the left."""
        return CENTRE_MM[0] - _centred(self.size[1]) * self.voxel_mm

    @property
    def y_mm(self):
        """MNI y of each row, (height,): falling, since rows run from anterior to posterior."""
        return CENTRE_MM[1] - _centred(self.size[0]) * self.voxel_mm

    @property
    def z_mm(self):
        """MNI z of each slice, (slices,), rising."""
        return self.middle_mm + _centred(self.num_slices) * self.spacing_mm

    @property
    def affine(self):
        """4 x 4, canonical LPS index (column, row, slice) to RAS mm."""
        affine = np.diag([-self.voxel_mm, -self.voxel_mm, self.spacing_mm, 1.0])
        affine[:3, 3] = self.x_mm[0], self.y_mm[0], self.z_mm[0]
        return affine


def smooth_field(rng, grid, spacing_mm):
    """Gaussian random field of mean 0 and standard deviation 1.

    Independent normal numbers on a lattice, joined by cubic B-splines: nearly that of white noise under a Gaussian
    of standard deviation 0.6 `spacing_mm`, and of the same draw at every voxel size.

    Args:
        rng: `numpy.random.Generator`.
        grid: the `Grid` to evaluate it on.
        spacing_mm: of the lattice.

    Returns:
        float32 array (slices, height, width).
    """
    half_mm = (grid.num_slices - 1) / 2 * grid.spacing_mm
    along_z = _weights(-half_mm, grid.spacing_mm, grid.num_slices, spacing_mm, half_mm)
    along_y = _weights(-(grid.size[0] - 1) / 2 * grid.voxel_mm, grid.voxel_mm, grid.size[0], spacing_mm, _REACH_MM)
    along_x = _weights(-(grid.size[1] - 1) / 2 * grid.voxel_mm, grid.voxel_mm, grid.size[1], spacing_mm, _REACH_MM)
    lattice = rng.standard_normal((along_z.shape[1], along_y.shape[1], along_x.shape[1]), np.float32)
    lattice = np.tensordot(along_z, lattice, 1)
    return (along_y @ lattice @ along_x.T) / np.float32(_MEAN_SQUARE**1.5)


def layered_field(rng, grid, layers):
    """Sum of smooth fields.

    Args:
        rng: `numpy.random.Generator`.
        grid: the `Grid` to evaluate it on.
        layers: pairs of lattice spacing in mm and standard deviation.

    Returns:
        float32 array (slices, height, width).
    """
    return sum(np.float32(deviation) * smooth_field(rng, grid, spacing_mm) for spacing_mm, deviation in layers)


def _centred(number):
    return np.arange(number) - (number - 1) / 2


@lru_cache(maxsize=64)
def _weights(start_mm, step_mm, number, spacing_mm, reach_mm):
    """Cubic B-spline weights, float32 (positions, knots); positions beyond the reach take its edge."""
    positions = np.clip(start_mm + step_mm * np.arange(number), -reach_mm, reach_mm)
    knots = spacing_mm * np.arange(-1, np.floor(2 * reach_mm / spacing_mm) + 3) - reach_mm
    distance = np.abs(positions[:, None] - knots) / spacing_mm
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    return np.where(distance < 1, near, far).astype(np.float32)
