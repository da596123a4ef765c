"""The real notebooks run by the real workflow on a tiny phantom: their values, and a second run that redoes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml

from ganlib.evaluation.protocols import MASKED, PROTOCOLS
from ganlib.notebook import declared_parameters
from ganlib.runs import Run

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def _workflow(out, *options):
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", "notebooks/Snakefile", "--configfile", "notebooks/tiny.yaml",
        "--config", f"out={out}", "--cores", "all", "--resources", "notebooks=2", "--directory", str(ROOT),
        "--nolock", *options,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, "CI": "1"})


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    out = tmp_path_factory.mktemp("workflow")
    done = _workflow(out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.mark.slow
def test_scores_are_those_of_the_stored_images(results):
    run = Run(results / "runs" / "cyclegan")
    scores = run.scores()
    direction = run.directions[0]
    with run.cohort() as cohort:
        subject_id = cohort.ids("test")[0]
        expected = MASKED.score(
            cohort.images(subject_id, "T2w"), run.synthetic(subject_id, direction),
            mask=cohort.mask(subject_id), intensity_range=cohort.ranges["T2w"],
        )  # fmt: skip
    rows = scores[(scores.subject == subject_id) & (scores.direction == direction.name) & (scores.run == "cyclegan")]
    found = rows[rows.protocol == "masked"].set_index("metric")["value"]
    assert found["psnr_db"] == pytest.approx(expected["psnr_db"])
    assert found["mae"] == pytest.approx(expected["mae"])


@pytest.mark.slow
def test_comparison_has_every_method_and_the_baselines(results):
    table = pd.read_csv(results / "comparison" / "summary.csv")
    assert set(table["method"]) == {"CycleGAN", "Simple", "Doing nothing", "Mean image"}
    assert np.isfinite(table["mean"]).all()
    assert table[table.metric == "psnr_db"]["n"].unique().tolist() == [2]


@pytest.mark.slow
def test_every_figure_was_shown_and_written(results):
    executed = nbformat.read(results / "04_compare.ipynb", 4)
    outputs = [output for cell in executed.cells if cell.cell_type == "code" for output in cell.outputs]
    charts = [output for output in outputs if "application/vnd.plotly.v1+json" in output.get("data", {})
              or "image/png" in output.get("data", {})]  # fmt: skip
    assert len(charts) >= 12
    assert not [output for output in outputs if output.output_type == "error"]
    figures = {path.stem for path in (results / "comparison").glob("*.html")} - {"report"}
    assert len(figures) == 13
    for suffix in ("svg", "pdf", "png"):
        assert {path.stem for path in (results / "comparison").glob(f"*.{suffix}")} == figures


@pytest.mark.slow
def test_every_run_was_measured_in_every_way_that_two_test_subjects_allow(results):
    run = Run(results / "runs" / "cyclegan")
    tables = {path.stem for path in run.folder.glob("*.parquet")}
    assert tables == {"scores", "realism", "registration", "regions", "steganography"}
    cost = json.loads((run.folder / "cost.json").read_text())
    assert cost["milliseconds_per_slice"] > 0
    assert cost["parameters"][0] == cost["parameters"][1] > 0
    assert run.config.versions["device"]
    executed = nbformat.read(run.folder / "03_evaluate.ipynb", 4)
    assert "2 test subjects, and it needs 4 at least" in str(executed.cells[-3].outputs)


@pytest.mark.slow
def test_the_report_holds_every_figure(results):
    page = (results / "comparison" / "report.html").read_text(encoding="utf-8")
    assert page.count("<figure") == 13
    assert "PHANTOM" in page
    assert "Classifier two-sample test: not measured" in page
    assert len(page) < 8_000_000


@pytest.mark.slow
def test_one_image_scores_differently_under_every_protocol(results):
    run = Run(results / "runs" / "cyclegan")
    table = pd.read_csv(results / "protocols" / "one_image.csv").set_index("image")
    direction, subject_id = run.directions[0], run.split["test"][0]
    row = table.loc[f"CycleGAN, subject {subject_id}"]
    scores = run.scores().query("run == 'cyclegan' and metric == 'psnr_db'")
    mine = scores[(scores["subject"] == subject_id) & (scores["direction"] == direction.name)]
    stored = mine.set_index("protocol")["value"]
    for protocol in PROTOCOLS:
        assert row[protocol] == pytest.approx(stored[protocol])
    assert row.max() - row.min() > 1
    assert len(list((results / "protocols").glob("*.html"))) == 3


@pytest.mark.slow
def test_second_run_redoes_nothing(results):
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()}
    again = _workflow(results)
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_explains_every_parameter_and_reads_as_prose(notebook):
    cells = nbformat.read(notebook, 4).cells
    assert cells[0].cell_type == "markdown"
    assert "**Question:" in cells[0].source
    for name in declared_parameters(notebook):
        assert f"`{name}`" in cells[0].source
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert not any("def " in cell.source for cell in code)


@pytest.mark.parametrize("name", ["demo", "tiny"])
def test_configurations_name_known_parameters(name):
    config = yaml.safe_load((ROOT / "notebooks" / f"{name}.yaml").read_text())
    assert set(config["cohort"]) <= set(declared_parameters(ROOT / "notebooks/01_prepare.ipynb"))
    for run in config["runs"].values():
        assert set(run) <= set(declared_parameters(ROOT / "notebooks/02_train.ipynb"))
