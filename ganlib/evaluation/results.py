"""All that was measured of several runs, in one object: what a comparison or a report is made of."""

import json
from dataclasses import dataclass

import pandas as pd

from ganlib.errors import InputError
from ganlib.evaluation.compare import load_scores
from ganlib.evaluation.joined import load_joined
from ganlib.runs import Run

#: Tables beside the scores: how each is read, and what it is called.
_TABLES = {
    "realism": (load_scores, "Realism"),
    "two_sample": (load_joined, "Classifier two-sample test"),
    "regions": (load_scores, "Regions"),
    "registration": (load_scores, "Registration"),
    "steganography": (load_joined, "Hidden information"),
}


@dataclass(frozen=True)
class Results:
    """What was measured of runs on one cohort and split.

    Args:
        runs: the runs, in the order given.
        names: dictionary from a run's folder name to the name of its method in the tables.
        scores: errors under every protocol, as from `load_scores`.
        realism: as from `load_scores(runs, "realism")`, or None if a run lacks it; likewise the others.
        two_sample: the classifier two-sample test.
        regions: scores by region.
        registration: residual shifts.
        steganography: cycles under noise.
        costs: dictionary from a run's folder name to what its translation costs (`cost.json`), or to None.
        lacking: lines that say what was not measured, and of which runs.
    """

    runs: tuple[Run, ...]
    names: dict[str, str]
    scores: pd.DataFrame
    realism: pd.DataFrame | None
    two_sample: pd.DataFrame | None
    regions: pd.DataFrame | None
    registration: pd.DataFrame | None
    steganography: pd.DataFrame | None
    costs: dict[str, dict | None]
    lacking: tuple[str, ...]

    @property
    def phantom(self):
        """Whether the numbers are a phantom's: every page has to say so."""
        return bool(self.scores["phantom"].any())

    @property
    def directions(self):
        """Both `Direction`s of the runs."""
        return self.runs[0].directions


def read_results(runs):
    """Read every table that all of the runs have.

    Args:
        runs: list of `ganlib.runs.Run`, all evaluated, on the same cohort with the same test subjects.

    Returns:
        `Results`.

    Raises:
        InputError: a run was not evaluated or was translated anew since, or runs cannot be compared.
    """
    runs = tuple(runs)
    scores = load_scores(runs)
    tables, lacking = {}, []
    for table, (read, label) in _TABLES.items():
        without = [run.name for run in runs if not (run.folder / f"{table}.parquet").is_file()]
        tables[table] = None if without else read(runs, table)
        if without:
            whom = "" if len(without) == len(runs) else f" of {', '.join(without)}"
            lacking.append(f"{label}{whom}: not measured; notebook 03_evaluate does, where the cohort allows it")
    methods = scores[scores["run"] != "baseline"].drop_duplicates("run").set_index("run")["method"]
    names = {run.name: methods[run.name] for run in runs}
    return Results(runs, names, scores, **tables, costs={run.name: _cost(run) for run in runs}, lacking=tuple(lacking))


def _cost(run):
    path = run.folder / "cost.json"
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except ValueError as error:
        raise InputError(f"{path}: not readable; measure it again with 03_evaluate.ipynb") from error
