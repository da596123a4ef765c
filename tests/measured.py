"""Three evaluated runs with everything that can be measured of them, and nothing that needs a network."""

import json

import numpy as np
import pandas as pd
import pytest

from ganlib.cohort import CohortHeader, CohortWriter, Subject
from ganlib.evaluation.complete import evaluate_completely
from ganlib.evaluation.results import read_results
from ganlib.evaluation.steganography import COLUMNS, NOISE
from ganlib.runs import Run
from tests.evaluation.fake_runs import write_fake_run, write_history

METHODS = (("UNIT", 0.02), ("Simple", 0.06), ("CycleGAN", 0.04))
SHAPE = (32, 28)
#: Those of `ganlib.cycle`, which is not imported, since it needs Keras.
CYCLE_COLUMNS = ["method", "run", "direction", "source", "target", "seed", *COLUMNS, "phantom"]


def write_labelled_cohort(path, *, tests=12, labels=True):
    """Blobs of two tissues; the name of the cohort has to be escaped on a page."""
    names = {1: "grey matter", 2: "white matter"} if labels else {}
    header = CohortHeader(
        name="tiny <b>&", contrasts=["T1w", "T2w"], voxel_mm=(2, 2, 2), phantom=True, label_names=names
    )
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]] / SHAPE[0]
    mask = np.hypot(rows - 0.5, columns - 0.43) < 0.42
    with CohortWriter(path, header) as writer:
        for index in range(4 + tests):
            rng = np.random.default_rng(index)
            t1w = 500 + 300 * np.sin(5 * rows + index) * np.cos(4 * columns + index) + rng.normal(0, 20, SHAPE)
            subject = Subject(
                id=f"sub-{index:02d}", split="train" if index < 4 else "test",
                affine=np.diag([-2.0, -2, 2, 1]).tolist(), volume_shape=(*SHAPE[::-1], 20), slice_indices=[0],
                slice_mm=[4.0],
            )  # fmt: skip
            tissue = np.where(columns < 0.43, 1, 2)[None] if labels else None
            pair = {"T1w": (t1w * mask)[None], "T2w": ((1000 - t1w) * mask)[None]}
            writer.add(subject, pair, mask[None], tissue)
    return path


def write_cycles(run, *, hidden):
    """A table as `ganlib.cycle` writes it: the advantage of the cycle falls at once, or stays."""
    rows = [
        {
            "method": run.label, "run": run.name, "direction": direction.name, "source": direction.source,
            "target": direction.target, "seed": 0, "subject": subject, "noise": noise, "cycle_mae": 0.1 - left,
            "direct_mae": 0.1, "advantage": left, "survival": left / 0.04, "intermediate_mae": noise, "phantom": True,
        }
        for direction in run.directions
        for place, subject in enumerate(run.split["test"])
        for noise in NOISE
        for left in [(0.04 + 0.001 * place) * (np.exp(-noise / 0.002) if hidden else 1 - noise)]
    ]  # fmt: skip
    run.write_scores(pd.DataFrame(rows)[CYCLE_COLUMNS], "steganography")


#: As long as two such names are: a table has to break it into lines on paper.
DEVICE = "A Test's(R) Processor(R), 2 cores, with bfloat16 instructions, and with a name as long as it takes"


def write_cost(run):
    cost = {"parameters": [2_850_000, 2_850_000], "milliseconds_per_slice": 12.34, "device": DEVICE}
    (run.folder / "cost.json").write_text(json.dumps(cost), encoding="utf-8")


@pytest.fixture(scope="session")
def measured_home(tmp_path_factory):
    """Folder with the cohort and `runs/`, where everything was measured."""
    folder = tmp_path_factory.mktemp("report")
    path = write_labelled_cohort(folder / "runs" / "cohort.h5")
    runs = [write_fake_run(folder / "runs" / label.lower(), path, label=label, error=error) for label, error in METHODS]
    evaluate_completely(runs, progress=False)
    for run in runs:
        write_history(run)
        write_cycles(run, hidden=run.label == "CycleGAN")
        write_cost(run)
    return folder


@pytest.fixture(scope="session")
def measured_runs(measured_home):
    return [Run(measured_home / "runs" / label.lower()) for label, _ in METHODS]


@pytest.fixture(scope="session")
def results(measured_runs):
    return read_results(measured_runs)
