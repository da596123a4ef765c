"""Who differs from whom, on the same subjects, and how much of it is the luck of a training seed."""

from itertools import combinations

import numpy as np
import pandas as pd

from ganlib.errors import InputError
from ganlib.evaluation import paired
from ganlib.evaluation.cases import ALL_SLICES
from ganlib.evaluation.compare import method_rank, per_subject, select
from ganlib.evaluation.measures import MEASURES
from ganlib.evaluation.statistics import components_of_spread, intervals_of

COLUMNS = [
    "direction", "source", "target", "method_a", "method_b", "n", "difference", "low", "high", "rank_biserial", "p",
    "p_holm", "better",
]  # fmt: skip


def compare_pairs(scores, metric, protocol, *, methods=None, slices=ALL_SLICES, level=paired.LEVEL):
    """Every pair of methods on the same subjects: difference, interval, signed-rank test, effect size.

    Seeds are averaged per subject first: the tests are about subjects, not about trainings. P is corrected by Holm's
    method over all pairs of one direction, for one metric and protocol; looking at many metrics is not corrected for.
    The intervals are of one difference each, not of all at once.

    Args:
        scores: table of scores, as from `ganlib.evaluation.compare.load_scores`.
        metric: such as `psnr_db`.
        protocol: such as `masked`.
        methods: which methods, the baselines among them; default all. Fewer make a smaller family.
        slices: name of the slice set.
        level: of the corrected P below which a method is called better.

    Returns:
        `pandas.DataFrame`, one row per direction and pair, with columns: direction, source, target; method_a,
        method_b; n (subjects); difference (mean of a - b); low and high (its 95 % bootstrap interval; NaN with one
        subject); rank_biserial (effect size, positive where a is larger); p and p_holm (NaN with one subject); better
        (the name of the better method, or empty where the test does not tell, or neither way is better).

    Raises:
        InputError: the table lacks the metric or a method, or methods were scored on different subjects.
    """
    values = per_subject(scores, metric, protocol, slices)
    rows = []
    for keys, part in values.groupby(["direction", "source", "target"], sort=False):
        matrix = _matrix(part, methods)
        pairs = list(combinations(matrix.columns, 2))
        with np.errstate(invalid="ignore"):  # the PSNR of two exact copies: infinity less infinity
            differences = [(matrix[a] - matrix[b]).to_numpy() for a, b in pairs]
        p = paired.signed_rank_p(differences) if pairs else []
        tested = zip(pairs, differences, intervals_of(differences), p, paired.holm(p), strict=True)
        for (a, b), difference, (low, high), chance, corrected in tested:
            better = _better(metric, a, b, paired.rank_biserial(difference)) if corrected < level else ""
            rows.append([
                *keys, a, b, len(difference), difference.mean(), low, high, paired.rank_biserial(difference), chance,
                corrected, better,
            ])  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def letter_display(scores, metric, protocol, *, methods=None, slices=ALL_SLICES, level=paired.LEVEL):
    """Letters beside the methods: those that share one do not differ significantly.

    Args:
        scores: table of scores, as from `ganlib.evaluation.compare.load_scores`.
        metric: such as `psnr_db`.
        protocol: such as `masked`.
        methods: which methods; default all.
        slices: name of the slice set.
        level: of the corrected P.

    Returns:
        `pandas.DataFrame` with columns direction, source, target, method, mean, letters; in each direction the best
        mean first (the largest, where neither way is better), and its letter is `a`. Where there is one subject, all
        share a letter, since nothing can be told.

    Raises:
        InputError: as `compare_pairs`.
    """
    pairs = compare_pairs(scores, metric, protocol, methods=methods, slices=slices, level=level)
    values = per_subject(scores, metric, protocol, slices)
    lower = metric in MEASURES and MEASURES[metric].better == "lower"
    rows = []
    for keys, part in values.groupby(["direction", "source", "target"], sort=False):
        means = _matrix(part, methods).mean().sort_values(ascending=lower, kind="stable")
        mine = pairs[(pairs["direction"] == keys[0]) & (pairs["p_holm"] < level)]
        found = paired.letters(list(means.index), set(zip(mine["method_a"], mine["method_b"], strict=True)))
        rows += [[*keys, method, mean, found[method]] for method, mean in means.items()]
    return pd.DataFrame(rows, columns=["direction", "source", "target", "method", "mean", "letters"])


def matrix_of(pairs, direction, column="p_holm"):
    """One column of the comparisons of a direction as a square table, method against method.

    Args:
        pairs: as from `compare_pairs`.
        direction: name of a direction, such as `t1w_to_t2w`.
        column: `difference`, `rank_biserial`, `p` or `p_holm`.

    Returns:
        `pandas.DataFrame`, methods by methods, NaN on the diagonal. A difference or effect is that of the row's method
        minus the column's.
    """
    mine = pairs[pairs["direction"] == direction]
    names = list(dict.fromkeys([*mine["method_a"], *mine["method_b"]]))
    table = pd.DataFrame(np.nan, index=names, columns=names)
    sign = -1 if column in ("difference", "rank_biserial") else 1
    for row in mine.itertuples():
        value = getattr(row, column)
        table.loc[row.method_a, row.method_b], table.loc[row.method_b, row.method_a] = value, sign * value
    return table


def seed_spread(scores, metric, protocol, slices=ALL_SLICES):
    """How far apart subjects are, and how far apart trainings that differ in their seed alone.

    Args:
        scores: table of scores, as from `ganlib.evaluation.compare.load_scores`.
        metric: such as `psnr_db`.
        protocol: such as `masked`.
        slices: name of the slice set.

    Returns:
        `pandas.DataFrame`, one row per method and direction, with columns: method, direction, source, target; subjects;
        seeds; subject_sd, seed_sd, residual_sd (`components_of_spread`; seeds and residual NaN with one seed).

    Raises:
        InputError: the table lacks the metric, or a seed lacks a subject.
    """
    rows = []
    keys = ["method", "direction", "source", "target"]
    for key, part in select(scores, metric, protocol, slices).groupby(keys, sort=False):
        values = _crossed(part, "seed")
        if values.size != len(part):
            raise InputError(f"method {key[0]!r}, {key[1]}: a seed lacks scores of some subjects; evaluate every run")
        rows.append([*key, *values.shape, *components_of_spread(values.to_numpy())])
    columns = [*keys, "subjects", "seeds", "subject_sd", "seed_sd", "residual_sd"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("method", key=lambda names: names.map(method_rank), kind="stable", ignore_index=True)


def _matrix(part, methods):
    """Values of one direction, subjects by methods."""
    matrix = _crossed(part, "method")
    unknown = [method for method in methods or () if method not in matrix]
    if unknown:
        raise InputError(f"method {unknown[0]!r} is not in the table; it has {', '.join(matrix.columns)}")
    if matrix.size != len(part):
        lacking = part["method"].value_counts().index[-1]
        raise InputError(f"method {lacking!r} was not scored on all subjects that others were scored on; evaluate it")
    return matrix[list(methods)] if methods else matrix


def _crossed(part, column):
    """Values as a table of subjects by another column, in its order; a NaN stays one."""
    table = part.set_index(["subject", column])["value"].unstack()  # noqa: PD010, a pivot table would drop NaN
    return table[list(dict.fromkeys(part[column]))]


def _better(metric, a, b, effect):
    way = MEASURES[metric].better if metric in MEASURES else ""
    return {"higher": a if effect > 0 else b, "lower": b if effect > 0 else a}.get(way, "")
