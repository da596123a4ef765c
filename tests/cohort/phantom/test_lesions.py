import numpy as np
import pytest
from scipy.ndimage import label

from ganlib.cohort.phantom import PhantomSettings, make_phantom
from ganlib.cohort.phantom.lesions import LESION_LABEL, lesion_tissue
from ganlib.cohort.phantom.tissues import INDEX, TISSUES


def make(path, **options):
    counts = {"num_train": 6, "num_validation": 0, "num_test": 1}
    return make_phantom(path, PhantomSettings(**counts | options), progress=False)


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    with make(tmp_path_factory.mktemp("lesions") / "patients.h5", lesion_prevalence=1.0) as cohort:
        yield cohort


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    with make(tmp_path_factory.mktemp("lesions") / "healthy.h5") as cohort:
        yield cohort


def lesion(cohort, subject_id):
    return cohort.labels(subject_id) == LESION_LABEL


def test_every_patient_has_one_to_three_lesions_of_the_stated_size(patients):
    for subject_id in patients.ids():
        found, number = label(lesion(patients, subject_id)[0])
        assert 1 <= number <= 3
        areas_mm2 = np.bincount(found.ravel())[1:] * patients.header.voxel_mm[0] ** 2
        diameters_mm = 2 * np.sqrt(areas_mm2 / np.pi)
        assert (diameters_mm > 5).all() and (diameters_mm < 15.5).all()


def test_a_lesion_is_dark_in_t1w_and_bright_in_t2w(patients):
    for subject_id in patients.ids():
        inside, white, grey = lesion(patients, subject_id), *(patients.labels(subject_id) == code for code in (3, 2))
        t1w, t2w = (patients.images(subject_id, contrast) for contrast in ("T1w", "T2w"))
        assert np.median(t1w[inside]) < 0.85 * np.median(t1w[white])
        assert np.median(t2w[inside]) > 1.1 * np.median(t2w[grey])


def test_the_rest_of_a_patient_is_as_it_would_be_without_lesions(patients, healthy):
    for subject_id in patients.ids():
        changed = patients.images(subject_id, "T2w") != healthy.images(subject_id, "T2w")
        assert changed.any() and changed.mean() < 0.03
        assert changed[lesion(patients, subject_id)].mean() > 0.95


def test_prevalence_0_has_no_lesions_and_no_lesion_label(healthy):
    assert not any(lesion(healthy, subject_id).any() for subject_id in healthy.ids())
    assert LESION_LABEL not in healthy.header.label_names


def test_a_part_of_the_subjects_has_lesions(tmp_path):
    with make(tmp_path / "half.h5", num_train=40, lesion_prevalence=0.5) as cohort:
        assert 10 <= sum(lesion(cohort, subject_id).any() for subject_id in cohort.ids("train")) <= 30
        assert cohort.header.label_names[LESION_LABEL] == "lesion"


def test_contrast_0_is_white_matter():
    assert lesion_tissue(0)[2:] == pytest.approx(TISSUES[INDEX["white_matter"]][2:])


def test_lesions_of_contrast_0_cannot_be_told_from_white_matter(healthy, tmp_path):
    with make(tmp_path / "invisible.h5", lesion_prevalence=1.0, lesion_contrast=0.0) as cohort:
        for subject_id in cohort.ids():
            white = lesion(cohort, subject_id) & (healthy.labels(subject_id) == 3)
            image, without = (each.images(subject_id, "T2w")[white] for each in (cohort, healthy))
            assert np.median(image) == pytest.approx(np.median(without), rel=0.05)
