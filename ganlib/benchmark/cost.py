"""What it costs to translate with a trained run, on this device: `cost.json` in the run folder."""

import json
import statistics
import time

from ganlib import atomic
from ganlib.devices import DEVICES
from ganlib.runs.passage import Passage

_WARM_UP = 2


def measure_cost(run, *, weights="best", repeats=5):
    """Measure how long a slice takes, and store it with the run.

    One slice at a time, as a viewer asks for them, with networks that are compiled and warm. The clock stops when the
    image is back in main memory: the device has then finished.

    Args:
        run: a trained `Run` with a test subject.
        weights: as for `ganlib.translate.translate_test_set`.
        repeats: how often each direction is measured.

    Returns:
        Dictionary, as in `cost.json`: `parameters` (of either generator), `milliseconds_per_slice` (median of both
        directions), `device`, `backend`, `image_shape`, `repeats`.

    Raises:
        InputError: the run has no such weights, or its cohort is missing or has changed.
    """
    import keras

    from ganlib.models import generators

    seconds, parameters = [], []
    with run.cohort() as cohort:
        passage, subject_id = Passage(run.config, cohort.ranges), cohort.ids("test")[0]
        for direction, network in zip(run.directions, generators.load(run.weights(weights)), strict=True):
            parameters.append(network.count_params())
            function, source = generators.compiled(network), cohort.images(subject_id, direction.source)[:1]
            times = [_seconds(passage.translate, function, source, direction) for _ in range(_WARM_UP + repeats)]
            seconds += times[_WARM_UP:]
    backend = keras.backend.backend()
    device = DEVICES[backend]()
    cost = {
        "parameters": parameters, "milliseconds_per_slice": 1000 * statistics.median(seconds), "device": device.name,
        "backend": " ".join(*device.versions.items()), "image_shape": list(run.config.image_shape), "repeats": repeats,
    }  # fmt: skip
    atomic.write_text(run.folder / "cost.json", json.dumps(cost, indent=1))
    return cost


def _seconds(function, *arguments):
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started
