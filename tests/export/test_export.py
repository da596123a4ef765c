"""Exported generators: each format gives what the run's own generator gives, and the card says what has to be said."""

import json
import shutil
import sys

import keras
import numpy as np
import pytest

from ganlib import cli
from ganlib.errors import InputError
from ganlib.evaluation.evaluate import evaluate
from ganlib.export import export_generator
from ganlib.models import generators
from ganlib.training.fit import train
from ganlib.translate import translate_test_set
from tests.conftest import write_tiny_cohort


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    cohort = write_tiny_cohort(folder / "cohort.h5")
    settings = {"method": "simple", "epochs": 1, "options": {"filters": 8}}
    return train(cohort, folder / "run", settings, progress=False)


def _images(run):
    return np.random.default_rng(0).uniform(-1, 1, (3, *run.config.image_shape, 1)).astype(np.float32)


def _expected(run, place):
    return np.asarray(generators.load(run.weights("best"))[place](_images(run)))


@pytest.mark.parametrize(("direction", "place"), [("t1w_to_t2w", 0), ("t2w_to_t1w", 1)])
def test_keras_file_is_that_generator_alone(run, tmp_path, direction, place):
    done = export_generator(run, tmp_path, direction=direction)
    assert done.models == {"keras": tmp_path / f"{direction}.keras"}
    shutil.copy(done.models["keras"], tmp_path / "elsewhere.keras")
    network = keras.saving.load_model(tmp_path / "elsewhere.keras", compile=False)
    np.testing.assert_allclose(np.asarray(network(_images(run))), _expected(run, place), atol=1e-6)
    both = sum(variable.shape.num_elements() for variable in generators.load(run.weights())[0].variables)
    assert network.count_params() == both


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="read back with TensorFlow")
def test_saved_model_gives_the_same(run, tmp_path):
    import tensorflow as tf

    done = export_generator(run, tmp_path, formats=["saved_model", "keras"])
    served = tf.saved_model.load(str(done.models["saved_model"]))
    np.testing.assert_allclose(served.serve(_images(run)).numpy(), _expected(run, 0), atol=1e-5)
    assert not list(tmp_path.glob(".*"))


def test_format_that_cannot_be_written_is_refused_by_name(run, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = export_generator(run, tmp_path, formats=["keras", "onnx"])
    assert list(done.models) == ["keras"]
    assert "install: python -m pip install onnx" in done.refused["onnx"]
    with pytest.raises(InputError, match="nothing was exported; onnx"):
        export_generator(run, tmp_path, formats=["onnx"])
    with pytest.raises(InputError, match="format 'pb' is unknown"):
        export_generator(run, tmp_path, formats=["pb"])


def test_card_says_what_has_to_be_said(run, tmp_path):
    card = (export_generator(run, tmp_path).folder / "README.md").read_text()
    with run.cohort() as cohort:
        assert cohort.split_hash[:12] in card
        assert cohort.fingerprint[:12] in card
    for words in ("T1w → T2w", "Not for diagnosis", "Intended use", "Limits", "PHANTOM", "not evaluated", "6 training"):
        assert words in card
    record = json.loads((tmp_path / "export.json").read_text())
    assert record["for_diagnosis"] is False
    assert len(record["sha256"]["keras"]) == 64


def test_card_has_the_scores_with_their_protocol(run, tmp_path):
    translate_test_set(run, progress=False)
    evaluate(run, progress=False)
    card = (export_generator(run, tmp_path).folder / "README.md").read_text()
    table = run.scores().query("direction == 't1w_to_t2w' and method == 'Simple' and metric == 'psnr_db'")
    value = table[table.protocol == "masked"]["value"].mean()
    [line] = [line for line in card.splitlines() if line.startswith("| PSNR, masked")]
    assert f"{value:.3g}" in line
    assert "| PSNR, paper" in card
    assert "not evaluated" not in card


def test_command_line(run, tmp_path, monkeypatch, capfd):
    arguments = ["ganlib", "export", run.folder, "-o", tmp_path / "out", "--direction", "t2w"]
    monkeypatch.setattr(sys, "argv", list(map(str, arguments)))
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 0
    assert "t2w_to_t1w.keras" in capfd.readouterr().out
    assert (tmp_path / "out" / "README.md").is_file()
