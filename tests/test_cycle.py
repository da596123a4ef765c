"""Cycles of a trained run under noise: real networks, the units of the measure, and a table in the run folder."""

import numpy as np
import pytest

from ganlib.cycle import COLUMNS, measure_cycles
from ganlib.errors import InputError
from ganlib.models import generators
from ganlib.training.fit import train
from tests.measured import CYCLE_COLUMNS

_SETTINGS = {"method": "simple", "epochs": 1, "options": {"filters": 8}}


def test_cycles_are_those_of_the_networks(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    table = measure_cycles(run, noise=(0, 0.01), progress=False)
    assert list(table) == COLUMNS == CYCLE_COLUMNS
    assert len(table) == 2 * 2 * 2
    assert run.scores("steganography").equals(table)
    to_b, to_a = generators.load(run.weights())
    with run.cohort() as cohort:
        source, target = (cohort.scaled("sub-08", contrast)[..., None] for contrast in ("T1w", "T2w"))
        mask = cohort.mask("sub-08")
    # Network units span 2, fractions of the range 1.
    cycle = np.abs(to_a(to_b(source)).numpy() - source)[..., 0][mask].mean() / 2
    direct = np.abs(to_a(target).numpy() - source)[..., 0][mask].mean() / 2
    row = table.query("subject == 'sub-08' and direction == 't1w_to_t2w' and noise == 0").iloc[0]
    assert row["cycle_mae"] == pytest.approx(cycle, rel=1e-4)
    assert row["direct_mae"] == pytest.approx(direct, rel=1e-4)
    assert set(table["method"]) == {"Simple"}
    assert table["phantom"].all()
    assert len(measure_cycles(run, subjects=1, noise=(0,), progress=False)) == 2


def test_what_cannot_be_measured_is_named(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    with pytest.raises(InputError, match="no test subject to translate there and back"):
        measure_cycles(run, subjects=0)
    with pytest.raises(InputError, match=r"run: t1w_to_t2w, subject sub-08: noise .*0 must be among them"):
        measure_cycles(run, noise=(0.01,), progress=False)
    run.weights().unlink()
    with pytest.raises(InputError, match=r"generators\.keras: not found"):
        measure_cycles(run, progress=False)
