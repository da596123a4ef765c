"""What real training images say of healthy tissue and of lesions: what a synthetic image is searched against."""

from typing import NamedTuple

import numpy as np

from ganlib.cohort.prevalence import lesion_code
from ganlib.errors import InputError
from ganlib.evaluation import hallucination as search

#: At the threshold that counts are made at, real training images have at most this many false lesions per subject.
FALSE_PER_SUBJECT = 0.1
#: Such a place stands out by at least this share of what a lesion usually does, as a lesion that was kept does.
_LEAST_SHARE = search.ERASED_BELOW
#: A lesion that stands out less in the real image cannot be judged: standard deviations of healthy tissue or, where
#: that has no label, share of what lesions usually stand out by.
_VISIBLE_FROM, _VISIBLE_SHARE = 2.0, 0.25
#: Training subjects that are looked at, at most.
_MOST_SUBJECTS = 40


class Reference(NamedTuple):
    """What real training images say of one contrast.

    Args:
        spread: standard deviation of healthy tissue, fraction of the range.
        contrast: median contrast of lesions to the tissue around them, fraction of the range; its sign says whether
            they are brighter.
        threshold: where counts are made, standard deviations of healthy tissue: the highest of the thresholds that is
            below half the contrast of lesions, or the lowest at which real training images have at most
            `FALSE_PER_SUBJECT` false lesions per subject, whichever is higher.
        false_per_subject: how many they have there.
        visible_from: contrast below which a lesion of a real image cannot be judged, fraction of the range: two
            standard deviations of healthy tissue or, where its label is unknown, a quarter of `contrast`.
    """

    spread: float
    contrast: float
    threshold: float
    false_per_subject: float
    visible_from: float

    def can_judge(self, lesion):
        """Whether a `hallucination.Lesion` stands out in the real image."""
        return abs(lesion.contrast_real) >= self.visible_from


class Tissue(NamedTuple):
    """Codes of the label map: lesions, and the tissue they lie in (None: everything in the mask but lesions)."""

    lesion: int
    around: int | None

    @classmethod
    def named(cls, cohort, lesion, tissue):
        """Codes by the names of the labels; `InputError` if the cohort has no such label.

        Args:
            cohort: the open cohort.
            lesion: name of the lesions' label.
            tissue: name of the label of the tissue that lesions lie in; "" where there is none.
        """
        return cls(lesion_code(cohort, lesion), lesion_code(cohort, tissue) if tissue else None)

    def of(self, labels, mask, voxel_mm):
        """Numbered lesions, and the tissue around, of a subject."""
        lesions = search.lesion_components((labels == self.lesion) & mask, voxel_mm=voxel_mm)
        around = labels == self.around if self.around is not None else labels != self.lesion
        return lesions, around & mask


def reference_of(cohort, contrast, codes):
    """`Reference` of a contrast, from the real images of training subjects (evenly chosen, 40 at most).

    Where the cohort does not label the tissue that lesions lie in, nothing can be searched, and the threshold is NaN.

    Args:
        cohort: the open cohort.
        contrast: which contrast.
        codes: `Tissue`.

    Raises:
        InputError: no training subject has a lesion or healthy tissue.
    """
    ids, voxel_mm = cohort.ids("train"), cohort.header.voxel_mm
    contrasts, maps, values = [], [], []
    for subject_id in ids[:: -(-len(ids) // _MOST_SUBJECTS)]:
        lesions, tissue = codes.of(cohort.labels(subject_id), cohort.mask(subject_id), voxel_mm)
        image = cohort.ranges[contrast].fraction(cohort.images(subject_id, contrast))
        room = search.search_room(tissue, lesions)
        if not room.any() or not (tissue & (lesions == 0)).any():
            continue
        found = search.lesion_contrasts(image, image, lesions, tissue=tissue, voxel_mm=voxel_mm)
        contrasts += [each.contrast_real for each in found]
        departures = search.departures(image, room, voxel_mm=voxel_mm)
        maps.append((departures, lesions))
        values.append(departures[room & (lesions == 0)])
    if not contrasts:
        raise InputError(
            f"{cohort.path}: no training subject has a lesion of {search.SMALLEST_MM2:g} mm² or more, so that nothing "
            "is known of lesions; make a cohort that has some among its training subjects"
        )
    spread, contrast_of_lesions = search.spread_of(np.concatenate(values)), float(np.median(contrasts))
    if codes.around is None:
        return Reference(spread, contrast_of_lesions, np.nan, np.nan, _VISIBLE_SHARE * abs(contrast_of_lesions))
    scale = np.sign(contrast_of_lesions) / spread
    threshold, false = _threshold(maps, scale, voxel_mm, abs(contrast_of_lesions) / spread)
    return Reference(spread, contrast_of_lesions, threshold, false, _VISIBLE_FROM * spread)


def _threshold(maps, scale, voxel_mm, deviations_of_lesions):
    """The threshold that counts are made at, and how many false lesions real images have there."""
    counts = [
        [each.invented for each in search.free_response(scale * departures, lesions, voxel_mm=voxel_mm)]
        for departures, lesions in maps
    ]
    false = np.mean(counts, axis=0)
    few = false <= FALSE_PER_SUBJECT
    specific = int(np.argmax(few)) if few.any() else len(few) - 1
    half = int(np.searchsorted(search.THRESHOLDS, _LEAST_SHARE * deviations_of_lesions, side="right")) - 1
    place = max(specific, half)
    return search.THRESHOLDS[place], float(false[place])
