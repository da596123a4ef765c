"""The notebook of the perceptual study, executed on simulated raters and labelled so."""

import nbformat
import pandas as pd
import pytest

from ganlib.notebook import run_notebook
from ganlib.study import StudyDatabase, create_study, study_design
from tests.evaluation.fake_runs import write_fake_run
from tests.notebooks.test_workflow import ROOT
from tests.study.conftest import write_cohort

NOTEBOOK = ROOT / "notebooks" / "08_perceptual_study.ipynb"


@pytest.mark.slow
def test_results_of_simulated_raters_are_labelled_and_their_own(tmp_path):
    cohort = write_cohort(tmp_path / "cohort.h5")
    runs = [write_fake_run(tmp_path / label.lower(), cohort, label=label) for label in ("CycleGAN", "Simple")]
    database = StudyDatabase(tmp_path / "study.db", create=True)
    design = study_design(synthetic_per_cell=4, practice=2, real_from=("train", "test"), repeats=0.25)
    study, _ = create_study(database, "tiny", runs, design)
    output = tmp_path / "results"
    values = {"database": str(tmp_path / "study.db"), "output": str(output), "simulated_raters": 4}
    run_notebook(NOTEBOOK, tmp_path / "executed.ipynb", values)

    cells = [cell for cell in nbformat.read(tmp_path / "executed.ipynb", 4).cells if cell.cell_type == "code"]
    printed = "".join(output.get("text", "") for cell in cells for output in cell.outputs)
    assert printed.startswith("SIMULATED RATERS")
    answers = pd.read_csv(output / "answers.csv")
    assert answers["rater"].nunique() == 4
    assert set(answers["experience"]) == {"simulated"}
    labelled = pd.read_csv(output / "labelled.csv")
    [total] = labelled[(labelled.kind == "real") & (labelled.contrast == "all")].itertuples()
    first = answers[(answers.practice == 0) & (answers.showing == 1) & (answers.truth == "real")]
    assert total.value == pytest.approx((first.verdict == "real").mean())
    for name in ("results.html", "labelled.html"):
        assert "SIMULATED RATERS" in (output / name).read_text()
    assert study.raters() == []  # the study itself is untouched
