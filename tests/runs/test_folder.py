"""The run folder: read without a framework, refused where it is damaged."""

import json

import numpy as np
import pytest

from ganlib.cohort import Cohort
from ganlib.errors import InputError
from ganlib.runs import Run, RunConfig


@pytest.fixture
def run(tiny_cohort, tmp_path):
    with Cohort(tiny_cohort) as cohort:
        return Run.create(tmp_path / "run", _config(cohort), cohort.split())


def _config(cohort, **settings):
    return RunConfig(
        method="simple", method_label="Simple", cohort="../cohort.h5", cohort_fingerprint=cohort.fingerprint,
        phantom=True, contrasts=("T1w", "T2w"), image_shape=(16, 16), epochs=1, learning_rate=1e-3, **settings,
    )  # fmt: skip


def test_run_opens_from_its_folder_alone(run):
    opened = Run(run.folder)
    assert opened.config == run.config
    assert opened.split["test"] == ["sub-08", "sub-09"]
    assert [direction.name for direction in opened.directions] == ["t1w_to_t2w", "t2w_to_t1w"]
    assert opened.history.empty
    assert opened.cohort().fingerprint == run.config.cohort_fingerprint


def test_translations_come_back_as_they_went_in(run):
    slices = np.random.default_rng(0).normal(size=(3, 16, 16)).astype(np.float32)
    run.write_synthetic([(run.directions[0], "sub-08", slices)])
    np.testing.assert_array_equal(run.synthetic("sub-08", run.directions[0]), slices)
    assert run.synthetic_ids(run.directions[1]) == []
    with pytest.raises(InputError, match="sub-09"):
        run.synthetic("sub-09", run.directions[0])


def test_cohort_that_changed_is_refused(run, tiny_cohort):
    from tests.conftest import write_tiny_cohort

    write_tiny_cohort(tiny_cohort, splits=("train", "test"))
    with pytest.raises(InputError, match=r"cohort\.h5: changed since"):
        run.cohort()


def test_what_is_missing_is_named_with_its_remedy(run, tmp_path):
    with pytest.raises(InputError, match=r"nowhere.config\.json: not found.*02_train"):
        Run(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"generators\.keras: not found.*02_train"):
        run.weights()
    with pytest.raises(InputError, match=r"scores\.parquet: not found.*03_evaluate"):
        run.scores()
    with pytest.raises(InputError, match=r"synthetic\.h5: not found.*03_evaluate"):
        run.synthetic("sub-08", run.directions[0])


@pytest.mark.parametrize("damage", ["{", '{"method": 3}', "\x00"])
def test_damaged_configuration_is_named(run, damage):
    (run.folder / "config.json").write_text(damage)
    with pytest.raises(InputError, match=r"config\.json"):
        Run(run.folder)


def test_unknown_key_of_the_configuration_is_named(run):
    path = run.folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "epohcs": 3}))
    with pytest.raises(InputError, match="epohcs"):
        Run(run.folder)


def test_folder_of_an_older_version_is_read_with_todays_defaults(run):
    path = run.folder / "config.json"
    record = json.loads(path.read_text())
    new = (
        "network_shape",
        "jit_compile",
        "data_parallel",
        "unpaired",
        "augmentation",
        "ema",
        "best_on",
        "slice_maxima",
    )
    path.write_text(json.dumps({name: value for name, value in record.items() if name not in new}))
    opened = Run(run.folder)
    assert opened.config == run.config
    assert opened.config.best_on == "psnr_db"
    assert opened.config.frame.network_shape == (16, 16)
    assert not opened.config.augmentation.active
    assert opened.alarms() == []


def test_domains_are_all_training_subjects_unless_they_were_divided(run, tiny_cohort, tmp_path):
    everybody = [f"sub-{index:02d}" for index in range(6)]
    assert run.domains == {"T1w": everybody, "T2w": everybody}
    halves = {"T1w": everybody[:3], "T2w": everybody[3:]}
    with Cohort(tiny_cohort) as cohort:
        divided = Run.create(tmp_path / "halves", _config(cohort, unpaired=True), cohort.split(), halves)
    assert divided.domains == halves
    assert divided.split == run.split


def test_uncertainty_comes_back_beside_the_translation(run):
    mean, deviation = np.random.default_rng(0).normal(size=(2, 3, 16, 16)).astype(np.float32)
    forth, back = run.directions
    run.write_synthetic([(forth, "sub-08", mean, deviation), (back, "sub-08", mean)])
    np.testing.assert_array_equal(run.synthetic("sub-08", forth), mean)
    np.testing.assert_array_equal(run.uncertainty("sub-08", forth), deviation)
    assert run.uncertainty("sub-08", back) is None
    assert run.synthetic_ids(forth) == run.synthetic_ids(back) == ["sub-08"]


def test_averaged_weights_are_refused_where_none_were_kept(run, tiny_cohort, tmp_path):
    with pytest.raises(InputError, match="no averaged weights; train with `ema`"):
        run.weights("averaged")
    with pytest.raises(InputError, match="'mean' are unknown; use one of best, last, averaged"):
        run.weights("mean")
    with Cohort(tiny_cohort) as cohort:
        averaging = Run.create(tmp_path / "averaging", _config(cohort, ema=0.9), cohort.split())
    with pytest.raises(InputError, match=r"generators_averaged\.keras: not found.*02_train"):
        averaging.weights("averaged")
