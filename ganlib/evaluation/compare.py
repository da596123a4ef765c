"""Runs side by side: their scores in one table, and what the table says of each method."""

from pathlib import Path

import numpy as np
import pandas as pd

from ganlib import atomic
from ganlib.errors import InputError
from ganlib.evaluation.cases import ALL_SLICES, BASELINES
from ganlib.evaluation.comparable import require_comparable
from ganlib.evaluation.statistics import intervals_of

#: Order of the rows of a table and of a figure: what has to be beaten first, then the methods; others come last.
METHOD_ORDER = (*BASELINES, "Simple", "Generators_s", "CycleGAN_s", "CycleGAN", "UNIT", "pix2pix")

_SHOWN = 3


def load_scores(runs, table="scores"):
    """Scores of several runs in one table, the baselines in it once.

    Runs of one method with different seeds keep the method's name. Runs of one method with the same seed differ in
    their settings; they are told apart by the name of the run in brackets.

    Args:
        runs: list of `ganlib.runs.Run`, all evaluated, on the same cohort with the same test subjects.
        table: which table of each run: `"scores"`, `"realism"`, `"registration"` or `"regions"`.

    Returns:
        `pandas.DataFrame` with the columns of `ganlib.evaluation.evaluate.COLUMNS`.

    Raises:
        InputError: a run was not evaluated or was translated anew since; or two runs differ in cohort, in test
            subjects, or in what was scored; both are named with the difference.
    """
    runs = list(runs)
    if not runs:
        raise InputError("no run to compare; give at least one evaluated run")
    for run in runs[1:]:
        require_comparable(runs[0], run)
    tables = [_with_slices(run.scores(table)) for run in runs]
    for run, scores in zip(runs[1:], tables[1:], strict=True):
        _require_same_scores(runs[0], tables[0], run, scores)
    joined = pd.concat(tables, ignore_index=True)
    baseline = joined["method"].isin(BASELINES)
    keys = ["subject", "slices", "region", "method", "direction", "protocol", "metric"]
    repeated = joined.duplicated([key for key in keys if key in joined])
    return told_apart(joined[~(baseline & repeated)].reset_index(drop=True))


def select(scores, metric, protocol, slices=ALL_SLICES):
    """Rows of one metric under one protocol.

    Args:
        scores: table of scores, as from `load_scores`.
        metric: such as `mae`.
        protocol: such as `masked`.
        slices: name of the slice set.

    Raises:
        InputError: the table has no such rows; the message says which it has. Or it has several regions, whose scores
            must not be mixed.
    """
    scores = _with_slices(scores)
    regions = list(dict.fromkeys(scores.get("region", ())))
    if len(regions) > 1:
        names = ", ".join(regions)
        raise InputError(f"the table has several regions ({names}); choose one: table[table['region'] == name]")
    known = scores[["protocol", "metric", "slices"]].drop_duplicates().itertuples(index=False, name=None)
    rows = scores[(scores["metric"] == metric) & (scores["protocol"] == protocol)]
    if rows.empty:
        pairs = ", ".join(dict.fromkeys(f"{name} {key}" for name, key, _ in known))
        raise InputError(f"no scores of metric {metric!r} under protocol {protocol!r}; the table has {pairs}")
    if not (rows["slices"] == slices).any():
        sets = ", ".join(dict.fromkeys(rows["slices"]))
        raise InputError(f"no scores of slice set {slices!r}; the table has {sets}")
    return rows[rows["slices"] == slices]


def per_subject(scores, metric, protocol, slices=ALL_SLICES):
    """One value per subject, method and direction: the mean over training seeds where there are several.

    Args:
        scores: table of scores, as from `load_scores`.
        metric: such as `mae`.
        protocol: such as `masked`.
        slices: name of the slice set.

    Returns:
        `pandas.DataFrame` with columns method, direction, source, target, subject, value; methods in `METHOD_ORDER`.
    """
    keys = ["method", "direction", "source", "target", "subject"]
    table = select(scores, metric, protocol, slices).groupby(keys, sort=False, as_index=False)["value"].mean()
    return table.sort_values("method", key=lambda names: names.map(method_rank), kind="stable", ignore_index=True)


def summary(scores, metric, protocol, slices=ALL_SLICES):
    """Mean over subjects of each method and direction, with its uncertainty.

    Args:
        scores: table of scores, as from `load_scores`.
        metric: such as `mae`.
        protocol: such as `masked`.
        slices: name of the slice set.

    Returns:
        `pandas.DataFrame`, one row per method and direction, methods in `METHOD_ORDER`, with columns: method,
        direction, source, target; mean; sd (between subjects); n (subjects); low and high (95 % bootstrap interval of
        the mean over subjects; NaN with one subject); seeds (training seeds); seed_sd (standard deviation of the
        seeds' means; NaN with one seed; see `ganlib.evaluation.pairwise.seed_spread` for what seeds alone add).
    """
    return summaries(select(scores, metric, protocol, slices)).drop(columns=["metric", "protocol", "slices"])


