"""Anatomies from label maps: individual heads with FreeSurfer codes, brought into MNI space and skull-stripped."""

import zlib
from functools import lru_cache
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.ndimage import gaussian_filter

from ganlib.cohort.phantom.anatomy import Anatomy
from ganlib.cohort.phantom.tissues import INDEX, TISSUES
from ganlib.errors import InputError

#: FreeSurfer codes of each tissue (FreeSurferColorLUT.txt); vessels and choroid plexus are lost in what they lie in.
CODES = {
    "csf": (4, 5, 14, 15, 24, 43, 44, 72, 30, 62, 136, 137, 163, 164),
    "cortex": (3, 42, 8, 47, 17, 53, 18, 54, 26, 58),
    "white_matter": (2, 41, 7, 46, 16, 28, 60, 25, 57, 77, 85),
    "thalamus": (10, 49),
    "caudate": (11, 50),
    "putamen": (12, 51),
    "pallidum": (13, 52),
}

#: Codes from here on lie outside the brain.
FIRST_CODE_OUTSIDE = 500

#: CSF between brain and skull.
_OUTER_CSF = 24

#: Centroid of a structure in MNI mm, rounded; the right side mirrors the left.
_LANDMARKS = {
    10: (-11.0, -19.0, 7.0),
    11: (-13.0, 9.0, 10.0),
    12: (-25.0, 1.0, 1.0),
    13: (-20.0, -5.0, -1.0),
    17: (-25.0, -23.0, -14.0),
    18: (-23.0, -5.0, -18.0),
}
_RIGHT_OF = {10: 49, 11: 50, 12: 51, 13: 52, 17: 53, 18: 54}

#: Middle of the brain, MNI mm: where a head without landmarks is put.
_BRAIN_CENTRE_MM = (0.0, -17.0, 3.0)

#: Softens the hard borders, voxels: as a voxel that straddles a border holds both tissues.
_SOFTENING_VOXELS = 0.6

_SUFFIXES = (".nii", ".nii.gz", ".mgz")


def label_map_files(folder):
    """Label maps of a folder, sorted by name.

    Raises:
        InputError: there is no such folder, or nothing in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"anatomy {str(folder)!r}: no such folder; use 'icbm152' or a folder of label maps")
    files = sorted(path for path in folder.iterdir() if path.name.endswith(_SUFFIXES))
    if not files:
        raise InputError(f"{folder}: no label maps ({', '.join(_SUFFIXES)}) in this folder")
    return files


@lru_cache(maxsize=32)
def label_map_anatomy(path, low_mm, high_mm):
    """One head: codes become tissues, borders are softened, and it is brought into MNI space.

    Args:
        path: label map with FreeSurfer codes.
        low_mm: lowest MNI z that is needed.
        high_mm: highest MNI z that is needed.

    Returns:
        `Anatomy`, named after the file.

    Raises:
        InputError: the file cannot be read, or holds no brain.
    """
    codes, affine = _cropped(*_read(path), path=path)
    affine = _mni_from_world(codes, affine) @ affine
    codes, affine = _cropped(codes, affine, low_mm, high_mm, path=path)
    tissues = _stripped(codes)
    fractions = np.zeros((*codes.shape, len(TISSUES)), np.uint8)
    for number in range(len(TISSUES)):
        soft = gaussian_filter((tissues == number + 1).astype(np.float32), _SOFTENING_VOXELS, truncate=2.5)
        fractions[..., number] = np.rint(255 * soft)
    return Anatomy(Path(path).name.split(".")[0], fractions, affine)


def _read(path):
    """Codes, int16 (x, y, z) in RAS orientation, and the affine."""
    try:
        image = nib.as_closest_canonical(nib.load(path))
        values = np.asarray(image.dataobj)
    except (OSError, EOFError, ValueError, zlib.error, nib.filebasedimages.ImageFileError) as error:
        raise InputError(f"{path}: not a readable label map ({type(error).__name__}); replace or remove it") from error
    codes = np.clip(np.nan_to_num(values), -1, np.iinfo(np.int16).max).astype(np.int16)
    if values.ndim != 3 or not np.array_equal(codes, values):
        raise InputError(f"{path}: not a label map (one volume of whole numbers from 0); replace or remove it")
    return codes, image.affine


def _tissue(codes):
    """Number of each voxel's tissue in `TISSUES`, from 1; 0 outside the brain. uint8, the shape of `codes`."""
    table = np.zeros(FIRST_CODE_OUTSIDE + 1, np.uint8)
    for name, members in CODES.items():
        table[list(members)] = INDEX[name] + 1
    return table[np.clip(codes, 0, FIRST_CODE_OUTSIDE)]


def _cropped(codes, affine, low_mm=-np.inf, high_mm=np.inf, *, path):
    """The box that holds the brain between two heights, with a rim, and its affine."""
    inside = _tissue(codes) > 0
    x, y, z = np.ogrid[tuple(map(slice, codes.shape))]
    height_mm = affine[2, 0] * x + affine[2, 1] * y + affine[2, 2] * z + affine[2, 3]
    inside &= (height_mm >= low_mm) & (height_mm <= high_mm)
    if not inside.any():
        raise InputError(f"{path}: no FreeSurfer code of the brain where the slices lie; replace or remove it")
    sides = [np.flatnonzero(inside.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    start = np.array([max(side[0] - 3, 0) for side in sides])
    box = tuple(slice(first, side[-1] + 4) for first, side in zip(start, sides, strict=True))
    return codes[box], affine @ nib.affines.from_matvec(np.eye(3), start)


def _stripped(codes):
    """Tissue numbers as skull stripping leaves them: no CSF far outside the cortex, and no holes between the halves.

    Vessels and dura between the halves have codes of outside the brain; they are CSF here.
    """
    tissues = _tissue(codes)
    core = (tissues > 0) & (codes != _OUTER_CSF)
    closeness = gaussian_filter(core.astype(np.float32), 2.0, truncate=2.0)
    tissues[(codes == _OUTER_CSF) & (closeness < 0.12)] = 0
    around = gaussian_filter((tissues > 0).astype(np.float32), 5.0, truncate=2.0)
    tissues[(tissues == 0) & (around > 0.6)] = INDEX["csf"] + 1
    return tissues


def _mni_from_world(codes, affine):
    """Similarity that brings the landmarks of a head to their places; a shift of its middle where there are none."""
    found, wanted = [], []
    for left, place in _LANDMARKS.items():
        for code, sign in ((left, 1), (_RIGHT_OF[left], -1)):
            voxels = np.argwhere(codes == code)
            if len(voxels):
                found.append(nib.affines.apply_affine(affine, voxels.mean(0)))
                wanted.append((sign * place[0], *place[1:]))
    if len(found) == 2 * len(_LANDMARKS):
        return _similarity(np.array(found), np.array(wanted))
    middle = nib.affines.apply_affine(affine, (np.array(codes.shape) - 1) / 2)
    return nib.affines.from_matvec(np.eye(3), np.array(_BRAIN_CENTRE_MM) - middle)


def _similarity(points, places):
    """Rotation, one scale and a shift that bring points to places with the least squared error, 4 x 4.

    Source: Umeyama 1991, IEEE Trans Pattern Anal Mach Intell 13:376.
    """
    from_middle, to_middle = points.mean(0), places.mean(0)
    centred = points - from_middle
    u, singular, vt = np.linalg.svd((places - to_middle).T @ centred)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    turn = (singular * sign).sum() / (centred**2).sum() * (u * sign) @ vt
    return nib.affines.from_matvec(turn, to_middle - turn @ from_middle)
