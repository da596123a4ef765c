import os
import subprocess
import sys
import textwrap
import time

import nibabel as nib
import numpy as np
import pytest

from ganlib.cohort import Cohort
from ganlib.cohort.build import ImportSettings, import_cohort
from ganlib.cohort.sources import BidsSource, FolderSource
from ganlib.errors import InputError
from ganlib.validation import validated
from tests.cohort.conftest import AFFINE, SHAPE, head, write_volume

FEW = {"validation": 1, "test": 1}


def bids(study, **options):
    return BidsSource(study, ["T1w", "T2w"], **options)


def imported(source, path, **settings):
    return import_cohort(source, path, ImportSettings(**FEW | settings), progress=False)


def refused(source, path, *words, **settings):
    with pytest.raises(InputError) as caught:
        imported(source, path, **settings)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)
    assert not path.exists()


def t1w_file(study, number):
    return study / f"sub-{number}" / "anat" / f"sub-{number}_space-MNI_T1w.nii.gz"


def change(path, function):
    """Rewrite a file with its voxels changed."""
    image = nib.load(path)
    nib.save(nib.Nifti1Image(function(image.get_fdata(dtype=np.float32)), image.affine), path)


def entries(folder):
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out" / "cohort.h5"


def test_voxels_of_files_in_any_orientation_arrive_at_their_pixels(study, target):
    cohort = imported(bids(study), target, slice_mm=9)
    expected = head(1)[::-1, ::-1, 11].T  # +9 mm is the RAS index 11
    np.testing.assert_array_equal(cohort.images("sub-1", "T1w")[0], expected)
    np.testing.assert_array_equal(cohort.images("sub-1", "T2w")[0], (300 - expected) * (expected > 0))
    np.testing.assert_array_equal(cohort.mask("sub-1")[0], expected > 0)
    subject = cohort.subject("sub-1")
    assert (subject.slice_indices, subject.slice_mm, subject.offset, subject.volume_shape) == (
        [11],
        [9.0],
        (0, 0),
        SHAPE,
    )
    assert sorted(cohort.subject(i).split for i in cohort.ids()) == ["test", "train", "validation"]
    assert cohort.header.voxel_mm == (2, 2, 3)
    assert cohort.header.name == "study"
    assert not cohort.header.phantom


@pytest.mark.filterwarnings("ignore:size 12")
@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_the_affine_leads_from_a_stored_pixel_to_the_world(study, target, plane):
    """Each stored pixel, sent through offset and affine, is found in the file at that point of the world."""
    cohort = imported(bids(study), target, plane=plane, slice_mm=(-6, 6), size=(12, 28))
    subject, stored = cohort.subject("sub-2"), cohort.images("sub-2", "T1w")
    axes = {"axial": (2, 1, 0), "coronal": (1, 2, 0), "sagittal": (0, 2, 1)}[plane]
    file = nib.load(study / subject.sources["T1w"])
    data, to_file = file.get_fdata(), np.linalg.inv(file.affine)
    for k, row, column in np.argwhere(stored > 0)[::37]:
        index = np.empty(3)
        index[list(axes)] = subject.slice_indices[k], row + subject.offset[0], column + subject.offset[1]
        world = subject.affine @ np.append(index, 1)
        assert world[axes[0]] == pytest.approx(subject.slice_mm[k])
        assert data[tuple(np.round(to_file @ world)[:3].astype(int))] == pytest.approx(stored[k, row, column])


def test_labels_become_codes(study, target):
    cohort = imported(bids(study, labels=["lesion"]), target, slice_mm=(3, 9))
    assert cohort.header.label_names == {1: "lesion"}
    labels = cohort.labels("sub-1")
    # World (4, 2) mm, index (12, 13) of the RAS file, is column 7 and row 10 of the picture.
    np.testing.assert_array_equal(np.argwhere(labels), [[0, 10, 7], [1, 10, 7], [2, 10, 7]])
    assert "label lesion" in cohort.subject("sub-1").sources


