"""Whether two volumes lie in one place: header by header, and edge by edge."""

import nibabel as nib
import numpy as np
import pytest

from ganlib.errors import InputError
from ganlib.evaluation.placement import placement, shift_3d
from tests.cohort.conftest import AFFINE, write_volume


def _blobs(shape=(40, 44, 36), shift=(0, 0, 0), inverted=False):
    x, y, z = np.meshgrid(*(np.arange(length, dtype=float) for length in shape), indexing="ij")
    image = np.zeros(shape)
    for centre, size in (((20, 22, 18), 9), ((14, 28, 15), 4), ((26, 15, 21), 5)):
        a, b, c = (axis - middle - off for axis, middle, off in zip((x, y, z), centre, shift, strict=True))
        image += 100 / (1 + np.exp(np.sqrt(a**2 + b**2 + c**2) - size))
    return (200 - image if inverted else image).astype(np.float32)


@pytest.mark.parametrize("shift", [(0, 0, 0), (0.6, -1.3, 2.1), (-3, 0.25, 0)])
def test_known_shift_is_found_across_contrasts(shift):
    found = shift_3d(_blobs(), _blobs(shift=shift, inverted=True))
    np.testing.assert_allclose(found, shift, atol=0.08)


def test_anatomy_that_moved_inside_a_mask_that_did_not_is_seen():
    x, y, z = np.meshgrid(*(np.arange(length) for length in (60, 66, 54)), indexing="ij")
    mask = np.sqrt((x - 30) ** 2 + (y - 33) ** 2 + (z - 27) ** 2) < 24
    images = [np.pad(_blobs(shift=shift, inverted=bool(shift[0])), ((10, 10), (11, 11), (9, 9)), "edge") + 5
              for shift in ((0, 0, 0), (0.6, -0.3, 0.4))]  # fmt: skip
    found = shift_3d(*(image * mask for image in images))
    np.testing.assert_allclose(found, (0.6, -0.3, 0.4), atol=0.1)


def test_equal_headers_are_one_place_and_every_difference_shows(tmp_path):
    first = write_volume(tmp_path / "a.nii.gz", _blobs(), orientation="LIA")
    same = write_volume(tmp_path / "b.nii.gz", _blobs(), orientation="LIA")
    assert placement(first, same).same_place
    turned = placement(first, write_volume(tmp_path / "c.nii.gz", _blobs(), orientation="RAS"))
    assert not turned.same_place
    assert turned.orientation == ("LIA", "RAS")
    moved = AFFINE.copy()
    moved[0, 3] += 0.1
    assert not placement(first, write_volume(tmp_path / "d.nii.gz", _blobs(), affine=moved, orientation="LIA")).affine
    image = nib.load(same)
    image.set_sform(image.affine, 4)
    nib.save(image, tmp_path / "e.nii.gz")
    coded = placement(first, tmp_path / "e.nii.gz")
    assert coded.affine
    assert not coded.same_place
    with pytest.raises(InputError, match="cannot be laid together"):
        placement(first, write_volume(tmp_path / "f.nii.gz", _blobs((40, 44, 30))))


def test_empty_volume_has_no_shift():
    assert np.isnan(shift_3d(np.zeros((8, 8, 8)), np.ones((8, 8, 8)))).all()
