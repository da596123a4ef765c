import pytest

from ganlib.cohort.sources import FolderSource, report
from ganlib.errors import InputError
from tests.cohort.sources.conftest import names, refused, touch

T1W, T2W = "{subject}/anat/{subject}_*_T1w.nii.gz", "**/{subject}_space-???_T2w.nii.gz"
PATTERNS = {"T1w": T1W, "T2w": T2W}
LESIONS = "derivatives/*/{subject}/anat/*_label-lesion_mask.nii.gz"


def test_folder_patterns_name_subjects(study):
    listing = FolderSource(study, PATTERNS, labels={"lesion": LESIONS}).find()
    assert [subject.id for subject in listing.subjects] == ["sub-1", "sub-2", "sub-3"]
    first = listing.subjects[0]
    assert first.contrasts["T2w"] == study / "sub-1" / "anat" / "sub-1_space-MNI_T2w.nii.gz"
    assert first.labels["lesion"].name == "sub-1_space-MNI_label-lesion_mask.nii.gz"
    assert first.family is None
    assert listing.left_out == {}


@pytest.mark.parametrize(
    ("pattern", "ids"),
    [
        ("IXI{subject}-*-T1.nii", ["002", "012"]),  # the shortest run: not 002-Guys
        ("{subject}.nii", ["IXI002-Guys-0828-T1", "IXI012-HH-1211-T1"]),
        ("**/{subject}-T1.nii", ["IXI002-Guys-0828", "IXI012-HH-1211"]),
    ],
)
def test_what_a_pattern_captures(tmp_path, pattern, ids):
    touch(tmp_path, "IXI002-Guys-0828-T1.nii", "IXI012-HH-1211-T1.nii", ".IXI002-Guys-0828-T1.nii", "IXI002-x-T1.json")
    assert [subject.id for subject in FolderSource(tmp_path, {"T1w": pattern}).find().subjects] == ids


def test_a_repeated_subject_must_be_the_same(tmp_path):
    touch(tmp_path, "a/a_T1.nii", "b/a_T1.nii")
    assert [
        subject.id for subject in FolderSource(tmp_path, {"T1w": "{subject}/{subject}_T1.nii"}).find().subjects
    ] == ["a"]


def test_brackets_and_dots_are_plain_characters(tmp_path):
    touch(tmp_path, "s1[x].nii", "s1x.nii", "s1[x]anii")
    assert names(FolderSource(tmp_path, {"T1w": "{subject}[x].nii"}).find()) == {"s1": "s1[x].nii"}


def test_mistakes_in_patterns(study):
    with pytest.raises(InputError, match=r"lacks \{subject\}"):
        FolderSource(study, {"T1w": "sub-*/anat/*_T1w.nii.gz"})
    with pytest.raises(InputError, match="reserved"):
        FolderSource(study, {"mask": T1W})
    with pytest.raises(InputError, match="no contrast"):
        FolderSource(study, {})
    with pytest.raises(InputError, match="no such folder"):
        FolderSource(study / "none", PATTERNS)
    refused(
        FolderSource(study, {"PD": "{subject}/anat/*_PD.nii.gz"}), "none of its 9", "_PD.nii.gz", "(PD)", str(study)
    )
    refused(FolderSource(study, {"A": T1W, "B": T1W}), "matched as A and as B")


def test_two_files_of_one_subject_are_both_named(study):
    touch(study, "sub-2/anat/sub-2_space-raw_T1w.nii.gz")
    refused(FolderSource(study, PATTERNS), "sub-2_space-MNI_T1w", "sub-2_space-raw_T1w", "'sub-2'", "narrower")


def test_incomplete_subjects_are_an_error_or_left_out_with_the_reason(study):
    (study / "sub-2" / "anat" / "sub-2_space-MNI_T2w.nii.gz").unlink()
    source = FolderSource(study, PATTERNS)
    refused(source, "'sub-2' has no T2w file", "incomplete='skip'")
    listing = source.find(incomplete="skip")
    assert [subject.id for subject in listing.subjects] == ["sub-1", "sub-3"]
    assert listing.left_out == {"sub-2": "no T2w file"}


def test_a_missing_label_volume_is_an_error_left_out_or_empty(study):
    next(study.glob("derivatives/*/sub-3/anat/*")).unlink()
    source = FolderSource(study, PATTERNS, labels={"lesion": LESIONS})
    refused(source, "'sub-3' has no label lesion file", "incomplete_labels='empty'", incomplete="skip")
    assert source.find(incomplete_labels="skip").left_out == {"sub-3": "no label lesion file"}
    assert source.find(incomplete_labels="empty").subjects[2].labels == {"lesion": None}


def test_nobody_is_complete(tmp_path):
    touch(tmp_path, "a_T1w.nii", "b_T2w.nii")
    source = FolderSource(tmp_path, {"T1w": "{subject}_T1w.nii", "T2w": "{subject}_T2w.nii"})
    refused(source, "no subject is complete, 2 were left out", incomplete="skip")


