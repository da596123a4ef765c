"""Two patients as scanned, with skull and three grids: our rigid transforms against those shipped with the data."""

import numpy as np
import pytest

from ganlib.cohort.registration import RegistrationSettings, register_folder
from ganlib.cohort.registration.align import align, displacement_mm, head_mask
from ganlib.cohort.registration.given import affine_transform
from ganlib.cohort.registration.images import simpleitk, volume_to_itk
from ganlib.cohort.sources import FolderSource
from ganlib.cohort.volumes import read_volume
from ganlib.display.alignment import write_pictures

PATTERNS = {name: f"{{subject}}/study?_{name.upper()}.nii.gz" for name in ("FLAIR", "T1w", "T2w")}


@pytest.fixture(scope="module")
def registered(shared_data, tmp_path_factory):
    source = FolderSource(shared_data / "lit-ms-raw", PATTERNS)
    folder = tmp_path_factory.mktemp("registered")
    report = register_folder(source, folder, RegistrationSettings(to="FLAIR"), progress=False)
    assert report.failed == {}
    return source, report


def _points_inside_the_head(path, count=2000):
    sitk = simpleitk()
    image = volume_to_itk(read_volume(path))
    indices = np.argwhere(sitk.GetArrayFromImage(head_mask(image)))[:, ::-1]
    chosen = indices[np.random.default_rng(0).choice(len(indices), count, replace=False)]
    return np.array([image.TransformIndexToPhysicalPoint(tuple(map(int, index))) for index in chosen])


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("subject", ["patient01", "patient03"])
@pytest.mark.parametrize("contrast", ["T1w", "T2w"])
def test_agrees_with_the_shipped_transform(registered, subject, contrast, record_property):
    source, report = registered
    sitk = simpleitk()
    files = next(files for files in source.find().subjects if files.id == subject)
    ours = sitk.ReadTransform(str(report.folder / subject / f"{subject}_{contrast}_to_FLAIR.tfm"))
    path = files.contrasts[contrast]
    shipped = sitk.ReadTransform(str(path.with_name(path.name.replace(".nii.gz", "_to_FLAIR.txt"))))
    points = _points_inside_the_head(files.contrasts["FLAIR"])
    apart = displacement_mm(ours, shipped, points).mean()
    untouched = displacement_mm(affine_transform(np.eye(4)), shipped, points).mean()
    record = report.records[subject]
    before, after = record["nmi_before"][contrast], record["nmi_after"][contrast]
    print(f"{subject} {contrast}: {apart:.2f} mm from the shipped transform (as scanned {untouched:.2f} mm), "
          f"NMI {before:.4f} to {after:.4f}")  # fmt: skip
    assert apart < 1.0
    assert after > before


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize(("subject", "contrast"), [("patient01", "T2w"), ("patient03", "T1w")])
def test_a_known_motion_is_found_again(registered, subject, contrast):
    """Turned by up to 8 degrees and moved by up to 15 mm in the header alone, an image is found where it was."""
    source, report = registered
    sitk = simpleitk()
    files = next(files for files in source.find().subjects if files.id == subject)
    fixed, moving = (volume_to_itk(read_volume(files.contrasts[name])) for name in ("FLAIR", contrast))
    points = _points_inside_the_head(files.contrasts["FLAIR"])
    random = np.random.default_rng(len(subject + contrast))
    motion = sitk.Euler3DTransform()
    motion.SetCenter(tuple(points.mean(0)))
    motion.SetParameters([*np.deg2rad(random.uniform(-8, 8, 3)), *random.uniform(-15, 15, 3)])
    unmoved = sitk.ReadTransform(str(report.folder / subject / f"{subject}_{contrast}_to_FLAIR.tfm"))
    again = align(fixed, _moved(moving, motion))
    assert displacement_mm(motion, affine_transform(np.eye(4)), points).mean() > 5
    assert displacement_mm(again, sitk.CompositeTransform([motion, unmoved]), points).mean() < 0.3


def _moved(image, motion):
    """The image elsewhere in the world; no voxel is changed."""
    turn, direction = (np.array(matrix).reshape(3, 3) for matrix in (motion.GetMatrix(), image.GetDirection()))
    moved = simpleitk().Image(image)
    moved.SetOrigin(motion.TransformPoint(image.GetOrigin()))
    moved.SetDirection((turn @ direction).ravel().tolist())
    return moved


@pytest.mark.slow
@pytest.mark.real_data
def test_pictures_show_it(registered):
    from PIL import Image

    paths = write_pictures(*registered, progress=False)
    assert [path.name for path in paths] == ["patient01_registration.png", "patient03_registration.png"]
    for path in paths:
        assert np.asarray(Image.open(path)).std() > 20
