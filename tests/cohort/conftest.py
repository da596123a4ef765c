"""Tiny heads in NIfTI files, in any storage orientation."""

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

SHAPE = (20, 24, 16)
VOXEL_MM = (2.0, 2.0, 3.0)
#: Index to world RAS mm of `head`: voxel (10, 12, 8) is the origin.
AFFINE = np.array([[2.0, 0, 0, -20], [0, 2.0, 0, -24], [0, 0, 3.0, -24], [0, 0, 0, 1]])


def head(seed=0, shape=SHAPE):
    """An ellipsoid of positive noise in a background of zeros, as RAS array."""
    x, y, z = (
        np.linspace(-1, 1, length)[tuple(np.s_[:] if k == a else None for k in range(3))]
        for a, length in enumerate(shape)
    )
    inside = x**2 + y**2 + z**2 < 0.95
    return (np.random.default_rng(seed).uniform(100, 200, shape) * inside).astype(np.float32)


def write_volume(path, data, *, orientation="RAS", affine=AFFINE, dtype=np.float32):
    """Write a RAS array as NIfTI file, stored in `orientation`; what lies where in the world does not depend on it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(np.asarray(data, dtype), affine)
    turn = ornt_transform(io_orientation(affine), axcodes2ornt(tuple(orientation)))
    nib.save(image.as_reoriented(turn), path)
    return path


@pytest.fixture
def volume_file(tmp_path):
    """Function that writes a volume into the test's folder: (name, data=head, **options of `write_volume`) to path."""

    def write(name="volume.nii.gz", data=None, **options):
        return write_volume(tmp_path / name, head() if data is None else data, **options)

    return write


@pytest.fixture
def study(tmp_path):
    """Folder `study` of three subjects `sub-1` to `sub-3` with T1w, T2w and a lesion mask; T2w is 300 - T1w."""
    folder = tmp_path / "study"
    for number in (1, 2, 3):
        t1w, subject = head(number), f"sub-{number}"
        lesion = np.zeros(SHAPE)
        lesion[12, 13, 9:12] = 1
        anat = folder / subject / "anat"
        write_volume(anat / f"{subject}_space-MNI_T1w.nii.gz", t1w, orientation="LAS")
        write_volume(anat / f"{subject}_space-MNI_T2w.nii.gz", (300 - t1w) * (t1w > 0), orientation="LPI")
        masks = folder / "derivatives" / "lesions" / subject / "anat"
        write_volume(masks / f"{subject}_space-MNI_label-lesion_mask.nii.gz", lesion, dtype=np.uint8)
    return folder
