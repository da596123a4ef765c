"""Scores of regions inside the brain: grey matter, white matter, CSF, lesions, whatever the cohort's labels name."""

import numpy as np

from ganlib.evaluation import metrics
from ganlib.evaluation.similarity import ssim_map
from ganlib.evaluation.voxels import inside

#: Voxels below which a region of a subject is not scored: its numbers would be noise.
SMALLEST_REGION = 4


def region_measures(target, synthetic, *, mask, labels, names, intensity_range):
    """Score every labelled region of a subject, in fractions of the range (protocol `masked`).

    Errors are pooled over the region's voxels. SSIM is the map of the whole mask averaged over the region, so that a
    region's border is compared with what lies beyond it; in a small region its window is larger than the region.

    Args:
        target: real image, float array (height, width) or (slices, height, width), in the units of the cohort.
        synthetic: generated image, same shape and units.
        mask: boolean array of the same shape; voxels outside it belong to no region.
        labels: integer array of the same shape.
        names: dictionary from code in `labels` to the name of the region; codes that it lacks are left out.
        intensity_range: `IntensityRange` of the target contrast.

    Returns:
        Dictionary from region to a dictionary of floats: `mae`, `psnr_db`, `bias` (mean of synthetic minus real),
        `ssim`, `mask_fraction` (the region's share of the mask). Regions with fewer than `SMALLEST_REGION` voxels are
        left out.

    Raises:
        ValueError: shapes differ, the mask is empty, or a value inside it is not finite.
    """
    real, made = (intensity_range.fraction(image) for image in (target, synthetic))
    inside(real, made, mask)
    if np.shape(labels) != np.shape(mask):
        raise ValueError(f"shapes differ: mask {np.shape(mask)}, labels {np.shape(labels)}")
    similarity = ssim_map(real, made, mask=mask, data_range=1)
    found = {}
    for code, name in names.items():
        region = mask & (labels == code)
        if np.count_nonzero(region) >= SMALLEST_REGION:
            found[name] = {
                **metrics.error_measures(real[region].astype(float), made[region].astype(float), data_range=1),
                "ssim": float(similarity[region].mean()),
                "mask_fraction": float(np.count_nonzero(region) / np.count_nonzero(mask)),
            }
    return found