def test_labels_by_code_and_overlap(study, target):
    for number in (1, 2, 3):
        codes = np.zeros(SHAPE)
        codes[4:16, 12], codes[10, 12], codes[11, 12] = 2, 41, 3
        write_volume(study / f"sub-{number}" / "seg.nii.gz", codes, dtype=np.int16)
    labels = {
        "any": "{subject}/seg.nii.gz",
        "white matter": ("{subject}/seg.nii.gz", [2, 41]),
        "nothing": ("{subject}/seg.nii.gz", [99]),
    }
    source = FolderSource(study, {"T1w": "{subject}/anat/*_T1w.nii.gz"}, labels=labels)
    cohort = imported(source, target, slice_mm=0)
    assert cohort.header.label_names == {1: "any", 2: "white matter", 3: "nothing"}
    assert np.unique(cohort.labels("sub-1")).tolist() == [0, 1, 2]
    assert (cohort.labels("sub-1") == 1).sum() == 1


def test_missing_labels(study, target):
    next(study.glob("derivatives/*/sub-3/anat/*")).unlink()
    refused(bids(study, labels=["lesion"]), target, "'sub-3' has no label lesion file")
    cohort = imported(bids(study, labels=["lesion"]), target, slice_mm=3, incomplete_labels="empty")
    assert not cohort.labels("sub-3").any()
    assert cohort.labels("sub-2").any()


def test_gains_bring_subjects_together_and_undo(study, target):
    change(t1w_file(study, 2), lambda data: data * 1.6)
    plain = imported(bids(study), target, slice_mm=0)
    even = imported(bids(study), target.with_name("even.h5"), slice_mm=0, normalise="subject")
    assert plain.subject("sub-2").gains == {}
    gains = [even.subject(i).gains["T1w"] for i in ("sub-1", "sub-2")]
    assert gains[1] / gains[0] == pytest.approx(1.6, rel=0.05)
    for name in ("T1w", "T2w"):
        restored = even.images("sub-2", name) * even.subject("sub-2").gains[name]
        np.testing.assert_allclose(restored, plain.images("sub-2", name), rtol=1e-6)
    volume = nib.load(t1w_file(study, 2)).get_fdata(dtype=np.float32)
    assert gains[1] == pytest.approx(np.median(volume[volume > 0]), rel=1e-6)


def test_a_median_that_is_not_positive_cannot_normalise(study, target):
    change(t1w_file(study, 1), lambda data: -data)
    refused(bids(study), target, "T1w.nii.gz: its median inside the mask is -", normalise="subject")


def test_size(study, target):
    assert imported(bids(study), target, slice_mm=0).shape == (24, 20)
    with pytest.warns(
        UserWarning, match=r"size 8 × 40 cuts off part of the mask of 3 subjects, at worst [5-7]\d\.\d %"
    ):
        cohort = imported(bids(study), target, slice_mm=0, size=(8, 40))
    assert cohort.shape == (8, 40)
    assert cohort.subject("sub-1").offset == (8, -10)
    assert set(cohort.header.provenance["mask_cut_off"]) == {"sub-1", "sub-2", "sub-3"}
    expected = head(1)[::-1, ::-1, 8].T[8:16]
    np.testing.assert_array_equal(cohort.images("sub-1", "T1w")[0][:, 10:30], expected)
    assert not cohort.images("sub-1", "T1w")[0][:, :10].any()


def test_whole_slices_are_padded_to_a_multiple_of_four(tmp_path, target):
    for name in "abc":
        write_volume(tmp_path / "odd" / f"{name}.nii.gz", head(shape=(17, 18, 9)))
    cohort = imported(FolderSource(tmp_path / "odd", {"T1w": "{subject}.nii.gz"}), target, slice_mm=-12)
    assert cohort.shape == (20, 20)
    assert cohort.subject("a").offset == (-1, -2)


