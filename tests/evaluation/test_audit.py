"""The audit of runs whose translations are the real images with lesions kept, erased and invented on purpose."""

import shutil

import h5py
import numpy as np
import pandas as pd
import pytest

from ganlib.cohort import Cohort
from ganlib.cohort.decisions import decide
from ganlib.cohort.phantom import PhantomSettings, make_phantom
from ganlib.errors import InputError
from ganlib.evaluation.audit import REAL, audit
from ganlib.evaluation.audit_pairs import audit_pairs
from ganlib.evaluation.audit_summary import free_response_curve, summary_of
from ganlib.evaluation.cases import BASELINES
from ganlib.evaluation.pairwise import compare_pairs
from ganlib.runs import Run, RunConfig
from tests.conftest import write_tiny_cohort
from tests.evaluation.fake_runs import write_fake_run

LESION = 4


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    """A phantom with lesions in half of its subjects, and the same subjects without any."""
    folder = tmp_path_factory.mktemp("audit")
    common = {"num_train": 20, "num_validation": 0, "num_test": 12, "size": (80, 68), "voxel_mm": 2.8, "variation": 0.8}
    lesions = {"lesion_prevalence": 0.5, "lesion_diameter_mm": (12, 20)}
    patients = make_phantom(folder / "cohort.h5", PhantomSettings(**common, **lesions), progress=False)
    healthy = make_phantom(folder / "healthy.h5", PhantomSettings(**common), progress=False)
    everybody = make_phantom(
        folder / "ill.h5", PhantomSettings(**common, **{**lesions, "lesion_prevalence": 1.0}), progress=False
    )
    yield patients, healthy, everybody
    for cohort in (patients, healthy, everybody):
        cohort.close()


def write_run(cohort, folder, label, image_of, **settings):
    """A run whose translation of a subject is what a function makes of its id and the target contrast."""
    config = RunConfig(
        method=label.lower(), method_label=label, cohort=f"../{cohort.path.name}", phantom=True,
        cohort_fingerprint=cohort.fingerprint, contrasts=cohort.contrasts, image_shape=cohort.shape, epochs=1,
        learning_rate=1e-3, **settings,
    )  # fmt: skip
    run = Run.create(folder, config, cohort.split())
    run.write_synthetic(
        (direction, subject_id, image_of(subject_id, direction.target))
        for direction in run.directions for subject_id in cohort.ids("test")
    )  # fmt: skip
    return run


@pytest.fixture(scope="module")
def found(cohorts):
    """The audit of a run that copies the truth, one that erases every lesion, and one that gives everybody lesions."""
    cohort, healthy, everybody = cohorts
    folder = cohort.path.parent
    runs = [
        write_run(cohort, folder / "copies", "Generators_s", cohort.images),
        write_run(cohort, folder / "erases", "UNIT", healthy.images),
        write_run(cohort, folder / "invents", "CycleGAN", everybody.images),
    ]
    return audit(runs, progress=False), runs


def rows_of(table, method):
    return table[table["method"] == method].reset_index(drop=True)


def test_counts_are_those_of_what_was_planted(cohorts, found):
    cohort = cohorts[0]
    patients = [name for name in cohort.ids("test") if (cohort.labels(name) == LESION).any()]
    table = summary_of(found[0])
    for row in rows_of(table, "Generators_s").itertuples():
        assert (row.patients, row.healthy) == (len(patients), 12 - len(patients))
        assert (row.recovered, row.erased) == (1, 0)
    for row in rows_of(table, "UNIT").itertuples():
        assert row.erased == row.lesions > 0
        assert row.erased_share == 1
        assert abs(row.recovered) < 0.2
    for row in rows_of(table, "CycleGAN").itertuples():
        assert row.erased == 0
        # Every healthy test subject got 1 to 3 lesions.
        assert 0.9 <= row.invented_healthy <= 3
    assert list(table["method"].unique()) == [REAL, *BASELINES, "Generators_s", "CycleGAN", "UNIT"]


def test_the_search_on_the_truth_finds_and_invents_nothing_of_note(found):
    table = rows_of(summary_of(found[0]), REAL)
    assert (table["found_share"] >= 0.85).all()
    assert (table["invented_healthy"] <= 0.4).all()
    assert (table["ssim"] == 1).all()


def test_a_copy_is_searched_like_the_truth(found):
    columns = ["found", "invented", "found_share", "invented_patients", "ssim", "mae"]
    table = summary_of(found[0])
    pd.testing.assert_frame_equal(rows_of(table, "Generators_s")[columns], rows_of(table, REAL)[columns])


def test_whole_brain_measures_hardly_see_it(found):
    table = summary_of(found[0])
    assert (rows_of(table, "UNIT")["ssim"] > 0.97).all()
    assert (rows_of(table, "CycleGAN")["ssim"] > 0.95).all()
    assert (rows_of(table, "UNIT")["mae"] < 0.01).all()


def test_lesions_stand_out_as_they_should(found):
    references = found[0].references
    assert references["T1w"].contrast < 0 < references["T2w"].contrast
    for reference in references.values():
        assert abs(reference.contrast) > 4 * reference.spread
        assert reference.false_per_subject <= 0.1


def test_methods_are_compared_subject_by_subject(found):
    pairs = compare_pairs(found[0].subjects, "lesion_recovered", "audit", methods=["Generators_s", "UNIT"])
    assert (pairs["difference"] > 0.8).all()
    assert (pairs["n"] == rows_of(summary_of(found[0]), "UNIT")["patients"].tolist()).all()


