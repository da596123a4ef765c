"""Runs without a network: translations are the real images, degraded in a known way."""

import numpy as np

from ganlib.cohort import Cohort
from ganlib.runs import Run, RunConfig


def write_fake_run(folder, cohort_path, *, label="CycleGAN", seed=0, error=0.05, split=None, phantom=True):
    """A run whose synthetic images are the real ones plus `error` (fraction of the range) at every second voxel.

    Subject by subject the error grows by a tenth, so that subjects differ.
    """
    with Cohort(cohort_path) as cohort:
        config = RunConfig(
            method=label.lower(), method_label=label, cohort=f"../{cohort_path.name}",
            cohort_fingerprint=cohort.fingerprint, phantom=phantom, contrasts=cohort.contrasts,
            image_shape=cohort.shape, seed=seed, epochs=3, learning_rate=2e-4,
        )  # fmt: skip
        run = Run.create(folder, config, split or cohort.split())
        run.write_synthetic(_translations(run, cohort, error))
    return run


def write_history(run, epochs=3, validation=True):
    """A `history.csv` as training writes it."""
    names = ["epoch", "seconds", "generator_adversarial", "cycle", "discriminator"]
    names += [f"val_{key}_{direction.name}" for direction in run.directions for key in ("mae", "psnr_db") if validation]
    rows = [[epoch, 2.5, *(0.5 / epoch + 0.01 * k for k in range(len(names) - 2))] for epoch in range(1, epochs + 1)]
    lines = [",".join(names), *(",".join(map(str, row)) for row in rows)]
    (run.folder / "history.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _translations(run, cohort, error):
    for direction in run.directions:
        for index, subject_id in enumerate(run.split["test"]):
            real = cohort.images(subject_id, direction.target)
            offset = error * (1 + index / 10) * cohort.ranges[direction.target].width
            yield direction, subject_id, real + offset * (np.arange(real.shape[-1]) % 2)
