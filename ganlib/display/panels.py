"""What a dashboard shows: each function finds its data and returns one widget, or one line that says what is wrong."""

import html
import math
import os
from pathlib import Path

import ipywidgets

from ganlib.display import palette
from ganlib.display.viewer import CompareViewer, SliceReader
from ganlib.errors import InputError
from ganlib.runs import Run

#: Where the runs are looked for if neither an argument nor `GANLIB_RUNS` says so.
DEFAULT_RUNS = Path("results/demo/runs")

#: Divisor's floor of the relative error, as a fraction of the target's training range (protocol `masked`).
RELATIVE_ERROR_FLOOR = 0.05

PROTOCOLS = ("masked", "paper")

#: The scores beside the images: key in `scores.parquet`, title, unit under each protocol, which way is better, digits.
METRICS = (
    {
        "key": "psnr_db", "title": "PSNR", "better": "higher", "digits": 1,
        "unit": {"masked": "dB", "paper": "dB"},
    },
    {
        "key": "mae", "title": "MAE", "better": "lower", "digits": 3,
        "unit": {"masked": "of range", "paper": "SD"},
    },
    {
        "key": "ssim", "title": "SSIM", "better": "higher", "digits": 3,
        "unit": {"masked": "", "paper": ""},
    },
    {
        "key": "mi_nats", "title": "MI", "better": "higher", "digits": 2,
        "unit": {"masked": "nats", "paper": "nats"},
        "note": "A pixel-wise map cannot beat doing nothing.",
    },
)  # fmt: skip


def compare(folder=None):
    """The compare dashboard: all runs of one cohort, side by side with the real images.

    Args:
        folder: folder that holds the run folders; default the environment variable `GANLIB_RUNS`, then
            `results/demo/runs` in the current folder or one above it.

    Returns:
        The viewer (a widget), or a widget with one line of text if there is nothing to compare.
    """
    try:
        return _viewer(_runs_folder(folder))
    except InputError as error:
        return refusal(error)


def refusal(error):
    """A user's mistake as one line on the page, in the same dark dress as the viewer.

    Args:
        error: `InputError`; its message may hold file names, hence it is escaped.
    """
    style = "font:15px/1.5 system-ui,sans-serif;color:#ffb454;padding:24px"
    return ipywidgets.HTML(f'<div role="alert" class="ganlib-refusal" style="{style}">{html.escape(str(error))}</div>')


