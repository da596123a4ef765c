"""Scoring runs: every test subject, both directions, every protocol, and what it costs to do nothing.

`evaluate` scores one run, `evaluate_runs` several of one cohort, the baselines once. Realism, residual registration
and regions are asked for apart (`evaluate_realism`, `evaluate_registration`, `evaluate_regions`), since they answer
other questions, and each has a table of its own in the run folder.
"""

from functools import partial

import pandas as pd

from ganlib.errors import InputError
from ganlib.evaluation.cases import (
    ALL_SLICES,
    BASELINES,
    DOING_NOTHING,
    MEAN_IMAGE,
    chosen_slices,
    mean_image,
    read_case,
    source_in_target_units,
)
from ganlib.evaluation.comparable import require_same_directions
from ganlib.evaluation.parallel import in_order
from ganlib.evaluation.protocols import PROTOCOLS
from ganlib.evaluation.realism import RealismProtocol
from ganlib.evaluation.regions import region_measures
from ganlib.evaluation.registration import RegistrationProtocol
from ganlib.evaluation.unscorable import unscorable
from ganlib.evaluation.voxels import require_same_shape

__all__ = [
    "BASELINES", "COLUMNS", "DOING_NOTHING", "MEAN_IMAGE", "evaluate", "evaluate_realism", "evaluate_regions",
    "evaluate_registration", "evaluate_runs", "mean_image", "source_in_target_units",
]  # fmt: skip

COLUMNS = [
    "subject", "slices", "method", "run", "direction", "source", "target", "protocol", "metric", "seed", "value",
    "phantom",
]  # fmt: skip


def evaluate(run, *, slice_sets=None, progress=True):
    """Score the translations of a run's test subjects, and store the table with the run.

    The baselines are scored beside the run's method: `Doing nothing`, the source image as it is, and `Mean image`, the
    voxelwise mean of the training subjects. Their rows have `baseline` for a run and 0 for a seed.

    Args:
        run: `ganlib.runs.Run` whose test subjects were translated.
        slice_sets: dictionary from the name of a slice set to its slice numbers (list of int), or None for every
            slice; default `{"all": None}`. The slices of a set are scored together, as one image of the subject.
        progress: whether to show a progress bar.

    Returns:
        `pandas.DataFrame`, one row per subject, slice set, method, direction, protocol and metric, with the columns
        `COLUMNS`; `value` is in the unit that the protocol gives the metric.

    Raises:
        InputError: a translation is missing or cannot be scored, a subject lacks a slice, or the run has no test
            subject.
    """
    return evaluate_runs([run], slice_sets=slice_sets, progress=progress)[0]


def evaluate_runs(runs, *, slice_sets=None, progress=True):
    """Score several runs of one cohort and split, the baselines once, and store a table with each.

    Args:
        runs: list of `ganlib.runs.Run` with the same cohort, contrasts and test subjects.
        slice_sets: as for `evaluate`.
        progress: whether to show a progress bar.

    Returns:
        List of tables, one per run, as from `evaluate`.

    Raises:
        InputError: as for `evaluate`, or the runs cannot be scored together; both are named.
    """
    slice_sets = slice_sets or {ALL_SLICES: None}
    return _evaluated(runs, "scores", lambda cohort: partial(_protocol_rows, PROTOCOLS.values(), slice_sets), progress)


def evaluate_realism(runs, *, progress=True):
    """Score how real the translations look (`ganlib.evaluation.realism`), and store `realism.parquet` with each run.

    Args:
        runs: list of `ganlib.runs.Run`, as for `evaluate_runs`.
        progress: whether to show a progress bar.

    Returns:
        List of tables with the columns `COLUMNS`, protocol `realism`, metrics `spectrum_db`, `high_frequency_db`,
        `wasserstein`.

    Raises:
        InputError: as for `evaluate_runs`.
    """
    return _evaluated(runs, "realism", lambda cohort: _in_mm(cohort, RealismProtocol, "realism"), progress)


def evaluate_registration(runs, *, progress=True):
    """Measure residual shifts (`ganlib.evaluation.registration`), and store `registration.parquet` with each run.

    Args:
        runs: list of `ganlib.runs.Run`, as for `evaluate_runs`.
        progress: whether to show a progress bar.

    Returns:
        List of tables with the columns `COLUMNS`, protocol `registration`, metric `shift_mm`; the rows of doing nothing
        are the registration of the real pairs.

    Raises:
        InputError: as for `evaluate_runs`.
    """
    return _evaluated(
        runs, "registration", lambda cohort: _in_mm(cohort, RegistrationProtocol, "registration"), progress
    )


