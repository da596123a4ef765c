"""Registration: a known motion is found, given transforms are applied, a stopped folder goes on, results import."""

import json
import sys

import nibabel as nib
import numpy as np
import pytest

from ganlib import cli
from ganlib.cohort.build import ImportSettings, import_cohort
from ganlib.cohort.prepare import prepare
from ganlib.cohort.registration import RegistrationSettings, register_folder
from ganlib.cohort.registration.align import align, displacement_mm
from ganlib.cohort.registration.given import affine_transform
from ganlib.cohort.registration.images import LPS, from_itk, to_itk
from ganlib.cohort.registration.subject import result_path
from ganlib.cohort.registration.template import scaled_grid, template
from ganlib.cohort.sources import FolderSource
from ganlib.cohort.volumes import Grid
from ganlib.errors import InputError
from tests.cohort.registration.conftest import SHAPE, affine, head, true_matrix

PATTERNS = {name: f"{{subject}}/{name}.nii.gz" for name in ("T1w", "T2w")}
GIVEN = {"T2w": "{subject}/motion.txt"}
FLIP = np.eye(4)
FLIP[:3, :3] = LPS


def _source(study):
    return FolderSource(study, PATTERNS)


def _inside(count=200):
    return np.random.default_rng(0).uniform(-1, 1, (count, 3)) * (50, 60, 45)


@pytest.mark.parametrize("kind", ["rigid", "affine"])
def test_known_motion_is_found_across_contrasts(kind):
    motion = true_matrix()
    fixed, moving = (to_itk(data, Grid(SHAPE, affine())) for data in (head("T1w"), head("T2w", motion)))
    found = align(fixed, moving, kind=kind)
    again = align(fixed, moving, kind=kind)
    assert found.GetParameters() == again.GetParameters()
    known = affine_transform(FLIP @ motion @ FLIP)
    before = displacement_mm(affine_transform(np.eye(4)), known, _inside()).mean()
    after = displacement_mm(found, known, _inside()).mean()
    assert before > 5
    assert after < 0.6


def _thick(contrast, moved=None, voxel_mm=1.5, slices=3):
    """The head in slices thrice as thick as the pixels are wide, as an ITK image."""
    shape = (112, 128, 96)
    data = head(contrast, moved, shape, voxel_mm).reshape(*shape[:2], -1, slices).mean(-1)
    world = affine(shape, voxel_mm) @ np.diag([1, 1, slices, 1.0])
    world[2, 3] += voxel_mm * (slices - 1) / 2
    return to_itk(data, Grid(data.shape, world))


def test_a_small_motion_between_thick_slices_is_found_to_a_fraction_of_a_pixel():
    motion = true_matrix((1, -1.5, 2), (1.0, -0.5, 1.5))
    found = align(_thick("T1w"), _thick("T2w", motion))
    assert displacement_mm(found, affine_transform(FLIP @ motion @ FLIP), _inside()).mean() < 0.25


def test_itk_images_and_volumes_are_one_place():
    oblique = true_matrix() @ np.diag([2.0, 1.5, 3.0, 1])
    data = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    image = to_itk(data, Grid((5, 6, 7), oblique))
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((2, 3, 1)), LPS @ (oblique @ [2, 3, 1, 1])[:3])
    back, grid = from_itk(image)
    np.testing.assert_array_equal(back, data)
    np.testing.assert_allclose(grid.affine, oblique, atol=1e-9)
    sheared = np.eye(4)
    sheared[0, 1] = 0.1
    with pytest.raises(InputError, match="not at right angles"):
        to_itk(data, Grid((5, 6, 7), sheared))


def test_scaled_grid_covers_the_same_field():
    grid = scaled_grid(Grid(SHAPE, affine()), 2.0)
    assert grid.shape == (84, 96, 72)
    np.testing.assert_allclose(grid.world_mm((np.array(grid.shape) - 1) / 2), 0, atol=1e-9)


def test_given_transforms_are_applied_and_the_result_imports(study, tmp_path):
    settings = RegistrationSettings(to="T1w", transforms=GIVEN)
    report = register_folder(_source(study), tmp_path / "out", settings, workers=1, progress=False)
    assert report.failed == {}
    for subject_id, record in report.records.items():
        moved = nib.load(result_path(tmp_path / "out", subject_id, "T2w"))
        expected = head("T2w")
        inside = expected > 250
        assert np.abs(moved.get_fdata() - expected[::-1, ::-1])[inside[::-1, ::-1]].mean() < 15
        assert record["nmi_after"]["T2w"] > record["nmi_before"]["T2w"]
        assert record["given"] == ["T2w"]
    settings = ImportSettings(slice_mm=0.0, validation=0, test=1, mask="computed")
    assert len(import_cohort(report.source, tmp_path / "c.h5", settings, progress=False)) == 2


def test_families_and_sites_survive_registration(study, tmp_path):
    (study / "people.csv").write_text("subject,family,site,sex\nsub-1,f1,here,F\nsub-2,f1,there,M\n")
    source = FolderSource(
        study, PATTERNS, family_table="people.csv", family_column="family", site_column="site", traits=["sex"]
    )
    settings = RegistrationSettings(to="T1w", transforms=GIVEN)
    report = register_folder(source, tmp_path / "out", settings, workers=1, progress=False)
    found = report.source.find().subjects
    assert [(one.family, one.site, one.traits) for one in found] == [
        ("f1", "here", {"sex": "F"}),
        ("f1", "there", {"sex": "M"}),
    ]


