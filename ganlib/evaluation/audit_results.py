"""What goes in and comes out of a hallucination audit as data: who each run was trained on, and the audit's files."""

import json
from pathlib import Path

import pandas as pd

from ganlib import atomic
from ganlib.cohort.prevalence import with_lesion
from ganlib.evaluation.audit_summary import free_response_curve, summary_of
from ganlib.evaluation.comparable import require_same_directions
from ganlib.evaluation.compare import write_csv


def training_table(runs, lesion="lesion"):
    """Who each run was trained on.

    Args:
        runs: list of `ganlib.runs.Run` of one cohort.
        lesion: name of the lesions' label.

    Returns:
        `pandas.DataFrame`, one row per run: run, method, epochs; for each contrast the number of training subjects and
        of those with a lesion; in_both (subjects seen in both contrasts).

    Raises:
        InputError: the cohort has no such label, or the runs cannot be compared.
    """
    for run in runs[1:]:
        require_same_directions(runs[0], run)
    trained_on = dict.fromkeys(name for run in runs for ids in run.domains.values() for name in ids)
    with runs[0].cohort() as cohort:
        affected = with_lesion(cohort, trained_on, lesion)
    rows = []
    for run in runs:
        row = {"run": run.name, "method": run.label, "epochs": len(run.history)}
        for contrast, ids in run.domains.items():
            row |= {f"{contrast} subjects": len(ids), f"{contrast} with {lesion}": sum(affected[name] for name in ids)}
        a, b = run.domains.values()
        rows.append({**row, "in both": len(set(a) & set(b))})
    return pd.DataFrame(rows)


def write_audit(found, folder):
    """Write the tables of an audit.

    Args:
        found: `ganlib.evaluation.audit.Audit`.
        folder: gets `subjects.parquet`, `lesions.parquet`, `free_response.parquet`, `summary.csv`, `curves.csv` and
            `reference.json`; made if missing.
    """
    folder = Path(folder)
    for name in ("subjects", "lesions", "free_response"):
        with atomic.replacing(folder / f"{name}.parquet") as partial:
            getattr(found, name).to_parquet(partial, index=False)
    write_csv(folder, summary=summary_of(found), curves=free_response_curve(found))
    record = {contrast: reference._asdict() for contrast, reference in found.references.items()}
    atomic.write_text(folder / "reference.json", json.dumps(record, indent=1))
