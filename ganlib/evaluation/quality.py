"""Quality control: figures per subject by which a bad scan, a bad registration or a mix-up stands out.

Nothing here decides: what lies far out is flagged (`ganlib.evaluation.quality_flags`) for a person to look at.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from ganlib import atomic
from ganlib.errors import InputError
from ganlib.evaluation.information import normalised_mutual_information
from ganlib.evaluation.parallel import in_order
from ganlib.evaluation.quality_flags import FIGURES, LEAST_SUBJECTS, RULES, flags_of
from ganlib.evaluation.registration import residual_shift

_NMI_BINS = 64
_QUANTILES = np.linspace(0, 1, 65)
_SHEET = 24
_MOST_SLICES = 8


def measure_quality(cohort, *, progress=True):
    """Measure every subject of a cohort, rejected ones too.

    Args:
        cohort: an open `Cohort`.
        progress: whether to show a progress bar.

    Returns:
        `pandas.DataFrame`, a row per subject in the order of the cohort: `subject`, the columns of `FIGURES` (NaN where
        one cannot be measured), `flags`, a list of sentences.
    """
    ids = cohort.ids(rejected=True)
    seen = list(in_order(partial(_look, cohort), ids, "Quality", progress))
    table = pd.DataFrame({"subject": ids})
    for name in ("shift_mm", "nmi", "mask_fraction"):
        table[name] = [getattr(view, name) for view in seen]
    table["histogram"] = _histogram_distances(seen)
    table["asymmetry"] = _asymmetries(seen, cohort)
    table["flags"] = flags_of(table, seen, cohort)
    return table


def quality_path(cohort):
    """Where the figures of a cohort are kept: beside its file."""
    return cohort.path.with_suffix(".quality.parquet")


def quality_of(cohort, *, progress=True):
    """The figures of a cohort: read where they are kept, or measured and kept."""
    path = quality_path(cohort)
    if path.is_file():
        try:
            table = pd.read_parquet(path)
            if table.attrs == _stamp(cohort) and set(FIGURES) <= set(table):
                return table.assign(flags=[list(flags) for flags in table["flags"]])
        except (OSError, ValueError):
            pass  # damaged: measured anew
    table = measure_quality(cohort, progress=progress)
    stamped = table.copy(deep=False)
    stamped.attrs = _stamp(cohort)
    try:
        with atomic.replacing(path) as partial_path:
            stamped.to_parquet(partial_path, index=False)
    except InputError:  # a cohort on a disk that is read-only can be looked at all the same
        return table
    return table


def _stamp(cohort):
    return {"cohort": cohort.fingerprint, "rules": RULES}


class _View(NamedTuple):
    """What is kept of a subject while the cohort is measured."""

    shift_mm: float
    nmi: float
    mask_fraction: float
    quantiles: dict
    sheets: dict
    flipped: list
    not_finite: list


def _look(cohort, subject_id):
    images = {name: cohort.images(subject_id, name) for name in cohort.contrasts}
    mask = cohort.mask(subject_id)
    bad = [name for name, image in images.items() if not np.isfinite(image).all()]
    images = {name: np.nan_to_num(image, posinf=0, neginf=0) for name, image in images.items()}
    first, *others = cohort.contrasts
    pairs = [(images[first], images[other]) for other in others]
    some = _some_slices(mask)
    shifts = [_shift_mm(a[some], b[some], mask[some], cohort.header.voxel_mm[:2]) for a, b in pairs]
    nmis = [_nmi(a, b, mask) for a, b in pairs]
    return _View(
        shift_mm=max(shifts, default=np.nan),
        nmi=min(nmis, default=np.nan),
        mask_fraction=float(mask.mean()),
        quantiles=_quantiles_of(cohort, images, mask),
        sheets={name: _sheet(image, mask) for name, image in images.items()},
        flipped=[other for other, pair in zip(others, pairs, strict=True) if _is_mirrored(cohort, *pair, mask)],
        not_finite=bad,
    )


def _some_slices(mask):
    """Numbers of up to eight slices, evenly spread over those with a mask."""
    filled = np.flatnonzero(mask.any(axis=(1, 2)))
    return filled[np.unique(np.linspace(0, len(filled) - 1, min(_MOST_SLICES, len(filled))).round().astype(int))]


def _shift_mm(target, moved, mask, voxel_mm):
    if not mask.any():
        return np.nan
    lengths = np.hypot(*residual_shift(target, moved, mask=mask, voxel_mm=voxel_mm).T)
    found = lengths[np.isfinite(lengths)]
    return float(np.median(found)) if found.size else np.nan


def _nmi(first, second, mask):
    if not mask.any() or np.ptp(first[mask]) == 0 or np.ptp(second[mask]) == 0:
        return np.nan
    limits = [tuple(np.percentile(image[mask], (0.5, 99.5))) for image in (first, second)]
    if any(low == high for low, high in limits):
        return np.nan
    return float(normalised_mutual_information(first, second, mask=mask, bins=_NMI_BINS, limits=tuple(limits)))


def _quantiles_of(cohort, images, mask):
    if not mask.any():
        return {name: np.full(len(_QUANTILES), np.nan) for name in images}
    return {name: np.quantile(cohort.ranges[name].fraction(image[mask]), _QUANTILES) for name, image in images.items()}


def _sheet(image, mask):
    """The mean over slices in a few pixels, centred on the mask, of zero mean and unit length: float (24, 24)."""
    from skimage.transform import resize

    occupied = mask.any(axis=0)
    if not occupied.any():
        return np.zeros((_SHEET, _SHEET))
    box = tuple(slice(*_ends(occupied.any(axis=1 - axis))) for axis in (0, 1))
    mean = (image * mask).mean(axis=0)[box]
    small = resize(mean.astype(float), (_SHEET, _SHEET), anti_aliasing=True)
    small -= small.mean()
    return small / (np.linalg.norm(small) or 1)


def _ends(occupied):
    inside = np.flatnonzero(occupied)
    return int(inside[0]), int(inside[-1]) + 1


def _is_mirrored(cohort, first, second, mask):
    """Whether a contrast fits the other better when it is mirrored left to right about the middle of the mask."""
    if cohort.header.plane == "sagittal" or not mask.any():
        return False
    shift = round(2 * np.nonzero(mask)[2].mean()) - (mask.shape[2] - 1)

    def mirrored(image):
        return np.roll(image[..., ::-1], shift, axis=2)

    both = mask & mirrored(mask)
    straight, turned = _nmi(first, second, both), _nmi(first, mirrored(second), both)
    return bool(turned > straight + 0.005)


def _histogram_distances(seen):
    """Largest over contrasts of the Wasserstein-1 distance to the cohort's median quantiles, fractions of range."""
    distances = []
    for name in seen[0].quantiles:
        curves = np.array([view.quantiles[name] for view in seen])
        distances.append(np.abs(curves - np.nanmedian(curves, axis=0)).mean(axis=1))
    return np.max(distances, axis=0)


def _asymmetries(seen, cohort):
    """Correlation of each subject's left-right asymmetry with the mean of the others'; NaN in sagittal slices."""
    if cohort.header.plane == "sagittal" or len(seen) < LEAST_SUBJECTS:
        return np.full(len(seen), np.nan)
    sheets = np.array([view.sheets[cohort.contrasts[0]] for view in seen])
    odd = (sheets - sheets[..., ::-1]).reshape(len(seen), -1)
    others = odd.sum(axis=0) - odd
    lengths = np.linalg.norm(odd, axis=1) * np.linalg.norm(others, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(lengths > 0, (odd * others).sum(axis=1) / lengths, np.nan)
