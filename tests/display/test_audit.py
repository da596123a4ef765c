"""The audit's figures and table: complete, labelled, and with the counts of the audit."""

import re

import pytest

from ganlib.cohort.phantom import PhantomSettings, make_phantom
from ganlib.display.audit import audit_figure, audit_table, caption_of, free_response_figure
from ganlib.display.hallucination import MARKS, hallucination_grid, runs_named
from ganlib.errors import InputError
from ganlib.evaluation.audit import REAL, audit
from ganlib.evaluation.audit_results import training_table, write_audit
from ganlib.evaluation.audit_summary import summary_of
from ganlib.runs import Run, RunConfig

#: Methods of the two runs: one without, and one with a prevalence.
ERASES, INVENTS = "CycleGAN", "CycleGAN (T1w 0 %, T2w 100 %)"


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """A cohort, two runs that swap healthy people and patients, and their audit."""
    folder = tmp_path_factory.mktemp("figures")
    common = {"num_train": 8, "num_validation": 0, "num_test": 6, "size": (80, 68), "voxel_mm": 2.8, "seed": 3}
    cohorts = {
        share: make_phantom(
            folder / f"cohort-{share}.h5",
            PhantomSettings(**common, lesion_prevalence=share / 100, lesion_diameter_mm=(12, 20)), progress=False,
        )
        for share in (0, 50, 100)
    }  # fmt: skip
    cohort = cohorts[50]
    runs = [write_run(cohort, folder / name, cohorts[share], name) for name, share in (("erases", 0), ("invents", 100))]
    yield cohort, runs, audit(runs, progress=False)
    for each in cohorts.values():
        each.close()


def write_run(cohort, folder, other, name):
    """A run whose translations are the same people's images in another cohort."""
    config = RunConfig(
        method="cyclegan", method_label="CycleGAN", cohort=f"../{cohort.path.name}", phantom=True,
        cohort_fingerprint=cohort.fingerprint, contrasts=cohort.contrasts, image_shape=cohort.shape, epochs=1,
        learning_rate=1e-3, prevalence={"T1w": 0, "T2w": 1} if name == "invents" else None,
    )  # fmt: skip
    run = Run.create(folder, config, cohort.split())
    run.write_synthetic(
        (direction, subject_id, other.images(subject_id, direction.target))
        for direction in run.directions for subject_id in cohort.ids("test")
    )  # fmt: skip
    return run


def texts(figure):
    return " ".join(note.text for note in figure.layout.annotations) + figure.layout.title.text


def test_the_grid_outlines_what_was_erased_and_invented_and_says_so(audited):
    cohort, runs, found = audited
    figure = hallucination_grid(cohort, runs, found)
    assert len([trace for trace in figure.data if trace.type == "heatmap"]) == 4 * 4
    outlines = {trace.name for trace in figure.data if trace.type == "scatter"}
    assert outlines == set(MARKS)
    written = texts(figure)
    for words in ("PHANTOM", "not for diagnosis", "T1w → T2w", "T2w → T1w", "SSIM 0.9", "T1w 0 %, T2w 100 %"):
        assert words in written
    assert any("erased" in note.text and " of " in note.text for note in figure.layout.annotations)
    arrows = [note for note in figure.layout.annotations if note.showarrow]
    assert {note.arrowcolor for note in arrows} == {MARKS["erased"][0], MARKS["invented"][0]}


def test_every_method_has_its_points_counts_and_interval(audited):
    _, _, found = audited
    figure = audit_figure(found)
    names = {trace.name for trace in figure.data}
    assert names == {REAL, ERASES, INVENTS}
    row = summary_of(found).query("method == 'CycleGAN' and direction == 't1w_to_t2w'").iloc[0]
    assert f"{row.lesions} of {row.lesions}" in texts(figure)
    assert "PHANTOM" in figure.layout.title.text
    assert all(axis.title.text for axis in figure.select_xaxes())


def test_the_curve_of_the_real_images_is_there(audited):
    figure = free_response_figure(audited[2])
    curves = {trace.name: trace for trace in figure.data if trace.xaxis == "x"}
    assert max(curves[REAL].y) == 1
    assert max(curves[INVENTS].x) > 0.5


def test_the_table_has_counts_in_words(audited):
    table = audit_table(audited[2])
    cells = table.data.loc[("T1w → T2w", ERASES)]
    erased, lesions = cells["erased"].split(" of ")
    assert re.fullmatch(r"\d\.\d\d \[\d\.\d\d, \d\.\d\d\]", cells["erased, share"])
    assert int(erased) == int(lesions) > 0
    assert table.caption.startswith("PHANTOM · 6 test subjects")


def test_results_are_written_as_data(audited, tmp_path):
    write_audit(audited[2], tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "subjects.parquet", "lesions.parquet", "free_response.parquet", "summary.csv", "curves.csv", "reference.json",
    }  # fmt: skip


def test_who_was_trained_on(audited):
    table = training_table(audited[1]).set_index("run")
    assert table.loc["erases", "T1w subjects"] == table.loc["erases", "in both"] == 8
    assert 0 < table.loc["erases", "T2w with lesion"] < 8


def test_without_a_patient_there_is_no_picture(audited):
    cohort, runs, found = audited
    nobody = found._replace(subjects=found.subjects[found.subjects["healthy"]])
    with pytest.raises(InputError, match="no test subject has a lesion that can be seen"):
        hallucination_grid(cohort, runs, nobody)


def test_one_subject_has_no_interval_and_that_is_said(audited):
    found = audited[2]
    patient = found.subjects.loc[found.subjects["lesions"] > 0, "subject"].iloc[0]
    alone = found._replace(subjects=found.subjects[found.subjects["subject"] == patient])
    assert "1 test subject, 1 with lesions, 0 without" in caption_of(alone)
    assert "intervals over subjects (one patient: no interval)" in caption_of(alone)
    assert "no interval" not in caption_of(found)
    assert audit_table(alone).data.loc[("T1w → T2w", ERASES), "erased, share"] == "1.00"


def test_pictures_of_some_runs(audited):
    runs = audited[1]
    assert runs_named(runs, []) == runs
    assert runs_named(runs, ["invents"]) == runs[1:]
    with pytest.raises(InputError, match="no run is called 'inverts'; there are erases, invents"):
        runs_named(runs, ["inverts"])
