"""A training killed in the middle of an epoch and resumed equals one that was never stopped, bit for bit."""

import signal
import subprocess
import sys
import textwrap

import h5py
import numpy as np
import pytest

from ganlib.runs import Run

_OPTIONS = {
    "cyclegan": {"base_filters": 4, "num_residual_blocks": 1, "discriminator_filters": 8, "pool_size": 3},
    "cyclegan_s": {"base_filters": 4, "num_residual_blocks": 1, "discriminator_filters": 8, "pool_size": 3},
    "generators_s": {"base_filters": 4, "num_residual_blocks": 1},
    "simple": {"filters": 8},
}
_SCRIPT = """
    import os, signal, sys
    import keras
    from ganlib.training import fit
    from ganlib.training.monitor import RunRecorder

    cohort, folder, method, kill_epoch, kill_batch = sys.argv[1:]

    class Killer(RunRecorder):
        def on_epoch_begin(self, epoch, logs=None):
            super().on_epoch_begin(epoch, logs)
            self.epoch = epoch

        def on_train_batch_end(self, batch, logs=None):
            if (self.epoch, batch) == (int(kill_epoch), int(kill_batch)):
                os.kill(os.getpid(), signal.SIGKILL)

    fit.RunRecorder = Killer
    settings = fit.TrainingSettings(method=method, epochs=4, seed=3, options=OPTIONS)
    fit.train(cohort, folder, settings, progress=False)
"""


def _train(cohort, folder, method, kill_at=(-1, -1)):
    script = f"OPTIONS = {_OPTIONS[method]!r}\n" + textwrap.dedent(_SCRIPT)
    arguments = [str(cohort), str(folder), method, *map(str, kill_at)]
    return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)


def _everything(folder):
    """Every array of the checkpoint: weights, optimiser slots, pools, random states."""
    [path] = (folder / "checkpoint").glob("*.weights.h5")
    arrays = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: arrays.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return arrays


@pytest.mark.slow
@pytest.mark.parametrize("method", sorted(_OPTIONS))
def test_killed_and_resumed_training_has_the_same_bits(tiny_cohort, tmp_path, method):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert _train(tiny_cohort, whole, method).returncode == 0

    interrupted = _train(tiny_cohort, killed, method, kill_at=(2, 3))
    assert interrupted.returncode == -signal.SIGKILL
    assert len(Run(killed).history) == 2
    assert Run(killed).weights("best").is_file()
    assert _train(tiny_cohort, killed, method).returncode == 0

    expected, found = _everything(whole), _everything(killed)
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    without_clock = [Run(folder).history.drop(columns="seconds") for folder in (whole, killed)]
    assert without_clock[0].equals(without_clock[1])
    if "cyclegan" in method:
        assert any("seed_state" in name for name in expected)
