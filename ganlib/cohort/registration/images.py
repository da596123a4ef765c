"""Volumes as SimpleITK images, and back."""

import numpy as np

from ganlib.cohort.volumes import Grid, Volume
from ganlib.errors import InputError

#: RAS to LPS, in which ITK thinks.
LPS = np.diag([-1.0, -1.0, 1.0])
#: A grid whose axes are further from right angles than this cannot be held by an ITK image.
_MOST_SHEAR = 2e-3


def simpleitk():
    """The module, or one line that says how to install it."""
    try:
        import SimpleITK
    except ImportError as error:
        raise InputError(
            "registration needs SimpleITK; install it: python -m pip install 'ganlib[registration]'"
        ) from error
    return SimpleITK


def to_itk(data, grid, *, path="volume"):
    """An ITK image of voxels on a grid.

    Args:
        data: array (x, y, z).
        grid: its `Grid`, RAS mm.
        path: for the error message.

    Raises:
        InputError: the axes of the grid are not at right angles.
    """
    directions = LPS @ grid.affine[:3, :3] / np.array(grid.voxel_mm)
    left, _, right = np.linalg.svd(directions)
    if np.abs(left @ right - directions).max() > _MOST_SHEAR:
        raise InputError(f"{path}: the axes of its affine are not at right angles; resample it to a plain grid first")
    array = np.asarray(data)
    image = simpleitk().GetImageFromArray(np.ascontiguousarray(array.astype(_type(array)).transpose(2, 1, 0)))
    image.SetSpacing(tuple(map(float, grid.voxel_mm)))
    image.SetOrigin(tuple(map(float, LPS @ grid.affine[:3, 3])))
    image.SetDirection(tuple((left @ right).ravel().tolist()))
    return image


def volume_to_itk(volume: Volume):
    """An ITK image of a `Volume`."""
    return to_itk(volume.data, volume.grid, path=volume.path)


def from_itk(image):
    """Voxels (x, y, z) of an ITK image, and their `Grid`, RAS mm."""
    data = simpleitk().GetArrayFromImage(image).transpose(2, 1, 0)
    affine = np.eye(4)
    affine[:3, :3] = LPS @ np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = LPS @ np.array(image.GetOrigin())
    return data, Grid(tuple(int(length) for length in data.shape), affine)


def _type(array):
    return np.uint8 if array.dtype == bool else np.float32
