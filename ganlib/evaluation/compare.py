"""Runs side by side: their scores in one table, and what the table says of each method."""

from pathlib import Path

import numpy as np
import pandas as pd

from ganlib import atomic
from ganlib.errors import InputError
from ganlib.evaluation.evaluate import BASELINES
from ganlib.evaluation.statistics import bootstrap_interval

#: Order of the rows of a table and of a figure: what has to be beaten first, then the methods; others come last.
METHOD_ORDER = (*BASELINES, "Simple", "Generators_s", "CycleGAN_s", "CycleGAN", "UNIT", "pix2pix")


def load_scores(runs):
    """Scores of several runs in one table, the baselines in it once.

    Runs of one method with different seeds keep the method's name. Runs of one method with the same seed differ in
    their settings; they are told apart by the name of the run in brackets.

    Args:
        runs: list of `ganlib.runs.Run`, all evaluated, on the same cohort with the same test subjects.

    Returns:
        `pandas.DataFrame` with the columns of `ganlib.evaluation.evaluate.COLUMNS`.

    Raises:
        InputError: a run was not evaluated, or two runs differ in cohort or in test subjects; both are named.
    """
    runs = list(runs)
    if not runs:
        raise InputError("no run to compare; give at least one evaluated run")
    for run in runs[1:]:
        _require_comparable(runs[0], run)
    table = pd.concat([run.scores() for run in runs], ignore_index=True)
    baseline = table["method"].isin(BASELINES)
    repeated = table.duplicated(["subject", "method", "direction", "protocol", "metric"])
    return _told_apart(table[~(baseline & repeated)].reset_index(drop=True))


def select(scores, metric, protocol):
    """Rows of one metric under one protocol.

    Args:
        scores: table of scores, as from `load_scores`.
        metric: such as `mae`.
        protocol: such as `masked`.

    Raises:
        InputError: the table has no such rows; the message says which it has.
    """
    rows = scores[(scores["metric"] == metric) & (scores["protocol"] == protocol)]
    if rows.empty:
        known = scores[["protocol", "metric"]].drop_duplicates().itertuples(index=False, name=None)
        pairs = ", ".join(f"{name} {key}" for name, key in known)
        raise InputError(f"no scores of metric {metric!r} under protocol {protocol!r}; the table has {pairs}")
    return rows


def per_subject(scores, metric, protocol):
    """One value per subject, method and direction: the mean over training seeds where there are several.

    Args:
        scores: table of scores, as from `load_scores`.
        metric: such as `mae`.
        protocol: such as `masked`.

    Returns:
        `pandas.DataFrame` with columns method, direction, source, target, subject, value; methods in `METHOD_ORDER`.
    """
    keys = ["method", "direction", "source", "target", "subject"]
    table = select(scores, metric, protocol).groupby(keys, sort=False, as_index=False)["value"].mean()
    return table.sort_values("method", key=lambda names: names.map(method_rank), kind="stable", ignore_index=True)


def summary(scores, metric, protocol):
    """Mean over subjects of each method and direction, with its uncertainty.

    Args:
        scores: table of scores, as from `load_scores`.
        metric: such as `mae`.
        protocol: such as `masked`.

    Returns:
        `pandas.DataFrame`, one row per method and direction, methods in `METHOD_ORDER`, with columns: method,
        direction, source, target; mean; sd (between subjects); n (subjects); low and high (95 % bootstrap interval of
        the mean over subjects; NaN with one subject); seeds (training seeds); seed_sd (standard deviation of the
        seeds' means; NaN with one seed).
    """
    values = per_subject(scores, metric, protocol)
    seeds = select(scores, metric, protocol).groupby(["method", "direction", "seed"])["value"].mean()
    rows = []
    for keys, group in values.groupby(["method", "direction", "source", "target"], sort=False):
        low, high = bootstrap_interval(group["value"])
        seed_means = seeds.loc[keys[:2]].to_numpy()
        rows.append([
            *keys, group["value"].mean(), _sd(group["value"]), len(group), low, high, len(seed_means), _sd(seed_means),
        ])  # fmt: skip
    columns = ["method", "direction", "source", "target", "mean", "sd", "n", "low", "high", "seeds", "seed_sd"]
    return pd.DataFrame(rows, columns=columns)


def write_tables(scores, folder):
    """Write the table of scores and its summary as data.

    Args:
        scores: table of scores, as from `load_scores`.
        folder: gets `scores.parquet`, `scores.csv` and `summary.csv` (`summary` of every measure of every protocol).
    """
    folder = Path(folder)
    measures = scores[["metric", "protocol"]].drop_duplicates().itertuples(index=False, name=None)
    parts = [summary(scores, *measure).assign(metric=measure[0], protocol=measure[1]) for measure in measures]
    with atomic.replacing(folder / "scores.parquet") as partial:
        scores.to_parquet(partial, index=False)
    for name, table in (("scores", scores), ("summary", pd.concat(parts))):
        with atomic.replacing(folder / f"{name}.csv") as partial:
            table.to_csv(partial, index=False)


def method_rank(label):
    """Sort key that brings methods into `METHOD_ORDER`, others after them by name.

    Args:
        label: the method's name in print, with or without the run's name in brackets.
    """
    method = label.split(" (")[0]
    place = METHOD_ORDER.index(method) if method in METHOD_ORDER else len(METHOD_ORDER)
    return f"{place:03d} {label}"


def _require_comparable(first, second):
    names = f"{first.folder} and {second.folder}"
    if first.config.cohort_fingerprint != second.config.cohort_fingerprint:
        raise InputError(f"{names} were trained on different cohorts; compare runs of one cohort")
    if set(first.split["test"]) != set(second.split["test"]):
        raise InputError(f"{names} have different test subjects; compare runs of one split")


def _told_apart(table):
    """Add the run's name to the method where several runs share method and seed."""
    shared = table.groupby(["method", "seed"])["run"].transform("nunique") > 1
    methods = table.loc[shared, "method"].unique()
    rows = table["method"].isin(methods)
    table.loc[rows, "method"] = table.loc[rows, "method"] + " (" + table.loc[rows, "run"] + ")"
    return table


def _sd(values):
    return float(np.std(values, ddof=1)) if len(values) > 1 else np.nan
