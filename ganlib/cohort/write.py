"""Write a NIfTI volume that lies exactly where another one does."""

import gzip
from pathlib import Path

import numpy as np
from nibabel import Nifti1Header, Nifti1Image, Nifti2Header, Nifti2Image
from nibabel.orientations import apply_orientation, axcodes2ornt, io_orientation, ornt_transform

from ganlib import atomic
from ganlib.cohort.volumes import file_header
from ganlib.errors import InputError

_IMAGES = {Nifti1Header: Nifti1Image, Nifti2Header: Nifti2Image}
_SUFFIXES = (".nii", ".nii.gz")
_DESCRIPTION_BYTES = 79


def write_like(path, data, source, *, description=""):
    """Write voxels with the header of another file: its shape, affine, sform, qform, codes, units and orientation.

    The stored type is float32, whatever the other file's; its scaling, display range and extensions are not taken over.

    Args:
        path: `.nii` or `.nii.gz` file to write, whole or not at all.
        data: float array (x, y, z) in the canonical orientation of `source`.
        source: `VolumeHeader` (or `Volume`) of the other file.
        description: up to 79 characters for the header's `descrip`.

    Raises:
        InputError: the name does not end in .nii or .nii.gz, or it cannot be written.
    """
    path = checked_name(path)
    header = file_header(source.path)
    image = _IMAGES[type(header)](as_in_file(data, source).reshape(header.get_data_shape()), None, _bare(header))
    image.header["descrip"] = description.encode("ascii", "replace")[:_DESCRIPTION_BYTES]
    with atomic.replacing(path) as partial, partial.open("wb") as file:
        if path.suffix == ".gz":
            with gzip.GzipFile("", "wb", compresslevel=3, fileobj=file, mtime=0) as packed:
                image.to_stream(packed)
        else:
            image.to_stream(file)


def as_in_file(data, source):
    """Turn voxels from the canonical orientation to that of the file they belong to.

    Args:
        data: array (x, y, z) in the canonical orientation of `source`.
        source: `VolumeHeader`.

    Returns:
        float32 array, indexed as the file is.
    """
    turn = ornt_transform(axcodes2ornt(tuple(source.orientation)), io_orientation(source.file_affine))
    return np.asarray(apply_orientation(data, turn), np.float32)


def checked_name(path):
    """The path, if it is one of a NIfTI file."""
    path = Path(path)
    if not path.name.lower().endswith(_SUFFIXES) or path.name.lower() in _SUFFIXES:
        raise InputError(f"{path}: not the name of a NIfTI file; end it in .nii or .nii.gz")
    return path


def stem(path):
    """A NIfTI file's name without .nii or .nii.gz.

    Example:
        >>> stem("a/sub-01_T1w.nii.gz")
        'sub-01_T1w'
    """
    name = Path(path).name
    return name[: -len(next((suffix for suffix in (".nii.gz", ".nii") if name.lower().endswith(suffix)), "")) or None]


def _bare(header):
    header = header.copy()
    header.set_data_dtype(np.float32)
    header.set_slope_inter(1, 0)
    header.set_data_offset(0)
    header["cal_min"] = header["cal_max"] = 0
    return header
