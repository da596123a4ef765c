import pytest

from ganlib.cohort.look import look, open_source
from ganlib.cohort.sources import LAYOUTS, FolderSource, HcpSource
from ganlib.cohort.split import split_hash
from ganlib.errors import InputError

PATTERNS = {"T1w": "{subject}/anat/*_T1w.nii.gz", "T2w": "{subject}/anat/*_T2w.nii.gz"}
FEW = {"validation": 1, "test": 1}


def test_a_look_reads_no_voxel_and_tells_what_an_import_would_do(study):
    for path in study.rglob("*.nii.gz"):
        path.write_bytes(b"")  # whoever opened them would notice
    found = look("pattern", study, PATTERNS, settings=FEW)
    assert found.problem is None
    assert "3 subjects, 3 complete" in found.text
    assert f"split: 1 train, 1 validation, 1 test; hash {split_hash(found.parts)[:12]}" in found.text


def test_what_would_stop_an_import_is_told_along_with_everything_else(study):
    (study / "sub-2/anat/sub-2_space-MNI_T2w.nii.gz").unlink()
    found = look("pattern", study, PATTERNS, settings=FEW)
    assert "'sub-2' has no T2w file" in str(found.problem)
    for words in ("3 subjects, 2 complete", "1 left out:", "sub-2: no T2w file", "an import would stop"):
        assert words in found.text
    assert look("pattern", study, PATTERNS, settings={"incomplete": "skip", "validation": 0, "test": 1}).problem is None
    assert "too few" in str(look("pattern", study, PATTERNS, settings={"incomplete": "skip", **FEW}).problem)


def test_a_long_list_is_cut(study):
    for number in range(200, 230):
        (study / f"sub-{number}" / "anat").mkdir(parents=True)
        (study / f"sub-{number}/anat/sub-{number}_T1w.nii.gz").write_bytes(b"")
    text = look("bids", study, ["T1w", "T2w"], settings=FEW).text
    assert "30 left out:" in text
    assert "… and 10 more" in text


def test_the_phantom_has_nothing_to_list():
    assert look("phantom", "").problem is None


def test_options_are_those_of_the_source_and_of_the_right_type(study):
    source = open_source("folder", study, PATTERNS, {"subjects": ["sub-1"], "labels": {"x": ["{subject}/x.nii", [3]]}})
    assert isinstance(source, FolderSource)
    assert (source.subjects, source.label_codes) == (["sub-1"], {"x": [3]})
    hcp = open_source("hcp", study, [], {"subjects": [100307]})  # as YAML reads it
    assert isinstance(hcp, HcpSource)
    assert hcp.subjects == ["100307"]
    for layout, contrasts, options, words in [
        ("folder", PATTERNS, {"subject": ["a"]}, "'subject': Extra inputs.*known are mask, labels"),
        ("folder", PATTERNS, {"labels": 3}, "'labels': Input should be a valid dictionary"),
        ("folder", ["T1w"], {}, "'contrasts': Input should be a valid dictionary"),
        ("folder", {}, {}, "needs `folder` and `contrasts`"),
        ("bids", ["T1w"], {"run": "third"}, "'run': Input should be 'first' or 'last'"),
        ("dicom", ["T1w"], {}, "source 'dicom' is unknown; use folder, pattern, bids, hcp, ixi, brats"),
    ]:
        with pytest.raises(InputError, match=words) as caught:
            open_source(layout, study, contrasts, options)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_folder_that_is_missing_or_of_another_layout_is_one_line(tmp_path, layout):
    contrasts = {"pattern": PATTERNS, "folder": PATTERNS, "bids": ["T1w"]}.get(layout)
    for folder, words in [(tmp_path / "none", "no such folder"), (tmp_path, str(tmp_path))]:
        with pytest.raises(InputError, match=words) as caught:
            look(layout, folder, contrasts)
        assert "\n" not in str(caught.value)
