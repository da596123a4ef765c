"""The contest itself: turns, processes, refusals, and a whole run."""

import json
import math
import os
import re
import signal
import sys

import pytest
from typer.testing import CliRunner

from ganlib.benchmark import arena, cli, worker
from ganlib.benchmark.settings import BenchmarkSettings, Contender
from ganlib.errors import InputError

_TINY = ["--size", "32x32", "-o", "base_filters=2", "-o", "num_residual_blocks=1", "-o", "discriminator_filters=2"]
_TORCH = Contender("torch", "torch", "float32")
_RESOLVED = {
    "options": {"base_filters": 4, "identity_weight": 0.5},
    "defaults": {"base_filters": 32, "identity_weight": 0},
}


class _Notes:
    """Stands for `Turns` and for a connection: notes what happens."""

    def __init__(self):
        self.notes = []

    def begin(self):
        self.notes.append("begin")

    def end(self):
        self.notes.append("end")

    def send(self, message):
        self.notes.append(message)


def test_turns_in_fit_hold_the_asked_number_of_steps():
    from ganlib.benchmark.ours import TakeTurns

    notes = _Notes()
    callback = TakeTurns(notes, steps_per_turn=2)
    for step in range(4):
        callback.on_train_batch_begin(step)
        notes.notes.append(step)
    callback.on_epoch_end(0)
    assert notes.notes == ["begin", 0, 1, "end", "begin", 2, 3, "end"]


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (InputError("--size: too odd"), "error", "--size: too odd"),
        (MemoryError(), "error", r"torch:float32: out of memory at cyclegan, 128 x 128 pixels, batch 1; lower"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "error", "out of memory"),
        (RuntimeError("a defect"), "crash", "Traceback.*a defect"),
    ],
)
def test_what_stops_a_contender_reaches_the_arena(monkeypatch, raised, kind, said):
    def fail(*_):
        raise raised

    monkeypatch.setattr(worker, "_redirect_output", lambda log: None)
    monkeypatch.setattr(worker, "_work", fail)
    notes = _Notes()
    worker.run(notes, _TORCH, BenchmarkSettings(), None, "log")
    [(found, text)] = notes.notes
    assert found == kind
    assert re.search(said, text, flags=re.DOTALL)


def test_settings_that_a_rival_does_not_know_are_refused():
    with pytest.raises(InputError, match=r"torch:float32 does not know identity_weight=0\.5"):
        worker._entry(_TORCH, BenchmarkSettings(), None, _RESOLVED)


def test_methods_that_a_rival_does_not_have_are_refused():
    with pytest.raises(InputError, match="torch:float32 has no unit"):
        worker._entry(_TORCH, BenchmarkSettings(method="unit"), None, None)


def test_contest_needs_ours_and_each_contender_once():
    with pytest.raises(InputError, match="none of the contenders is `ours`"):
        arena.compete([_TORCH], BenchmarkSettings())
    with pytest.raises(InputError, match="named twice"):
        arena.compete([_TORCH, _TORCH], BenchmarkSettings())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--size", "128"], "--size '128' is not of the form HEIGHTxWIDTH"),
        (["--backend", "theano"], "backend 'theano' is unknown"),
        (["-c", "theirs"], "kind 'theirs' is unknown"),
        (["-o", "base_filters"], "not of the form name=value"),
        (["--method", "simple"], "cyclegan"),
    ],
)
def test_mistakes_on_the_command_line_are_one_line(monkeypatch, capsys, arguments, said):
    monkeypatch.setattr(sys, "argv", ["benchmark", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "said"), [
    (["-o", "blocks=3"], "cyclegan option 'blocks'"),
    (["--size", "30x32"], "must be divisible by 4"),
])  # fmt: skip
def test_mistakes_that_only_a_contender_sees_are_one_line(monkeypatch, capsys, arguments, said):
    monkeypatch.setattr(sys, "argv", ["benchmark", "-c", "ours", *arguments])
    with pytest.raises(SystemExit):
        cli.main()
    assert said in capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.slow
def test_contender_killed_by_the_system_ran_out_of_memory():
    ours = Contender.parse("ours", backend="tensorflow", precision="float32")
    settings = BenchmarkSettings(size=(32, 32), options={"base_filters": 2, "discriminator_filters": 2})
    with arena._Corner(ours, settings, None) as corner:
        os.kill(corner._process.pid, signal.SIGKILL)
        with pytest.raises(InputError, match="out of memory at cyclegan, 32 x 32"):
            corner.ask("go", answer="turn")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["cyclegan", "unit"])
def test_whole_benchmark_writes_positive_finite_figures(tmp_path, method):
    rivals = {"cyclegan": ["original", "torch"], "unit": ["original"]}[method]
    if "torch" in rivals:
        pytest.importorskip("torch")
    output = tmp_path / "figures.json"
    chosen = [word for name in ("ours", *rivals) for word in ("-c", name)]
    arguments = ["--method", method, *_TINY, *chosen, "--rounds", "2", "--warmup", "1", "--output", str(output)]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    figures = json.loads(output.read_text())
    assert [row["kind"] for row in figures["training"]] == ["ours", *rivals]
    for row in figures["training"]:
        assert len(row["step_seconds"]) == 2
        numbers = [row[name] for name in ("step_seconds_median", "epoch_seconds", "peak_resident_gib")]
        assert all(math.isfinite(number) and number > 0 for number in numbers)
    assert len({row["num_parameters"] for row in figures["training"]}) == 1
    ways = {(row["contender"].split("@")[0], row["way"], row["batch"]) for row in figures["translation"]}
    assert {("ours", way, batch) for way in ("compiled", "predict") for batch in (1, 16)} <= ways
    assert all(
        math.isfinite(row["images_per_second"]) and row["images_per_second"] > 0 for row in figures["translation"]
    )
    assert "original" in result.output