def test_subjects_of_different_shape_need_a_size_and_of_different_pixels_are_refused(study, target):
    for contrast in ("T1w", "T2w"):
        path = study / "sub-2" / "anat" / f"sub-2_space-MNI_{contrast}.nii.gz"
        write_volume(path, head(shape=(22, 24, 16)))
    refused(bids(study), target, "sub-2", "24 × 22", "sub-1", "24 × 20", "size=(24, 24)")
    assert imported(bids(study), target, size=(24, 24)).shape == (24, 24)
    target.unlink()
    for contrast in ("T1w", "T2w"):
        path = study / "sub-2" / "anat" / f"sub-2_space-MNI_{contrast}.nii.gz"
        write_volume(path, head(), affine=AFFINE * [1.05, 1, 1, 1])
    refused(bids(study), target, "sub-2", "pixels of 2 × 2.1 mm", "sub-1", "of 2 × 2 mm", slice_mm=0)


def test_contrasts_on_different_grids_are_refused_or_resampled(study, target):
    path = study / "sub-3" / "anat" / "sub-3_space-MNI_T2w.nii.gz"
    moved = AFFINE.copy()
    moved[2, 3] += 3  # one slice up in the world
    write_volume(path, np.roll(head(3), -1, axis=2), affine=moved, orientation="PIR")
    refused(bids(study), target, "'sub-3'", path.name, t1w_file(study, 3).name, "20×24×16", "3 -21]", "resample=True")
    cohort = imported(bids(study), target, slice_mm=0, resample=True)
    np.testing.assert_allclose(cohort.images("sub-3", "T2w"), cohort.images("sub-3", "T1w"), rtol=1e-4)
    files = cohort.header.provenance["files"]
    assert files["sub-3"]["T2w"]["resampled"]
    assert not files["sub-1"]["T2w"]["resampled"]
    far = AFFINE.copy()
    far[0, 3] += 500
    write_volume(path, head(3), affine=far)
    target.unlink()
    refused(bids(study), target, path.name, "every voxel is 0 on the grid", resample=True)


def test_labels_are_resampled_without_codes_in_between(study, target):
    between = AFFINE.copy()
    between[0, 3] += 1  # half a voxel
    codes = np.full(SHAPE, 2)
    codes[10:] = 4
    for number in (1, 2, 3):
        write_volume(study / f"sub-{number}" / "seg.nii.gz", codes, affine=between, dtype=np.int16)
    labels = {str(code): ("{subject}/seg.nii.gz", [code]) for code in (2, 3, 4)}
    source = FolderSource(study, {"T1w": "{subject}/anat/*_T1w.nii.gz"}, labels=labels)
    codes = imported(source, target, slice_mm=0, resample=True).labels("sub-1")
    assert (codes == 1).any()
    assert not (codes == 2).any()
    assert (codes == 3).any()


def test_mask_files_are_used_unless_another_mask_is_asked_for(study, target):
    for number in (1, 2, 3):
        small = np.zeros(SHAPE)
        small[8:12, 10:14] = 1
        write_volume(study / f"sub-{number}" / "anat" / f"sub-{number}_desc-brain_mask.nii.gz", small)
    assert imported(bids(study, mask="brain"), target).mask("sub-1").sum() == 16
    assert imported(bids(study, mask="brain"), target, mask="nonzero").mask("sub-1").sum() > 100
    assert imported(bids(study), target, mask="computed").mask("sub-1").sum() > 100
    target.unlink()
    refused(bids(study), target, "names no mask files", mask="given")
    change(study / "sub-2" / "anat" / "sub-2_desc-brain_mask.nii.gz", np.zeros_like)
    refused(bids(study, mask="brain"), target, "'sub-2': its mask is empty", "sub-2_desc-brain_mask")