def test_pairs_of_what_was_measured(found):
    pairs = audit_pairs(found[0], ["CycleGAN", "UNIT"]).set_index(["metric", "direction"])
    assert len(pairs) == 4
    assert pairs.loc[("lesion_invented", "t1w_to_t2w"), "difference"] > 0.8
    patients = found[0]._replace(subjects=found[0].subjects[~found[0].subjects["healthy"]])
    assert set(audit_pairs(patients)["metric"]) == {"lesion_recovered"}
    nobody = found[0]._replace(subjects=patients.subjects[patients.subjects["protocol"] == "masked"])
    assert audit_pairs(nobody).empty


def test_curves_fall_with_the_threshold(found):
    curves = free_response_curve(found[0])
    for _, curve in curves.groupby(["method", "direction"]):
        assert (np.diff(curve.sort_values("threshold")["found_share"]) <= 0).all()
    first = curves[(curves["method"] == "UNIT") & (curves["threshold"] >= 4)]
    assert (first["found_share"] < 0.2).all()


def test_the_table_is_kept_with_the_run(found):
    stored = found[1][2].scores("hallucination")
    assert set(stored["run"]) == {"invents"}
    assert {"lesion_recovered", "lesion_erased", "lesion_found", "lesion_invented", "ssim"} <= set(stored["metric"])
    assert stored["phantom"].all()


def test_runs_of_one_method_that_differ_in_prevalence_are_told_apart(cohorts, found):
    cohort, healthy, _ = cohorts
    other = write_run(cohort, cohort.path.parent / "biased", "UNIT", healthy.images, prevalence={"T1w": 0, "T2w": 1})
    methods = set(audit([found[1][1], other], progress=False).lesions["method"])
    assert {"UNIT", "UNIT (T1w 0 %, T2w 100 %)"} <= methods


def test_runs_that_differ_in_neither_prevalence_nor_seed_are_told_apart_by_name(cohorts, found):
    cohort, healthy, _ = cohorts
    biased = {"prevalence": {"T1w": 0.5, "T2w": 0.5}}
    folders = [cohort.path.parent / name for name in ("short", "long")]
    runs = [write_run(cohort, folder, "UNIT", healthy.images, **biased) for folder in folders]
    methods = set(audit(runs, progress=False).lesions["method"])
    assert {"UNIT (50 %) (short)", "UNIT (50 %) (long)"} <= methods


def test_a_rejected_test_subject_is_left_out(cohorts, tmp_path):
    cohort = cohorts[0]
    path = tmp_path / "cohort.h5"
    shutil.copy(cohort.path, path)
    with Cohort(path) as copy:
        run = write_run(copy, tmp_path / "run", "UNIT", copy.images)
        decide(copy, "test-003", "rejected", "moved")
    with pytest.warns(UserWarning, match="test-003"):
        subjects = audit([run], progress=False).subjects
    assert subjects["subject"].nunique() == 11
    assert "test-003" not in set(subjects["subject"])


def test_without_a_tissue_label_contrasts_are_measured_and_nothing_is_searched(found):
    table = summary_of(audit(found[1][:2], tissue="", progress=False))
    assert table["invented"].isna().all()
    assert (rows_of(table, "Generators_s")["recovered"] == 1).all()
    assert (rows_of(table, "UNIT")["erased_share"] > 0.8).all()


def test_bad_input(cohorts, found, tmp_path):
    with pytest.raises(InputError, match=r"no run to audit"):
        audit([])
    with pytest.raises(InputError, match=r"cohort\.h5: no label 'tumour' .labels: CSF, grey matter"):
        audit(found[1], lesion="tumour", progress=False)
    unlabelled = write_fake_run(tmp_path / "run", write_tiny_cohort(tmp_path / "cohort.h5"))
    with pytest.raises(InputError, match=r"cohort\.h5: no label 'lesion' .labels: none.; import a label map"):
        audit([unlabelled], progress=False)
    differ = r"copies and .*run were trained on different cohorts .cohort\.h5 \w{12}; cohort\.h5 \w{12}."
    with pytest.raises(InputError, match=differ):
        audit([found[1][0], unlabelled], progress=False)
    healthy = cohorts[1]
    with pytest.raises(InputError, match=r"healthy\.h5: no label 'lesion' .labels: CSF, grey matter, white matter."):
        audit([write_run(healthy, healthy.path.parent / "healthy", "UNIT", healthy.images)], progress=False)


def test_a_subject_without_a_mask_is_named_with_the_cohort(cohorts, tmp_path):
    path = tmp_path / "cohort.h5"
    shutil.copy(cohorts[0].path, path)
    with Cohort(path) as copy:
        run = write_run(copy, tmp_path / "run", "UNIT", copy.images)
    with h5py.File(path, "r+") as file:
        file["subjects/test-002/mask"][:] = 0
    with pytest.raises(InputError, match=r"cohort\.h5: subject test-002, T1w → T2w .Real images.: the mask is empty"):
        audit([run], progress=False)


def test_a_translation_that_cannot_be_searched_is_named(cohorts):
    cohort = cohorts[0]
    run = write_run(cohort, cohort.path.parent / "nan", "UNIT", lambda *what: cohort.images(*what) * np.nan)
    with pytest.raises(InputError, match=r"nan/synthetic\.h5: t1w_to_t2w/test-000 .UNIT.: .*NaN.*; translate anew"):
        audit([run], progress=False)
