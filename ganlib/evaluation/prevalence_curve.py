"""Lesions erased and invented against the share of lesions in the target's training images, by method.

The figure of Cohen, Luck & Honari 2018 (MICCAI, arXiv:1805.08841): a method that matches the distribution of the target
follows that share, whatever the source shows. At one share two methods have the same bias, and can be compared.
"""

import pandas as pd

from ganlib.evaluation import paired
from ganlib.evaluation.audit_summary import counted, one_row_each
from ganlib.evaluation.pairwise import compare_pairs

_KEYS = ["method", "direction", "source", "target", "target_share"]
#: Shares are told apart to this many decimals: draws of two seeds may differ by a subject.
_DECIMALS = 2


def prevalence_curve(found, *, by_seed=False):
    """Counts of each method at each share of lesions in the target's training images.

    Args:
        found: `ganlib.evaluation.audit.Audit`.
        by_seed: whether each training seed has rows of its own; else the seeds of a share are counted together.

    Returns:
        `pandas.DataFrame`, one row per method (without its note in brackets), direction and share, with columns method,
        direction, source, target, target_share (and seed), then those of `audit_summary.summary_of`, and seeds (how
        many). Only methods that were trained at two shares or more; empty if there is none.
    """
    table = one_row_each(_of_several_shares(found.subjects))
    keys = [*_KEYS, "seed"] if by_seed else _KEYS
    rows = [
        {**dict(zip(keys, key, strict=True)), **counted(part), "seeds": part["seed"].nunique()}
        for key, part in table.groupby(keys)
    ]
    return pd.DataFrame(rows, columns=None if rows else [*keys, "seeds"])


def compare_at_shares(found):
    """Every pair of methods at each share, on the same subjects: what they erase, keep and invent.

    Args:
        found: `ganlib.evaluation.audit.Audit`.

    Returns:
        `pandas.DataFrame` with columns metric, target_share, then those of `pairwise.compare_pairs`. Seeds are averaged
        per subject first; P is corrected by Holm's method over all rows of one metric and direction.
    """
    subjects = _of_several_shares(found.subjects)
    kinds = {"lesion_erased": subjects["lesions"] > 0, "lesion_recovered": subjects["lesions"] > 0,
             "lesion_invented": subjects["healthy"]}  # fmt: skip
    tables = [
        compare_pairs(rows, metric, "audit").assign(metric=metric, target_share=share)
        for metric, chosen in kinds.items()
        for share, rows in subjects[chosen & (subjects["metric"] == metric)].groupby("target_share")
    ]
    if not tables:
        return pd.DataFrame(columns=["metric", "target_share"])
    table = pd.concat(tables, ignore_index=True)
    table["p_holm"] = table.groupby(["metric", "direction"])["p"].transform(paired.holm)
    table["better"] = table["better"].where(table["p_holm"] < paired.LEVEL, "")
    return table[["metric", "target_share", *(name for name in table if name not in ("metric", "target_share"))]]


def _of_several_shares(subjects):
    """Rows of methods with two shares or more, the method without its note, the share to two decimals."""
    rows = subjects.dropna(subset="target_share")
    rows = rows.assign(
        method=rows["method"].str.split(" (", regex=False).str[0], target_share=rows["target_share"].round(_DECIMALS)
    )
    shares = rows.groupby(["method", "direction"])["target_share"].transform("nunique")
    return rows[shares > 1]
