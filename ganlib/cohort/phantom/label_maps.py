"""Anatomies from label maps: individual heads with FreeSurfer codes, brought into MNI space and skull-stripped."""

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
    codes, affine = _read(path)
    affine = _mni_from_world(codes, affine) @ affine
    box = _bounding_box(codes, affine, low_mm, high_mm, path)
    codes = codes[box]
    affine = affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [edge.start for edge in box]
    keep = _brain(codes)
    fractions = np.zeros((*codes.shape, len(TISSUES)), np.uint8)
    for name, members in CODES.items():
        soft = gaussian_filter((np.isin(codes, members) & keep).astype(np.float32), _SOFTENING_VOXELS, truncate=2.5)
        fractions[..., INDEX[name]] = np.rint(255 * soft)
    return Anatomy(Path(path).name.split(".")[0], fractions, affine)


def _read(path):
    """Codes int16 (x, y, z) in RAS orientation, and the affine."""
    try:
        image = nib.as_closest_canonical(nib.load(path))
        codes = np.asarray(image.dataobj)
    except (OSError, EOFError, nib.filebasedimages.ImageFileError) as error:
        raise InputError(f"{path}: not a readable label map ({type(error).__name__}); replace or remove it") from error
    if codes.ndim != 3 or not np.array_equal(codes, codes.astype(np.int16)):
        raise InputError(f"{path}: not a label map (one volume of whole numbers); replace or remove it")
    codes = codes.astype(np.int16)
    if not _in_brain(codes).any():
        raise InputError(
            f"{path}: no FreeSurfer code of the brain (1 to {FIRST_CODE_OUTSIDE - 1}); replace or remove it"
        )
    return codes, image.affine


def _in_brain(codes):
    return np.isin(codes, np.concatenate(list(CODES.values())))


def _brain(codes):
    """Brain without the CSF that lies far outside the cortex, as skull stripping leaves it."""
    inside = _in_brain(codes)
    near = gaussian_filter((inside & (codes != _OUTER_CSF)).astype(np.float32), 2.0, truncate=2.0) > 0.12
    return inside & ((codes != _OUTER_CSF) | near)


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
    ends = np.argwhere(_in_brain(codes))
    middle = nib.affines.apply_affine(affine, (ends.min(0) + ends.max(0)) / 2)
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


def _bounding_box(codes, affine, low_mm, high_mm, path):
    """Slices of the array that hold the brain between two heights, with a voxel to spare."""
    voxels = np.argwhere(_in_brain(codes))
    heights = voxels @ affine[2, :3] + affine[2, 3]
    voxels = voxels[(heights >= low_mm) & (heights <= high_mm)]
    if not len(voxels):
        raise InputError(f"{path}: no brain between z = {low_mm:g} and {high_mm:g} mm; check its affine")
    return tuple(slice(max(low - 2, 0), high + 3) for low, high in zip(voxels.min(0), voxels.max(0), strict=True))
