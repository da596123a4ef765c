"""The human verdict beside the measures: does what people are fooled by have the better numbers?"""

import numpy as np
import pandas as pd
from scipy import stats

from ganlib.errors import InputError
from ganlib.evaluation.compare import select
from ganlib.runs import Run

#: Table of the run, protocol and measure: what is set beside the human verdict, and which way is better.
MEASURES = (
    ("scores", "masked", "mae", "lower"),
    ("scores", "masked", "psnr_db", "higher"),
    ("scores", "masked", "ssim", "higher"),
    ("realism", "realism", "spectrum_db", "lower"),
    ("realism", "realism", "high_frequency_db", "lower"),
    ("realism", "realism", "wasserstein", "lower"),
    ("two_sample", None, "auc", "lower"),
)


def beside_measures(results):
    """Share called real of each method × contrast, beside what the evaluation measured of the same runs.

    Args:
        results: `StudyResults`.

    Returns:
        table: `pandas.DataFrame`, one row per method × contrast × measure: `method`, `contrast`, `called_real`,
            `measure`, `value` (mean over test subjects), `better`.
        notes: one line for each run that is missing, or lacks a table.
    """
    labelled = results.labelled()
    kind = "pair" if results.pairs else "synthetic"
    cells = labelled[(labelled["kind"] == kind) & (labelled["method"] != "all") & (labelled["contrast"] != "all")]
    called = {(row.method, row.contrast): row.value for row in cells.itertuples()}
    rows, notes = [], []
    for source in results.trials.runs:
        found, missing = _measured(source)
        notes += missing
        rows += [(source.method, contrast, called[source.method, contrast], name, value, better)
                 for contrast, name, value, better in found if (source.method, contrast) in called]  # fmt: skip
    columns = ["method", "contrast", "called_real", "measure", "value", "better"]
    return pd.DataFrame(rows, columns=columns), notes


def rank_correlations(table):
    """Spearman's rank correlation of each measure with the share called real, over methods, contrast by contrast.

    Args:
        table: as from `beside_measures`.

    Returns:
        `pandas.DataFrame`: `measure`, `contrast`, `methods` (number), `rho`, turned so that above 0 means that the
        method with the better measure is called real more often. With a handful of methods it is a description, not
        a test.
    """
    rows = []
    for (measure, contrast), group in table.groupby(["measure", "contrast"], sort=False):
        if len(group) > 2:
            sign = -1 if group["better"].iloc[0] == "lower" else 1
            rho = stats.spearmanr(group["value"], group["called_real"]).statistic if np.ptp(group["value"]) > 0 else 0
            rows.append((measure, contrast, len(group), sign * float(rho)))
    return pd.DataFrame(rows, columns=["measure", "contrast", "methods", "rho"])


def _measured(source):
    """(contrast, measure, mean, better) of a run, and a line for what is missing."""
    try:
        run = Run(source.folder)
    except InputError:
        return [], [f"run {source.name} is no longer in {source.folder}, so that its measures cannot be shown"]
    rows, missing = [], []
    for name in dict.fromkeys(name for name, *_ in MEASURES):
        try:
            table = run.scores(name)
        except InputError:
            missing.append(f"`{name}`")
            continue
        for _, protocol, measure, better in (entry for entry in MEASURES if entry[0] == name):
            rows += _means(run, table, protocol, measure, better)
    return rows, [f"run {source.name} has no table {', '.join(missing)}"] if missing else []


def _means(run, table, protocol, measure, better):
    own = table[table["method"] == run.label]
    if protocol is None:
        values, shown = own.groupby("direction")[measure].mean(), f"{measure} (two-sample test)"
    else:
        try:
            values = select(own, measure, protocol).groupby("direction")["value"].mean()
        except InputError:
            return []
        shown = f"{measure} ({protocol})"
    targets = {direction.name: direction.target for direction in run.directions}
    return [(targets[name], shown, float(value), better) for name, value in values.items() if name in targets]
