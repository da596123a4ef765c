import hashlib
import json
import time

import h5py
import numpy as np
import pytest

from ganlib.cohort import Cohort, CohortHeader, CohortWriter, Subject
from ganlib.cohort.split import split_hash
from ganlib.errors import InputError


def subject(subject_id, split="train", slices=1, **more):
    place = {"affine": np.eye(4).tolist(), "volume_shape": (8, 8, 8)}
    return Subject(id=subject_id, split=split, slice_indices=range(slices), slice_mm=range(slices), **place, **more)


def header(**more):
    return CohortHeader(name="test", contrasts=["T1w", "T2w"], voxel_mm=(1, 1, 1), **more)


def images(seed=0, slices=1):
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(0, 100, (slices, 8, 8)).astype(np.float32) for name in ("T1w", "T2w")}


def write(path, splits=("train", "test"), **more):
    with CohortWriter(path, header(**more)) as writer:
        for seed, split in enumerate(splits):
            writer.add(subject(f"sub-{seed}", split), images(seed), np.ones((1, 8, 8), bool))
    return path


def left(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_what_is_written_is_read(tmp_path):
    with CohortWriter(tmp_path / "c.h5", header(label_names={1: "lesion"})) as writer:
        mask = np.arange(128).reshape(2, 8, 8) % 2 == 0
        writer.add(subject("ä b", slices=2, family="F", gains={"T1w": 2.5}), images(slices=2), mask, mask * 3)
    with Cohort(tmp_path / "c.h5") as cohort:
        np.testing.assert_array_equal(cohort.images("ä b", "T2w"), images(slices=2)["T2w"])
        np.testing.assert_array_equal(cohort.mask("ä b"), mask)
        np.testing.assert_array_equal(cohort.labels("ä b"), mask * 3)
        assert cohort.shape == (8, 8)
        assert cohort.subject("ä b").gains == {"T1w": 2.5}
        assert cohort.header.label_names == {1: "lesion"}
        assert cohort.split() == {"train": ["ä b"], "validation": [], "test": []}


def test_range_comes_from_training_voxels_inside_the_mask_only(tmp_path):
    with CohortWriter(tmp_path / "c.h5", header()) as writer:
        mask = np.zeros((1, 8, 8), bool)
        mask[:, :4] = True
        bright = {name: np.where(mask, image, 1e6) for name, image in images().items()}
        writer.add(subject("a"), bright, mask)
        writer.add(subject("b", "test"), {name: image + 1e6 for name, image in images().items()}, mask)
    assert Cohort(tmp_path / "c.h5").ranges["T1w"].high <= 100


def test_scaled_and_stacked(tmp_path):
    cohort = Cohort(write(tmp_path / "c.h5"))
    stack = cohort.stack("T1w", cohort.ids())
    assert stack.shape == (2, 8, 8)
    np.testing.assert_allclose(cohort.ranges["T1w"].unscale(stack[1:]), images(1)["T1w"], atol=1e-4)


def test_same_content_same_bytes_even_later(tmp_path):
    digests = []
    for name in ("one.h5", "two.h5"):
        digests.append(hashlib.sha256(write(tmp_path / name).read_bytes()).hexdigest())
        time.sleep(1.1)  # time stamps in HDF5 count seconds
    assert digests[0] == digests[1]


def test_the_fingerprint_depends_on_voxels_and_on_the_header(tmp_path):
    one = Cohort(write(tmp_path / "1.h5")).fingerprint
    assert one == Cohort(write(tmp_path / "2.h5")).fingerprint
    assert one != Cohort(write(tmp_path / "3.h5", phantom=True)).fingerprint
    assert one != Cohort(write(tmp_path / "4.h5", ("train", "train"))).fingerprint


def test_headers_beyond_the_64_kb_of_an_hdf5_attribute(tmp_path):
    path = write(tmp_path / "c.h5", ["train"] * 300, provenance={"files": "x" * 200_000})
    assert len(Cohort(path)) == 300


@pytest.mark.parametrize("splits", [("test",), ()])
def test_without_training_subjects_nothing_is_made(tmp_path, splits):
    with pytest.raises(InputError, match=r"c\.h5: no training subject"):
        write(tmp_path / "c.h5", splits)
    assert left(tmp_path) == []


def test_an_error_in_the_block_leaves_the_old_file(tmp_path):
    before = write(tmp_path / "c.h5").read_bytes()
    with pytest.raises(KeyboardInterrupt), CohortWriter(tmp_path / "c.h5", header()) as writer:
        writer.add(subject("a"), images(), np.ones((1, 8, 8)))
        raise KeyboardInterrupt
    assert (tmp_path / "c.h5").read_bytes() == before
    assert left(tmp_path) == ["c.h5"]


def test_what_does_not_fit_is_refused(tmp_path):
    ones = np.ones((1, 8, 8))
    with pytest.raises(InputError, match="'mask' is reserved"):
        CohortWriter(tmp_path / "c.h5", CohortHeader(name="x", contrasts=["mask"], voxel_mm=(1, 1, 1)))
    wrong = [
        ({"T1w": ones}, ones, None, "contrasts"),
        ({"T1w": ones, "T2w": ones[:, :4]}, ones, None, "shapes differ"),
        ({"T1w": ones[0], "T2w": ones[0]}, ones[0], None, "not 3-D"),
        (images(), ones, ones, "labels"),
    ]
    for arrays, mask, labels, words in wrong:
        with pytest.raises(ValueError, match=words), CohortWriter(tmp_path / "c.h5", header()) as writer:
            writer.add(subject("a"), arrays, mask, labels)
    with (
        pytest.raises(ValueError, match="labels"),
        CohortWriter(tmp_path / "c.h5", header(label_names={1: "x"})) as writer,
    ):
        writer.add(subject("a"), images(), ones)


def test_files_that_are_no_cohort(tmp_path):
    with pytest.raises(InputError, match="no such cohort file"):
        Cohort(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(InputError, match="not a readable cohort file"):
        Cohort(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(InputError, match="not a ganlib cohort"):
        Cohort(tmp_path / "other.h5")
    path = write(tmp_path / "c.h5")
    (tmp_path / "half.h5").write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match="not a readable cohort file"):
        Cohort(tmp_path / "half.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 99
    with pytest.raises(InputError, match="version 99"):
        Cohort(path)


def test_unknown_subject_contrast_and_split(tmp_path):
    cohort = Cohort(write(tmp_path / "c.h5"))
    for ask in (lambda: cohort.mask("x"), lambda: cohort.images("sub-0", "PD"), lambda: cohort.ids("dev")):
        with pytest.raises(InputError):
            ask()
    assert cohort.labels("sub-0") is None


def test_neighbouring_slices_as_channels(tmp_path):
    with CohortWriter(tmp_path / "c.h5", header()) as writer:
        for seed, slices in enumerate((4, 1)):
            ones = np.ones((slices, 8, 8), bool)
            writer.add(subject(f"s{seed}", slices=slices), images(seed, slices), ones)
    cohort = Cohort(tmp_path / "c.h5")
    plain = cohort.stack("T1w", ["s0", "s1"])
    thick = cohort.stack("T1w", ["s0", "s1"], neighbours=2)
    assert thick.shape == (5, 8, 8, 5)
    np.testing.assert_array_equal(thick[..., 2], plain)
    # Slice numbers seen by each: edges are repeated, and nobody sees another subject's slices.
    seen = [[0, 0, 0, 1, 2], [0, 0, 1, 2, 3], [0, 1, 2, 3, 3], [1, 2, 3, 3, 3], [4, 4, 4, 4, 4]]
    for row, numbers in enumerate(seen):
        np.testing.assert_array_equal(thick[row], np.moveaxis(plain[numbers], 0, -1))


def test_the_split_has_a_fingerprint_that_does_not_depend_on_voxels(tmp_path):
    one, two = Cohort(write(tmp_path / "1.h5")), Cohort(write(tmp_path / "2.h5", phantom=True))
    assert one.split_hash == two.split_hash == one.header.split_hash
    assert one.split_hash == split_hash({"sub-0": "train", "sub-1": "test"})
    assert one.split_hash != Cohort(write(tmp_path / "3.h5", ("test", "train"))).split_hash


def test_a_file_of_before_sites_and_split_hashes_is_read(tmp_path):
    path = write(tmp_path / "c.h5")
    with h5py.File(path, "r+") as file:
        old = json.loads(file.attrs["header"])
        del old["split_hash"]
        file.attrs["header"] = json.dumps(old)
        subjects = json.loads(file.attrs["subjects"])
        for entry in subjects:
            for name in ("person", "site", "traits"):
                del entry[name]
        file.attrs["subjects"] = json.dumps(subjects)
    cohort = Cohort(path)
    assert cohort.subject("sub-0").site is None
    assert cohort.split_hash == split_hash({"sub-0": "train", "sub-1": "test"})


def test_a_damaged_cohort_is_one_line(tmp_path):
    for name in ("header", "subjects", "fingerprint"):
        path = write(tmp_path / f"{name}.h5")
        with h5py.File(path, "r+") as file:
            del file.attrs[name]
        with pytest.raises(InputError, match=rf"{name}\.h5: damaged") as caught:
            Cohort(path)
        assert "\n" not in str(caught.value)
    path = write(tmp_path / "voxels.h5")
    with h5py.File(path, "r") as file:
        chunk = file["subjects/sub-0/T1w"].id.get_chunk_info(0)
    raw = bytearray(path.read_bytes())
    raw[chunk.byte_offset : chunk.byte_offset + chunk.size] = b"\xff" * chunk.size
    path.write_bytes(bytes(raw))
    with pytest.raises(InputError, match=r"voxels\.h5: damaged"):
        Cohort(path).images("sub-0", "T1w")
