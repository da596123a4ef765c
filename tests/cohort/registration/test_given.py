"""Transforms of others: the same motion in every file format, and one clear line for what is none."""

import numpy as np
import pytest

from ganlib.cohort.registration.given import as_matrix, read_transform
from ganlib.cohort.registration.images import LPS, simpleitk
from ganlib.cohort.volumes import read_header
from ganlib.errors import InputError
from tests.cohort.conftest import head, write_volume
from tests.cohort.registration.conftest import true_matrix

FLIP = np.eye(4)
FLIP[:3, :3] = LPS
#: Motion of the world from the fixed image to the moving one, RAS.
MOTION = true_matrix()


@pytest.fixture
def headers(tmp_path):
    """Fixed and moving header; the moving file is stored the other way round in x, which matters to FSL."""
    fixed = write_volume(tmp_path / "fixed.nii.gz", head(1), orientation="LAS")
    moved_affine = np.array([[1.5, 0, 0, -30], [0, 2.5, 0, -20], [0, 0, 2.0, -10], [0, 0, 0, 1]])
    moving = write_volume(tmp_path / "moving.nii.gz", head(2, (30, 20, 18)), orientation="RAS", affine=moved_affine)
    return {"fixed": read_header(fixed), "moving": read_header(moving)}


def _flirt(header):
    """FSL's coordinates of a file from world RAS, from its documentation: mm from the first voxel, x mirrored if
    the determinant is positive."""
    import nibabel as nib

    image = nib.load(header.path)
    scale = np.diag([*image.header.get_zooms()[:3], 1.0])
    if np.linalg.det(image.affine) > 0:
        mirror = np.diag([-1.0, 1, 1, 1])
        mirror[0, 3] = image.shape[0] - 1
        scale = scale @ mirror
    return scale @ np.linalg.inv(image.affine)


@pytest.mark.parametrize("suffix", [".txt", ".tfm", ".mat", ".h5"])
def test_itk_and_ants_files(headers, tmp_path, suffix):
    sitk = simpleitk()

    lps = FLIP @ MOTION @ FLIP
    transform = sitk.AffineTransform(3)
    transform.SetCenter((3, -2, 5))
    transform.SetMatrix(lps[:3, :3].ravel().tolist())
    centre = np.array([3, -2, 5])
    transform.SetTranslation((lps[:3, :3] @ centre + lps[:3, 3] - centre).tolist())
    sitk.WriteTransform(transform, str(tmp_path / f"motion{suffix}"))
    found = read_transform(tmp_path / f"motion{suffix}", **headers)
    np.testing.assert_allclose(as_matrix(found), lps, atol=1e-5)


def test_matrix_of_flirt(headers, tmp_path):
    fixed_to_moving = _flirt(headers["moving"]) @ MOTION @ np.linalg.inv(_flirt(headers["fixed"]))
    np.savetxt(tmp_path / "flirt.mat", np.linalg.inv(fixed_to_moving))
    found = read_transform(tmp_path / "flirt.mat", **headers)
    np.testing.assert_allclose(as_matrix(found), FLIP @ MOTION @ FLIP, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.txt", None, "no such transform"),
        ("words.txt", "hello", "not a transform of ITK, ANTs or FSL"),
        ("short.mat", "1 0 0 0\n0 1 0 0\n0 0 1 0\n", "3 × 4 numbers"),
        ("flat.mat", "1 0 0 0\n0 1 0 0\n0 0 0 0\n0 0 0 1\n", "singular"),
        ("nan.mat", "1 0 0 nan\n0 1 0 0\n0 0 1 0\n0 0 0 1\n", "singular or not finite"),
    ],
)
def test_what_is_no_transform(headers, tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=rf"{name}.*{said}"):
        read_transform(tmp_path / name, **headers)


def test_a_transform_that_bends_is_refused(headers, tmp_path):
    sitk = simpleitk()

    sitk.WriteTransform(sitk.BSplineTransform(3, 3), str(tmp_path / "bend.tfm"))
    with pytest.raises(InputError, match="the transform bends"):
        read_transform(tmp_path / "bend.tfm", **headers)