def test_families_from_a_table(study):
    (study / "families.csv").write_text("\ufeffID,Family\nsub-1,A\nsub-2,A\nsub-3,n/a\n", encoding="utf-8")
    table = {"family_table": "families.csv", "family_column": "Family", "subject_column": "ID"}
    listing = FolderSource(study, PATTERNS, **table).find()
    assert [subject.family for subject in listing.subjects] == ["A", "A", None]
    refused(FolderSource(study, PATTERNS, **table | {"family_column": "fam"}), "no column 'fam'", "ID, Family")
    (study / "families.csv").write_text("ID,Family\nsub-1,A\nsub-1,B\n")
    refused(FolderSource(study, PATTERNS, **table), "'sub-1' has two families, 'A' and 'B'")
    (study / "families.csv").write_text("ID,Family\nsub-1,A\n")
    refused(FolderSource(study, PATTERNS, **table), "no row for subject 'sub-2'")
    refused(FolderSource(study, PATTERNS, **table | {"family_table": "none.csv"}), "none.csv", "no such table")
    (study / "families.csv").write_bytes(b"PK\x03\x04\xff\xfe\x00")
    refused(FolderSource(study, PATTERNS, **table), "families.csv")
    with pytest.raises(InputError, match="go together"):
        FolderSource(study, PATTERNS, family_column="Family")


def test_chosen_subjects(study):
    assert [s.id for s in FolderSource(study, PATTERNS, subjects=["sub-3", "sub-1"]).find().subjects] == [
        "sub-1",
        "sub-3",
    ]
    refused(FolderSource(study, PATTERNS, subjects=["sub-9"]), "no subject 'sub-9'")


def test_links_out_of_the_folder_are_refused_unless_meant_and_loops_end(study, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    touch(elsewhere, "sub-7/anat/sub-7_x_T1w.nii.gz")
    (study / "sub-7").symlink_to(elsewhere / "sub-7", target_is_directory=True)
    (study / "sub-1" / "loop").symlink_to(study, target_is_directory=True)
    refused(FolderSource(study, {"T1w": T1W}), "sub-7: a link that leads out of the folder, to", "follow_links=True")
    listing = FolderSource(study, {"T1w": T1W}).list_all()
    assert listing.ignored == {"sub-7": f"a link out of the folder, to {elsewhere / 'sub-7'}"}
    assert "sub-7" in names(FolderSource(study, {"T1w": T1W}, follow_links=True).find())


@pytest.mark.parametrize("pattern", ["../{subject}/T1.nii", "a/../../{subject}.nii", "/etc/{subject}.nii"])
def test_patterns_that_lead_out_of_the_folder(study, pattern):
    with pytest.raises(InputError, match=r"leads out of the folder; write a path below it"):
        FolderSource(study, {"T1w": pattern})


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "T1\nw"])
def test_contrast_names_that_no_cohort_can_have(study, name):
    with pytest.raises(InputError, match=r"contrast name .* cannot be used"):
        FolderSource(study, {name: T1W})


def test_an_id_of_dots_is_no_name_in_a_cohort(tmp_path):
    touch(tmp_path, "x-..nii", "x-a.nii")
    refused(FolderSource(tmp_path, {"T1w": "x-{subject}.nii"}), "subject '.': not a usable id")
    assert list(FolderSource(tmp_path, {"T1w": "x-{subject}.nii"}).find(conflicts="skip").left_out) == ["."]


def test_one_file_of_two_subjects_is_reported(tmp_path):
    touch(tmp_path, "a.nii")
    (tmp_path / "b.nii").hardlink_to(tmp_path / "a.nii")
    (tmp_path / "c.nii").symlink_to("a.nii")
    touch(tmp_path, "d.nii")
    source = FolderSource(tmp_path, {"T1w": "{subject}.nii"})
    assert source.find().same_file == [("a", "b", "b.nii"), ("a", "c", "c.nii")]
    assert "a and c: share a file (c.nii)" in report(source, source.find())


def test_a_broken_link_beside_the_file_does_not_hide_it(study):
    (study / "sub-1/anat/sub-1_old_T1w.nii.gz").symlink_to("nowhere")
    assert names(FolderSource(study, {"T1w": T1W}).find())["sub-1"] == "sub-1_space-MNI_T1w.nii.gz"


def test_sites_and_traits_from_a_table(study):
    (study / "people.tsv").write_text("id\tsite\tsex\nsub-1\tA\tf\nsub-2\tB\tm\nsub-3\tn/a\tm\n")
    table = {"family_table": "people.tsv", "subject_column": "id", "site_column": "site", "traits": ["sex"]}
    subjects = FolderSource(study, PATTERNS, **table).find().subjects
    assert [(s.site, s.traits, s.family) for s in subjects] == [
        ("A", {"sex": "f"}, None), ("B", {"sex": "m"}, None), (None, {"sex": "m"}, None)
    ]  # fmt: skip
    with pytest.raises(InputError, match="go together"):
        FolderSource(study, PATTERNS, family_table="people.tsv")
