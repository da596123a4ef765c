"""Transforms that somebody else computed: ITK and ANTs files, and the matrices of FSL's FLIRT."""

from pathlib import Path

import numpy as np

from ganlib.cohort.registration.images import LPS, simpleitk
from ganlib.errors import InputError

_MOST_BYTES = 1 << 20
_LEAST_VOLUME = 1e-6


def read_transform(path, *, fixed, moving):
    """Read a transform of one volume onto another.

    ITK and ANTs files (`.txt`, `.tfm`, `.mat`, `.h5`, `0GenericAffine.mat`) map points of the fixed image to points of
    the moving one, as ITK does. FLIRT's text matrices map the moving image's coordinates to the fixed one's, in
    mm from the corner and mirrored where the affine is not; hence both headers are needed.

    Args:
        path: the file.
        fixed: `VolumeHeader` of the image that stays.
        moving: `VolumeHeader` of the image that is moved.

    Returns:
        ITK `AffineTransform`, from points of `fixed` to points of `moving`, LPS mm.

    Raises:
        InputError: the file is missing, is no such transform, bends, or cannot be inverted.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such transform; give a file of ITK, ANTs or FSL")
    if path.stat().st_size > _MOST_BYTES:
        raise InputError(f"{path}: {path.stat().st_size} bytes, too large for a rigid or affine transform")
    matrix = _flirt_matrix(path)
    if matrix is not None:
        _require_invertible(matrix, path)
        return affine_transform(_from_flirt(matrix, fixed, moving), path)
    return affine_transform(_from_itk(path), path)


def affine_transform(matrix, path="transform"):
    """ITK `AffineTransform` of a matrix (4, 4) from LPS to LPS mm."""
    sitk = simpleitk()
    _require_invertible(matrix, path)
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    transform.SetTranslation(matrix[:3, 3].tolist())
    return transform


def _require_invertible(matrix, path):
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:3, :3])) < _LEAST_VOLUME:
        raise InputError(f"{path}: the transform is singular or not finite; compute it anew")


def as_matrix(transform):
    """Matrix (4, 4), LPS mm to LPS mm, of an ITK transform that is linear; None if it bends."""
    if not transform.IsLinear():
        return None
    ends = np.array([transform.TransformPoint(point) for point in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))], float)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = (ends[1:] - ends[0]).T, ends[0]
    return matrix


def _from_itk(path):
    try:
        transform = simpleitk().ReadTransform(str(path))
    except RuntimeError as error:
        raise InputError(f"{path}: not a transform of ITK, ANTs or FSL (FLIRT); check what the file is") from error
    if transform.GetDimension() != 3:
        raise InputError(f"{path}: a transform of {transform.GetDimension()} dimensions, not 3")
    matrix = as_matrix(transform)
    if matrix is None:
        raise InputError(f"{path}: the transform bends; only rigid and affine ones can be applied")
    return matrix


def _flirt_matrix(path):
    """The matrix of a FLIRT file; None if it is not one."""
    try:
        matrix = np.loadtxt(path, ndmin=2)
    except (ValueError, UnicodeDecodeError, StopIteration):
        return None
    if matrix.shape != (4, 4) or not np.allclose(matrix[3], (0, 0, 0, 1)):
        rows, columns = matrix.shape
        raise InputError(f"{path}: {rows} × {columns} numbers; a FLIRT matrix has 4 × 4, the last row 0 0 0 1")
    return matrix


def _from_flirt(matrix, fixed, moving):
    """Matrix (4, 4) from points of `fixed` to points of `moving`, LPS mm."""
    world_to_fsl = _fsl_from_index(fixed) @ np.linalg.inv(fixed.file_affine)
    fsl_to_world = moving.file_affine @ np.linalg.inv(_fsl_from_index(moving))
    ras = fsl_to_world @ np.linalg.inv(matrix) @ world_to_fsl
    flip = np.eye(4)
    flip[:3, :3] = LPS
    return flip @ ras @ flip


def _fsl_from_index(header):
    """FSL's scaled mm of a file's voxel indices: mirrored in x where the affine's determinant is positive."""
    sizes = np.linalg.norm(header.file_affine[:3, :3], axis=0)
    matrix = np.diag([*sizes, 1.0])
    if np.linalg.det(header.file_affine[:3, :3]) > 0:
        mirror = np.eye(4)
        mirror[0, 0], mirror[0, 3] = -1, (_file_shape(header)[0] - 1) * sizes[0]
        matrix = mirror @ matrix
    return matrix


def _file_shape(header):
    """Shape of the voxels as they are in the file, from the canonical grid."""
    from nibabel.orientations import axcodes2ornt, ornt_transform

    canonical, stored = (axcodes2ornt(tuple(codes)) for codes in (header.orientation, header.file_orientation))
    turn = ornt_transform(stored, canonical)
    return tuple(header.grid.shape[int(turn[axis, 0])] for axis in range(3))
