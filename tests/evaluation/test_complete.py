"""Everything in one call, and all that was measured in one object."""

import json

import pytest

from ganlib.errors import InputError
from ganlib.evaluation.compare import load_scores
from ganlib.evaluation.complete import evaluate_completely
from ganlib.evaluation.evaluate import BASELINES, evaluate
from ganlib.evaluation.joined import load_joined
from ganlib.evaluation.results import read_results
from tests.evaluation.fake_runs import write_fake_run
from tests.measured import write_labelled_cohort

TABLES = {"scores", "realism", "registration", "regions", "two_sample"}


def tables_of(run):
    return {path.stem for path in run.folder.glob("*.parquet")}


def test_everything_is_measured_where_the_cohort_allows_it(tmp_path):
    path = write_labelled_cohort(tmp_path / "cohort.h5", tests=4)
    runs = [write_fake_run(tmp_path / name, path, label=name) for name in ("UNIT", "Simple")]
    assert evaluate_completely(runs, progress=False) == []
    assert all(tables_of(run) == TABLES for run in runs)


def test_what_cannot_be_measured_is_said(tmp_path):
    path = write_labelled_cohort(tmp_path / "cohort.h5", tests=3, labels=False)
    run = write_fake_run(tmp_path / "run", path)
    regions, two_sample = evaluate_completely([run], progress=False)
    assert "no labels" in regions
    assert "3 test subjects, and it needs 4 at least" in two_sample
    assert tables_of(run) == {"scores", "realism", "registration"}
    with pytest.raises(InputError, match="no run to score"):
        evaluate_completely([])


def test_results_hold_the_tables_that_all_runs_have(measured_runs, results):
    assert results.scores.equals(load_scores(measured_runs))
    assert results.regions.equals(load_scores(measured_runs, "regions"))
    assert results.names == {"unit": "UNIT", "simple": "Simple", "cyclegan": "CycleGAN"}
    assert results.costs["unit"]["milliseconds_per_slice"] == 12.34
    assert results.phantom
    assert results.lacking == ()
    assert [direction.name for direction in results.directions] == ["t1w_to_t2w", "t2w_to_t1w"]


def test_a_table_that_a_run_lacks_is_left_out_and_said_to_be(tmp_path):
    path = write_labelled_cohort(tmp_path / "cohort.h5", tests=4)
    whole, scored = (write_fake_run(tmp_path / name, path, label=name) for name in ("UNIT", "Simple"))
    evaluate_completely([whole], progress=False)
    evaluate(scored, progress=False)
    found = read_results([whole, scored])
    assert found.realism is found.two_sample is found.regions is found.registration is None
    assert "Realism of Simple: not measured" in found.lacking[0]
    assert "Hidden information: not measured" in found.lacking[-1]
    assert found.costs == {"UNIT": None, "Simple": None}
    assert read_results([whole]).realism is not None


def test_a_table_of_another_translation_is_refused(tmp_path):
    path = write_labelled_cohort(tmp_path / "cohort.h5", tests=4)
    run = write_fake_run(tmp_path / "run", path)
    evaluate_completely([run], progress=False)
    with run.cohort() as cohort:
        images = [(direction, subject, cohort.images(subject, direction.target))
                  for direction in run.directions for subject in run.split["test"]]  # fmt: skip
    run.write_synthetic(images)
    evaluate(run, progress=False)
    with pytest.raises(InputError, match=r"realism\.parquet: older than synthetic\.h5"):
        read_results([run])


def test_joined_tables_have_the_baselines_once_and_the_names_of_the_scores(tmp_path):
    path = write_labelled_cohort(tmp_path / "cohort.h5", tests=4)
    runs = [write_fake_run(tmp_path / name, path, label="CycleGAN", error=error)
            for name, error in (("wide", 0.03), ("narrow", 0.08))]  # fmt: skip
    evaluate_completely(runs, progress=False)
    table = load_joined(runs, "two_sample")
    assert list(table["method"].unique()) == [*BASELINES, "CycleGAN (narrow)", "CycleGAN (wide)"]
    assert len(table) == 4 * 2
    assert read_results(runs).names == {"wide": "CycleGAN (wide)", "narrow": "CycleGAN (narrow)"}


def test_a_damaged_cost_file_is_named(tmp_path):
    path = write_labelled_cohort(tmp_path / "cohort.h5", tests=1)
    run = write_fake_run(tmp_path / "run", path)
    evaluate(run, progress=False)
    (run.folder / "cost.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"cost\.json: not readable; measure it again with 03_evaluate"):
        read_results([run])
    (run.folder / "cost.json").write_text(json.dumps({"device": "x"}), encoding="utf-8")
    assert read_results([run]).costs["run"] == {"device": "x"}
