"""Which subjects of a cohort a person should look at, and why: what is wrong anywhere, and what lies far out.

A cohort of a hundred sound subjects should raise no flag, or the flags are not read. A figure is far out if it lies
beyond a robust z-score that a whole cohort of normal figures exceeds once in twenty cohorts, whatever its size, and
further from the median than matters for translation.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

#: Counted up when the rules below change, so that flags which were kept are made anew.
RULES = 2
#: With fewer subjects the cohort says nothing of its own spread.
LEAST_SUBJECTS = 5
#: A residual shift beyond so many pixels is flagged whatever the others have; below the second, never.
SHIFT_LIMIT_PX, SHIFT_MATTERS_PX = 2.0, 0.5
#: Images of two subjects that correlate more than this, the cohort's mean image taken off, are one image.
TWIN_LIMIT = 0.97
_TWIN_LIMIT_OF_FEW = 0.9995
#: Asymmetry opposite to the cohort's, at a correlation beyond this, may be a left-right flip.
FLIP_LIMIT = -0.3
#: Share of the sound cohorts in which somebody is flagged by one of the figures.
_FALSE_ALARMS = 0.05
#: Median and MAD of few subjects are uncertain: the limit grows by this, divided by their number. Fitted to the 99th
#: percentile of the largest robust z-score of 8 to 1,000 normal numbers, which it meets within 6 %.
_FEW = 11.0
#: Smallest MAD as a share of the median's size, so that a cohort of nearly equal subjects flags nobody.
_LEAST_SPREAD = 0.01


class Figure(NamedTuple):
    """What is measured of a subject.

    Fields:
        title: in a few words.
        unit: of the number, or empty.
        side: which end is bad: `"high"`, `"low"` or `"both"`.
        meaning: one sentence for a reader.
        matters: smallest distance from the cohort's median that is worth a look, whatever the others' spread.
    """

    title: str
    unit: str
    side: str
    meaning: str
    matters: float = 0.0


#: Figures by column; a cohort of more than two contrasts has the worst of its pairs with the first contrast.
FIGURES = {
    "shift_mm": Figure(
        "residual shift", "mm", "high", "how far the contrasts lie apart in the slice, edges correlated"
    ),
    "nmi": Figure("NMI", "", "low", "normalised mutual information of the contrasts inside the mask, 1 to 2", 0.01),
    "mask_fraction": Figure("mask", "of slice", "both", "share of the stored slices inside the mask", 0.02),
    "histogram": Figure(
        "histogram", "of range", "high", "distance of the intensities to the cohort's, Wasserstein-1", 0.04
    ),
    "asymmetry": Figure(
        "left-right", "r", "low", "left-right asymmetry correlated with the cohort's; negative: flipped?"
    ),
}


def flags_of(table, seen, cohort):
    """Sentences about each subject that should be looked at.

    Args:
        table: `pandas.DataFrame` with `subject` and the columns of `FIGURES`.
        seen: what is known of each subject besides: `not_finite` and `flipped`, lists of contrasts; `shift_mm`;
            `mask_fraction`; `sheets`, a small picture of each contrast, of zero mean and unit length.
        cohort: the open `Cohort`.

    Returns:
        A list of sentences for each subject; empty for most.
    """
    flags = [_certain(view, cohort) for view in seen]
    for name, numbers in far_subjects(table, cohort.header.voxel_mm).items():
        for number in numbers:
            if not (name == "shift_mm" and _apart(seen[number], cohort)):  # said already
                flags[number].append(_sentence(name, table[name], number))
    for first, second, contrast, correlation in _twins(seen, cohort):
        for here, other in ((first, second), (second, first)):
            flags[here].append(f"its {contrast} is (nearly) that of {table['subject'][other]} (r = {correlation:.4f})")
    return flags


def far_subjects(table, voxel_mm):
    """Rows of a table of figures that lie far from the others.

    Args:
        table: `pandas.DataFrame` with the columns of `FIGURES`.
        voxel_mm: row and column spacing, and whatever follows.

    Returns:
        Dictionary from column to ascending int array.
    """
    found = {}
    for name, figure in FIGURES.items():
        values = table[name].to_numpy(float)
        if name == "asymmetry":
            found[name] = flipped(values)
            continue
        if name == "shift_mm":
            figure = figure._replace(matters=SHIFT_MATTERS_PX * max(voxel_mm[:2]))
        found[name] = far_out(values, figure)
    return found


def z_limit(count):
    """Robust z-score that one of a cohort's figures exceeds in one sound cohort of twenty.

    Args:
        count: number of subjects.

    Source: Bonferroni's correction of normal quantiles, over subjects and figures; for the uncertainty of median and
        MAD in few subjects, our own simulation.
    """
    return -ndtri(_FALSE_ALARMS / (2 * count * len(FIGURES))) * (1 + _FEW / count)


def far_out(values, figure):
    """Numbers of the values that lie far from the others on the bad side.

    Args:
        values: float array, NaN where there is none.
        figure: `Figure`.

    Returns:
        Ascending int array; empty with fewer than five values.
    """
    middle, spread, count = _middle_and_spread(values)
    if count < LEAST_SUBJECTS:
        return np.array([], int)
    off = np.nan_to_num(values - middle)
    off = {"high": off, "low": -off, "both": np.abs(off)}[figure.side]
    return np.flatnonzero((off > z_limit(count) * spread) & (off > figure.matters))


def flipped(asymmetry):
    """Numbers of the subjects that fit the cohort only when they are mirrored left to right.

    Where left and right differ by chance alone (symmetrical heads, a different tilt of each) nobody is far out, and no
    flip can be told.

    Args:
        asymmetry: float array: correlation of each subject's left-right differences with the others'.

    Returns:
        Ascending int array.
    """
    middle, spread, count = _middle_and_spread(asymmetry)
    if count < LEAST_SUBJECTS:
        return np.array([], int)
    limit = min(FLIP_LIMIT, middle - z_limit(count) * spread)
    return np.flatnonzero((middle > 0) & (np.nan_to_num(asymmetry, nan=middle) < limit))


def _middle_and_spread(values):
    """Median, robust standard deviation and number of the values that are known."""
    known = values[np.isfinite(values)]
    if not known.size:
        return np.nan, np.nan, 0
    middle = np.median(known)
    spread = max(1.4826 * np.median(np.abs(known - middle)), _LEAST_SPREAD * abs(middle), 1e-12)
    return middle, spread, known.size


def _certain(view, cohort):
    """What is wrong whatever the others are like."""
    said = [f"{name}: values that are not finite" for name in view.not_finite]
    said += [f"{name} looks mirrored left to right against {cohort.contrasts[0]}" for name in view.flipped]
    if _apart(view, cohort):
        said.append(f"contrasts lie {view.shift_mm:.1f} mm apart, more than {SHIFT_LIMIT_PX:g} pixels")
    return [*said, "its mask is empty"] if view.mask_fraction == 0 else said


def _apart(view, cohort):
    return view.shift_mm > SHIFT_LIMIT_PX * max(cohort.header.voxel_mm[:2])


def _sentence(name, values, number):
    if name == "asymmetry":
        return "left and right differ the other way round than in the cohort: flipped?"
    figure = FIGURES[name]
    value = f"{values[number]:.3g} {figure.unit}".strip()
    return f"{figure.title} {value}, the cohort's median is {np.nanmedian(values):.3g}"


def _twins(seen, cohort):
    """Pairs of subjects with one image, by the correlation of small pictures of it."""
    for contrast in cohort.contrasts:
        sheets = np.array([view.sheets[contrast].ravel() for view in seen])
        limit = _TWIN_LIMIT_OF_FEW
        if len(seen) >= LEAST_SUBJECTS:
            limit = TWIN_LIMIT
            sheets = sheets - sheets.mean(axis=0)
            sheets /= np.maximum(np.linalg.norm(sheets, axis=1, keepdims=True), 1e-12)
        close = np.triu(sheets @ sheets.T, 1)
        for first, second in np.argwhere(close > limit):
            yield int(first), int(second), contrast, float(close[first, second])
