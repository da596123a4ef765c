"""Whole folders: every file under its own name, nothing twice, one bad file does not stop the rest."""

import json
import sys

import nibabel as nib
import numpy as np
import pytest

from ganlib import cli
from ganlib.errors import InputError
from ganlib.translate import translate_folder
from tests.cohort.conftest import head, write_volume


@pytest.fixture
def scans(tmp_path):
    """Two T1w, one T2w, one damaged T1w, one of a contrast that the run does not know."""
    folder = tmp_path / "scans"
    for name in ("sub-1/anat/sub-1_T1w", "sub-2/anat/sub-2_T1w", "sub-1/anat/sub-1_T2w", "sub-1/anat/sub-1_FLAIR"):
        write_volume(folder / f"{name}.nii.gz", head(1))
    (folder / "sub-3").mkdir()
    (folder / "sub-3/sub-3_T1w.nii.gz").write_bytes(b"no image")
    return folder


def test_every_volume_goes_to_its_place(identity_run, scans, tmp_path):
    report = translate_folder(identity_run, scans, tmp_path / "out", progress=False)
    made = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.nii.gz"))
    assert made == [
        "sub-1/anat/sub-1_desc-synthetic_T1w.nii.gz",
        "sub-1/anat/sub-1_desc-synthetic_T2w.nii.gz",
        "sub-2/anat/sub-2_desc-synthetic_T2w.nii.gz",
    ]
    assert [path.name for path in report.passed_over] == ["sub-1_FLAIR.nii.gz"]
    assert ["not a NIfTI file" in reason or "gzip" in reason for reason in report.failed.values()] == [True]
    np.testing.assert_allclose(nib.load(tmp_path / "out" / made[0]).get_fdata(), head(1), atol=1e-3)


def test_second_call_redoes_only_what_changed(identity_run, scans, tmp_path):
    out = tmp_path / "out"
    translate_folder(identity_run, scans, out, direction="t1w_to_t2w", progress=False)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.nii.gz")}
    assert len(before) == 2
    write_volume(scans / "sub-2/anat/sub-2_T1w.nii.gz", head(5))
    next(out.rglob("sub-1*.json")).unlink()  # as if it had been killed before the record was written
    report = translate_folder(identity_run, scans, out, direction="t1w", progress=False)
    assert [made.fresh for made in report.done.values()] == [True, True]
    report = translate_folder(identity_run, scans, out, direction="t1w", progress=False)
    assert [made.fresh for made in report.done.values()] == [False, False]
    np.testing.assert_allclose(
        nib.load(next(out.rglob("sub-2*.nii.gz"))).get_fdata(), head(5), atol=1e-3
    )  # fmt: skip
    report = translate_folder(identity_run, scans, out, direction="t1w", zero_background=True, progress=False)
    assert [made.fresh for made in report.done.values()] == [True, True]
    assert not list(out.rglob("*partial*"))


def test_mistakes_are_named(identity_run, scans, tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        translate_folder(identity_run, tmp_path / "none", tmp_path / "out")
    with pytest.raises(InputError, match="lies within"):
        translate_folder(identity_run, scans, scans / "out")
    with pytest.raises(InputError, match=r"no volume is named as T1w, T2w \(of 0"):
        translate_folder(identity_run, scans, tmp_path / "out", pattern="*.none")


def test_command_line_translates_goes_on_and_fails_in_one_line_each(identity_run, scans, tmp_path, monkeypatch, capfd):
    arguments = ["ganlib", "translate", identity_run.folder, scans, "-o", tmp_path / "out"]
    monkeypatch.setattr(sys, "argv", list(map(str, arguments)))
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    said = capfd.readouterr()
    assert stopped.value.code == 2
    assert said.out.count("desc-synthetic") == 3
    assert "not for diagnosis" in said.out
    assert "passed over" in said.out
    assert "failed:" in said.err
    assert "1 of 4 volumes failed" in said.err
    one = [*arguments[:3], scans / "sub-1/anat/sub-1_T1w.nii.gz", "-o", tmp_path / "one.nii.gz"]
    monkeypatch.setattr(sys, "argv", list(map(str, one)))
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 0
    assert json.loads((tmp_path / "one.json").read_text())["source"] == "sub-1_T1w.nii.gz"
