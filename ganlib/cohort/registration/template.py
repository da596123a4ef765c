"""The MNI152 template that nilearn ships: a brain without skull, and its mask."""

import functools

import numpy as np

from ganlib.cohort.registration.images import to_itk
from ganlib.cohort.volumes import Grid

#: Voxel size of the template that subjects are matched to, mm; results may have others.
_VOXEL_MM = 1.0


@functools.cache
def template():
    """The template's T1w brain and its mask, as ITK images on one grid of 1 mm.

    Source: ICBM 2009a nonlinear symmetric, Fonov et al. 2011, doi:10.1016/j.neuroimage.2010.07.033, as in nilearn.
    """
    from nilearn.datasets import load_mni152_brain_mask, load_mni152_template

    brain, mask = load_mni152_template(resolution=int(_VOXEL_MM)), load_mni152_brain_mask(resolution=int(_VOXEL_MM))
    grid = Grid(brain.shape, brain.affine)
    inside = np.asarray(mask.dataobj) > 0
    return to_itk(np.asarray(brain.dataobj, np.float32) * inside, grid), to_itk(inside, grid)


def template_grid(voxel_mm=None):
    """`Grid` in MNI space that results are written on: the template's field of view in voxels of `voxel_mm`."""
    from ganlib.cohort.registration.images import from_itk

    grid = from_itk(template()[0])[1]
    if voxel_mm is None:
        return grid
    return scaled_grid(grid, voxel_mm)


def scaled_grid(grid, voxel_mm):
    """A grid over the same field of view with cubic voxels of another size."""
    field_mm = np.array(grid.shape) * np.array(grid.voxel_mm)
    shape = tuple(int(length) for length in np.maximum(1, np.round(field_mm / voxel_mm)))
    directions = grid.affine[:3, :3] / np.array(grid.voxel_mm)
    affine = np.eye(4)
    affine[:3, :3] = directions * voxel_mm
    middle = grid.world_mm((np.array(grid.shape) - 1) / 2)
    affine[:3, 3] = middle - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)
