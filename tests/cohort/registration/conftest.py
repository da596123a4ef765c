"""A head without symmetry, in two contrasts, and a study of such heads whose contrasts do not lie on each other."""

import nibabel as nib
import numpy as np
import pytest

pytest.importorskip("SimpleITK")

SHAPE, VOXEL_MM = (56, 64, 48), 3.0
#: Centre, semi-axes (fractions of the head's) and intensity in T1w and T2w.
_PARTS = [
    ((0, 0, 0), (1, 1, 1), 500, 300),
    ((0, 0, 0.05), (0.86, 0.88, 0.85), 900, 500),
    ((0.15, 0.2, 0.2), (0.2, 0.45, 0.2), 200, 1000),
    ((-0.35, -0.3, -0.1), (0.25, 0.2, 0.3), 700, 800),
    ((0.4, -0.45, 0.3), (0.15, 0.12, 0.2), 400, 200),
    ((-0.1, 0.55, -0.35), (0.3, 0.15, 0.15), 1000, 350),
]


def true_matrix(degrees=(4, -3, 6), shift_mm=(5, -4, 3)):
    """Rigid matrix (4, 4), RAS mm."""
    a, b, c = np.deg2rad(degrees)
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = z @ y @ x, shift_mm
    return matrix


def affine(shape=SHAPE, voxel_mm=VOXEL_MM):
    matrix = np.diag([voxel_mm] * 3 + [1.0])
    matrix[:3, 3] = -voxel_mm * (np.array(shape) - 1) / 2
    return matrix


def head(contrast, moved=None, shape=SHAPE, voxel_mm=VOXEL_MM):
    """Intensities (x, y, z) of the head, RAS; with `moved`, of the head after that rigid motion of the world."""
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    world = index @ affine(shape, voxel_mm)[:3, :3].T + affine(shape, voxel_mm)[:3, 3]
    if moved is not None:
        back = np.linalg.inv(moved)
        world = world @ back[:3, :3].T + back[:3, 3]
    place = world / (70, 85, 62)
    image = np.zeros(shape, np.float32)
    for centre, axes, t1w, t2w in _PARTS:
        inside = (((place - centre) / axes) ** 2).sum(-1)
        soft = 1 / (1 + np.exp(np.clip((inside - 1) * 12, -50, 50)))
        image += soft * ((t1w if contrast == "T1w" else t2w) - image)
    noise = np.random.default_rng(1).normal(0, 5, shape)
    return np.maximum(image + noise * (image > 20), 0).astype(np.float32)


@pytest.fixture
def study(tmp_path):
    """Folder of two subjects whose T2w was scanned after a motion; `motion.txt` beside each is its ITK transform."""
    from ganlib.cohort.registration.given import affine_transform
    from ganlib.cohort.registration.images import LPS, simpleitk

    sitk = simpleitk()

    flip = np.eye(4)
    flip[:3, :3] = LPS
    for number, motion in enumerate((true_matrix(), true_matrix((-3, 5, 2), (-4, 2, 6))), start=1):
        folder = tmp_path / "raw" / f"sub-{number}"
        folder.mkdir(parents=True)
        nib.save(nib.Nifti1Image(head("T1w"), affine()), folder / "T1w.nii.gz")
        nib.save(nib.Nifti1Image(head("T2w", motion), affine()), folder / "T2w.nii.gz")
        sitk.WriteTransform(affine_transform(flip @ motion @ flip), str(folder / "motion.txt"))
    return tmp_path / "raw"
