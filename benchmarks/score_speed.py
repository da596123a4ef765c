"""How long it takes to score a study of the paper's size, and how much memory: synthetic images, no network.

    python benchmarks/score_speed.py [--subjects 213] [--methods 6] [--size 304 256] [--json file]

Prints wall-clock and processor seconds of each part, and the peak of the resident memory. Two thirds of the pixels lie
inside the mask, as in an axial slice through the ventricles.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from ganlib.cohort import Cohort, CohortHeader, CohortWriter, Subject
from ganlib.evaluation.compare import load_scores, write_tables
from ganlib.evaluation.evaluate import evaluate_realism, evaluate_registration, evaluate_runs
from ganlib.evaluation.pairwise import letter_display
from ganlib.evaluation.two_sample import evaluate_two_sample
from ganlib.runs import Run, RunConfig

METHODS = ("Simple", "Generators_s", "CycleGAN_s", "CycleGAN", "UNIT", "pix2pix")
_TRAINING = 8


def make_study(folder, subjects, methods, size):
    """A cohort and its runs, whose translations are the real images with blur and noise."""
    path = Path(folder) / "cohort.h5"
    random = np.random.default_rng(0)
    rows, columns = (np.linspace(-1, 1, length) for length in size)
    mask = (np.hypot(rows[:, None] / 0.95, columns / 0.9) < 1)[None]
    header = CohortHeader(name="score-speed", contrasts=["T1w", "T2w"], voxel_mm=(0.7, 0.7, 0.7), phantom=True)
    with CohortWriter(path, header) as writer:
        for number in range(_TRAINING + subjects):
            anatomy = gaussian_filter(random.normal(size=(1, *size)), (0, 6, 6)) * 8
            noise = random.normal(0, 15, (2, 1, *size))
            images = {"T1w": 600 + 250 * anatomy + noise[0], "T2w": 500 - 200 * anatomy + noise[1]}
            subject = Subject(
                id=f"sub-{number:03d}", split="train" if number < _TRAINING else "test", affine=np.eye(4).tolist(),
                volume_shape=(*size, 1), slice_indices=[0], slice_mm=[12.0],
            )  # fmt: skip
            writer.add(subject, {name: image * mask for name, image in images.items()}, mask)
    with Cohort(path) as cohort:
        return [_make_run(Path(folder) / method, cohort, method, 0.4 + 0.2 * place, random)
                for place, method in enumerate(METHODS[:methods])]  # fmt: skip


def measure(study):
    """Seconds of each part: name → (wall clock, processor)."""
    found = {}
    _timed(found, "error, all protocols, runs together", evaluate_runs, study)
    _timed(found, "error, all protocols, one run alone", evaluate_runs, study[:1])
    _timed(found, "realism", evaluate_realism, study)
    _timed(found, "registration", evaluate_registration, study)
    _timed(found, "classifier two-sample test", evaluate_two_sample, study)
    _timed(
        found, "all tables with intervals", lambda runs: write_tables(load_scores(runs), runs[0].folder.parent), study
    )
    _timed(
        found, "pairwise tests of one measure", lambda runs: letter_display(load_scores(runs), "mae", "masked"), study
    )
    return found


def _timed(found, name, function, study):
    wall, processor = time.perf_counter(), time.process_time()
    function(study)
    found[name] = (time.perf_counter() - wall, time.process_time() - processor)


def _make_run(folder, cohort, method, blur, random):
    config = RunConfig(
        method=method.lower(), method_label=method, cohort="../cohort.h5", cohort_fingerprint=cohort.fingerprint,
        phantom=True, contrasts=("T1w", "T2w"), image_shape=cohort.shape, epochs=1, learning_rate=1e-4,
    )  # fmt: skip
    run = Run.create(folder, config, cohort.split())
    run.write_synthetic(
        (direction, subject_id, _degraded(cohort.images(subject_id, direction.target), blur, random))
        for direction in run.directions
        for subject_id in cohort.ids("test")
    )
    return run


def _degraded(image, blur, random):
    return gaussian_filter(image, (0, blur, blur)) + random.normal(0, 10, image.shape) * (image > 0)


def main():
    """Make the study, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--subjects", type=int, default=213)
    parser.add_argument("--methods", type=int, default=6)
    parser.add_argument("--size", type=int, nargs=2, default=(304, 256))
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(make_study(folder, arguments.subjects, arguments.methods, tuple(arguments.size)))
    print(f"{arguments.subjects} subjects, {arguments.methods} methods, 2 directions, {arguments.size} pixels")
    for name, (wall, processor) in found.items():
        print(f"{name:38s} {wall:8.1f} s   {processor:8.1f} s of processor")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory':38s} {peak:8.0f} MB")
    if arguments.json:
        arguments.json.write_text(json.dumps({**found, "peak_mb": peak}, indent=1))


if __name__ == "__main__":
    main()
