"""The process of one contender. Nothing heavy is imported before it knows which backend it is for."""

import importlib
import os
import time
import traceback
from pathlib import Path

import numpy as np

from ganlib.benchmark.entry import Turns
from ganlib.devices import DEVICES, peak_resident_bytes
from ganlib.errors import InputError
from ganlib.memory import is_out_of_memory

_ENTRIES = {
    ("ours", "cyclegan"): "ganlib.benchmark.ours:Ours",
    ("ours", "unit"): "ganlib.benchmark.ours:Ours",
    ("original", "cyclegan"): "ganlib.benchmark.original_cyclegan:OriginalCycleGAN",
    ("original", "unit"): "ganlib.benchmark.original_unit:OriginalUNIT",
    ("original-our-layers", "cyclegan"): "ganlib.benchmark.original_cyclegan:OriginalCycleGAN",
    ("original-our-layers", "unit"): "ganlib.benchmark.original_unit:OriginalUNIT",
    ("torch", "cyclegan"): "ganlib.benchmark.torch_cyclegan:TorchCycleGAN",
    ("torch-compile", "cyclegan"): "ganlib.benchmark.torch_cyclegan:TorchCycleGAN",
}
#: Settings of our method that the PyTorch step and the original order know; the others must keep their defaults.
_KNOWN_TO_RIVALS = {
    "base_filters", "num_residual_blocks", "discriminator_filters", "pool_size", "learning_rate",
    "adversarial_weight", "cycle_weight",
}  # fmt: skip
#: Several contenders share one GPU: none may take all of its memory at once.
_SHARING_A_GPU = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


def run(connection, contender, settings, resolved, log):
    """Main function of the process.

    It sends `("ready", facts)`, after every turn `("turn", (seconds, processor seconds))`, then `("trained", memory)`,
    and after every request to translate `("translated", seconds)`; at any time `("error", text)` for a user's mistake
    or `("crash", text)` for anything else.

    Args:
        connection: to the arena.
        contender: `Contender`.
        settings: `BenchmarkSettings`.
        resolved: options and defaults of our method, as from `ready` of one of our own contenders; None for these.
        log: file that takes what the libraries print.
    """
    _redirect_output(log)
    try:
        _prepare_process(contender, settings)
        _work(connection, contender, settings, resolved)
    except InputError as error:
        connection.send(("error", str(error)))
    except Exception as error:
        if is_out_of_memory(error):
            connection.send(("error", out_of_memory(contender, settings)))
        else:
            connection.send(("crash", traceback.format_exc()))


def out_of_memory(contender, settings):
    """The line for a contender that ran out of memory."""
    return f"contender {contender.name}: out of memory at {settings.what}; lower --batch, --size or -o base_filters=..."


def _work(connection, contender, settings, resolved):
    device = DEVICES[contender.backend]()
    entry = _entry(contender, settings, device, resolved)
    connection.send(("ready", _facts(entry, device)))
    entry.train(Turns(connection, device, settings.turns))
    connection.send(("trained", {"peak_resident_bytes": peak_resident_bytes(), "peak_gpu_bytes": device.peak_bytes()}))
    _serve_translations(connection, entry, settings)


def _entry(contender, settings, device, resolved):
    place = _ENTRIES.get((contender.kind, settings.method))
    if place is None:
        raise InputError(f"contender {contender.name} has no {settings.method}; leave it out, or use method cyclegan")
    if resolved is not None:
        _require_known(contender, settings, **resolved)
    module, name = place.split(":")
    chosen = getattr(importlib.import_module(module), name)
    if contender.kind.startswith("torch"):
        return chosen(contender, settings, device, resolved["options"])
    return chosen(contender, settings, device)


def _require_known(contender, settings, options, defaults):
    if settings.method != "cyclegan":
        return
    for name, value in options.items():
        if name not in _KNOWN_TO_RIVALS and value != defaults[name]:
            raise InputError(
                f"contender {contender.name} does not know {name}={value}; leave it at {defaults[name]}, "
                "or measure --contender ours alone"
            )


def _facts(entry, device):
    facts = {
        "num_parameters": entry.num_parameters,
        "device": device.name,
        "versions": device.versions,
        "translators": list(entry.translators()) if not entry.contender.kind.startswith("original") else [],
    }
    options = getattr(entry, "options", None)
    if options is not None:
        import keras

        defaults = type(options)().model_dump()
        facts["resolved"] = {"options": options.model_dump(), "defaults": defaults}
        facts["versions"] = {"keras": keras.__version__, **device.versions}
    return facts


def _serve_translations(connection, entry, settings):
    """Translate noise, a batch at a time, until the arena says None."""
    translators = entry.translators()
    images = np.random.default_rng(settings.seed).random(
        (max(settings.inference_batches), *settings.size, 1), np.float32
    )
    while (request := connection.recv()) is not None:
        name, batch, repeats = request
        started = time.perf_counter()
        for _ in range(repeats):
            # An array in main memory is the answer: the device has finished.
            translators[name](images[:batch])
        connection.send(("translated", (time.perf_counter() - started) / repeats))


def _prepare_process(contender, settings):
    os.environ.update(_SHARING_A_GPU, KERAS_BACKEND=contender.backend)
    if settings.threads is None:
        return
    if not hasattr(os, "sched_setaffinity"):
        raise InputError("--threads needs Linux; leave it out")
    cores = sorted(os.sched_getaffinity(0))
    if settings.threads > len(cores):
        raise InputError(f"--threads {settings.threads}: this machine has {len(cores)} cores; lower it")
    os.sched_setaffinity(0, cores[: settings.threads])


def _redirect_output(log):
    with Path(log).open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
