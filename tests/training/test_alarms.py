"""Alarms: raised when something has been wrong for several epochs, once, and not before."""

import json

import pytest

from ganlib.training.alarms import find_alarms, not_finite, write_alarms
from tests.training.small import run_config

_FORTH, _BACK = run_config().directions


def _history(epochs=10, **columns):
    """One row per epoch; a column is a list of values or one value."""
    healthy = {
        f"val_correlation_{_FORTH.name}": 0.9, f"val_correlation_{_BACK.name}": 0.9,
        f"val_shift_px_{_FORTH.name}": 0.1, f"val_shift_px_{_BACK.name}": 0.1, "discriminator": 0.3,
    }  # fmt: skip
    columns = {**healthy, **columns}
    lists = {name: value if isinstance(value, list) else [value] * epochs for name, value in columns.items()}
    return [{"epoch": index + 1, **{name: values[index] for name, values in lists.items()}} for index in range(epochs)]


def _kinds(history, *, chance=0.5, **settings):
    return [
        (alarm.kind, alarm.epoch, alarm.direction) for alarm in find_alarms(history, run_config(**settings), chance)
    ]


def test_healthy_training_raises_none():
    assert _kinds(_history()) == []


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({f"val_correlation_{_FORTH.name}": -0.4}, ("inverted", 3, _FORTH.name)),
        ({f"val_shift_px_{_BACK.name}": 0.6}, ("shifted", 3, _BACK.name)),
        ({"discriminator": 0.004}, ("seen_through", 3, None)),
        ({"discriminator": 0.499}, ("guessing", 3, None)),
    ],
)
def test_what_is_wrong_for_three_epochs_is_an_alarm_once(columns, expected):
    assert _kinds(_history(**columns)) == [expected]


def test_two_epochs_are_not_enough_and_a_relapse_is_another_alarm():
    column = f"val_correlation_{_FORTH.name}"
    assert _kinds(_history(**{column: [-1, -1, 1, -1, -1, 1, -1, -1, 1, 1]})) == []
    relapse = _history(**{column: [-1, -1, -1, -1, 1, 1, -1, -1, -1, -1]})
    assert _kinds(relapse) == [("inverted", 3, _FORTH.name), ("inverted", 9, _FORTH.name)]


def test_long_training_has_more_patience():
    history = _history(epochs=30, **{f"val_correlation_{_FORTH.name}": [-1] * 19 + [1] * 11})
    assert _kinds(history, epochs=30) == [("inverted", 3, _FORTH.name)]
    assert _kinds(history, epochs=200) == []


def test_what_was_not_measured_raises_none():
    nan = float("nan")
    assert _kinds(_history(**{f"val_shift_px_{_FORTH.name}": nan, "discriminator": 0.001}), chance=None) == []
    assert _kinds([{"epoch": epoch, "supervised": 0.1} for epoch in range(1, 9)]) == []


def test_chance_is_that_of_the_method():
    assert _kinds(_history(discriminator=0.5), chance=8.3) == []
    assert _kinds(_history(discriminator=8.3), chance=8.3) == [("guessing", 3, None)]


def test_alarms_of_a_resumed_training_are_those_of_one_that_was_not_stopped():
    history = _history(discriminator=[0.3] * 4 + [0.5] * 6)
    early = _kinds(history[:6])
    assert early == []
    assert _kinds(history) == [("guessing", 7, None)]


def test_every_alarm_is_one_line_with_a_remedy(tmp_path):
    wrong = {f"val_correlation_{_FORTH.name}": -0.4, f"val_shift_px_{_FORTH.name}": 2.0, "discriminator": 0.0}
    alarms = [*find_alarms(_history(**wrong), run_config(), 0.5), not_finite(4, "loss part 'cycle'")]
    assert {alarm.kind for alarm in alarms} == {"inverted", "shifted", "seen_through", "nan"}
    for alarm in alarms:
        assert "\n" not in alarm.message
        assert ";" in alarm.message
        assert f"epoch {alarm.epoch}" in alarm.message
    write_alarms(tmp_path, alarms)
    assert json.loads((tmp_path / "alarms.json").read_text())[0]["kind"] == alarms[0].kind
