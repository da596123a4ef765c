"""Train all six methods on one phantom cohort at the size of the paper, and keep the scores.

    KERAS_BACKEND=jax python benchmarks/train_on_gpu.py FOLDER --minutes 120 [--stop-after 9]

Everything goes to FOLDER: the cohort (900 training, 213 test subjects of 304 x 256 pixels), a run per method,
`plan.json`, `scores.csv` with every subject's scores and `summary.csv` with their means. The epochs, the same for all
methods, are as many as the minutes allow after an epoch of each was timed. What is done already is not done again, so
that the same command goes on after it was stopped, or has stopped itself (`--stop-after`).
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from ganlib import atomic
from ganlib.cohort.phantom import PhantomSettings, make_phantom
from ganlib.errors import InputError
from ganlib.evaluation.evaluate import evaluate
from ganlib.runs import Run

METHODS = ("simple", "generators_s", "cyclegan_s", "cyclegan", "unit", "pix2pix")
#: Epochs of the paper's code: no training is longer.
_MOST_EPOCHS = 200


class TimeIsUp(Exception):  # noqa: N818 (not an error: the next call goes on)
    """Raised at the end of an epoch when the call has used its time."""


class Clock:
    """The time of one call.

    Args:
        minutes: how long it may take; None for as long as it takes.
    """

    def __init__(self, minutes):
        self.end = None if minutes is None else time.monotonic() + 60 * minutes

    def check(self, *_):
        """Stop here if the time is over."""
        if self.end is not None and time.monotonic() > self.end:
            raise TimeIsUp


def make_cohort(folder, arguments):
    """The cohort file, made unless it is there."""
    path = folder / "cohort.h5"
    if not path.is_file():
        height, width = arguments.size
        settings = PhantomSettings(
            # 228 mm by 192 mm hold every head.
            size=(height, width), voxel_mm=max(224 / height, 192 / width), num_train=arguments.train,
            num_validation=arguments.validation, num_test=arguments.test, seed=arguments.seed,
            anatomy=arguments.anatomy,
        )  # fmt: skip
        make_phantom(path, settings)
    return path


def make_plan(folder, cohort, arguments, clock):
    """Epochs of every method, and seconds that one took: from `plan.json`, which is written at the first call."""
    path = folder / "plan.json"
    if path.is_file():
        return json.loads(path.read_text())
    timed = folder / "timing.json"
    seconds = json.loads(timed.read_text()) if timed.is_file() else {}
    for method in arguments.methods:
        if method not in seconds:
            seconds[method] = _seconds_per_epoch(folder, cohort, method, arguments, clock)
            atomic.write_text(timed, json.dumps(seconds))
        clock.check()
    epochs = min(_MOST_EPOCHS, int(60 * arguments.minutes / sum(seconds.values())))
    if epochs < 1:
        needed = sum(seconds.values()) / 60
        raise InputError(f"--minutes {arguments.minutes:g}: one epoch of all methods takes {needed:.1f}; give more")
    plan = {"epochs": epochs, "seconds_per_epoch": seconds, "precision": arguments.precision, "commit": _commit()}
    atomic.write_text(path, json.dumps(plan, indent=1))
    return plan


def train_and_score(folder, cohort, plan, arguments, clock):
    """One row per method, subject, direction, protocol and metric."""
    from ganlib.training.fit import train
    from ganlib.translate import translate_test_set

    tables = []
    for method in arguments.methods:
        settings = {**_settings(method, arguments), "epochs": plan["epochs"], "precision": plan["precision"]}
        run = train(cohort, folder / "runs" / method, settings, on_epoch=clock.check)
        scores = run.folder / "scores.parquet"
        if not scores.is_file():
            translate_test_set(run)
            evaluate(run)
        clock.check()
        tables.append(Run(run.folder).scores())
    return pd.concat(tables).drop_duplicates(ignore_index=True)


def summarise(table, plan):
    """Mean and standard deviation over the subjects, with what they were made by."""
    keys = ["method", "direction", "protocol", "metric"]
    summary = table.groupby(keys, sort=False)["value"].agg(["mean", "std", "count"]).reset_index()
    return summary.assign(phantom=True, epochs=plan["epochs"], precision=plan["precision"], commit=plan["commit"])


def _seconds_per_epoch(folder, cohort, method, arguments, clock):
    """Seconds of a second epoch: the first one compiles."""
    from ganlib.training.fit import train

    settings = {**_settings(method, arguments), "epochs": 2, "precision": arguments.precision}
    run = train(cohort, folder / "timing" / method, settings, on_epoch=clock.check)
    return float(run.history["seconds"].iloc[-1])


def _settings(method, arguments):
    from ganlib.models import registry

    known = registry.method(method).Options.model_fields
    options = {name: value for name, value in json.loads(arguments.options).items() if name in known}
    return {"method": method, "seed": arguments.seed, "deterministic": arguments.deterministic, "options": options}


def _commit():
    asked = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def _size(text):
    height, _, width = text.partition("x")
    return int(height), int(width)


def _arguments():
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where everything goes")
    parser.add_argument("--minutes", type=float, default=120, help="time for all trainings; decides the epochs")
    parser.add_argument("--stop-after", type=float, help="minutes after which this call stops at an epoch's end")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--size", type=_size, default=(304, 256), help="HEIGHTxWIDTH, pixels")
    parser.add_argument("--train", type=int, default=900, help="training subjects")
    parser.add_argument("--validation", type=int, default=20, help="validation subjects")
    parser.add_argument("--test", type=int, default=213, help="test subjects")
    parser.add_argument("--anatomy", default="icbm152", help="icbm152, or a folder of FreeSurfer label maps")
    parser.add_argument("--precision", default="bfloat16", choices=["float32", "bfloat16"])
    parser.add_argument("--deterministic", action="store_true", help="same bits every time, slower on a GPU")
    parser.add_argument("--options", default="{}", help="settings of the methods that know them, as JSON")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main():
    """Go on until everything is done or the time is up."""
    arguments = _arguments()
    clock = Clock(arguments.stop_after)
    folder = arguments.folder
    try:
        cohort = make_cohort(folder, arguments)
        plan = make_plan(folder, cohort, arguments, clock)
        table = train_and_score(folder, cohort, plan, arguments, clock)
    except TimeIsUp:
        print("time is up; the same command goes on from here")
        sys.exit(3)
    except InputError as error:
        print(f"train_on_gpu: {error}", file=sys.stderr)
        sys.exit(2)
    for name, content in (("scores.csv", table), ("summary.csv", summarise(table, plan))):
        with atomic.replacing(folder / name) as partial:
            content.to_csv(partial, index=False)
    print(f"{plan['epochs']} epochs; scores in {folder / 'summary.csv'}")


if __name__ == "__main__":
    main()