def find_runs(folder):
    """The runs in a folder, in display order.

    Args:
        folder: `pathlib.Path`; every folder in it that has a `config.json` is a run.

    Returns:
        runs: list of `Run` that have translations.
        notes: one line for each run that is left out.

    Raises:
        InputError: the folder is missing, or holds no run that can be shown.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; set GANLIB_RUNS to the folder that holds the run folders")
    found = [Run(path.parent) for path in sorted(folder.glob("*/config.json"))]
    if not found:
        raise InputError(f"{folder}: no run folder in it (none has a config.json); train one with 02_train.ipynb")
    runs = [run for run in found if (run.folder / "synthetic.h5").is_file()]
    left_out = [run.name for run in found if run not in runs]
    notes = [f"{name} is left out: not translated yet (no synthetic.h5)" for name in left_out]
    if not runs:
        raise InputError(f"{folder}: no run has a synthetic.h5 ({', '.join(left_out)}); run 03_evaluate.ipynb")
    return sorted(runs, key=lambda run: (palette.display_order(run.label), run.name)), notes


def open_cohort(runs):
    """The one cohort of several runs.

    Raises:
        InputError: the runs are of different cohorts or contrasts, or the cohort file is missing or changed.
    """
    groups = {}
    for run in runs:
        groups.setdefault((run.config.cohort_fingerprint, frozenset(run.config.contrasts)), []).append(run)
    if len(groups) > 1:
        kinds = "; ".join(
            f"{', '.join(run.name for run in group)} on {group[0].cohort_path.name} ({key[0][:8]}, "
            f"{'/'.join(group[0].config.contrasts)})"
            for key, group in groups.items()
        )
        raise InputError(f"runs of different cohorts cannot be compared: {kinds}; keep one cohort's runs in a folder")
    return runs[0].cohort()


def labels(runs):
    """Names of the columns: the method, with the run folder where several runs are of one method."""
    methods = [run.label for run in runs]
    return [run.label if methods.count(run.label) == 1 else f"{run.label} · {run.name}" for run in runs]


def describe(cohort, runs, reader, notes=()):
    """Everything the viewer has to know before the first slice, ready for JSON.

    Args:
        cohort: open `Cohort`.
        runs: list of `Run`.
        reader: the `SliceReader` of the same runs.
        notes: lines shown above the images.
    """
    directions = [_direction(direction, cohort, runs, reader) for direction in runs[0].directions]
    return {
        "cohort": cohort.header.name,
        "phantom": cohort.header.phantom,
        "plane": cohort.header.plane,
        "voxel_mm": list(cohort.header.voxel_mm[:2]),
        "shape": list(cohort.shape),
        "ranges": {name: [ends.low, ends.high] for name, ends in cohort.ranges.items()},
        "field": reader.field(_spread(sorted({name for entry in directions for name in entry["subjects"]}))),
        "floor": RELATIVE_ERROR_FLOOR,
        "models": [_column(run, label) for run, label in zip(runs, labels(runs), strict=True)],
        "baseline": {"label": palette.BASELINE, **_dress(palette.BASELINE)},
        "directions": directions,
        "slice_mm": {subject.id: subject.slice_mm for subject in cohort.subjects},
        "metrics": list(METRICS),
        "protocols": list(PROTOCOLS),
        "notes": list(notes),
    }


def scores(runs, directions):
    """Content of the score strips, ready for JSON.

    Args:
        runs: list of `Run`.
        directions: the entries of `describe(...)["directions"]`, for the order of the subjects.

    Returns:
        Dictionary: `scores[direction][protocol][metric][label]`, one value or None per subject; `notes`, one line for
        each run without scores.
    """
    tables, notes = _tables(runs)
    columns = labels(runs)
    return {"scores": {entry["name"]: _strips(entry, tables, columns) for entry in directions}, "notes": notes}


def _runs_folder(folder):
    chosen = folder or os.environ.get("GANLIB_RUNS")
    if chosen:
        return Path(chosen).expanduser()
    # Voila starts the kernel in the notebook's folder, which lies below the repository's root.
    here = Path.cwd()
    candidates = [parent / DEFAULT_RUNS for parent in (here, *here.parents)]
    return next((path for path in candidates if path.is_dir()), here / DEFAULT_RUNS)


def _viewer(folder):
    runs, notes = find_runs(folder)
    cohort = open_cohort(runs)
    reader = SliceReader(cohort, runs)
    description = describe(cohort, runs, reader, notes)
    if not any(direction["subjects"] for direction in description["directions"]):
        raise InputError(f"{folder}: the runs hold no translated subject; run 03_evaluate.ipynb")
    directions = description["directions"]
    return CompareViewer(reader, runs[0].directions, description, lambda: scores(runs, directions))


def _spread(subject_ids, most=24):
    """At most so many subjects, evenly spread: enough to know where the heads are, however large the cohort."""
    return subject_ids[:: max(1, -(-len(subject_ids) // most))]


def _direction(direction, cohort, runs, reader):
    translated = set().union(*(reader.translated(run, direction) for run in runs))
    return {
        "name": direction.name,
        "label": direction.label,
        "source": direction.source,
        "target": direction.target,
        "subjects": [subject_id for subject_id in cohort.ids() if subject_id in translated],
    }


def _dress(method):
    return {"colour": palette.method_colour(method), "symbol": palette.method_symbol(method)}


def _column(run, label):
    return {"label": label, "folder": run.name, **_dress(run.label)}


def _tables(runs):
    """Scores of each run (None where it has none), and a line for each that has none."""
    tables, notes = [], []
    for run in runs:
        try:
            tables.append(run.scores())
        except InputError:
            tables.append(None)
            notes.append(f"{run.name} has no scores yet (no scores.parquet): run 03_evaluate.ipynb")
    return tables, notes


def _strips(direction, tables, columns):
    """`{protocol: {metric: {label: [value per subject]}}}` of one direction; the baseline is taken from any run."""
    strips = {}
    for label, table in zip(columns, tables, strict=True):
        if table is None:
            continue
        table = table[table["direction"] == direction["name"]]
        baseline = table["method"] == palette.BASELINE
        _collect(strips, label, table[~baseline & (table["method"] != palette.MEAN_IMAGE)], direction["subjects"])
        _collect(strips, palette.BASELINE, table[baseline], direction["subjects"])
    return strips


def _collect(strips, label, table, subjects):
    for (protocol, metric), rows in table.groupby(["protocol", "metric"]):
        by_subject = dict(zip(rows["subject"], rows["value"], strict=True))
        values = [_json_number(by_subject.get(subject_id)) for subject_id in subjects]
        strips.setdefault(protocol, {}).setdefault(metric, {})[label] = values


def _json_number(value):
    """A number with six significant digits, or None where there is none (NaN and infinity are not JSON)."""
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None