def test_empty_slices_and_volumes_are_refused(study, target):
    def blank_low_slices(data):
        data[:, :, :4] = 0
        return data

    change(t1w_file(study, 2), blank_low_slices)
    refused(bids(study), target, "sub-2_space-MNI_T1w.nii.gz is empty in slice 2 (-18.0 mm)", slice_index=2)
    change(t1w_file(study, 2), np.zeros_like)
    refused(bids(study), target, "sub-2_space-MNI_T1w.nii.gz: every voxel is 0")


def test_a_slice_outside_is_refused_before_anything_is_read(study, target):
    refused(bids(study), target, "sub-1_space-MNI_T1w.nii.gz: no slice at +60 mm", "-25.5 to +22.5 mm", slice_mm=60)


def test_incomplete_subjects_are_left_out_and_reported(study, target):
    t1w_file(study, 2).unlink()
    refused(bids(study), target, "'sub-2' has no T1w file")
    with pytest.warns(UserWarning, match=r"1 subjects left out: sub-2 \(no T1w file\)"):
        cohort = imported(bids(study), target, incomplete="skip", validation=0)
    assert cohort.ids() == ["sub-1", "sub-3"]
    assert cohort.header.provenance["left_out"] == {"sub-2": "no T1w file"}


def test_an_explicit_split_may_have_no_validation(study, target):
    split = {"sub-1": "train", "sub-2": "test", "sub-3": "test"}
    cohort = imported(bids(study), target, split=split)
    assert cohort.split() == {"train": ["sub-1"], "validation": [], "test": ["sub-2", "sub-3"]}
    assert cohort.header.split_seed is None
    target.unlink()
    refused(bids(study), target, "'sub-3' is not in `split`", split={"sub-1": "train", "sub-2": "test"})
    refused(bids(study), target, "'sub-9' is not in the source", split=split | {"sub-9": "test"})
    refused(bids(study), target, "no subject trains", split=dict.fromkeys(split, "test"))


def test_families_cannot_be_split(study, target):
    (study / "participants.tsv").write_text("participant_id\tfamily\nsub-1\tF\nsub-2\tF\nsub-3\tG\n")
    source = bids(study, family_column="family")
    split = {"sub-1": "train", "sub-2": "test", "sub-3": "test"}
    refused(source, target, "'sub-1' (train) and 'sub-2' (test) are of one family, 'F'", split=split)
    refused(source, target, "2 families", validation=1, test=1)
    cohort = imported(source, target, validation=0, test=1)
    assert cohort.subject("sub-1").split == cohort.subject("sub-2").split
    assert cohort.subject("sub-1").family == "F"


def test_same_input_same_bytes_and_no_private_paths(study, target, tmp_path):
    imported(bids(study), target)
    time.sleep(1.1)  # time stamps in HDF5 count seconds
    again = tmp_path / "again.h5"
    imported(BidsSource(os.path.relpath(study), ["T1w", "T2w"]), again)
    assert target.read_bytes() == again.read_bytes()
    assert str(tmp_path).encode() not in target.read_bytes()


def test_provenance_says_what_the_files_were(study, target):
    provenance = imported(bids(study), target, slice_mm=0).header.provenance
    entry = provenance["files"]["sub-1"]["T2w"]
    assert entry["file"] == "sub-1/anat/sub-1_space-MNI_T2w.nii.gz"
    assert (entry["orientation"], entry["dtype"]) == ("LPI", "float32")
    np.testing.assert_allclose(entry["affine"], nib.load(study / entry["file"]).affine)
    assert ImportSettings(**provenance["settings"]).slice_mm == 0
    assert set(provenance["versions"]) == {"ganlib", "nibabel", "numpy", "h5py"}


