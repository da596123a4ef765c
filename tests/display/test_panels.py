import json
import subprocess
import sys

import ipywidgets
import numpy as np
import pandas as pd
import pytest

from ganlib.cohort import Cohort
from ganlib.display import palette, panels
from ganlib.display.viewer import CompareViewer, SliceReader
from ganlib.errors import InputError
from ganlib.runs import Run, RunConfig
from tests.conftest import write_tiny_cohort

TEST = ("sub-08", "sub-09")


@pytest.fixture
def make_run(tmp_path):
    """Function that makes a run in `runs/` of the test's folder, on the cohort file of that name beside it."""

    def make(name, label=None, cohort="cohort.h5", *, translated=True, scored=True, splits=None):
        path = tmp_path / cohort
        if not path.exists():
            write_tiny_cohort(path, **({"splits": splits} if splits else {}))
        with Cohort(path) as opened:
            run = Run.create(tmp_path / "runs" / name, config(label or name, opened), opened.split())
            if translated:
                run.write_synthetic(
                    (d, s, opened.images(s, d.target)) for d in run.directions for s in opened.ids("test")
                )
        if scored:
            run.write_scores(scores(run))
        return run

    return make


def config(label, cohort):
    return RunConfig(
        method=label.lower(), method_label=label, cohort=f"../../{cohort.path.name}", phantom=True,
        cohort_fingerprint=cohort.fingerprint, contrasts=("T1w", "T2w"), image_shape=cohort.shape, epochs=1,
        learning_rate=1e-4,
    )  # fmt: skip


def scores(run):
    rows = [
        (subject, method, direction.name, protocol, "psnr_db", 20.123456789 + at + (method == run.label))
        for direction in run.directions
        for at, subject in enumerate(TEST)
        for method in (run.label, palette.BASELINE, palette.MEAN_IMAGE)
        for protocol in ("masked", "paper")
    ]
    return pd.DataFrame(rows, columns=["subject", "method", "direction", "protocol", "metric", "value"])


def describe(runs):
    cohort = panels.open_cohort(runs)
    return panels.describe(cohort, runs, SliceReader(cohort, runs))


class TestFindRuns:
    def test_in_display_order_with_a_note_for_what_is_left_out(self, make_run, tmp_path):
        make_run("u", "UNIT")
        make_run("a", "CycleGAN")
        make_run("z", "Simple")
        make_run("new", "pix2pix", translated=False)
        (tmp_path / "runs" / "notes").mkdir()
        runs, notes = panels.find_runs(tmp_path / "runs")
        assert [run.label for run in runs] == ["Simple", "CycleGAN", "UNIT"]
        assert notes == ["new is left out: not translated yet (no synthetic.h5)"]

    def test_missing_and_empty_folder(self, tmp_path):
        with pytest.raises(InputError, match="nowhere: no such folder; set GANLIB_RUNS"):
            panels.find_runs(tmp_path / "nowhere")
        with pytest.raises(InputError, match="no run folder in it"):
            panels.find_runs(tmp_path)

    def test_only_untranslated_runs(self, make_run, tmp_path):
        make_run("new", translated=False)
        with pytest.raises(InputError, match=r"no run has a synthetic\.h5 \(new\)"):
            panels.find_runs(tmp_path / "runs")


class TestCohort:
    def test_runs_of_different_cohorts_are_refused_by_name(self, make_run):
        one = make_run("one")
        two = make_run("two", cohort="other.h5", splits=("train",) * 7 + ("test",) * 3)
        with pytest.raises(InputError, match=r"one on cohort\.h5 .*; two on other\.h5") as refused:
            panels.open_cohort([one, two])
        assert "\n" not in str(refused.value)

    def test_one_cohort(self, make_run):
        assert panels.open_cohort([make_run("one"), make_run("two")]).header.name == "tiny"


