"""Where in one image lesions were kept, erased and invented: what a figure draws."""

from typing import NamedTuple

import numpy as np

from ganlib.evaluation import hallucination as search


class Marks(NamedTuple):
    """Places in one image: lists of boolean arrays (slices, height, width)."""

    kept: list
    erased: list
    invented: list


def mark_lesions(cohort, codes, reference, contrast, subject_id, image):
    """Find what an image of a subject kept, erased and invented, as `ganlib.evaluation.audit` counts it.

    Args:
        cohort: the open cohort.
        codes: `ganlib.evaluation.lesion_reference.Tissue`.
        reference: `Reference` of the contrast.
        contrast: which contrast the image shows.
        subject_id: of whom.
        image: real or synthetic, float array (slices, height, width), in the units of the cohort.

    Returns:
        `Marks`; nothing is invented where nothing can be searched.
    """
    voxel_mm, fraction = cohort.header.voxel_mm, cohort.ranges[contrast].fraction
    lesions, tissue = codes.of(cohort.labels(subject_id), cohort.mask(subject_id), voxel_mm)
    real, made = fraction(cohort.images(subject_id, contrast)), fraction(image)
    every = search.lesion_contrasts(real, made, lesions, tissue=tissue, voxel_mm=voxel_mm)
    seen = [each for each in every if reference.can_judge(each)]
    return Marks(
        kept=[lesions == each.number for each in seen if not each.erased],
        erased=[lesions == each.number for each in seen if each.erased],
        invented=_invented(made, lesions, tissue, reference, voxel_mm),
    )


def _invented(made, lesions, tissue, reference, voxel_mm):
    room = search.search_room(tissue, lesions)
    if not np.isfinite(reference.threshold) or not room.any():
        return []
    deviations = search.departures(made, room, voxel_mm=voxel_mm) * (np.sign(reference.contrast) / reference.spread)
    return search.invented_places(deviations, lesions, reference.threshold, voxel_mm=voxel_mm)