def test_prepare_registers_first_if_asked(study, tmp_path):
    chosen = {"folder": str(study), "contrasts": PATTERNS, "registration": {"to": "T1w", "transforms": GIVEN}}
    settings = {"slice_mm": 0.0, "validation": 0, "test": 1, "mask": "computed"}
    with prepare("pattern", tmp_path / "c.h5", settings=settings, progress=False, **chosen) as cohort:
        assert len(cohort) == 2
        first, second = (cohort.images("sub-1", name) for name in PATTERNS)
    assert (tmp_path / "c_registered/sub-1/sub-1_T2w.nii.gz").is_file()
    assert first.shape == second.shape
    with pytest.raises(InputError, match="registration setting 'too'"):
        prepare("pattern", tmp_path / "d.h5", settings=settings, **{**chosen, "registration": {"too": "T1w"}})


def test_second_call_goes_on_where_the_first_was_stopped(study, tmp_path):
    settings = RegistrationSettings(to="T1w", transforms=GIVEN)
    out = tmp_path / "out"
    register_folder(_source(study), out, settings, workers=1, progress=False)
    (out / "sub-2" / "registration.json").unlink()
    before = (out / "sub-1" / "sub-1_T2w.nii.gz").stat().st_mtime_ns
    report = register_folder(_source(study), out, settings, workers=1, progress=False)
    assert report.fresh == ["sub-2"]
    assert (out / "sub-1" / "sub-1_T2w.nii.gz").stat().st_mtime_ns == before
    other = settings.model_copy(update={"voxel_mm": 4.0})
    assert register_folder(_source(study), out, other, workers=1, progress=False).fresh == ["sub-1", "sub-2"]


def test_one_damaged_file_does_not_stop_the_others(study, tmp_path):
    path = study / "sub-1" / "T2w.nii.gz"
    path.write_bytes(path.read_bytes()[:2000])
    settings = RegistrationSettings(to="T1w", transforms=GIVEN)
    report = register_folder(_source(study), tmp_path / "out", settings, workers=2, progress=False)
    assert list(report.records) == ["sub-2"]
    assert "truncated or damaged" in report.failed["sub-1"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"to": "FLAIR"}, "give MNI152 or a contrast of the source, T1w, T2w"),
        ({"to": "MNI152", "via": "PD"}, "via 'PD'"),
        ({"to": "T1w", "transforms": {"FLAIR": "x"}}, "'FLAIR' is no contrast"),
        ({"to": "T1w", "transforms": {"T2w": "{subject}/none.txt"}}, "0 files are .* of subject 'sub-1'"),
    ],
)
def test_mistakes_are_named(study, tmp_path, settings, said):
    with pytest.raises(InputError, match=said):
        register_folder(_source(study), tmp_path / "out", RegistrationSettings(**settings), progress=False)


def test_command_line_registers_draws_and_says_how_to_import(study, tmp_path, monkeypatch, capfd):
    arguments = ["register", study, "-o", tmp_path / "out", "--to", "T1w", "--workers", "1"]
    arguments += [f"-c{name}={pattern}" for name, pattern in PATTERNS.items()]
    arguments += ["-s", "transforms={T2w: '{subject}/motion.txt'}"]
    monkeypatch.setattr(sys, "argv", ["ganlib", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    said = capfd.readouterr().out
    assert stopped.value.code == 0
    assert "NMI with T1w from T2w" in said
    assert "ganlib import" in said
    from PIL import Image

    picture = np.asarray(Image.open(tmp_path / "out/sub-1/sub-1_registration.png").convert("RGB"))
    assert (picture == (255, 176, 0)).all(axis=2).sum() > 300
    assert picture.std() > 20


@pytest.mark.slow
def test_onto_the_template_with_a_brain_mask(tmp_path):
    """The template itself, moved and in another contrast, comes back, and its mask with it."""
    brain, mask = template()
    data, grid = from_itk(brain)
    moved = true_matrix((3, -4, 5), (6, -5, 4)) @ grid.affine
    folder = tmp_path / "raw" / "sub-1"
    folder.mkdir(parents=True)
    nib.save(nib.Nifti1Image(data, moved), folder / "T1w.nii.gz")
    nib.save(nib.Nifti1Image((data.max() - data) * (data > 0), moved), folder / "T2w.nii.gz")
    settings = RegistrationSettings(to="MNI152", brain_mask="atlas", strip=True, voxel_mm=2.0)
    report = register_folder(_source(tmp_path / "raw"), tmp_path / "out", settings, workers=1, progress=False)
    assert report.failed == {}
    record = json.loads((tmp_path / "out/sub-1/registration.json").read_text())
    assert min(record["nmi_after"][name] - record["nmi_before"][name] for name in PATTERNS) > 0.05
    found = nib.load(result_path(tmp_path / "out", "sub-1", "mask"))
    wanted = nib.Nifti1Image((from_itk(mask)[0] > 0).astype(np.float32), grid.affine)
    from nibabel.processing import resample_from_to

    expected = resample_from_to(wanted, found, order=0).get_fdata() > 0
    got = found.get_fdata() > 0
    assert 2 * (expected & got).sum() / (expected.sum() + got.sum()) > 0.97
