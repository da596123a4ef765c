"""Whatever is wrong with a file, the answer is one line that names it."""

import gzip
import os
import struct

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganlib.cohort.volumes import read_header, read_volume
from ganlib.errors import InputError
from tests.cohort.conftest import AFFINE, head


def message(path, read=read_volume):
    with pytest.raises(InputError) as caught:
        read(path)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    return text


def rewrite(path, change):
    """Change the unpacked bytes of a .nii.gz file; `change` gets a bytearray."""
    raw = bytearray(gzip.decompress(path.read_bytes()))
    change(raw)
    path.write_bytes(gzip.compress(bytes(raw)))
    return path


def put(offset, kind, *values):
    return lambda raw: struct.pack_into("<" + kind, raw, offset, *values)


def test_missing_file_folder_and_broken_link(tmp_path):
    assert "no such file" in message(tmp_path / "none.nii.gz")
    assert "is a folder" in message(tmp_path)
    (tmp_path / "link.nii.gz").symlink_to(tmp_path / "gone")
    assert "link to a missing file" in message(tmp_path / "link.nii.gz")


@pytest.mark.parametrize("keep", [0, 5, 60, 0.3, 0.9, -4])
def test_truncated_gzip(volume_file, keep):
    path = volume_file()
    raw = path.read_bytes()
    path.write_bytes(raw[: int(keep * len(raw)) if isinstance(keep, float) else keep])
    message(path)


def test_truncated_plain_file_is_seen_from_its_header(volume_file):
    path = volume_file("volume.nii")
    path.write_bytes(path.read_bytes()[:-1])
    assert "truncated or damaged" in message(path, read_header)


def test_gzip_of_too_few_bytes(volume_file):
    path = rewrite(volume_file(), lambda raw: raw.__delitem__(slice(-100, None)))
    assert "truncated or damaged" in message(path)


def test_a_flipped_bit_is_seen_by_the_checksum(volume_file):
    path = volume_file()
    raw = bytearray(path.read_bytes())
    raw[-6] ^= 1  # in the checksum that ends a gzip file
    path.write_bytes(bytes(raw))
    assert "checksum" in message(path)


def test_text_file_under_a_nifti_name(tmp_path):
    for name in ("note.nii.gz", "note.nii"):
        (tmp_path / name).write_text("<html>404 not found</html>" * 40)
    assert "not compressed with gzip" in message(tmp_path / "note.nii.gz")
    assert "not a NIfTI file" in message(tmp_path / "note.nii")
    (tmp_path / "text.nii.gz").write_bytes(gzip.compress(b"hello"))
    assert "not a NIfTI file" in message(tmp_path / "text.nii.gz")


def test_header_of_a_pair(volume_file):
    path = rewrite(volume_file(), lambda raw: raw.__setitem__(slice(344, 348), b"ni1\0"))
    message(path)


def test_wrong_number_of_axes(tmp_path):
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6, 3), np.float32), AFFINE), tmp_path / "time.nii.gz")
    assert "4-D (4×5×6×3)" in message(tmp_path / "time.nii.gz", read_header)
    nib.save(nib.Nifti1Image(np.ones((4, 5), np.float32), AFFINE), tmp_path / "flat.nii.gz")
    assert "not a 3-D volume (4×5)" in message(tmp_path / "flat.nii.gz", read_header)


def test_nan_and_infinite_voxels_are_counted(volume_file):
    data = head()
    data[0, 0, :3] = np.nan
    data[1, 1, 1] = -np.inf
    assert "4 of 7680 voxels are NaN or infinite" in message(volume_file(data=data))


@pytest.mark.parametrize("name", ["colour", "complex"])
def test_voxels_that_are_no_real_numbers(tmp_path, name):
    kinds = {"colour": np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]), "complex": np.complex64}
    nib.save(nib.Nifti1Image(np.zeros((4, 5, 6), kinds[name]), AFFINE), tmp_path / "x.nii.gz")
    assert "not real numbers" in message(tmp_path / "x.nii.gz", read_header)


def test_affine_zero_singular_infinite_or_absent(volume_file):
    srow = 280
    assert "singular" in message(rewrite(volume_file(), put(srow, "12f", *[0] * 12)), read_header)
    assert "singular" in message(
        rewrite(volume_file(), put(srow, "12f", 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0)), read_header
    )
    assert "not finite" in message(rewrite(volume_file(), put(srow + 12, "f", np.inf)), read_header)
    assert "left and right are unknown" in message(rewrite(volume_file(), put(252, "2h", 0, 0)), read_header)