def summaries(scores):
    """`summary` of every measure, protocol and slice set of a table, in one pass.

    Args:
        scores: table of scores, as from `load_scores`.

    Returns:
        `pandas.DataFrame` with the columns of `summary`, then metric, protocol and slices; in a table of regions, the
        region too.
    """
    scores = _with_slices(scores)
    of_measure = ["protocol", "metric", "slices", *(["region"] if "region" in scores else [])]
    keys = [*of_measure, "method", "direction", "source", "target"]
    subjects = scores.groupby([*keys, "subject"], sort=False)["value"].mean()
    of_seeds = scores.groupby([*keys, "seed"], sort=False)["value"].mean().groupby(keys, sort=False)
    groups = {key: group.to_numpy() for key, group in subjects.groupby(keys, sort=False)}
    seeds = {key: group.to_numpy() for key, group in of_seeds}
    rows = [
        [*key, values.mean(), _sd(values), len(values), *ends, len(seeds[key]), _sd(seeds[key])]
        for (key, values), ends in zip(groups.items(), intervals_of(list(groups.values())), strict=True)
    ]
    columns = ["method", "direction", "source", "target", "mean", "sd", "n", "low", "high", "seeds", "seed_sd"]
    table = pd.DataFrame(rows, columns=[*of_measure, *columns])
    ranks = {name: place for place, name in enumerate(sorted(set(table["method"]), key=method_rank))}
    measures = table.groupby(of_measure, sort=False).ngroup()
    order = pd.DataFrame({"measure": measures, "method": table["method"].map(ranks)})
    ordered = table.loc[order.sort_values(["measure", "method"], kind="stable").index].reset_index(drop=True)
    return ordered[[*columns, "metric", "protocol", *of_measure[2:]]]


def write_tables(scores, folder):
    """Write the table of scores and its summary as data.

    Args:
        scores: table of scores, as from `load_scores`.
        folder: gets `scores.parquet`, `scores.csv` and `summary.csv` (`summary` of every measure of every protocol).
    """
    folder = Path(folder)
    with atomic.replacing(folder / "scores.parquet") as partial:
        scores.to_parquet(partial, index=False)
    write_csv(folder, scores=scores, summary=summaries(scores))


def write_csv(folder, **tables):
    """Write tables as `<name>.csv`, whole or not at all, without their index.

    Args:
        folder: where; made if missing.
        tables: `pandas.DataFrame` by name.
    """
    for name, table in tables.items():
        with atomic.replacing(Path(folder) / f"{name}.csv") as partial:
            table.to_csv(partial, index=False)


def method_rank(label):
    """Sort key that brings methods into `METHOD_ORDER`, others after them by name.

    Args:
        label: the method's name in print, with or without the run's name in brackets.
    """
    method = label.split(" (")[0]
    place = METHOD_ORDER.index(method) if method in METHOD_ORDER else len(METHOD_ORDER)
    return f"{place:03d} {label}"


def told_apart(table):
    """Add the run's name to the method where several runs share method and seed.

    Args:
        table: `pandas.DataFrame` with columns method, seed and run; `method` is changed in place.

    Returns:
        The table.
    """
    shared = table.groupby(["method", "seed"])["run"].transform("nunique") > 1
    methods = table.loc[shared, "method"].unique()
    rows = table["method"].isin(methods)
    table.loc[rows, "method"] = table.loc[rows, "method"] + " (" + table.loc[rows, "run"] + ")"
    return table


def _with_slices(scores):
    """A table with its slice set; those of before there were any scored every slice."""
    return scores if "slices" in scores else scores.assign(slices=ALL_SLICES)


def _require_same_scores(first, first_table, second, second_table):
    kinds = [set(zip(table["protocol"], table["metric"], table["slices"], strict=True))
             for table in (first_table, second_table)]  # fmt: skip
    for run, lacking in ((first, kinds[1] - kinds[0]), (second, kinds[0] - kinds[1])):
        if lacking:
            names = sorted(f"{protocol} {metric}" + f" of slices {slices}" * (slices != ALL_SLICES)
                           for protocol, metric, slices in lacking)  # fmt: skip
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            raise InputError(
                f"{run.folder}: has no {', '.join(names[:_SHOWN])}{more}, which the other runs have; evaluate it again "
                "with 03_evaluate.ipynb"
            )


def _sd(values):
    return float(np.std(values, ddof=1)) if len(values) > 1 else np.nan
