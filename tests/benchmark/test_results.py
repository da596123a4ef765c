"""From seconds to medians, ratios, epochs and images per second."""

import pytest

from ganlib.benchmark.results import Measurement, ratios, summary
from ganlib.benchmark.settings import BenchmarkSettings, Contender
from ganlib.benchmark.table import as_text

_SETTINGS = BenchmarkSettings(size=(304, 256), batch_size=2, images_per_epoch=901)


def _measurement(kind, step_seconds):
    contender = Contender.parse(kind, backend="jax", precision="float32")
    one = Measurement(contender, num_parameters=7, device="a device", versions={contender.backend: "1.2"})
    one.step_seconds, one.processor_seconds = step_seconds, [2 * value for value in step_seconds]
    one.peak_resident_bytes = 3 << 30
    return one


@pytest.fixture
def figures():
    ours, other = _measurement("ours", [1.0, 2.0, 1.0]), _measurement("torch", [2.0, 4.0, 4.0])
    ours.translation_seconds = {("compiled", 2): [0.5, 0.5, 0.25], ("predict", 2): [1.0, 1.0, 1.0]}
    return summary([other, ours], _SETTINGS)


def test_ratios_are_taken_round_by_round():
    # The second round was disturbed, for both: a ratio of the medians would be 1/3 of nothing that ever happened.
    assert ratios([1.0, 9.0, 2.0], [2.0, 18.0, 4.0]) == {"median": 0.5, "low": 0.5, "high": 0.5}
    assert ratios([1, 2, 3, 4, 5], [1, 1, 1, 1, 1]) == {"median": 3, "low": 1.5, "high": 4.5}


def test_training_figures(figures):
    other, ours = figures["training"]
    assert (ours["step_seconds_median"], other["step_seconds_median"]) == (1.0, 4.0)
    assert other["ours_over_this"]["median"] == 0.5
    assert ours["ours_over_this"] == {"median": 1, "low": 1, "high": 1}
    assert other["epoch_seconds"] == 4.0 * 450
    assert ours["peak_resident_gib"] == 3
    assert ours["peak_gpu_gib"] is None


def test_translation_figures(figures):
    compiled, predict = figures["translation"]
    assert (compiled["images_per_second"], predict["images_per_second"]) == (4, 2)
    assert predict["ours_over_this"]["median"] == 0.5


def test_table_says_what_was_measured_on_what(figures):
    text = as_text(figures)
    assert text.startswith("cyclegan, 304 x 256 pixels, batch 2\na device")
    assert "jax 1.2, torch 1.2" in text.replace("torch 1.2, jax 1.2", "jax 1.2, torch 1.2")
    [row] = [line for line in text.splitlines() if line.startswith("torch:float32")]
    assert row.split() == ["torch:float32", "4.0000", "0.50", "0.25–0.50", "8.000", "0.50", "1800.0", "3.00", "–"]
