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
        config = RunConfig(
            method="simple", method_label="Simple", cohort="../cohort.h5", cohort_fingerprint=cohort.fingerprint,
            phantom=True, contrasts=("T1w", "T2w"), image_shape=(16, 16), epochs=1, learning_rate=1e-3,
        )  # fmt: skip
        return Run.create(tmp_path / "run", config, cohort.split())


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
