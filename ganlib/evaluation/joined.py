"""Tables that are no tables of scores, of several runs in one, the methods named as in the scores."""

import pandas as pd

from ganlib.evaluation.cases import BASELINES
from ganlib.evaluation.compare import load_scores, method_rank


def load_joined(runs, table):
    """A table of several runs, such as `two_sample` or `steganography`.

    Args:
        runs: list of `ganlib.runs.Run`, all evaluated, on the same cohort with the same test subjects.
        table: name of the table; it has columns `run`, `method` and `direction`.

    Returns:
        `pandas.DataFrame`: the rows of all runs, those of a baseline once; methods in `METHOD_ORDER`. Runs of one
        method and seed are told apart as in `ganlib.evaluation.compare.load_scores`.

    Raises:
        InputError: a run lacks the table or its scores, or runs cannot be compared.
    """
    joined = pd.concat([run.scores(table) for run in runs], ignore_index=True)
    names = load_scores(runs)[["run", "method"]].drop_duplicates("run")
    told_apart = names[names["run"] != "baseline"].set_index("run")["method"]
    joined["method"] = joined["run"].map(told_apart).fillna(joined["method"])
    repeated = joined["method"].isin(BASELINES) & joined.duplicated(["method", "direction"])
    kept = joined[~repeated]
    return kept.sort_values("method", key=lambda names: names.map(method_rank), kind="stable", ignore_index=True)
