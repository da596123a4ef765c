"""A training killed in the middle of an epoch and resumed equals one that was never stopped, bit for bit."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import textwrap

import h5py
import numpy as np
import pytest

from ganlib.models.registry import METHODS
from ganlib.runs import Run
from tests.training.small import OPTIONS

_SCRIPT = """
    import json, os, signal, sys
    from ganlib.runs import Run
    from ganlib.training import fit
    from ganlib.training.monitor import RunRecorder
    from ganlib.translate import translate_test_set

    cohort, folder, settings, kill_epoch, kill_batch = sys.argv[1:]

    class Killer(RunRecorder):
        def on_epoch_begin(self, epoch, logs=None):
            super().on_epoch_begin(epoch, logs)
            self.epoch = epoch

        def on_train_batch_end(self, batch, logs=None):
            if (self.epoch, batch) == (int(kill_epoch), int(kill_batch)):
                os.kill(os.getpid(), signal.SIGKILL)

    fit.RunRecorder = Killer
    for name in ("killed", "whole"):
        run = fit.train(cohort, f"{folder}/{name}", json.loads(settings), progress=False)
        kill_epoch = -1
    translate_test_set(run, progress=False)
"""


def _train(cohort, folder, settings, kill_at=(-1, -1), backend="tensorflow"):
    """Train `killed`, until it is killed; once it is through, train `whole` in the same process and translate."""
    arguments = [str(cohort), str(folder), json.dumps(settings), *map(str, kill_at)]
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_SCRIPT), *arguments], capture_output=True, text=True, check=False,
        env={**os.environ, "KERAS_BACKEND": backend},
    )  # fmt: skip


def _everything(folder):
    """Every array of the checkpoint: weights, optimiser slots, averages, pools, random states."""
    [path] = (folder / "checkpoint").glob("*.weights.h5")
    arrays = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: arrays.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return arrays


def _require_exact_resume(cohort, folder, settings, backend="tensorflow"):
    """Returns the arrays of the checkpoint."""
    interrupted = _train(cohort, folder, settings, kill_at=(2, 2), backend=backend)
    assert interrupted.returncode == -signal.SIGKILL, interrupted.stderr
    killed = Run(folder / "killed")
    assert len(killed.history) == 2
    assert killed.weights("best").is_file()
    resumed = _train(cohort, folder, settings, backend=backend)
    assert resumed.returncode == 0, resumed.stderr

    expected, found = _everything(folder / "whole"), _everything(folder / "killed")
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    without_clock = [Run(folder / name).history.drop(columns="seconds") for name in ("whole", "killed")]
    assert without_clock[0].equals(without_clock[1])
    assert len(without_clock[0]) == 4
    return expected


@pytest.mark.slow
@pytest.mark.parametrize("method", sorted(METHODS))
def test_killed_and_resumed_training_has_the_same_bits(tiny_cohort, tmp_path, method):
    settings = {"method": method, "epochs": 4, "seed": 3, "options": OPTIONS[method]}
    expected = _require_exact_resume(tiny_cohort, tmp_path, settings)
    if method in ("cyclegan", "cyclegan_s", "unit"):
        assert any("seed_state" in name for name in expected)


@pytest.mark.slow
def test_resume_is_exact_with_everything_switched_on(tiny_cohort, tmp_path):
    settings = {
        "method": "cyclegan", "epochs": 4, "seed": 3, "batch_size": 1, "unpaired": True, "ema": 0.9,
        "precision": "bfloat16", "memory_gb": 1e-6,
        "augmentation": {"flip": True, "rotation_degrees": 10, "scale": 0.1, "shift_px": 2, "intensity": 0.1},
        "options": {**OPTIONS["cyclegan"], "identity_weight": 5, "label_smoothing": 0.1},
    }  # fmt: skip
    _require_exact_resume(tiny_cohort, tmp_path, settings)
    whole, killed = Run(tmp_path / "whole"), Run(tmp_path / "killed")
    assert whole.domains == killed.domains
    assert "val_averaged_ssim_t1w_to_t2w" in whole.history
    assert whole.weights("averaged").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_train_resume_and_translate(tiny_cohort, tmp_path, backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"the backend {backend} is not installed")
    settings = {
        "method": "cyclegan", "epochs": 4, "seed": 3, "ema": 0.9, "options": OPTIONS["cyclegan"],
        "augmentation": {"flip": True, "rotation_degrees": 10},
    }  # fmt: skip
    _require_exact_resume(tiny_cohort, tmp_path, settings, backend=backend)
    run = Run(tmp_path / "whole")
    assert backend in run.config.versions
    cycle = run.history["cycle"]
    assert cycle.iloc[-1] < cycle.iloc[0]
    images = run.synthetic("sub-08", run.directions[0])
    assert images.shape == (1, 16, 16)
    assert np.isfinite(images).all()
    assert images.std() > 0