def test_a_failure_half_way_leaves_the_old_cohort(study, target):
    fingerprint = imported(bids(study), target).fingerprint
    path = t1w_file(study, 3)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputError, match=r"sub-3_space-MNI_T1w.*truncated or damaged"):
        imported(bids(study), target)
    assert Cohort(target).fingerprint == fingerprint
    assert entries(target.parent) == [".cohort.h5.importing", "cohort.h5"]  # what was done is kept until it succeeds


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limit to set")
def test_a_full_disk_leaves_the_old_cohort(study, target):
    fingerprint = imported(bids(study), target, slice_mm=0).fingerprint
    script = """
        import resource, sys
        from ganlib.cohort.build import ImportSettings, import_cohort
        from ganlib.cohort.sources import BidsSource
        from ganlib.errors import InputError
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        settings = ImportSettings(slice_mm=(-15, 15), validation=1, test=1)
        try:
            import_cohort(BidsSource(sys.argv[1], ["T1w", "T2w"]), sys.argv[2], settings, progress=False)
        except InputError as error:
            sys.exit(str(error))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(study), str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip().startswith(f"{target}: the disk is full")
    assert len(done.stderr.strip().splitlines()) == 1
    assert Cohort(target).fingerprint == fingerprint
    assert entries(target.parent) == [".cohort.h5.importing", "cohort.h5"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"slice_mn": 3}, "'slice_mn': Extra inputs are not permitted; known are plane, slice_mm"),
        ({"plane": "oblique"}, "setting 'plane"),
        ({"plane": "coronal"}, "plane coronal: give either `slice_mm` or `slice_index`"),
        ({"slice_mm": 3, "slice_index": 4}, "either"),
        ({"slice_mm": (60, -8)}, "does not ascend"),
        ({"slice_mm": float("nan")}, "setting 'slice_mm"),
        ({"slice_index": -1}, "setting 'slice_index"),
        ({"slice_step_mm": 2}, "needs a range"),
        ({"size": (218, 182)}, "not multiples of 4"),
        ({"size": (0, 4)}, "setting 'size"),
        ({"test": 1.5}, "setting 'test"),
        ({"validation": -1}, "setting 'validation"),
        ({"split": {"a": "dev"}}, "setting 'split"),
    ],
)
def test_settings_are_checked_in_one_line(settings, words):
    with pytest.raises(InputError) as caught:
        validated(ImportSettings, settings)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_default_position_is_12_mm_axial():
    assert ImportSettings().slice_mm == 12
    assert ImportSettings(slice_index=[3, 4]).slice_mm is None
    assert ImportSettings(plane="sagittal", slice_mm=0).slice_mm == 0


def test_progress_bar_names_the_time_left(study, target, capfd):
    import_cohort(bids(study), target, ImportSettings(**FEW), progress=True)
    assert "3/3" in capfd.readouterr().err
    imported(bids(study), target)
    assert capfd.readouterr().err == ""


@pytest.mark.real_data
def test_two_real_patients(shared_data, target):
    source = BidsSource(shared_data / "lit-ms-mni", ["T1w", "T2w"], space="MNI152", labels=["lesion"])
    settings = ImportSettings(
        slice_mm=(10, 14),
        size=(224, 192),
        normalise="subject",
        split={"sub-ms07": "train", "sub-ms19": "test"},
    )
    cohort = import_cohort(source, target, settings, progress=False)
    subject = cohort.subject("sub-ms07")
    assert subject.slice_indices == [82, 83, 84, 85, 86]
    assert subject.offset == (-3, -5)
    assert subject.gains["T1w"] / cohort.subject("sub-ms19").gains["T1w"] == pytest.approx(1.66, abs=0.01)
    assert cohort.header.provenance["mask_cut_off"] == {}
    file = nib.load(shared_data / "lit-ms-mni" / subject.sources["T1w"])
    x, y, z = -20.0, 30.0, 12.0  # left, anterior, above: in the upper right quarter of the picture
    i, j, k = np.round(np.linalg.inv(file.affine) @ [x, y, z, 1])[:3].astype(int)
    row, column = round(91 - y) + 3, round(90 - x) + 5
    stored = cohort.images("sub-ms07", "T1w")[2, row, column] * subject.gains["T1w"]
    assert stored == pytest.approx(file.get_fdata()[i, j, k], rel=1e-5)
    assert row < 112
    assert column > 96
