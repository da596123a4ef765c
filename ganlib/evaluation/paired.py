"""Methods compared on the same subjects: signed-rank tests, correction, effect size, and letters that say it all."""

from itertools import combinations

import numpy as np
from scipy import stats

#: Level of the family of tests of one direction.
LEVEL = 0.05


def signed_rank_p(differences):
    """P-values of Wilcoxon's signed-rank test, two-sided, of many comparisons of the same subjects.

    Differences of 0 are left out of a test. P is exact up to 50 subjects without zeros, and of the normal approximation
    beyond. With five subjects or fewer it cannot fall below 0.05.

    Args:
        differences: float array (comparisons, subjects).

    Returns:
        float array (comparisons,): 1 where all differences are 0; NaN with fewer than two subjects, or where a
        difference is not finite.

    Source: Wilcoxon 1945, Biometrics Bulletin 1(6):80; computed by `scipy.stats.wilcoxon`.
    """
    differences = np.atleast_2d(np.asarray(differences, float))
    p = np.full(len(differences), np.nan)
    usable = np.isfinite(differences).all(1) & (differences.shape[1] > 1)
    p[usable] = 1.0
    with_zeros = (differences == 0).any(1)
    plain = usable & ~with_zeros
    if plain.any():
        p[plain] = stats.wilcoxon(differences[plain], axis=1).pvalue
    for place in np.flatnonzero(usable & with_zeros & (differences != 0).any(1)):
        p[place] = stats.wilcoxon(differences[place]).pvalue
    return p


def holm(p):
    """P-values of a family of tests, corrected so that one false positive among them all is as rare as P says.

    Args:
        p: float vector; NaN stays NaN and does not count as a test.

    Returns:
        float vector of the same length, at most 1, in the same order.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]

    Source: Holm 1979, Scandinavian Journal of Statistics 6(2):65.
    """
    p = np.asarray(p, float)
    corrected = np.full(p.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected


def rank_biserial(differences):
    """Effect size of the signed-rank test: the share of the rank sum in favour, minus the share against.

    Args:
        differences: float vector, one number per subject.

    Returns:
        Float from -1 (every difference negative) to 1 (every difference positive); 0 where all are 0; NaN without
        subjects, or where a difference is not finite.

    Source: Kerby 2014, Comprehensive Psychology 3:1 (matched-pairs rank-biserial correlation).
    """
    differences = np.asarray(differences, float)
    if not differences.size or not np.isfinite(differences).all():
        return float("nan")
    differences = differences[differences != 0]
    if not differences.size:
        return 0.0
    ranks = stats.rankdata(np.abs(differences))
    return float(np.sum(ranks * np.sign(differences)) / ranks.sum())


def letters(names, different):
    """Compact letter display: two names share a letter exactly if they do not differ significantly.

    Args:
        names: list of names, in the order in which letters are given out.
        different: set of pairs (a, b) of names that differ.

    Returns:
        Dictionary from name to its letters, such as `"ab"`.

    Example:
        >>> letters(["A", "B", "C"], {("A", "C")})
        {'A': 'a', 'B': 'ab', 'C': 'b'}

    Source: Piepho 2004, Journal of Computational and Graphical Statistics 13(2):456 (insert and absorb).
    """
    groups = [set(names)]
    for pair in (pair for pair in combinations(names, 2) if pair in different or pair[::-1] in different):
        split = []
        for group in groups:
            split += [group - {name} for name in pair] if set(pair) <= group else [group]
        groups = []
        for group in sorted(split, key=len, reverse=True):
            if not any(group <= kept for kept in groups):
                groups.append(group)
    groups.sort(key=lambda group: sorted(map(list(names).index, group)))
    signs = [_letter(number) for number in range(len(groups))]
    return {name: "".join(sign for sign, group in zip(signs, groups, strict=True) if name in group) for name in names}


def _letter(number):
    return chr(ord("a") + number % 26) * (1 + number // 26)
