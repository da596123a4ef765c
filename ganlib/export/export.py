"""Write one generator of a run in a format that others read, with its model card."""

import importlib.util
import json
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import keras

from ganlib import __version__, atomic
from ganlib.errors import InputError
from ganlib.export.card import model_card
from ganlib.models import generators
from ganlib.translate.direction import choose_direction
from ganlib.translate.provenance import sha256

#: Formats, and the packages that one needs beside Keras and its backend.
FORMATS = {"keras": (), "saved_model": (), "onnx": ("onnx", "tf2onnx")}


class Exported(NamedTuple):
    """What was written: `folder`, the model of each format in it, and why a format could not be written."""

    folder: Path
    models: dict[str, Path]
    refused: dict[str, str]


def export_generator(run, folder, *, direction=None, formats=("keras",), weights="best"):
    """Write one generator of a run.

    The folder gets the model in every format, `preparation.json` (how images are scaled, sized and cut before the
    generator sees them), `export.json` (facts and checksums) and `README.md`, the model card. The generator maps
    slices (batch, height, width, channels) to (batch, height, width, 1), both in [-1, 1] of the contrast's range.

    Args:
        run: a trained `Run`.
        folder: where; made if missing, files of the same names are replaced.
        direction: such as `t1w_to_t2w`; None for A to B.
        formats: of `FORMATS`.
        weights: `"best"`, `"last"` or `"averaged"`.

    Returns:
        `Exported`. A format that this environment cannot write is refused by name, and the others are written.

    Raises:
        InputError: a direction, format or weights are unknown, no format could be written, or the disk is full.
    """
    for name in formats:
        if name not in FORMATS:
            raise InputError(f"format {name!r} is unknown; use {', '.join(FORMATS)}")
    folder, chosen = Path(folder), choose_direction(run, run.folder, direction or run.directions[0].name)
    network = _generator(run, chosen, weights)
    folder.mkdir(parents=True, exist_ok=True)
    models, refused = {}, {}
    for name in formats:
        try:
            models[name] = _WRITERS[name](network, folder, chosen.name)
        except InputError as error:
            refused[name] = str(error)
    if not models:
        raise InputError(f"{folder}: nothing was exported; {'; '.join(refused.values())}")
    preparation = run.preparation()
    atomic.write_text(folder / "preparation.json", preparation.model_dump_json(indent=1))
    facts = _facts(run, network, chosen, weights, models)
    atomic.write_text(folder / "export.json", json.dumps(facts, indent=1) + "\n")
    atomic.write_text(folder / "README.md", model_card(run, preparation, chosen, facts))
    return Exported(folder, models, refused)


def _generator(run, direction, weights):
    """The generator with layers of its own, so that the other one's weights are not saved with it."""
    network = generators.load(run.weights(weights))[run.directions.index(direction)]
    alone = keras.models.clone_model(network)
    alone.set_weights(network.get_weights())
    return alone


def _facts(run, network, direction, weights, models):
    return {
        "direction": direction.name,
        "source": direction.source,
        "target": direction.target,
        "method": run.label,
        "run": run.name,
        "weights": weights,
        "parameters": network.count_params(),
        "input_shape": [None, *network.input_shape[1:]],
        "output_shape": [None, *network.output_shape[1:]],
        "epochs": len(run.history),
        "seed": run.config.seed,
        "models": {name: path.name for name, path in models.items()},
        "sha256": {name: sha256(path) for name, path in models.items() if path.is_file()},
        "synthetic": True,
        "for_diagnosis": False,
        "versions": {"ganlib": __version__, "keras": keras.__version__, "backend": keras.backend.backend()},
    }


def _write_keras(network, folder, name):
    path = folder / f"{name}.keras"
    with atomic.replacing(path) as partial:
        network.save(partial)
    return path


def _write_saved_model(network, folder, name):
    if keras.backend.backend() == "torch":
        raise InputError("saved_model: Keras writes it on TensorFlow and JAX, not on PyTorch; set KERAS_BACKEND")
    path, partial = folder / f"{name}_saved_model", folder / f".{name}.{os.getpid()}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        network.export(partial, format="tf_saved_model", verbose=False)
        shutil.rmtree(path, ignore_errors=True)
        partial.replace(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return path


def _write_onnx(network, folder, name):
    needed = FORMATS["onnx"] if keras.backend.backend() == "tensorflow" else ("onnx",)
    missing = [package for package in needed if importlib.util.find_spec(package) is None]
    if missing:
        raise InputError(f"onnx: needs {' and '.join(missing)}; install: python -m pip install {' '.join(missing)}")
    path = folder / f"{name}.onnx"
    with atomic.replacing(path) as partial:
        try:
            network.export(partial, format="onnx", verbose=False)
        except InputError:
            raise
        except Exception as error:  # the converter meets a layer that it does not know with many kinds of exception
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"onnx: Keras could not convert this generator ({reason}); use keras or saved_model"
            ) from error
    return path


_WRITERS = {"keras": _write_keras, "saved_model": _write_saved_model, "onnx": _write_onnx}
