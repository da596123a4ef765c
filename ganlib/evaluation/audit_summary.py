"""What a hallucination audit says of each method: counts, shares with their intervals, and free-response curves."""

import numpy as np
import pandas as pd

from ganlib.evaluation.audit import REAL
from ganlib.evaluation.compare import method_rank
from ganlib.evaluation.statistics import bootstrap_interval

_MEASURES = ["lesion_recovered", "lesion_erased", "lesion_found", "lesion_invented", "mae", "ssim"]


def summary_of(found):
    """What an audit says of each method and direction.

    Args:
        found: `Audit`.

    Returns:
        `pandas.DataFrame`, one row per method and direction: method, direction, source, target; subjects, of them
        patients (with a visible lesion) and healthy (without any); lesions; recovered (mean over patients of a
        patient's mean), with recovered_low and recovered_high; erased, found (counts of lesions); erased_share,
        found_share with their intervals; invented (count over healthy subjects); invented_patients, invented_healthy
        (per subject) with their intervals; mae, ssim with its interval (whole brain, protocol `masked`). Intervals are
        95 % bootstrap intervals over subjects; NaN where there is nothing to count. Over several seeds of a method,
        counts are sums and means are of all.
    """
    rows = []
    keys = ["method", "direction", "source", "target"]
    for key, part in one_row_each(found.subjects).groupby(keys, sort=False):
        rows.append({**dict(zip(keys, key, strict=True)), **counted(part)})
    table = pd.DataFrame(rows)
    # Runs of one method stay in the order in which they were given.
    order = table["method"].map(lambda name: "" if name == REAL else method_rank(name.split(" (")[0]))
    return table.loc[order.sort_values(kind="stable").index].reset_index(drop=True)


def counted(part):
    """Counts, shares and intervals of some rows of `one_row_each`: the columns of `summary_of` after `target`."""
    patients, healthy = part[part["lesions"] > 0], part[part["healthy"]]
    return {
        "subjects": part["subject"].nunique(),
        "patients": patients["subject"].nunique(),
        "healthy": healthy["subject"].nunique(),
        "lesions": int(patients["lesions"].sum()),
        "erased": _count(patients, "lesion_erased"),
        "found": _count(patients, "lesion_found"),
        "invented": healthy["lesion_invented"].sum(min_count=1),
        **_interval("recovered", patients, "lesion_recovered"),
        **_interval("erased_share", patients, "lesion_erased"),
        **_interval("found_share", patients, "lesion_found"),
        **_interval("invented_patients", patients, "lesion_invented"),
        **_interval("invented_healthy", healthy, "lesion_invented"),
        "mae": part["mae"].mean(),
        **_interval("ssim", part, "ssim"),
    }


def one_row_each(subjects):
    """One row per subject, method, run and direction, with a column per measure.

    Args:
        subjects: that table of an `Audit`.
    """
    keys = ["subject", "method", "run", "direction", "source", "target", "seed", "healthy", "lesions", "target_share"]
    order = subjects[keys].drop_duplicates()
    of_run = [key for key in keys if key != "target_share"]  # NaN without a run, and a pivot table drops NaN
    table = subjects.pivot_table("value", of_run, "metric").reindex(columns=_MEASURES).reset_index()
    return order.merge(table, on=of_run, how="left", validate="one_to_one")


def free_response_curve(found):
    """Free-response curve of each method and direction.

    Args:
        found: `Audit`.

    Returns:
        `pandas.DataFrame` with columns method, direction, source, target, threshold, found_per_subject (lesions found,
        mean over patients), found_share (of all lesions) and invented_per_subject (mean over all subjects).
    """
    keys = ["method", "direction", "source", "target", "threshold"]
    rows = []
    for key, part in found.free_response.groupby(keys, sort=False):
        patients = part[part["lesions"] > 0]
        lesions = patients["lesions"].sum()
        rows.append([
            *key, patients["found"].mean(), patients["found"].sum() / lesions if lesions else np.nan,
            part["invented"].mean(),
        ])  # fmt: skip
    return pd.DataFrame(rows, columns=[*keys, "found_per_subject", "found_share", "invented_per_subject"])


def _count(patients, metric):
    """Lesions of all patients of which a share is so."""
    return float((patients[metric] * patients["lesions"]).sum(min_count=1).round()) if len(patients) else 0.0


def _interval(name, part, metric):
    """Mean over subjects with its interval, as three columns."""
    values = part.groupby("subject")[metric].mean().dropna().to_numpy() if len(part) else np.array([])
    low, high = bootstrap_interval(values) if len(values) else (np.nan, np.nan)
    return {name: values.mean() if len(values) else np.nan, f"{name}_low": low, f"{name}_high": high}