def test_several_runs_of_a_method_carry_their_folder(make_run):
    runs = [make_run("seed0", "CycleGAN"), make_run("seed1", "CycleGAN"), make_run("u", "UNIT")]
    assert panels.labels(runs) == ["CycleGAN · seed0", "CycleGAN · seed1", "UNIT"]
    models = describe(runs)["models"]
    assert models[0]["colour"] == models[1]["colour"] == "#D55E00"


class TestDescription:
    def test_is_json_and_says_what_the_page_needs(self, make_run):
        described = json.loads(json.dumps(describe([make_run("s", "Simple"), make_run("u", "UNIT")])))
        assert described["phantom"] is True
        assert described["voxel_mm"] == [2, 2]
        assert [entry["name"] for entry in described["directions"]] == ["t1w_to_t2w", "t2w_to_t1w"]
        assert described["directions"][0]["subjects"] == list(TEST)
        assert described["ranges"]["T2w"][1] > 100
        assert described["floor"] == 0.05

    def test_scores_stand_in_the_order_of_the_subjects(self, make_run):
        runs = [make_run("u", "UNIT"), make_run("s", "Simple", scored=False)]
        content = panels.scores(runs, describe(runs)["directions"])
        strips = content["scores"]["t2w_to_t1w"]["masked"]["psnr_db"]
        assert strips == {"UNIT": [21.1235, 22.1235], "Doing nothing": [20.1235, 21.1235]}
        assert content["notes"] == ["s has no scores yet (no scores.parquet): run 03_evaluate.ipynb"]

    def test_missing_and_infinite_scores_become_null(self, make_run):
        run = make_run("u", "UNIT", scored=False)
        table = scores(run)
        table = table[table["subject"] != "sub-09"]
        table["value"] = np.inf
        run.write_scores(table)
        content = json.dumps(panels.scores([run], describe([run])["directions"]), allow_nan=False)
        assert json.loads(content)["scores"]["t1w_to_t2w"]["paper"]["psnr_db"]["UNIT"] == [None, None]


class TestCompare:
    def test_finds_the_runs_of_the_environment(self, make_run, tmp_path, monkeypatch):
        make_run("u", "UNIT")
        monkeypatch.setenv("GANLIB_RUNS", str(tmp_path / "runs"))
        viewer = panels.compare()
        assert isinstance(viewer, CompareViewer)
        assert [model["label"] for model in viewer.description["models"]] == ["UNIT"]

    def test_default_lies_in_this_folder_or_above(self, make_run, tmp_path, monkeypatch):
        monkeypatch.delenv("GANLIB_RUNS", raising=False)
        make_run("u", "UNIT")
        (tmp_path / "results" / "demo").mkdir(parents=True)
        for name in ("runs", "cohort.h5"):
            (tmp_path / name).rename(tmp_path / "results" / "demo" / name)
        (tmp_path / "dashboards").mkdir()
        monkeypatch.chdir(tmp_path / "dashboards")
        assert isinstance(panels.compare(), CompareViewer)

    def test_a_mistake_is_one_escaped_line(self, tmp_path):
        shown = panels.compare(tmp_path / "<b>none</b>")
        assert isinstance(shown, ipywidgets.HTML)
        assert "&lt;b&gt;none&lt;/b&gt;: no such folder" in shown.value
        assert "<b>" not in shown.value
        assert "\n" not in shown.value


class TestPalette:
    def test_every_method_has_its_own_colour_and_mark(self):
        assert len({palette.method_colour(label) for label in palette.ORDER}) == len(palette.ORDER)
        assert len({palette.method_symbol(label) for label in palette.ORDER}) == len(palette.ORDER)
        assert palette.method_colour("CycleGAN") == "#D55E00"

    def test_unknown_methods_are_dressed_alike_every_time(self):
        assert palette.method_colour("Mine") == palette.method_colour("Mine")
        assert palette.method_symbol("Mine") not in {palette.method_symbol(label) for label in palette.ORDER}


def test_no_deep_learning_framework_is_imported():
    code = (
        "import sys, ganlib.display.panels; sys.exit(bool({'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
