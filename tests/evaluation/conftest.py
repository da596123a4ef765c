"""Images to score: a brain-like one with three tissues and noise, and slices of real patients."""

import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes, gaussian_filter


@pytest.fixture(scope="session")
def brain():
    """A brain-like image (96, 80) in units of 0 to 1000, background 0, and its mask; three tissues, blur and noise."""
    rng = np.random.default_rng(7)
    rows, columns = np.mgrid[:96, :80]
    mask = np.hypot((rows - 47.5) / 42, (columns - 39.5) / 35) < 1
    field = gaussian_filter(rng.standard_normal(mask.shape), 4)
    tissue = np.digitize(field, np.quantile(field[mask], (0.3, 0.65)))
    image = gaussian_filter(np.array([250.0, 500.0, 800.0])[tissue], 0.7) + rng.normal(0, 15, mask.shape)
    return np.where(mask, np.clip(image, 0, None), 0), mask


@pytest.fixture(scope="session")
def patient(shared_data):
    """Slices of a real patient, (218, 182) float arrays of T1w, T2w and FLAIR, lesion labels, and the mask."""
    folder, name = shared_data / "lit-ms-mni", "sub-ms07"
    space = f"{name}_space-MNI152"
    paths = {contrast: folder / name / "anat" / f"{space}_{contrast}.nii.gz" for contrast in ("T1w", "T2w", "FLAIR")}
    paths["lesion"] = folder / "derivatives" / "lesions" / name / "anat" / f"{space}_label-lesion_mask.nii.gz"
    slices = {key: nib.as_closest_canonical(nib.load(path)).dataobj[:, :, 100] for key, path in paths.items()}
    images = {key: np.asarray(image, float).T[::-1] for key, image in slices.items()}
    return {**images, "mask": binary_fill_holes(images["T1w"] > 0)}