def test_affine_in_metres(volume_file):
    assert "in meter" in message(rewrite(volume_file(), put(123, "B", 1)), read_header)


def test_absurd_sizes_are_refused_before_memory_is_taken(volume_file):
    huge = rewrite(volume_file(), put(40, "4h", 3, 32767, 32767, 32767))
    assert "more than the" in message(huge, read_header)
    assert "more than the" in message(rewrite(volume_file(), put(40, "4h", 3, 5000, 2, 2)), read_header)
    for negative in (-1, -32768):
        message(rewrite(volume_file(), put(40, "4h", 3, 20, negative, 16)), read_header)
    large = rewrite(volume_file(), put(40, "4h", 3, 500, 500, 500))
    assert "too small for 500×500×500 voxels" in message(large, read_header)
    far = rewrite(volume_file(), put(108, "f", 1e12))
    message(far, read_header)
    assert "not a 3-D volume" in message(rewrite(volume_file(), put(40, "4h", 3, 0, 24, 16)), read_header)


def test_a_bomb_is_not_unpacked(volume_file):
    """A small file of many zeros behind a small volume: it is read, but the zeros are not."""
    path = volume_file()
    raw = gzip.decompress(path.read_bytes())
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(raw)
        for _ in range(64):
            file.write(bytes(1 << 20))
    import tracemalloc

    tracemalloc.start()
    read_volume(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("kind", [np.float64, np.int16])
def test_reading_takes_the_memory_of_the_float32_volume_and_little_more(volume_file, kind):
    """A bomb that keeps its promise: 7 million zeros in some kilobytes."""
    import tracemalloc

    path = volume_file(data=np.zeros((1, 1, 1)), dtype=kind)
    raw = bytearray(gzip.decompress(path.read_bytes())[:352])
    struct.pack_into("<4h", raw, 40, 3, 192, 192, 192)
    struct.pack_into("<2f", raw, 112, 2, 1)  # slope and intercept, so that every voxel is computed
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(raw)
        for _ in range(192):
            file.write(bytes(192 * 192 * np.dtype(kind).itemsize))
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    volume = read_volume(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (volume.data == 1).all()
    assert peak < volume.data.nbytes + 45_000_000


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission(volume_file):
    path = volume_file()
    path.chmod(0)
    message(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 351), st.integers(0, 255)), min_size=1, max_size=8),
    packed=st.booleans(),
)
def test_a_corrupt_header_is_read_or_refused_in_one_line(volume_file, changes, packed):
    path = volume_file("fuzz.nii.gz" if packed else "fuzz.nii", head(shape=(4, 5, 6)))
    raw = bytearray(gzip.decompress(path.read_bytes()) if packed else path.read_bytes())
    for offset, value in changes:
        raw[offset] = value
    path.write_bytes(gzip.compress(bytes(raw)) if packed else bytes(raw))
    try:
        volume = read_volume(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert volume.data.ndim == 3
        assert np.isfinite(volume.data).all()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=600), packed=st.booleans())
def test_random_bytes_are_refused(tmp_path, raw, packed):
    path = tmp_path / "noise.nii.gz"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    message(path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4),
    keep=st.none() | st.integers(0, 2000),
)
def test_a_corrupt_stream_is_read_or_refused_in_one_line(volume_file, changes, keep):
    path = volume_file("stream.nii.gz", head(shape=(8, 8, 8)))
    raw = bytearray(path.read_bytes())
    for offset, value in changes:
        raw[offset % len(raw)] = value
    path.write_bytes(bytes(raw[:keep]))
    try:
        volume = read_volume(path)
    except InputError as error:
        assert "\n" not in str(error)
        assert str(path) in str(error)
    else:
        assert np.isfinite(volume.data).all()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(4, 539), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_corrupt_header_of_version_2(tmp_path, changes):
    path = tmp_path / "two.nii"
    nib.save(nib.Nifti2Image(head(shape=(4, 5, 6)), AFFINE), path)
    raw = bytearray(path.read_bytes())
    for offset, value in changes:
        raw[offset] = value
    path.write_bytes(bytes(raw))
    try:
        assert np.isfinite(read_volume(path).data).all()
    except InputError as error:
        assert "\n" not in str(error)
