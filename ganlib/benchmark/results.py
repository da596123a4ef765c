"""What was measured, and what follows from it: medians, ratios, epochs, images per second."""

import dataclasses
import os
import platform
import statistics

from ganlib import __version__

_PER_GIB = 1 << 30


@dataclasses.dataclass
class Measurement:
    """What was measured of one contender.

    Fields:
        contender: `Contender`.
        num_parameters: trainable numbers in all networks.
        device: name of the device.
        versions: of the libraries.
        step_seconds: of every round, seconds per training step.
        processor_seconds: the same, of all cores together, seconds of the processor. On a busy machine they tell more
            than the clock, but nothing of a GPU.
        translation_seconds: by way and batch, of every round, seconds per batch.
        peak_resident_bytes: main memory after training, or None.
        peak_gpu_bytes: GPU memory after training, or None.
    """

    contender: object
    num_parameters: int
    device: str
    versions: dict
    step_seconds: list = dataclasses.field(default_factory=list)
    processor_seconds: list = dataclasses.field(default_factory=list)
    translation_seconds: dict = dataclasses.field(default_factory=dict)
    peak_resident_bytes: int | None = None
    peak_gpu_bytes: int | None = None


def summary(measurements, settings):
    """All figures, ready for JSON.

    A ratio is ours divided by the other's, below 1 where ours is faster: the median over the rounds, so that a
    disturbance of one round counts once, with its quartiles.

    Args:
        measurements: list of `Measurement`.
        settings: `BenchmarkSettings`.
    """
    ours = next(one for one in measurements if one.contender.kind == "ours")
    return {
        "settings": settings.model_dump(mode="json"),
        "machine": machine(),
        "training": [_training(one, ours, settings) for one in measurements],
        "translation": [row for one in measurements for row in _translation(one, ours)],
    }


def machine():
    """The machine, and how busy it is."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load_average_1min": load,
        "python": platform.python_version(),
        "ganlib": __version__,
    }


def ratios(ours, other):
    """Median and quartiles of ours divided by the other's, round by round.

    Args:
        ours: seconds of every round.
        other: seconds of the same rounds.

    Returns:
        Dictionary of `median`, `low` and `high`.
    """
    values = [mine / theirs for mine, theirs in zip(ours, other, strict=True)]
    low, high = (min(values), max(values)) if len(values) < 4 else _quartiles(values)
    return {"median": statistics.median(values), "low": low, "high": high}


def _training(one, ours, settings):
    median = statistics.median(one.step_seconds)
    return {
        "contender": one.contender.name,
        **one.contender._asdict(),
        "num_parameters": one.num_parameters,
        "device": one.device,
        "versions": one.versions,
        "step_seconds_median": median,
        "processor_seconds_median": statistics.median(one.processor_seconds),
        "ours_over_this": ratios(ours.step_seconds, one.step_seconds),
        "ours_over_this_processor": ratios(ours.processor_seconds, one.processor_seconds),
        "epoch_seconds": median * settings.steps_per_epoch,
        "peak_resident_gib": _gib(one.peak_resident_bytes),
        "peak_gpu_gib": _gib(one.peak_gpu_bytes),
        "step_seconds": one.step_seconds,
        "processor_seconds": one.processor_seconds,
    }


def _translation(one, ours):
    for (way, batch), seconds in one.translation_seconds.items():
        median = statistics.median(seconds)
        yield {
            "contender": one.contender.name,
            "way": way,
            "batch": batch,
            "milliseconds_median": 1000 * median,
            "images_per_second": batch / median,
            "ours_over_this": ratios(ours.translation_seconds["compiled", batch], seconds),
            "seconds": seconds,
        }


def _quartiles(values):
    low, _, high = statistics.quantiles(values, n=4)
    return low, high


def _gib(number):
    return None if number is None else number / _PER_GIB
