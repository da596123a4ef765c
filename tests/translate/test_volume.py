"""Whole volumes: they come back exactly where they were, in the units of the target, and say what they are."""

import json

import nibabel as nib
import numpy as np
import pytest

from ganlib.cohort import Cohort
from ganlib.errors import InputError
from ganlib.runs import Run
from ganlib.translate import VolumeTranslator, translate_volume
from tests.cohort.conftest import AFFINE, SHAPE, head, write_volume
from tests.translate.conftest import make_cohort, make_run

#: Header fields that the result may not share with its source: stored type, scaling, window, description.
_OWN_FIELDS = {"datatype", "bitpix", "scl_slope", "scl_inter", "cal_max", "cal_min", "descrip", "vox_offset"}
ODD = (19, 23, 15)


def _oblique(degrees=20):
    turn = np.deg2rad(degrees)
    matrix = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    affine = np.eye(4)
    affine[:3, :3] = matrix @ np.diag([2.0, 2.0, 3.0])
    affine[:3, 3] = -18, -20.5, -24
    return affine


def _assert_lies_where(source, made):
    """Shape, both transforms and their codes, units: the very same bytes in the header."""
    before, after = nib.load(source), nib.load(made)
    assert before.shape == after.shape
    np.testing.assert_array_equal(before.affine, after.affine)
    for name in set(before.header.keys()) - _OWN_FIELDS:
        assert before.header[name].tobytes() == after.header[name].tobytes(), name
    assert after.get_data_dtype().newbyteorder("=") == np.float32


def _assert_same_voxels(source, made):
    before, after = nib.load(source).get_fdata(), nib.load(made).get_fdata()
    assert np.ptp(before) > 50
    assert np.abs(before - after).max() <= 1e-5 * np.abs(before).max()


class TestIdentity:
    @pytest.mark.parametrize("name", ["in_T1w.nii", "in_T1w.nii.gz"])
    @pytest.mark.parametrize("orientation", ["LAS", "LPS", "LIA", "RAS", "PIR"])
    @pytest.mark.parametrize("affine", [AFFINE, _oblique()], ids=["upright", "oblique"])
    @pytest.mark.parametrize("shape", [SHAPE, ODD], ids=["even", "odd"])
    def test_returns_the_volume_in_every_orientation(self, identity_run, tmp_path, name, orientation, affine, shape):
        source = write_volume(tmp_path / name, head(7, shape), orientation=orientation, affine=affine)
        made = translate_volume(identity_run, source, tmp_path / f"out_{name}", progress=False)
        _assert_lies_where(source, made.path)
        _assert_same_voxels(source, made.path)

    @pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float64, ">f4"])
    @pytest.mark.parametrize("scaling", [(1, 0), (0.37, 0), (2.5, -40)])
    def test_returns_the_volume_of_every_stored_type_and_scaling(self, identity_run, tmp_path, dtype, scaling):
        header = nib.Nifti1Header(endianness=">" if dtype == ">f4" else "<")
        header.set_data_dtype(np.dtype(dtype).newbyteorder("="))
        image = nib.Nifti1Image(head(3), AFFINE, header)
        image.header.set_slope_inter(*scaling)
        image.header.set_xyzt_units("mm", "sec")
        image.set_sform(AFFINE, 4)
        image.set_qform(AFFINE, 1)
        nib.save(image, tmp_path / "a_T1w.nii.gz")
        assert nib.load(tmp_path / "a_T1w.nii.gz").dataobj.slope == pytest.approx(scaling[0])
        made = translate_volume(identity_run, tmp_path / "a_T1w.nii.gz", tmp_path / "out.nii.gz", progress=False)
        _assert_lies_where(tmp_path / "a_T1w.nii.gz", made.path)
        _assert_same_voxels(tmp_path / "a_T1w.nii.gz", made.path)

    def test_returns_a_nifti_2_file_with_a_fourth_axis_of_one(self, identity_run, tmp_path):
        nib.save(nib.Nifti2Image(head(3)[..., None], AFFINE), tmp_path / "a_T1w.nii")
        made = translate_volume(identity_run, tmp_path / "a_T1w.nii", tmp_path / "out.nii", progress=False)
        _assert_lies_where(tmp_path / "a_T1w.nii", made.path)
        _assert_same_voxels(tmp_path / "a_T1w.nii", made.path)

    @pytest.mark.parametrize("plane", ["coronal", "sagittal"])
    def test_returns_the_volume_through_slices_of_every_plane(self, tmp_path, plane):
        affine = np.diag([2.0, 2, 2, 1])
        for number in (1, 2, 3):
            for name in ("T1w", "T2w"):
                path = tmp_path / "study" / f"sub-{number}" / f"{name}.nii.gz"
                write_volume(path, head(number), affine=affine)
        cohort = make_cohort(tmp_path, plane=plane, slice_mm=None, slice_index=[8, 9, 10], size=None)
        run = make_run(tmp_path / "run", cohort)
        source = tmp_path / "study/sub-1/T1w.nii.gz"
        made = translate_volume(run, source, tmp_path / "out.nii.gz", progress=False)
        _assert_lies_where(source, made.path)
        _assert_same_voxels(source, made.path)

    def test_returns_the_volume_from_the_middle_one_of_three_slices(self, cohort_path, tmp_path):
        run = make_run(cohort_path.parent / "run3", cohort_path, channels=3)
        source = write_volume(tmp_path / "in_T1w.nii.gz", head(7))
        made = translate_volume(run, source, tmp_path / "out.nii.gz", progress=False, batch_size=5)
        _assert_same_voxels(source, made.path)


