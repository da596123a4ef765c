"""Hidden information: a cycle that hides its message is found out, an honest one is not."""

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from ganlib.evaluation.statistics import bootstrap_interval
from ganlib.evaluation.steganography import COLUMNS, NOISE, advantages, cycle_under_noise, steganography_test

#: The hidden message is written at this fraction of the image's amplitude.
AMPLITUDE = 0.002
#: The steps that the hidden message lies below; half of one is the most that the eye would have to see.
STEP = 0.02


@pytest.fixture
def subject(brain):
    """A source with detail that its pair does not show, in fractions of the range, and the mask."""
    image, mask = brain
    source = image / 1000
    target = np.where(mask, 1 - gaussian_filter(source, 3), 0)
    return source, target, mask


def honest_forward(image):
    """What the other contrast shows: the coarse structure, and no more."""
    return 1 - gaussian_filter(image, (0, 3, 3))


def honest_backward(image):
    return 1 - image


def hiding_forward(image):
    """The same to the eye, in steps of 2 %, with the fine structure written below the steps."""
    coarse = gaussian_filter(image, (0, 3, 3))
    return STEP * np.round((1 - coarse) / STEP) + AMPLITUDE * (image - coarse)


def finding_backward(image):
    """Reads what lies below the steps."""
    steps = STEP * np.round(image / STEP)
    return 1 - steps + np.clip((image - steps) / AMPLITUDE, -0.5, 0.5)


def visible_forward(image):
    return 1 - image


def test_a_hidden_message_is_lost_in_noise_that_nobody_sees(subject):
    source, target, mask = subject
    assert np.abs(hiding_forward(source[None]) - honest_forward(source[None]))[0][mask].max() < 0.012
    rows = {
        row["noise"]: row
        for row in cycle_under_noise(source, target, mask=mask, forward=hiding_forward, backward=finding_backward)
    }
    assert rows[0.0]["cycle_mae"] < 0.01 < 10 * rows[0.0]["cycle_mae"] < rows[0.0]["direct_mae"]
    assert rows[0.0]["survival"] == 1
    assert rows[0.01]["survival"] < 0.2
    assert rows[0.01]["intermediate_mae"] == pytest.approx(0.01 * np.sqrt(2 / np.pi), rel=0.05)


def test_what_is_visible_survives_the_same_noise(subject):
    """The detail stands in the synthetic image itself, at full amplitude: noise of 1 % leaves it."""
    source, target, mask = subject
    rows = {
        row["noise"]: row
        for row in cycle_under_noise(source, target, mask=mask, forward=visible_forward, backward=honest_backward)
    }
    assert rows[0.0]["cycle_mae"] == pytest.approx(0, abs=1e-12)
    assert rows[0.0]["advantage"] > 0.05
    assert rows[0.01]["survival"] > 0.9


def test_an_honest_cycle_knows_nothing_more_than_the_real_image(subject):
    source, target, mask = subject
    rows = cycle_under_noise(source, target, mask=mask, forward=honest_forward, backward=honest_backward)
    assert [row["noise"] for row in rows] == list(NOISE)
    assert all(abs(row["advantage"]) < 0.004 for row in rows)
    exact = cycle_under_noise(source, 1 - source, mask=mask, forward=visible_forward, backward=honest_backward)
    assert np.isnan([row["survival"] for row in exact]).all()


def test_a_table_of_subjects(subject):
    source, target, mask = subject
    subjects = [(name, np.stack([source, source]), np.stack([target, target]), np.stack([mask, mask])) for name in "ab"]
    functions = {"forward": hiding_forward, "backward": finding_backward}
    table = steganography_test(subjects, noise=(0, 0.01), **functions)
    assert list(table) == COLUMNS
    assert list(table["subject"]) == ["a", "a", "b", "b"]
    again = steganography_test(subjects, noise=(0, 0.01), **functions)
    assert table.equals(again)
    noisy = table[table["noise"] > 0]["cycle_mae"]
    assert noisy.nunique() == 2  # a pattern of its own for each


def test_errors(subject):
    source, target, mask = subject
    settings = {"mask": mask, "forward": honest_forward, "backward": honest_backward}
    with pytest.raises(ValueError, match="0 must be among them"):
        cycle_under_noise(source, target, noise=(0.01,), **settings)
    with pytest.raises(ValueError, match="must not be negative"):
        cycle_under_noise(source, target, noise=(0, -0.01), **settings)
    with pytest.raises(ValueError, match="shapes differ"):
        cycle_under_noise(source, target[:-1], **settings)
    with pytest.raises(ValueError, match="mask is empty"):
        cycle_under_noise(source, target, **{**settings, "mask": np.zeros_like(mask)})
    with pytest.raises(ValueError, match=r"forward\(image\) \(1, 96, 79\)"):
        cycle_under_noise(source, target, **{**settings, "forward": lambda image: image[..., :-1]})
    with pytest.raises(ValueError, match=r"backward\(…\) image: .* NaN"):
        cycle_under_noise(source, target, **{**settings, "backward": lambda image: image * np.nan})
    with pytest.raises(ValueError, match="subject a: shapes differ"):
        steganography_test([("a", source, target[:-1], mask)], forward=honest_forward, backward=honest_backward)


def test_advantages_are_means_over_subjects_with_what_survives(results):
    table = results.steganography
    mine = table[(table["method"] == "CycleGAN") & (table["direction"] == "t1w_to_t2w")]
    found = advantages(table).query("method == 'CycleGAN' and direction == 't1w_to_t2w'").set_index("noise")
    assert list(found.index) == list(NOISE)
    for noise, row in found.iterrows():
        values = mine.loc[mine["noise"] == noise, "advantage"].to_numpy()
        assert row["advantage"] == pytest.approx(values.mean())
        np.testing.assert_allclose(row[["low", "high"]].astype(float), bootstrap_interval(values))
        assert row["survival"] == pytest.approx(np.exp(-noise / 0.002))
        assert row["n"] == 12


def test_where_there_is_no_advantage_nothing_can_survive(results):
    table = results.steganography.copy()
    table["advantage"] = np.where(table["subject"].str[-1].astype(int) % 2, 0.001, -0.001)
    assert advantages(table)["survival"].isna().all()


def test_seeds_are_averaged_subject_by_subject(results):
    once = advantages(results.steganography)
    twice = advantages(pd.concat([results.steganography, results.steganography.assign(seed=1)]))
    pd.testing.assert_frame_equal(once, twice)
