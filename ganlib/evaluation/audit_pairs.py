"""Who differs from whom in a hallucination audit, on the same subjects."""

import pandas as pd

from ganlib.evaluation.pairwise import COLUMNS, compare_pairs


def audit_pairs(found, methods=None):
    """Every pair of methods: contrast kept in patients, and lesions invented in healthy subjects.

    Args:
        found: `ganlib.evaluation.audit.Audit`.
        methods: which methods; default all.

    Returns:
        `pandas.DataFrame` with columns metric, then those of `ganlib.evaluation.pairwise.compare_pairs`. What the audit
        did not measure has no rows: nothing is searched where the tissue has no label, and a cohort of patients has no
        healthy subject.
    """
    parts = {"lesion_recovered": found.subjects, "lesion_invented": found.subjects[found.subjects["healthy"]]}
    tables = [
        compare_pairs(rows, metric, "audit", methods=methods).assign(metric=metric)
        for metric, rows in parts.items()
        if (rows["metric"] == metric).any()
    ]
    return pd.concat(tables, ignore_index=True)[["metric", *COLUMNS]] if tables else pd.DataFrame(columns=["metric"])