def test_result_is_in_the_units_of_the_target(tmp_path):
    for number in (1, 2, 3):
        path = tmp_path / "study" / f"sub-{number}"
        write_volume(path / "T1w.nii.gz", head(number))
        write_volume(path / "T2w.nii.gz", 3 * head(number))
    from ganlib.cohort.build import ImportSettings, import_cohort
    from ganlib.cohort.sources import FolderSource
    from tests.translate.conftest import PATTERNS

    settings = ImportSettings(slice_mm=(-15, 15), validation=0, test=1, size=(28, 24))
    import_cohort(FolderSource(tmp_path / "study", PATTERNS), tmp_path / "c.h5", settings, progress=False)
    run = make_run(tmp_path / "run", tmp_path / "c.h5")
    source = write_volume(tmp_path / "x_T1w.nii.gz", head(9))
    made = translate_volume(run, source, tmp_path / "out.nii.gz", progress=False)
    np.testing.assert_allclose(nib.load(made.path).get_fdata(), 3 * head(9), atol=1e-3)
    back = translate_volume(run, made.path, tmp_path / "back.nii.gz", direction="t2w_to_t1w", progress=False)
    np.testing.assert_allclose(nib.load(back.path).get_fdata(), head(9), atol=1e-3)


def test_gain_is_taken_off_and_that_of_the_target_put_on(tmp_path):
    cohort = make_cohort(tmp_path, normalise="subject")
    run = make_run(tmp_path / "run", cohort)
    with Cohort(cohort) as opened:
        expected = np.median([opened.subject(name).gains["T2w"] for name in opened.ids("train")])
    source = write_volume(tmp_path / "in_T1w.nii.gz", 17 * head(7))
    made = translate_volume(run, source, tmp_path / "out.nii.gz", progress=False)
    inside = head(7)[head(7) > 0]
    gain = expected / np.median(inside)
    np.testing.assert_allclose(nib.load(made.path).get_fdata(), gain * head(7), rtol=1e-4, atol=1e-3)


def test_neighbours_are_as_far_apart_as_in_training(cohort_path, tmp_path):
    run = make_run(cohort_path.parent / "run5", cohort_path, channels=3)
    thin = np.diag([2.0, 2.0, 1.5, 1])
    source = write_volume(tmp_path / "in_T1w.nii.gz", head(7), affine=thin)
    translator = VolumeTranslator(run)
    seen = []
    translator._function = lambda direction: lambda stack: (seen.append(stack), stack[..., 1:2])[1]
    translator.write(source, tmp_path / "out.nii.gz", progress=False)
    stack = np.concatenate(seen)
    np.testing.assert_array_equal(stack[4, ..., 2], stack[6, ..., 1])  # 3 mm on are two slices of 1.5 mm
    odd = write_volume(tmp_path / "odd_T1w.nii.gz", head(7), affine=np.diag([2.0, 2.0, 2.0, 1]))
    with pytest.raises(InputError, match=r"slices every 2 mm.* 3 mm apart; set resample \(--resample\)"):
        translator.write(odd, tmp_path / "out2.nii.gz", progress=False)


class TestOtherPixels:
    @pytest.fixture
    def coarse(self, tmp_path):
        x, y, z = np.meshgrid(*(np.linspace(-1, 1, length) for length in (14, 16, 16)), indexing="ij")
        smooth = (200 * np.exp(-2 * (x**2 + y**2 + z**2))).astype(np.float32)
        return write_volume(tmp_path / "in_T1w.nii.gz", smooth, affine=np.diag([3.0, 3.0, 3.0, 1]), orientation="LIA")

    def test_are_refused_by_name_with_the_remedy(self, identity_run, coarse, tmp_path):
        with pytest.raises(InputError, match=r"in_T1w.*3 × 3 mm.*2 × 2; set resample \(--resample\)"):
            translate_volume(identity_run, coarse, tmp_path / "out.nii.gz", progress=False)
        assert not list(tmp_path.glob("out*"))

    def test_are_resampled_there_and_back_if_asked(self, identity_run, coarse, tmp_path):
        made = translate_volume(identity_run, coarse, tmp_path / "out.nii.gz", resample=True, progress=False)
        _assert_lies_where(coarse, made.path)
        before, after = nib.load(coarse).get_fdata(), nib.load(made.path).get_fdata()
        inside = np.s_[3:-3, 3:-3, 3:-3]
        assert np.abs(before - after)[inside].max() < 0.05 * before.max()
        assert any("interpolated" in note for note in made.notes)
        assert json.loads((tmp_path / "out.json").read_text())["resampled"] is True


