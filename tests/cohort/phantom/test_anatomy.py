from pathlib import Path

import numpy as np
import pytest

from ganlib.cohort.phantom import PhantomSettings, make_phantom
from ganlib.cohort.phantom.anatomy import icbm152
from ganlib.cohort.phantom.label_maps import label_map_anatomy
from ganlib.cohort.phantom.tissues import INDEX
from ganlib.errors import InputError

REAL_HEADS = Path(__file__).parents[4] / "shared" / "data" / "label-maps"
STILL = {"rotation_rad": 0.0, "scaling": 0.0, "warp": 0.0, "variation": 0.0, "slice_jitter_mm": 0.0}


def make(path, **options):
    options = {"num_train": 1, "num_validation": 0, "num_test": 0} | options
    return make_phantom(path, PhantomSettings(**options), progress=False)


def label_at(cohort, x_mm, y_mm):
    """Label of the pixel of the first subject that holds a point, through its affine alone."""
    subject = cohort.subjects[0]
    column, row, _, _ = np.rint(np.linalg.solve(subject.affine, [x_mm, y_mm, subject.slice_mm[0], 1])).astype(int)
    return int(cohort.labels(subject.id)[0, row, column])


def test_icbm_landmarks_are_where_mni_has_them(tmp_path):
    with make(tmp_path / "still.h5", **STILL) as cohort:
        found = {point: label_at(cohort, *point) for point in [(0, -37), (-28, -20), (26, 32), (8, 17), (-8, 17)]}
    # Splenium, internal capsule and frontal white matter; frontal horns of the ventricles.
    assert found == {(0, -37): 3, (-28, -20): 3, (26, 32): 3, (8, 17): 1, (-8, 17): 1}


def test_icbm_landmarks_hold_within_the_warp(tmp_path):
    with make(tmp_path / "varied.h5", num_train=10) as cohort:
        for subject in cohort.subjects:
            x_mm = subject.affine[0][3] - 2 * np.arange(96)
            y_mm = subject.affine[1][3] - 2 * np.arange(112)
            near = (np.hypot(x_mm[None], (y_mm + 37)[:, None])) < 12
            assert (cohort.labels(subject.id)[0][near] == 3).any()


def test_icbm_has_every_tissue_but_air():
    anatomy = icbm152(-5.0, 30.0)
    points = np.array([[12.0, -18, 8], [27, 1, 3], [0, 150, 10], [-20, -4, -1]]).T
    values = anatomy.sample(points)
    assert values[INDEX["thalamus"], 0] > 0.3
    assert values[INDEX["putamen"], 1] > 0.3
    assert values[:, 2].sum() == 0
    assert values.max() <= 1
    np.testing.assert_allclose(values[:, [0, 1, 3]].sum(0), 1, atol=0.02)


@pytest.mark.parametrize("orientation", ["LIA", "RAS", "PSR"])
def test_left_is_left_in_a_label_map(heads_folder, tmp_path, orientation):
    with make(tmp_path / "boxes.h5", anatomy=heads_folder(1, orientation), **STILL) as cohort:
        # The ventricle of boxes is in the left half (x < 0), which is on the right of the picture.
        assert label_at(cohort, -26, -17) == 1
        assert label_at(cohort, 26, -17) == 3
        assert label_at(cohort, 26, 62) == 2
        columns = np.nonzero(cohort.labels("train-000")[0][50:60, 20:76] == 1)[1] + 20
        assert columns.min() > 96 / 2
        assert not cohort.images("train-000", "T1w")[~cohort.mask("train-000")].any()


def test_label_borders_are_softened(heads_folder):
    head = label_map_anatomy(Path(heads_folder()) / "head_00.nii.gz", -20.0, 40.0)
    assert ((head.fractions > 20) & (head.fractions < 235)).any()
    assert head.fractions.sum(-1).max() <= 257


def test_heads_are_kept_apart_where_there_are_enough(heads_folder, tmp_path):
    counts = {"num_train": 6, "num_validation": 3, "num_test": 3}
    with make(tmp_path / "five.h5", anatomy=heads_folder(5), **counts) as cohort:
        families = {split: {cohort.subject(name).family for name in cohort.ids(split)} for split in cohort.split()}
        assert not families["train"] & families["test"]
        assert not families["train"] & families["validation"]
        assert not families["test"] & families["validation"]
        assert not cohort.header.provenance["heads_in_several_splits"]


def test_too_few_heads_are_shared_and_it_is_said(heads_folder, tmp_path):
    with make(tmp_path / "two.h5", anatomy=heads_folder(2), num_test=1) as cohort:
        assert cohort.header.provenance["heads_in_several_splits"]


def test_missing_folder(tmp_path):
    with pytest.raises(InputError, match="no such folder; use 'icbm152'"):
        make(tmp_path / "x.h5", anatomy=str(tmp_path / "nowhere"))


def test_folder_without_label_maps(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no label maps"):
        make(tmp_path / "x.h5", anatomy=str(tmp_path / "empty"))
    assert not (tmp_path / "x.h5").exists()


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x1f\x8b\x08\x00broken"])
def test_unreadable_label_map(heads_folder, tmp_path, content):
    folder = heads_folder()
    (Path(folder) / "head_00.nii.gz").write_bytes(content)
    with pytest.raises(InputError, match=r"head_00.*not a readable label map") as error:
        make(tmp_path / "x.h5", anatomy=folder)
    assert "\n" not in str(error.value)


def test_image_instead_of_label_map(volume_file, tmp_path):
    folder = volume_file("images/t1.nii.gz").parent
    with pytest.raises(InputError, match="not a label map"):
        make(tmp_path / "x.h5", anatomy=str(folder))


def test_label_map_without_brain(volume_file, tmp_path):
    folder = volume_file("skulls/skull.nii.gz", np.full((8, 8, 8), 516)).parent
    with pytest.raises(InputError, match="no FreeSurfer code of the brain"):
        make(tmp_path / "x.h5", anatomy=str(folder))


@pytest.mark.real_data
@pytest.mark.skipif(not REAL_HEADS.is_dir(), reason="no label maps beside the checkout")
def test_real_heads_are_brought_into_mni_space(tmp_path):
    path = sorted(REAL_HEADS.glob("*.nii.gz"))[0]
    thalami = label_map_anatomy(path, -30.0, 60.0)
    voxels = np.argwhere(thalami.fractions[..., INDEX["thalamus"]] > 200)
    centre = thalami.affine @ np.append(voxels.mean(0), 1)
    np.testing.assert_allclose(centre[:3], [0, -19, 7], atol=4)
    with make(tmp_path / "real.h5", anatomy=str(REAL_HEADS), num_train=2) as cohort:
        for subject_id in cohort.ids():
            labels, t2w = cohort.labels(subject_id), cohort.images(subject_id, "T2w")
            medians = [np.median(t2w[labels == code]) for code in (1, 2, 3)]
            assert medians == sorted(medians, reverse=True)
            assert 0.2 < cohort.mask(subject_id).mean() < 0.6
