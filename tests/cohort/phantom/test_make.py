import numpy as np
import pytest
from pydantic import ValidationError

from ganlib.cohort.phantom import PhantomSettings, make_phantom


def make(path, **options):
    options = {"num_train": 2, "num_validation": 0, "num_test": 1} | options
    return make_phantom(path, PhantomSettings(**options), progress=False)


def test_cohort_says_what_it_is(phantom, settings):
    assert phantom.header.phantom
    assert phantom.header.name == "phantom"
    assert phantom.contrasts == ("T1w", "T2w")
    assert phantom.shape == (112, 96)
    assert {name: len(ids) for name, ids in phantom.split().items()} == {"train": 4, "validation": 1, "test": 2}
    assert PhantomSettings(**phantom.header.provenance["settings"]) == settings
    assert set(phantom.header.provenance["versions"]) >= {"ganlib", "numpy", "nilearn"}


def test_background_is_exactly_zero_and_inside_is_not(phantom):
    for subject_id in phantom.ids():
        mask = phantom.mask(subject_id)
        assert 0.2 < mask.mean() < 0.6
        assert not phantom.labels(subject_id)[~mask].any()
        assert set(np.unique(phantom.labels(subject_id)[mask])) == {1, 2, 3}
        for contrast in phantom.contrasts:
            image = phantom.images(subject_id, contrast)
            assert not image[~mask].any()
            assert (image[mask] > 0).mean() > 0.999
            assert 200 < image[mask].mean() < 800


def test_labels_agree_with_both_images(phantom):
    for subject_id in phantom.ids():
        labels = phantom.labels(subject_id)
        t1w, t2w = (
            [np.median(phantom.images(subject_id, contrast)[labels == code]) for code in (1, 2, 3)]
            for contrast in phantom.contrasts
        )
        assert t1w[2] > 1.2 * t1w[1] > 1.2 * 1.5 * t1w[0]
        assert t2w[0] > 1.4 * t2w[1] > 1.4 * 1.2 * t2w[2]


def test_subjects_differ(phantom):
    one, other = phantom.ids()[:2]
    inside = phantom.mask(one) | phantom.mask(other)
    difference = np.abs(phantom.images(one, "T1w") - phantom.images(other, "T1w"))[inside]
    assert difference.mean() > 50


def test_halves_of_a_head_differ(phantom):
    mask = phantom.mask("train-000")
    assert (mask ^ mask[..., ::-1]).mean() > 0.01


def test_same_seed_same_bytes(tmp_path):
    make(tmp_path / "one.h5").close()
    make(tmp_path / "other.h5").close()
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "other.h5").read_bytes()


def test_another_seed_another_cohort(tmp_path):
    with make(tmp_path / "one.h5") as one, make(tmp_path / "other.h5", seed=1) as other:
        assert one.fingerprint != other.fingerprint
        assert (one.images("train-000", "T1w") != other.images("train-000", "T1w")).any()


def test_more_subjects_leave_the_others_alone(phantom, tmp_path):
    with make(tmp_path / "more.h5", num_train=6, num_validation=2, num_test=3) as more:
        for subject_id in phantom.ids():
            assert more.subject(subject_id) == phantom.subject(subject_id)
            for contrast in phantom.contrasts:
                np.testing.assert_array_equal(more.images(subject_id, contrast), phantom.images(subject_id, contrast))


@pytest.mark.parametrize(("size", "voxel_mm"), [((224, 192), 1.0), ((304, 256), 0.8), ((64, 64), 4.0)])
def test_the_same_head_at_every_resolution(phantom, tmp_path, size, voxel_mm):
    with make(tmp_path / "fine.h5", num_train=1, size=size, voxel_mm=voxel_mm) as fine:
        assert fine.shape == size
        area, wanted = (cohort.mask("train-000").sum() * cohort.header.voxel_mm[0] ** 2 for cohort in (fine, phantom))
        assert area == pytest.approx(wanted, rel=0.02)
        medians = [np.median(cohort.images("train-000", "T1w")[cohort.mask("train-000")]) for cohort in (fine, phantom)]
        assert medians[0] == pytest.approx(medians[1], rel=0.05)


def test_slices_of_one_subject_belong_together(tmp_path):
    with make(tmp_path / "stack.h5", num_slices=5, slice_spacing_mm=2.0) as cohort:
        subject = cohort.subject("train-000")
        assert cohort.images("train-000", "T2w").shape == (5, 112, 96)
        assert np.diff(subject.slice_mm) == pytest.approx([2.0] * 4)
        assert abs(subject.slice_mm[2] - 12) <= 5
        labels = cohort.labels("train-000")
        assert (labels[0] == labels[1]).mean() > (labels[0] == labels[4]).mean() > 0.7


def test_affine_leads_to_the_slice(phantom):
    subject = phantom.subject("train-000")
    assert subject.volume_shape == (96, 112, 1)
    first, last = (np.array(subject.affine) @ index for index in ([0, 0, 0, 1], [95, 111, 0, 1]))
    # First pixel: right (+x) and anterior (+y); last: left and posterior.
    np.testing.assert_allclose(first[:3], [95, 94, subject.slice_mm[0]])
    np.testing.assert_allclose(last[:3], [-95, -128, subject.slice_mm[0]])


def test_unknown_setting_is_named():
    with pytest.raises(ValidationError, match="num_trian"):
        PhantomSettings(num_trian=3)


def test_context_is_worth_something(tmp_path):
    """A pixelwise look-up table must stay well above the noise: coil, nuclei and folds need the surroundings."""
    with make(tmp_path / "cohort.h5", num_train=24, num_test=6) as cohort:
        for source, target in (("T1w", "T2w"), ("T2w", "T1w")):
            assert 0.05 < look_up_error(cohort, source, target) / white_matter(cohort, target) < 0.4


def look_up_error(cohort, source, target):
    def voxels(contrast, split):
        return np.concatenate([cohort.images(name, contrast)[cohort.mask(name)] for name in cohort.ids(split)])

    edges = np.quantile(voxels(source, "train"), np.linspace(0, 1, 257)[1:-1])
    bins, values = np.digitize(voxels(source, "train"), edges), voxels(target, "train")
    table = np.array([np.median(values[bins == number]) for number in range(256)])
    return np.abs(table[np.digitize(voxels(source, "test"), edges)] - voxels(target, "test")).mean()


def white_matter(cohort, contrast):
    return np.median(
        np.concatenate([cohort.images(name, contrast)[cohort.labels(name) == 3] for name in cohort.ids("test")])
    )
