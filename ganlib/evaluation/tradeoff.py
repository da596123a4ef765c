"""Realism against error: the paper's finding that they disagree, as a table to draw."""

from ganlib.errors import InputError
from ganlib.evaluation.compare import load_scores, summary
from ganlib.evaluation.joined import load_joined

COLUMNS = [
    "method", "direction", "source", "target", "n", "error", "error_low", "error_high", "realism", "realism_low",
    "realism_high", "error_metric", "error_protocol", "realism_metric", "phantom",
]  # fmt: skip

_KEYS = ["method", "direction", "source", "target"]


def realism_against_error(runs, *, error=("mae", "masked"), realism="spectrum_db"):
    """Mean error and realism of each method and direction, with intervals: a point with two error bars.

    Args:
        runs: list of `ganlib.runs.Run` that were evaluated: `evaluate`, and `evaluate_realism` or, for `auc`,
            `evaluate_two_sample`.
        error: metric and protocol of the error.
        realism: `spectrum_db`, `high_frequency_db`, `wasserstein` (protocol `realism`) or `auc` (the classifier
            two-sample test).

    Returns:
        `pandas.DataFrame` with the columns `COLUMNS`, baselines included, methods in `METHOD_ORDER`. Intervals are
        95 %; over several seeds of one method, the AUC and its interval are the means over seeds.

    Raises:
        InputError: a run lacks one of the tables or measures, or runs cannot be compared.
    """
    scores = load_scores(runs)
    errors = summary(scores, *error)[[*_KEYS, "n", "mean", "low", "high"]]
    errors.columns = [*_KEYS, "n", "error", "error_low", "error_high"]
    found = _auc(runs) if realism == "auc" else summary(load_scores(runs, "realism"), realism, "realism")
    found = found[[*_KEYS, "mean", "low", "high"]]
    found.columns = [*_KEYS, "realism", "realism_low", "realism_high"]
    table = errors.merge(found, on=_KEYS, how="left", validate="one_to_one")
    if table["realism"].isna().any():
        lacking = table.loc[table["realism"].isna(), "method"].iloc[0]
        raise InputError(f"method {lacking!r} has errors but no {realism}; evaluate the realism of every run")
    table = table.assign(
        error_metric=error[0], error_protocol=error[1], realism_metric=realism, phantom=bool(scores["phantom"].any())
    )
    return table[COLUMNS]


def _auc(runs):
    """AUC and its interval of each method and direction, the mean over training seeds."""
    table = load_joined(runs, "two_sample")
    means = table.groupby(_KEYS, sort=False, as_index=False)[["auc", "low", "high"]].mean()
    return means.rename(columns={"auc": "mean"})
