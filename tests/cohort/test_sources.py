import pytest

from ganlib.cohort.sources import BidsSource, FolderSource
from ganlib.errors import InputError

T1W, T2W = "{subject}/anat/{subject}_*_T1w.nii.gz", "**/{subject}_space-???_T2w.nii.gz"
PATTERNS = {"T1w": T1W, "T2w": T2W}
LESIONS = "derivatives/*/{subject}/anat/*_label-lesion_mask.nii.gz"


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def refused(source, *words, **options):
    with pytest.raises(InputError) as caught:
        source.find(**options)
    text = str(caught.value)
    assert "\n" not in text
    for word in words:
        assert word in text
    return text


def names(listing, contrast="T1w"):
    return {subject.id: subject.contrasts[contrast].name for subject in listing.subjects}


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


def test_linked_folders_are_followed_and_loops_end(study, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    touch(elsewhere, "sub-7/anat/sub-7_x_T1w.nii.gz")
    (study / "sub-7").symlink_to(elsewhere / "sub-7", target_is_directory=True)
    (study / "sub-1" / "loop").symlink_to(study, target_is_directory=True)
    assert "sub-7" in names(FolderSource(study, {"T1w": T1W}).find())


def test_bids(study):
    source = BidsSource(study, {"one": "T1w", "two": "T2w"}, labels=["lesion"])
    listing = source.find()
    assert source.contrasts == ["one", "two"]
    assert names(listing, "two")["sub-3"] == "sub-3_space-MNI_T2w.nii.gz"
    assert listing.subjects[0].labels["lesion"].parts[-5:-3] == ("derivatives", "lesions")
    assert listing.subjects[0].family is None


def test_bids_entities_choose_among_files(study):
    touch(study, "sub-1/anat/sub-1_acq-fast_T1w.nii.gz", "sub-2/anat/sub-2_T1w.nii.gz", "sub-3/anat/sub-3_T1w.nii")
    refused(BidsSource(study, ["T1w"]), "sub-1_acq-fast_T1w", "sub-1_space-MNI_T1w", "`space` or `entities`")
    assert len(BidsSource(study, ["T1w"], space="MNI").find().subjects) == 3
    raw = BidsSource(study, ["T1w"], entities={"space": None}).find()
    assert names(raw) == {"sub-1": "sub-1_acq-fast_T1w.nii.gz", "sub-2": "sub-2_T1w.nii.gz", "sub-3": "sub-3_T1w.nii"}
    assert list(names(BidsSource(study, ["T1w"], entities={"acq": "fast"}).find())) == ["sub-1"]
    refused(BidsSource(study, ["T1w"], space="T1w"), "*_T1w.nii[.gz]", "space-T1w")
    refused(BidsSource(study, ["T1w"], space="MNI", labels=["tumour"]), "label-tumour_mask")


def test_bids_sessions_are_subjects_of_one_family(tmp_path):
    for session in ("01", "02"):
        touch(tmp_path, f"sub-a/ses-{session}/anat/sub-a_ses-{session}_T1w.nii.gz")
    touch(tmp_path, "sub-b/anat/sub-b_T1w.nii.gz")
    found = BidsSource(tmp_path, ["T1w"]).find().subjects
    assert {s.id: s.family for s in found} == {"sub-a_ses-01": "sub-a", "sub-a_ses-02": "sub-a", "sub-b": None}
    assert [s.id for s in BidsSource(tmp_path, ["T1w"], session="02").find().subjects] == ["sub-a_ses-02"]


def test_bids_families_from_participants(tmp_path):
    touch(
        tmp_path, "sub-a/ses-1/anat/sub-a_ses-1_T1w.nii.gz", "sub-b/anat/sub-b_T1w.nii.gz", "sub-c/anat/sub-c_T1w.nii"
    )
    source = BidsSource(tmp_path, ["T1w"], family_column="family")
    refused(source, "participants.tsv", "no such table")
    (tmp_path / "participants.tsv").write_text("participant_id\tage\tfamily\nsub-a\t30\tF1\nb\t31\tF1\nsub-c\t3\tn/a\n")
    assert [s.family for s in source.find().subjects] == ["F1", "F1", "sub-c"]


def test_bids_brain_mask_beside_the_image_or_in_a_derivative(tmp_path):
    touch(tmp_path, "sub-a/anat/sub-a_T1w.nii.gz", "derivatives/fmriprep/sub-a/anat/sub-a_desc-brain_mask.nii.gz")
    source = BidsSource(tmp_path, ["T1w"], mask="brain")
    assert source.find().subjects[0].mask.name == "sub-a_desc-brain_mask.nii.gz"
    touch(tmp_path, "derivatives/hdbet/sub-a/anat/sub-a_desc-brain_mask.nii.gz")
    refused(source, "fmriprep", "hdbet")


def test_bids_name_that_contradicts_its_folder(tmp_path):
    touch(tmp_path, "sub-a/anat/sub-b_T1w.nii.gz")
    refused(BidsSource(tmp_path, ["T1w"]), "different subjects")


def test_descriptions_do_not_reveal_where_the_folder_is(study):
    for source in (BidsSource(study, ["T1w"]), FolderSource(study, PATTERNS)):
        assert source.describe()["folder"] == "study"
        assert str(study.parent) not in str(source.describe())


@pytest.mark.real_data
def test_the_real_bids_folder(shared_data):
    listing = BidsSource(shared_data / "lit-ms-mni", ["T1w", "T2w", "FLAIR"], space="MNI152", labels=["lesion"]).find()
    assert [subject.id for subject in listing.subjects] == ["sub-ms07", "sub-ms19"]
