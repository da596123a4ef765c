"""What may be trained on what, and in which folder."""

import json

import pytest

from ganlib.cohort import Cohort, CohortWriter
from ganlib.errors import InputError
from ganlib.runs import Run
from ganlib.training.domains import halves
from ganlib.training.fit import train
from ganlib.training.settings import TrainingSettings
from tests.conftest import write_tiny_cohort
from tests.training.small import OPTIONS, stop_after_one_epoch

_SETTINGS = {"method": "simple", "epochs": 2, "options": {"filters": 8}}
_CYCLEGAN = {"method": "cyclegan", "epochs": 2, "options": OPTIONS["cyclegan"]}


def test_other_settings_in_the_same_folder_are_refused_and_named(tiny_cohort, tmp_path):
    train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    with pytest.raises(InputError, match=r"run: holds a training with epochs 2, not 3"):
        train(tiny_cohort, tmp_path / "run", {**_SETTINGS, "epochs": 3}, progress=False)
    assert len(Run(tmp_path / "run").history) == 2


def test_another_cohort_in_the_same_folder_is_refused_and_named(tiny_cohort, tmp_path):
    train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False)
    other = tmp_path / "other.h5"
    write_tiny_cohort(other, shape=(20, 16))
    with pytest.raises(InputError, match=r"run: holds a training on \S+\.h5 \(16 x 16 .* other\.h5 \(20 x 16 "):
        train(other, tmp_path / "run", _SETTINGS, progress=False)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"method": "cyclegann"}, "cyclegann"),
        ({"method": "simple", "epoch": 3}, "epoch"),
        ({"method": "simple", "epochs": "two"}, "epochs"),
        ({"method": "simple", "options": {"filtres": 3}}, "filtres"),
        ({"method": "simple", "batch_size": 99}, "batch_size 99"),
        ({"method": "simple", "contrasts": ("T1w", "FLAIR")}, "FLAIR"),
        ({"method": "simple", "options": {"preset": "improved"}}, "preset"),
        ({"method": "simple", "precision": "float8"}, "precision"),
        ({"method": "simple", "ema": 1.5}, "ema"),
        ({"method": "simple", "best_on": "beauty"}, "best_on"),
        ({"method": "simple", "memory_gb": 0}, "memory_gb"),
        ({"method": "simple", "unpaired": True}, "method 'simple' learns from pairs, and `unpaired` leaves none"),
        ({"method": "pix2pix", "unpaired": True}, "method 'pix2pix' learns from pairs"),
        ({"method": "simple", "data_parallel": True}, "data_parallel needs the JAX backend"),
    ],
)
def test_settings_that_cannot_be_used_are_named(tiny_cohort, tmp_path, settings, named):
    with pytest.raises(InputError, match=named) as caught:
        train(tiny_cohort, tmp_path / "run", settings, progress=False)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_setting_that_was_refused_can_be_mended_in_the_same_folder(tiny_cohort, tmp_path):
    with pytest.raises(InputError, match="batch_size 99"):
        train(tiny_cohort, tmp_path / "run", {**_SETTINGS, "batch_size": 99}, progress=False)
    assert len(train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False).history) == 2


@pytest.mark.slow
def test_unpaired_training_divides_the_subjects_by_the_seed(tiny_cohort, tmp_path):
    first = train(tiny_cohort, tmp_path / "first", {**_CYCLEGAN, "epochs": 1, "unpaired": True}, progress=False)
    domains = first.domains
    assert len(domains["T1w"]) == len(domains["T2w"]) == 3
    assert sorted(domains["T1w"] + domains["T2w"]) == first.split["train"]
    assert first.config.best_on == "label_free"
    with Cohort(tiny_cohort) as cohort:
        splits = [str(halves(cohort, first.config.contrasts, seed)) for seed in range(4)]
    assert splits[0] == str(domains)
    assert len(set(splits)) > 1


def test_family_is_not_divided(tmp_path):
    path = tmp_path / "cohort.h5"
    with Cohort(write_tiny_cohort(tmp_path / "source.h5")) as source, CohortWriter(path, source.header) as writer:
        for index, subject in enumerate(source.subjects):
            images = {contrast: source.images(subject.id, contrast) for contrast in source.contrasts}
            twin = subject.model_copy(update={"family": f"family-{index // 2}"})
            writer.add(twin, images=images, mask=source.mask(subject.id))
    with Cohort(path) as cohort:
        for seed in range(5):
            parts = halves(cohort, ("T1w", "T2w"), seed).values()
            families = [{cohort.subject(name).family for name in part} for part in parts]
            assert not families[0] & families[1]


@pytest.mark.slow
def test_run_folder_of_an_older_version_is_resumed(tiny_cohort, tmp_path):
    stop_after_one_epoch(tiny_cohort, tmp_path / "run", _SETTINGS)
    config, state = tmp_path / "run" / "config.json", tmp_path / "run" / "checkpoint" / "state.json"
    old = {"method", "method_label", "cohort", "cohort_fingerprint", "phantom", "contrasts", "image_shape", "seed",
           "epochs", "batch_size", "learning_rate", "precision", "deterministic", "versions"}  # fmt: skip
    record = {name: value for name, value in json.loads(config.read_text()).items() if name in old}
    config.write_text(json.dumps({**record, "options": {"filters": 8}}))
    progress = json.loads(state.read_text())
    del progress["trained"]
    state.write_text(json.dumps(progress))
    assert len(train(tiny_cohort, tmp_path / "run", _SETTINGS, progress=False).history) == 2


@pytest.mark.parametrize(
    ("short", "policy"), [("bfloat16", "mixed_bfloat16"), ("float16", "mixed_float16"), ("float32", "float32")]
)
def test_precision_has_short_names(short, policy):
    assert TrainingSettings(method="simple", precision=short).precision == policy
    assert TrainingSettings(method="simple", precision=policy).precision == policy
