"""The same weights and batches give the same losses and updates on TensorFlow, JAX and PyTorch."""

import functools
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from tests.models.backend_steps import STEPS
from tests.models.small import OPTIONS

#: Backend, and arguments of `tests.models.backend_steps`; XLA is slow to compile, and two methods have every layer.
_VARIANTS = {"jax": ("jax",), "torch": ("torch",), "XLA": ("tensorflow", "--xla", "unit", "cyclegan_s")}
#: Quick to compile rather than quick to run.
_XLA_FLAGS = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
_ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def _steps(backend, *arguments):
    """What `tests.models.backend_steps` found on a backend, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "steps.npz"
        command = [sys.executable, "-m", "tests.models.backend_steps", str(path), *arguments]
        environment = {**os.environ, "KERAS_BACKEND": backend, "XLA_FLAGS": _XLA_FLAGS}
        done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        with np.load(path) as arrays:
            return dict(arrays)


def _pairs():
    for variant, (_, *arguments) in _VARIANTS.items():
        for name in sorted(OPTIONS):
            if name in arguments or not arguments:
                yield variant, name


@pytest.fixture(params=_pairs(), ids="-".join)
def both(request):
    """A method's name, and its steps on TensorFlow and on another backend."""
    variant, name = request.param
    backend, *arguments = _VARIANTS[variant]
    for needed in ("tensorflow", backend):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed, and one backend is compared with another")
    return name, _steps("tensorflow"), _steps(backend, *arguments)


def _part(results, prefix):
    found = {name.removeprefix(prefix): array for name, array in results.items() if name.startswith(prefix)}
    assert found, prefix
    return found


@pytest.mark.slow
def test_losses_of_the_same_weights_and_batch_agree(both):
    name, tensorflow, other = both
    expected, found = (_part(results, f"{name} 0 ") for results in (tensorflow, other))
    assert expected.keys() == found.keys() > {"loss"}
    for part, value in expected.items():
        np.testing.assert_allclose(found[part], value, rtol=1e-4, err_msg=part)


@pytest.mark.slow
def test_five_updates_agree(both):
    name, tensorflow, other = both
    for step in range(STEPS):
        expected, found = (_part(results, f"{name} {step} ") for results in (tensorflow, other))
        for part, value in expected.items():
            np.testing.assert_allclose(found[part], value, rtol=1e-3, err_msg=f"{part} at step {step}")
    expected, found = (_part(results, f"{name} weights ") for results in (tensorflow, other))
    for path, value in expected.items():
        # Where an instance norm takes the mean away, the bias before it has no gradient but rounding errors.
        if not _before_a_norm(path, expected):
            np.testing.assert_allclose(found[path], value, atol=1e-3, err_msg=path)


@pytest.mark.slow
def test_translations_after_five_updates_agree(both):
    name, tensorflow, other = both
    expected, found = (_part(results, f"{name} synthetic ") for results in (tensorflow, other))
    for direction, image in expected.items():
        assert image.std() > 0.01
        np.testing.assert_allclose(found[direction], image, atol=2e-3)


def _before_a_norm(path, known):
    layer, _, weight = path.rpartition("/")
    norms = (f"{layer}_norm", layer.replace("_conv", "_norm"))
    return weight == "bias" and any(norm != layer and f"{norm}/gamma" in known for norm in norms)