class TestWhatIsSaid:
    def test_beside_the_volume(self, identity_run, tmp_path):
        source = write_volume(tmp_path / "private" / "in_T1w.nii.gz", head(7))
        made = translate_volume(identity_run, source, tmp_path / "out.nii.gz", progress=False)
        record = json.loads((tmp_path / "out.json").read_text())
        assert record["for_diagnosis"] is False
        assert record["synthetic"] is True
        assert "Not for diagnosis" in record["warning"]
        assert (record["run"], record["method"], record["direction"]) == ("run", "Simple", "t1w_to_t2w")
        with identity_run.cohort() as cohort:
            assert record["split_hash"] == cohort.split_hash
        assert len(record["source_sha256"]) == 64
        assert "private" not in json.dumps(record)
        assert b"not for diagnosis" in nib.load(made.path).header["descrip"].item()

    def test_when_slices_or_pixels_are_new_to_the_network(self, identity_run, tmp_path):
        wide = np.pad(head(7), ((8, 8), (8, 8), (6, 6)), constant_values=50)
        source = write_volume(tmp_path / "in_T1w.nii.gz", wide)
        made = translate_volume(identity_run, source, tmp_path / "out.nii.gz", progress=False)
        assert any("% of the slices lie where the run never learned" in note for note in made.notes)
        assert any("outside the 28 × 24 pixels" in note for note in made.notes)
        after = nib.load(made.path).get_fdata()
        assert (after[:5] == 0).all()
        np.testing.assert_allclose(after[12:20, 12:20], wide[12:20, 12:20], atol=1e-3)

    def test_background_is_zero_if_asked(self, cohort_path, tmp_path):
        run = make_run(cohort_path.parent / "half", cohort_path, gain=0.5)
        source = write_volume(tmp_path / "in_T1w.nii.gz", head(7))
        kept = translate_volume(run, source, tmp_path / "kept.nii.gz", progress=False)
        zeroed = translate_volume(run, source, tmp_path / "zeroed.nii.gz", zero_background=True, progress=False)
        outside = head(7) == 0
        assert (nib.load(kept.path).get_fdata()[outside] > 10).any()
        assert (nib.load(zeroed.path).get_fdata()[outside] == 0).all()


class TestMistakes:
    def test_direction_that_the_name_does_not_tell(self, identity_run, tmp_path):
        source = write_volume(tmp_path / "scan.nii.gz", head())
        with pytest.raises(InputError, match=r"scan\.nii\.gz: its name does not tell.*one of t1w_to_t2w, t2w_to_t1w"):
            translate_volume(identity_run, source, tmp_path / "out.nii.gz")
        with pytest.raises(InputError, match=r"direction 't1w_to_flair'.*t1w_to_t2w"):
            translate_volume(identity_run, source, tmp_path / "out.nii.gz", direction="t1w_to_flair")

    @pytest.mark.parametrize("output", ["out.mgz", "out", ".nii.gz"])
    def test_output_that_is_no_nifti_name(self, identity_run, tmp_path, output):
        source = write_volume(tmp_path / "in_T1w.nii.gz", head())
        with pytest.raises(InputError, match=r"end it in \.nii or \.nii\.gz"):
            translate_volume(identity_run, source, tmp_path / output)

    def test_source_as_output(self, identity_run, tmp_path):
        source = write_volume(tmp_path / "in_T1w.nii.gz", head())
        before = source.read_bytes()
        with pytest.raises(InputError, match="is the source itself"):
            translate_volume(identity_run, source, source)
        assert source.read_bytes() == before

    def test_missing_or_empty_source(self, identity_run, tmp_path):
        with pytest.raises(InputError, match=r"none_T1w\.nii: no such file"):
            translate_volume(identity_run, tmp_path / "none_T1w.nii", tmp_path / "out.nii")
        empty = write_volume(tmp_path / "empty_T1w.nii", np.zeros(SHAPE))
        with pytest.raises(InputError, match="every voxel is 0"):
            translate_volume(identity_run, empty, tmp_path / "out.nii")

    def test_unknown_setting(self, identity_run, tmp_path):
        with pytest.raises(InputError, match=r"'sample'.*known are weights, samples"):
            translate_volume(identity_run, tmp_path / "x_T1w.nii", tmp_path / "out.nii", sample=3)


def test_run_folder_suffices_without_its_cohort(cohort_path, tmp_path):
    run = make_run(tmp_path / "run", cohort_path)
    assert not run.cohort_path.exists()
    source = write_volume(tmp_path / "in_T1w.nii.gz", head(7))
    made = translate_volume(Run(run.folder), source, tmp_path / "out.nii.gz", progress=False)
    _assert_same_voxels(source, made.path)
