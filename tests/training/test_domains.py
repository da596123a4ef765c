"""Who trains which contrast."""

import pytest

from ganlib.cohort import Cohort
from ganlib.cohort.phantom import PhantomSettings, make_phantom
from ganlib.cohort.prevalence import with_lesion
from ganlib.cohort.split import read_split, split_hash
from ganlib.errors import InputError
from ganlib.training.domains import are_apart, training_domains
from ganlib.training.settings import TrainingSettings
from tests.conftest import write_tiny_cohort
from tests.training.small import OPTIONS

CONTRASTS = ("T1w", "T2w")
ONE_IN_BOTH = {"T1w": ["train-000"], "T2w": ["train-000"]}


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    """Path of a small phantom cohort, half of whose subjects have lesions."""
    path = tmp_path_factory.mktemp("domains") / "cohort.h5"
    settings = {"num_train": 12, "num_validation": 1, "num_test": 2, "size": (32, 28), "voxel_mm": 7.0}
    make_phantom(path, PhantomSettings(**settings, lesion_prevalence=0.5, lesion_diameter_mm=(14, 20)), progress=False)
    return path


def domains(path, *, paired=False, **settings):
    with Cohort(path) as cohort:
        return training_domains(cohort, CONTRASTS, TrainingSettings(method="cyclegan", **settings), paired=paired)


def test_healthy_people_in_one_contrast_and_patients_in_the_other(patients):
    found = domains(patients, prevalence={"T2w": 1.0, "T1w": 0.0})
    with Cohort(patients) as cohort:
        affected = with_lesion(cohort, cohort.ids("train"))
    assert list(found) == list(CONTRASTS)
    assert not any(affected[subject_id] for subject_id in found["T1w"])
    assert all(affected[subject_id] for subject_id in found["T2w"])
    assert len(found["T1w"]) == len(found["T2w"]) == min(sum(affected.values()), 12 - sum(affected.values()))
    assert are_apart(found)


def test_pairs_have_one_prevalence(patients):
    found = domains(patients, paired=True, prevalence={"T1w": 1.0, "T2w": 1.0})
    with Cohort(patients) as cohort:
        affected = with_lesion(cohort, cohort.ids("train"))
    assert found["T1w"] == found["T2w"] == [subject_id for subject_id in affected if affected[subject_id]]
    with pytest.raises(InputError, match=r"prevalence T1w 0, T2w 1: method 'cyclegan' learns from pairs"):
        domains(patients, paired=True, prevalence={"T1w": 0, "T2w": 1})


def test_lists_are_taken_as_they_are(patients):
    lists = {"T2w": ["train-003", "train-001"], "T1w": ["train-000", "train-001"]}
    found = domains(patients, subjects=lists)
    assert found == lists
    assert list(found) == list(CONTRASTS)
    assert not are_apart(found)


def test_by_default_everybody_trains_both(patients):
    assert domains(patients) is None
    assert not are_apart(None)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"subjects": {"T1w": ["train-000"]}}, r"setting `subjects` is of T1w; give it for T1w and T2w"),
        ({"prevalence": {}}, r"setting `prevalence` is of no contrast; give it for T1w and T2w"),
        ({"subjects": {"T1w": ["test-000"], "T2w": ["train-000"]}}, r"T1w: 'test-000' is no training subject of .*h5"),
        ({"subjects": {"T1w": ["train-000"] * 2, "T2w": ["train-000"]}}, r"T1w: a subject is there twice"),
        ({"subjects": {"T1w": ["train-000"], "T2w": []}}, r"T2w: nobody is there"),
        ({"subjects": {"T1w": ["train-000"], "T2w": ["train-001"]}, "paired": True}, r"both contrasts need the same"),
        ({"subjects": ONE_IN_BOTH, "unpaired": True}, r"a subject is in both contrasts"),
        ({"subjects": ONE_IN_BOTH, "prevalence": {}}, r"`subjects` and `prevalence` both"),
        ({"prevalence": {"T1w": 0, "T2w": 2}}, r"prevalence 2 is not a share"),
        ({"prevalence": {"T1w": 0, "T2w": 1}, "lesion": "tumour"}, r"cohort\.h5: no label 'tumour'"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(patients, settings, named):
    with pytest.raises(InputError, match=named) as caught:
        domains(patients, **settings)
    assert "\n" not in str(caught.value)


def test_a_cohort_without_lesion_labels_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"cohort\.h5: no label 'lesion' .labels: none.; import a label map"):
        domains(write_tiny_cohort(tmp_path / "cohort.h5"), prevalence={"T1w": 0, "T2w": 1})


@pytest.mark.slow
def test_the_run_knows_who_trained_what_and_its_split_stays_the_cohorts(patients, tmp_path):
    from ganlib.training.fit import train

    settings = {"method": "cyclegan", "epochs": 1, "options": OPTIONS["cyclegan"], "prevalence": {"T1w": 0, "T2w": 1}}
    run = train(patients, tmp_path / "run", settings, progress=False)
    assert run.domains == domains(patients, prevalence={"T1w": 0, "T2w": 1})
    assert (run.config.prevalence, run.config.lesion) == ({"T1w": 0, "T2w": 1}, "lesion")
    assert run.config.unpaired
    assert run.config.best_on == "label_free"
    with Cohort(patients) as cohort:
        assert run.split == cohort.split()
        assert split_hash(read_split(tmp_path / "run" / "split.json")) == cohort.split_hash
    train(patients, tmp_path / "run", settings, progress=False)
    with pytest.raises(InputError, match=r"run: holds a training with prevalence .*not"):
        train(patients, tmp_path / "run", {**settings, "prevalence": {"T1w": 1, "T2w": 0}}, progress=False)


@pytest.mark.slow
def test_a_folder_with_other_lists_is_refused(patients, tmp_path):
    from ganlib.training.fit import train

    lists = {"T1w": ["train-000", "train-001"], "T2w": ["train-002", "train-003"]}
    settings = {"method": "cyclegan", "epochs": 1, "options": OPTIONS["cyclegan"], "subjects": lists}
    assert train(patients, tmp_path / "run", settings, progress=False).domains == lists
    other = {**settings, "subjects": {**lists, "T2w": ["train-004"]}}
    with pytest.raises(InputError, match=r"run: holds a training of other `subjects`"):
        train(patients, tmp_path / "run", other, progress=False)
