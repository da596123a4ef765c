import numpy as np
import pytest

from ganlib.cohort.phantom.signal import inversion_recovery, mprage, turbo_spin_echo
from ganlib.cohort.phantom.tissues import INDEX, LABEL_NAMES, R2_RISE_PER_IRON, TISSUES


def named(name):
    return TISSUES[INDEX[name]]


def test_inversion_recovery_by_hand():
    # TI = T1 ln 2 with full recovery is the null; at TI = TR = T1: 1 - 2/e + 1/e.
    assert inversion_recovery(1.0, 1000.0, ti_ms=1000 * np.log(2), tr_ms=1e9) == pytest.approx(0, abs=1e-12)
    assert inversion_recovery(0.5, 800.0, ti_ms=800, tr_ms=800) == pytest.approx(0.5 * (1 - np.exp(-1)))


def test_turbo_spin_echo_by_hand():
    # TR = T1 ln 2 recovers half, TE = T2 ln 4 leaves a quarter.
    signal = turbo_spin_echo(0.8, 1000.0, 100.0, tr_ms=1000 * np.log(2), te_ms=100 * np.log(4))
    assert signal == pytest.approx(0.8 * 0.5 * 0.25)


def test_mprage_without_flip_is_inversion_recovery():
    train = mprage(0.7, np.array([832.0, 4309.0]), flip_deg=0.0, te_ms=0.0)
    # Inverting what has recovered by TR: 1 - (1 + m) e(TI), m = 1 - (1 + m) e(TR), which is (1 - 2 e(TI) + e(TR)) /
    # (1 + e(TR)); the textbook's form leaves the denominator out because a spin echo's refocusing empties m.
    t1 = np.array([832.0, 4309.0])
    expected = inversion_recovery(0.7, t1, ti_ms=900, tr_ms=2300) / (1 + np.exp(-2300 / t1))
    np.testing.assert_allclose(train, expected, rtol=1e-12)


def test_mprage_equals_the_magnetisation_followed_pulse_by_pulse():
    t1, spacing, echoes, flip = 1331.0, 7.0, 176, np.deg2rad(8)
    relax = lambda m, t: 1 - (1 - m) * np.exp(-t / t1)  # noqa: E731
    m = 1.0
    for _ in range(20):
        m = relax(-m, 900 - echoes / 2 * spacing)
        for pulse in range(echoes):
            if pulse == echoes // 2:
                read = m
            m = relax(m * np.cos(flip), spacing)
        m = relax(m, 2300 - 900 - echoes / 2 * spacing)
    assert mprage(1.0, t1, te_ms=0.0) == pytest.approx(read, rel=1e-9)


def test_order_of_the_tissues():
    t1w = {tissue.name: abs(mprage(tissue.density, tissue.t1_ms)) for tissue in TISSUES}
    t2w = {tissue.name: turbo_spin_echo(*tissue[2:]) for tissue in TISSUES}
    assert t1w["white_matter"] > t1w["cortex"] > 3 * t1w["csf"]
    assert t2w["csf"] > 1.7 * t2w["cortex"] > 1.7 * 1.3 * t2w["white_matter"]
    assert 1.3 < t1w["white_matter"] / t1w["cortex"] < 1.7
    # Deep nuclei look like white matter more than cortex does in T1w, and iron darkens them in T2w.
    assert t2w["pallidum"] < t2w["putamen"] < t2w["caudate"] < t2w["thalamus"] < t2w["cortex"]


def test_csf_is_read_near_its_null():
    assert abs(mprage(1.0, named("csf").t1_ms)) < 0.25 * mprage(0.82, named("cortex").t1_ms)


def test_iron_makes_the_t2_of_the_nuclei():
    iron = {"thalamus": 4.8, "caudate": 9.3, "putamen": 13.3, "pallidum": 21.3}
    for name, amount in iron.items():
        rate = 1000 / named("cortex").t2_ms + R2_RISE_PER_IRON * (amount - 2.9)
        assert named(name).t2_ms == pytest.approx(1000 / rate, rel=0.01)


def test_every_tissue_has_a_label():
    assert {tissue.label for tissue in TISSUES} == set(LABEL_NAMES)
