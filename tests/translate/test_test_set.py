"""Translations of the test subjects: in the units of the target, from the weights asked for."""

import numpy as np
import pytest

from ganlib.cohort import Cohort
from ganlib.errors import InputError
from ganlib.models import generators
from ganlib.training.fit import train
from ganlib.translate import translate_test_set
from tests.conftest import write_tiny_cohort
from tests.training.small import OPTIONS

_SETTINGS = {"method": "simple", "epochs": 2, "options": {"filters": 8}}


def test_translations_are_in_the_units_of_the_target(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    translate_test_set(run, progress=False)
    to_b, _ = generators.load(run.weights("best"))
    direction = run.directions[0]
    with run.cohort() as cohort:
        assert run.synthetic_ids(direction) == cohort.ids("test")
        subject_id = cohort.ids("test")[0]
        made = to_b(cohort.scaled(subject_id, "T1w")[..., None]).numpy()[..., 0]
        expected = cohort.ranges["T2w"].unscale(made)
    np.testing.assert_allclose(run.synthetic(subject_id, direction), expected, atol=1e-2)


def test_run_without_weights_says_so(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    for path in run.folder.glob("*.keras"):
        path.unlink()
    with pytest.raises(InputError, match=r"generators\.keras: not found.*train"):
        translate_test_set(run, progress=False)


def test_damaged_weights_are_named(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    (run.folder / "generators.keras").write_bytes(b"not a network")
    with pytest.raises(InputError, match=r"generators\.keras: not readable"):
        translate_test_set(run, progress=False)


@pytest.mark.slow
def test_unit_is_translated_by_its_mean_or_by_samples(tiny_cohort, tmp_path):
    run = train(
        tiny_cohort, tmp_path / "run", {"method": "unit", "epochs": 1, "options": OPTIONS["unit"]}, progress=False
    )
    direction = run.directions[0]
    translate_test_set(run, progress=False)
    plain = run.synthetic("sub-08", direction)
    assert run.uncertainty("sub-08", direction) is None
    drawn = []
    for seed in (0, 0, 1):
        translate_test_set(run, samples=4, seed=seed, progress=False)
        drawn.append((run.synthetic("sub-08", direction), run.uncertainty("sub-08", direction)))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0][0] != drawn[2][0]).any()
    assert (drawn[0][1] > 0).any()
    assert np.abs(drawn[0][0] - plain).mean() < 3 * drawn[0][1].mean()
    with pytest.raises(InputError, match="at least 2"):
        translate_test_set(run, samples=1, progress=False)


def test_method_without_a_latent_space_cannot_be_sampled(tiny_cohort, tmp_path):
    run = train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    with pytest.raises(InputError, match="no latent space"):
        translate_test_set(run, samples=4, progress=False)


@pytest.mark.slow
def test_neighbouring_slices_are_seen_in_training_and_in_translation(tmp_path):
    cohort = write_tiny_cohort(tmp_path / "cohort.h5", slices=3)
    options = {**OPTIONS["generators_s"], "input_channels": 3}
    run = train(cohort, tmp_path / "run", {"method": "generators_s", "epochs": 1, "options": options}, progress=False)
    translate_test_set(run, progress=False)
    to_b, _ = generators.load(run.weights("best"))
    with Cohort(cohort) as opened:
        scaled = opened.scaled("sub-08", "T1w")
        made = to_b(np.stack([scaled[[0, 0, 1]], scaled, scaled[[1, 2, 2]]]).transpose(0, 2, 3, 1)).numpy()[..., 0]
        expected = opened.ranges["T2w"].unscale(made)
    np.testing.assert_allclose(run.synthetic("sub-08", run.directions[0]), expected, atol=1e-2)


def test_slices_scaled_by_their_own_maximum_are_trained_on_and_scored_in_the_units_of_the_cohort(tiny_cohort, tmp_path):
    settings = {**_SETTINGS, "options": {"filters": 8, "preset": "as_released_2018"}}
    run = train(tiny_cohort, tmp_path / "run", settings, progress=False)
    with Cohort(tiny_cohort) as cohort:
        expected = np.mean([cohort.images(name, "T2w").max() for name in cohort.ids("train")])
    assert run.config.slice_maxima["T2w"] == pytest.approx(expected)
    translate_test_set(run, progress=False)
    to_b, _ = generators.load(run.weights("best"))
    with Cohort(tiny_cohort) as cohort:
        image = cohort.images("sub-08", "T1w")
        made = to_b((2 * image / image.max() - 1)[..., None]).numpy()[..., 0]
    np.testing.assert_allclose(run.synthetic("sub-08", run.directions[0]), (made + 1) / 2 * expected, atol=1e-2)