def evaluate_regions(runs, *, progress=True):
    """Score labelled regions (`ganlib.evaluation.regions`), and store `regions.parquet` with each run.

    Args:
        runs: list of `ganlib.runs.Run`, as for `evaluate_runs`; their cohort has labels.
        progress: whether to show a progress bar.

    Returns:
        List of tables with the columns `COLUMNS` and `region`, protocol `masked`, metrics `mae`, `psnr_db`, `bias`,
        `ssim`, `mask_fraction`.

    Raises:
        InputError: as for `evaluate_runs`, or the cohort has no labels.
    """
    return _evaluated(runs, "regions", _regions_of, progress)


def _evaluated(runs, name, scorer_of, progress):
    """Tables of several runs: `scorer_of(cohort)` is a function (case, synthetic) → rows without identity."""
    runs = list(runs)
    _require_together(runs)
    tables = {run.folder: [] for run in runs}
    with runs[0].cohort() as cohort:
        score, test_ids = scorer_of(cohort), runs[0].test_ids(cohort)
        for direction in runs[0].directions:
            mean = mean_image(cohort, runs[0].split["train"], direction.target)
            work = partial(_score_case, runs, cohort, direction, mean, score)
            for parts in in_order(work, test_ids, f"{name}, {direction.label}", progress):
                for run, rows in zip(runs, parts, strict=True):
                    tables[run.folder] += rows
    columns = COLUMNS if name != "regions" else [*COLUMNS[:-1], "region", COLUMNS[-1]]
    found = [pd.DataFrame(tables[run.folder], columns=columns) for run in runs]
    for run, table in zip(runs, found, strict=True):
        run.write_scores(table, name)
    return found


def _score_case(runs, cohort, direction, mean, score, subject_id):
    """Rows of one subject in one direction for each run, the baselines scored once."""
    case = read_case(cohort, direction, subject_id, mean)
    shared = []
    for method, image in case.baselines.items():
        shared += _rows(runs[0], case, method, image, score)
    return [[*_rows(run, case, run.label, run.synthetic(subject_id, direction), score), *shared] for run in runs]


def _rows(run, case, method, synthetic, score):
    is_baseline = method in BASELINES
    identity = {
        "subject": case.subject_id,
        "slices": ALL_SLICES,
        "method": method,
        "run": "baseline" if is_baseline else run.name,
        "direction": case.direction.name,
        "source": case.direction.source,
        "target": case.direction.target,
        "seed": 0 if is_baseline else run.config.seed,
        "phantom": run.config.phantom,
    }
    try:
        require_same_shape(target=case.target, synthetic=synthetic)
        return [{**identity, **row} for row in score(case, synthetic)]
    except InputError:
        raise
    except ValueError as error:
        made_by = None if is_baseline else run
        raise unscorable(error, case, method, cohort_path=run.cohort_path, run=made_by) from error


def _protocol_rows(protocols, slice_sets, case, synthetic):
    rows = []
    for name, numbers in slice_sets.items():
        chosen = chosen_slices(case, name, numbers)
        for protocol in protocols:
            try:
                scores = protocol.score(
                    case.target[chosen], synthetic[chosen], mask=case.mask[chosen], intensity_range=case.intensity_range
                )
            except ValueError as error:
                raise ValueError(f"protocol {protocol.name}: {error}") from error
            rows += [{"slices": name, "protocol": protocol.name, "metric": key, "value": scores[key]} for key in scores]
    return rows


def _in_mm(cohort, protocol, name):
    protocols = [protocol(name=name, voxel_mm=cohort.header.voxel_mm[:2])]
    return partial(_protocol_rows, protocols, {ALL_SLICES: None})


def _regions_of(cohort):
    if not cohort.has_labels:
        raise InputError(
            f"{cohort.path}: has no labels, so that there is no region to score; import a label map with it"
        )
    return partial(_region_rows, cohort.header.label_names)


def _region_rows(names, case, synthetic):
    found = region_measures(
        case.target, synthetic, mask=case.mask, labels=case.labels, names=names, intensity_range=case.intensity_range
    )
    return [
        {"region": region, "protocol": "masked", "metric": key, "value": value}
        for region, scores in found.items()
        for key, value in scores.items()
    ]


def _require_together(runs):
    if not runs:
        raise InputError("no run to score; give at least one translated run")
    for run in runs:
        if not run.split["test"]:
            raise InputError(f"{run.folder / 'split.json'}: no test subject, so that nothing can be scored; split anew")
    for run in runs[1:]:
        require_same_directions(runs[0], run)
