import nibabel as nib
import numpy as np
import pytest

from ganlib.cohort.slices import PLANES
from ganlib.cohort.volumes import Grid, read_header, read_volume, resampled
from tests.cohort.conftest import AFFINE, SHAPE, head

ORIENTATIONS = ["RAS", "LAS", "LPS", "LIA", "PIR", "SAL"]
#: World position of the marked voxel, mm: right, anterior, above.
MARK_MM = (12.0, 16.0, 9.0)


def marked():
    data = head()
    data[tuple(np.round(np.linalg.inv(AFFINE) @ [*MARK_MM, 1])[:3].astype(int))] = 1000
    return data


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(
    ("plane", "pixel"),
    # Right is left in the picture, so that a point to the right lies few columns from the left; anterior is up.
    [("axial", (3, 3)), ("coronal", (4, 3)), ("sagittal", (4, 3))],
)
def test_a_point_of_the_body_lands_on_the_same_pixel_however_it_was_stored(volume_file, orientation, plane, pixel):
    path = volume_file(data=marked(), orientation=orientation)
    plane = PLANES[plane]
    volume = read_volume(path, plane.orientation)
    index, row, column = np.unravel_index(plane.slices(volume.data).argmax(), plane.slices(volume.data).shape)
    assert (row, column) == pixel
    assert plane.positions_mm(volume.grid)[index] == MARK_MM[plane.slice_axis]
    assert volume.file_orientation == orientation


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_canonical_affine_says_where_voxels_lie(volume_file, orientation):
    volume = read_volume(volume_file(data=marked(), orientation=orientation))
    where = np.unravel_index(volume.data.argmax(), volume.data.shape)
    np.testing.assert_allclose(volume.grid.world_mm(where), MARK_MM)
    assert volume.data.dtype == np.float32


def test_header_and_volume_agree_and_keep_what_the_file_said(volume_file):
    path = volume_file(orientation="LIA", dtype=np.int16)
    header, volume = read_header(path, "LPI"), read_volume(path, "LPI")
    assert header.grid.matches(volume.grid)
    assert volume.data.shape == header.grid.shape == SHAPE
    np.testing.assert_array_equal(header.file_affine, nib.load(path).affine)
    assert (header.file_orientation, header.file_dtype) == ("LIA", "int16")


@pytest.mark.parametrize("name", ["plain.nii", "packed.nii.gz"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_both_formats_and_both_versions_are_read_as_nibabel_reads_them(tmp_path, name, kind):
    image = kind(head().astype(np.int16), AFFINE)
    image.header.set_slope_inter(0.5, 3)
    nib.save(image, tmp_path / name)
    expected = nib.as_closest_canonical(nib.load(tmp_path / name)).get_fdata()
    np.testing.assert_allclose(read_volume(tmp_path / name, "RAS").data, expected)


def test_big_endian_files_are_read(tmp_path):
    image = nib.Nifti1Image(head().astype(">i2"), AFFINE, nib.Nifti1Header(endianness=">"))
    image.header.set_data_dtype(">i2")
    nib.save(image, tmp_path / "big.nii.gz")
    volume = read_volume(tmp_path / "big.nii.gz", "RAS")
    np.testing.assert_array_equal(volume.data, head().astype(np.int16))
    assert volume.file_dtype == "int16"


def test_a_trailing_axis_of_one_is_dropped(volume_file):
    path = volume_file()
    image = nib.load(path)
    nib.save(nib.Nifti1Image(image.get_fdata()[..., None], image.affine), path)
    assert read_volume(path).data.shape == SHAPE


def test_an_oblique_volume_is_turned_to_the_nearest_axes_without_interpolation(volume_file):
    angle = np.deg2rad(10)
    tilt = np.eye(4)
    tilt[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    volume = read_volume(volume_file(affine=tilt @ AFFINE, orientation="LAS"), "RAS")
    np.testing.assert_array_equal(volume.data, head())
    np.testing.assert_allclose(volume.grid.affine, tilt @ AFFINE, atol=1e-5)


def test_grids_match_within_a_micrometre_and_not_beyond():
    grid = Grid(SHAPE, AFFINE)
    shift = np.zeros((4, 4))
    shift[0, 3] = 1
    assert grid.matches(Grid(SHAPE, AFFINE + 5e-4 * shift))
    assert not grid.matches(Grid(SHAPE, AFFINE + 5e-3 * shift))
    assert not grid.matches(Grid((20, 24, 17), AFFINE))
    assert not grid.matches(Grid(SHAPE, AFFINE * [1.001, 1, 1, 1]))


def test_resampling_shifts_by_the_distance_of_the_grids(volume_file):
    volume = read_volume(volume_file(), "RAS")
    shifted = AFFINE.copy()
    shifted[0, 3] += 2 * AFFINE[0, 0]
    moved = resampled(volume, Grid(SHAPE, shifted), order=1)
    np.testing.assert_allclose(moved[:-2], volume.data[2:], atol=1e-3)
    assert not moved[-2:].any()
    assert moved.dtype == np.float32


@pytest.mark.real_data
def test_left_codes_of_a_label_map_lie_in_the_right_half_of_the_picture(shared_data):
    volume = read_volume(shared_data / "label-maps" / "head_02.nii.gz")
    assert volume.file_orientation == "LIA"
    picture = PLANES["axial"].slices(volume.data)[139]
    left, right = (np.argwhere(picture == code).mean(axis=0) for code in (2, 41))
    assert left[1] - right[1] > 40
    caudate, ventricles = np.argwhere(picture == 11), np.argwhere(picture == 4)
    assert caudate.size
    assert ventricles.size
    assert caudate[:, 0].mean() < np.argwhere(np.isin(picture, (10, 49)))[:, 0].mean()  # caudate lies before thalamus


@pytest.mark.real_data
def test_z_of_12_mm_is_slice_84_of_the_mni_volumes(shared_data):
    header = read_header(shared_data / "lit-ms-mni" / "sub-ms07" / "anat" / "sub-ms07_space-MNI152_T1w.nii.gz")
    assert header.file_orientation == "LAS"
    assert PLANES["axial"].positions_mm(header.grid)[84] == 12
