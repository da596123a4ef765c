"""The audit's notebook on runs that erase and invent on purpose, and the study that trains for it."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
import yaml

from ganlib.cohort.phantom import PhantomSettings, make_phantom
from ganlib.notebook import declared_parameters
from ganlib.training.settings import TrainingSettings
from tests.conftest import write_tiny_cohort
from tests.display.test_audit import audited  # noqa: F401, a fixture
from tests.evaluation.fake_runs import write_fake_run

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = "notebooks/06_hallucination_audit.ipynb"


def run_notebook(folder, **parameters):
    arguments = [f"--parameter={key}={json.dumps(value)}" for key, value in parameters.items()]
    command = [sys.executable, "-m", "ganlib", "notebook", NOTEBOOK, str(folder / "out.ipynb"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.slow
def test_the_notebook_counts_draws_and_writes(audited, tmp_path):  # noqa: F811
    runs = [str(run.folder) for run in audited[1]]
    done = run_notebook(tmp_path, runs=runs, output=str(tmp_path / "results"))
    assert done.returncode == 0, done.stdout + done.stderr
    table = pd.read_csv(tmp_path / "results" / "summary.csv").set_index(["method", "direction"])
    erases = table.loc[("CycleGAN", "t1w_to_t2w")]
    assert erases["erased"] == erases["lesions"] > 0
    assert table.loc[("CycleGAN (T1w 0 %, T2w 100 %)", "t2w_to_t1w"), "invented"] > 0
    for name in ("images", "counts", "free_response"):
        assert (tmp_path / "results" / f"{name}.html").stat().st_size > 1_000_000
    cells = nbformat.read(tmp_path / "out.ipynb", 4).cells
    assert not [output for cell in cells for output in cell.get("outputs", []) if output.output_type == "error"]


@pytest.mark.slow
def test_one_patient_and_nobody_healthy_is_audited_without_interval(tmp_path):
    path = tmp_path / "cohort.h5"
    settings = {"num_train": 6, "num_validation": 0, "num_test": 1, "size": (64, 56), "voxel_mm": 3.5}
    make_phantom(
        path, PhantomSettings(**settings, lesion_prevalence=1, lesion_diameter_mm=(20, 30)), progress=False
    ).close()
    runs = [str(write_fake_run(tmp_path / name, path, label=name).folder) for name in ("CycleGAN", "UNIT")]
    done = run_notebook(tmp_path, runs=runs, output=str(tmp_path / "results"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(one patient: no interval)" in (tmp_path / "out.ipynb").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({}, "no label 'lesion' (labels: none); import a label map with it"),
        ({"lesion": "tumour"}, "no label 'tumour'"),
    ],
)
def test_a_cohort_without_the_label_is_one_line(tmp_path, parameters, named):
    run = write_fake_run(tmp_path / "run", write_tiny_cohort(tmp_path / "cohort.h5"))
    done = run_notebook(tmp_path, runs=[str(run.folder)], output=str(tmp_path / "results"), **parameters)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert named in done.stderr
    assert not (tmp_path / "results").exists()


def test_the_study_names_known_parameters_and_what_is_fair():
    config = yaml.safe_load((ROOT / "notebooks" / "audit.yaml").read_text())
    known = set(declared_parameters(ROOT / "notebooks/02_train.ipynb"))
    paired = {"simple", "generators_s", "cyclegan_s", "pix2pix"}
    for run in config["runs"].values():
        assert set(run) <= known
        TrainingSettings(**run)
        assert run["method"] not in paired or run["prevalence"]["T1w"] == run["prevalence"]["T2w"]
    assert set(config["audit"]) <= set(declared_parameters(ROOT / NOTEBOOK))
    assert set(config["audit"]["pictured"]) <= set(config["runs"])
    assert set(config["evaluation"]) <= set(declared_parameters(ROOT / "notebooks/03_evaluate.ipynb"))


def test_both_methods_of_the_study_have_every_share_of_either_target_and_supervision_no_fewer_updates():
    config = yaml.safe_load((ROOT / "notebooks" / "audit.yaml").read_text())
    patients = config["cohort"]["settings"]["num_train"] * config["cohort"]["settings"]["lesion_prevalence"]
    shares, updates = {}, {}
    for run in config["runs"].values():
        common = max(run["prevalence"]["T2w"], 1 - run["prevalence"]["T2w"])
        number = patients if run["method"] == "cyclegan" else patients / common
        updates.setdefault(run["method"], []).append(run["epochs"] * number)
        for contrast, share in run["prevalence"].items():
            shares.setdefault((run["method"], contrast), set()).add(share)
    assert len(set(map(frozenset, shares.values()))) == 1
    assert min(updates["generators_s"]) >= max(updates["cyclegan"])
