"""Print the tables of docs/methods.md from finished runs: `python docs/methods.py [results/all]`."""

import sys
from pathlib import Path

import pandas as pd

from ganlib.cohort import Cohort
from ganlib.display.tables import with_uncertainty
from ganlib.evaluation import metrics
from ganlib.runs import Run

_ORDER = ["simple", "generators_s", "cyclegan_s", "pix2pix", "cyclegan", "unit"]
_MEASURES = {"mae": "MAE", "psnr_db": "PSNR (dB)", "ssim": "SSIM"}
_PROTOCOL = "masked"


def main(folder="results/all"):
    """Print the validation scores with the minutes, and the test scores."""
    folder = Path(folder)
    runs = [Run(folder / "runs" / name) for name in _ORDER if (folder / "runs" / name / "history.csv").is_file()]
    with Cohort(folder / "cohort.h5") as cohort:
        _print_validation(runs, _psnr_of_doing_nothing(cohort, runs[0].directions))
    _print_test(pd.read_csv(folder / "comparison" / "summary.csv"), runs[0].directions)


def _psnr_of_doing_nothing(cohort, directions):
    """Mean over the validation subjects of the source taken for the target, dB, as `Validator` scores it."""
    return {
        direction.name: sum(_psnr(cohort, name, direction) for name in cohort.ids("validation"))
        / len(cohort.ids("validation"))
        for direction in directions
    }


def _psnr(cohort, subject_id, direction):
    source, target = (cohort.ranges[contrast].fraction(cohort.images(subject_id, contrast)) for contrast in direction)
    return metrics.psnr(target, source, mask=cohort.mask(subject_id), data_range=1)


def _print_validation(runs, nothing):
    print("| | epochs | minutes | " + " | ".join(f"validation PSNR, {name}, dB" for name in nothing) + " |")
    print("|---|---|---|" + "---|" * len(nothing))
    print("| Doing nothing | | | " + " | ".join(f"{value:.1f}" for value in nothing.values()) + " |")
    for run in runs:
        columns = [f"val_psnr_db_{name}" for name in nothing]
        best = run.history.loc[run.history[columns].mean(axis=1).idxmax()]
        # From the quick epochs, so that a machine that was busy for a while does not count.
        minutes = run.config.epochs * run.history["seconds"].quantile(0.25) / 60
        scores = " | ".join(f"{best[column]:.1f}" for column in columns)
        print(f"| {run.config.method_label} | {run.config.epochs} | {minutes:.1f} | {scores} |")


def _print_test(table, directions):
    table = table[table["protocol"] == _PROTOCOL].set_index(["method", "metric", "direction"]).sort_index()
    names = [direction.name for direction in directions]
    print("\n| | " + " | ".join(f"{label}, {name}" for label in _MEASURES.values() for name in names) + " |")
    print("|---|" + "---|" * (len(_MEASURES) * len(names)))
    present = table.index.get_level_values("method")
    labels = ["Doing nothing", "Mean image", "Simple", "Generators_s", "CycleGAN_s", "pix2pix", "CycleGAN", "UNIT"]
    for label in (label for label in labels if label in present):
        rows = [table.loc[(label, metric, name)] for metric in _MEASURES for name in names]
        print(f"| {label} | " + " | ".join(with_uncertainty(r["mean"], r["low"], r["high"]) for r in rows) + " |")


main(*sys.argv[1:])
