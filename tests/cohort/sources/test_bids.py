import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganlib.cohort.sources import BidsSource
from ganlib.cohort.sources.bids import _BidsFile
from ganlib.cohort.sources.tree import Entry
from ganlib.errors import InputError
from tests.cohort.sources.conftest import ids, names, refused, touch


def test_bids(study):
    source = BidsSource(study, {"one": "T1w", "two": "T2w"}, labels=["lesion"])
    listing = source.find()
    assert source.contrasts == ["one", "two"]
    assert names(listing, "two")["sub-3"] == "sub-3_space-MNI_T2w.nii.gz"
    assert listing.subjects[0].labels["lesion"].parts[-5:-3] == ("derivatives", "lesions")
    assert listing.subjects[0].family is None


def test_bids_entities_choose_among_files(study):
    touch(study, "sub-1/anat/sub-1_acq-fast_T1w.nii.gz", "sub-2/anat/sub-2_T1w.nii.gz", "sub-3/anat/sub-3_T1w.nii")
    refused(BidsSource(study, ["T1w"]), "sub-1_acq-fast_T1w", "sub-1_space-MNI_T1w", "`space`, `entities` or `run`")
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


def test_runs_are_a_conflict_or_chosen(tmp_path):
    for run in ("1", "2", "10"):
        touch(tmp_path, f"sub-a/anat/sub-a_run-{run}_T1w.nii.gz")
    touch(tmp_path, "sub-b/anat/sub-b_T1w.nii.gz")
    refused(BidsSource(tmp_path, ["T1w"]), "sub-a_run-1_T1w", "`run`")
    assert names(BidsSource(tmp_path, ["T1w"], run="first").find())["sub-a"] == "sub-a_run-1_T1w.nii.gz"
    assert names(BidsSource(tmp_path, ["T1w"], run="last").find())["sub-a"] == "sub-a_run-10_T1w.nii.gz"
    assert list(names(BidsSource(tmp_path, ["T1w"], entities={"run": "2"}).find())) == ["sub-a"]
    touch(tmp_path, "sub-a/anat/sub-a_acq-x_run-1_T1w.nii.gz")
    refused(BidsSource(tmp_path, ["T1w"], run="first"), "acq-x", "`entities`")  # runs are not all that differs
    with pytest.raises(InputError, match="run 'third' is unknown"):
        BidsSource(tmp_path, ["T1w"], run="third")


def test_images_of_a_derivative(tmp_path):
    touch(tmp_path, "sub-a/anat/sub-a_T1w.nii.gz", "derivatives/fmriprep/sub-a/anat/sub-a_desc-preproc_T1w.nii.gz")
    assert names(BidsSource(tmp_path, ["T1w"]).find()) == {"sub-a": "sub-a_T1w.nii.gz"}
    prepared = BidsSource(tmp_path, ["T1w"], derivative="fmriprep").find()
    assert names(prepared) == {"sub-a": "sub-a_desc-preproc_T1w.nii.gz"}
    refused(BidsSource(tmp_path, ["T1w"], derivative="x"), "no file derivatives/x/sub-*")


def test_sites_and_traits_of_participants(tmp_path):
    touch(tmp_path, "sub-a/ses-1/anat/sub-a_ses-1_T1w.nii", "sub-a/ses-2/anat/sub-a_ses-2_T1w.nii")
    touch(tmp_path, "sub-b/anat/sub-b_T1w.nii")
    (tmp_path / "participants.tsv").write_text("participant_id\tsite\tsex\nsub-a\tX\tf\nsub-b\tY\tm\n")
    subjects = BidsSource(tmp_path, ["T1w"], site_column="site", traits=["sex"]).find().subjects
    assert [(s.person, s.site, s.traits["sex"]) for s in subjects] == [("sub-a", "X", "f")] * 2 + [("sub-b", "Y", "m")]


def test_every_trap_of_a_tree_with_sessions_is_reported(tmp_path):
    for subject, session in itertools.product("abcdef", ("pre", "post")):
        stem = f"sub-{subject}/ses-{session}/anat/sub-{subject}_ses-{session}"
        touch(tmp_path, f"{stem}_T1w.nii.gz", f"{stem}_T2w.nii.gz")
    anat = {subject: tmp_path / f"sub-{subject}/ses-pre/anat" for subject in "abcdef"}
    (anat["a"] / "sub-a_ses-pre_T2w.nii.gz").unlink()
    touch(anat["b"], "sub-b_ses-pre_run-2_T1w.nii.gz")
    (anat["c"] / "sub-c_ses-pre_T1w.nii.gz").unlink()
    (anat["c"] / "sub-c_ses-pre_T1w.nii.gz").symlink_to("nowhere")
    (anat["d"] / "sub-d_ses-pre_T1w.nii.gz").rename(anat["d"] / "sub-e_ses-pre_T1w.nii.gz")
    (anat["f"] / "sub-f_ses-pre_T2w.nii.gz").rename(anat["f"] / "sub-f_ses-post_T2w.nii.gz")
    listing = BidsSource(tmp_path, ["T1w", "T2w"]).list_all()
    complete = ["a_ses-post", "b_ses-post", "c_ses-post", "d_ses-post", "e_ses-post", "e_ses-pre", "f_ses-post"]
    assert ids(listing) == [f"sub-{subject}" for subject in complete]
    assert listing.left_out == {
        "sub-a_ses-pre": "no T2w file",
        "sub-b_ses-pre": "two T1w files, sub-b/ses-pre/anat/sub-b_ses-pre_T1w.nii.gz and "
        "sub-b/ses-pre/anat/sub-b_ses-pre_run-2_T1w.nii.gz",
        "sub-c_ses-pre": "T1w file is a broken link (sub-c/ses-pre/anat/sub-c_ses-pre_T1w.nii.gz)",
        "sub-d_ses-pre": "no T1w file",
        "sub-f_ses-pre": "no T2w file",
    }
    wrong = "file name and folders name different subjects or sessions"
    assert listing.ignored == {
        "sub-d/ses-pre/anat/sub-e_ses-pre_T1w.nii.gz": wrong,
        "sub-f/ses-pre/anat/sub-f_ses-post_T2w.nii.gz": wrong,
    }
    assert {subject.family for subject in listing.subjects} == {f"sub-{letter}" for letter in "abcdef"}


@given(st.text(st.sampled_from("sub-ab_/es1.niganatdervT\n"), max_size=60))
def test_any_name_is_parsed_or_passed_over(name):
    for path in (name, f"sub-a/anat/sub-a{name}_T1w.nii", f"sub-{name}/anat/sub-{name}_T1w.nii"):
        file = _BidsFile.parse(Entry(path))
        assert file is None or file.misnamed or file.subject.startswith("sub-")


@pytest.mark.real_data
def test_the_real_bids_folder(shared_data):
    listing = BidsSource(shared_data / "lit-ms-mni", ["T1w", "T2w", "FLAIR"], space="MNI152", labels=["lesion"]).find()
    assert [subject.id for subject in listing.subjects] == ["sub-ms07", "sub-ms19"]
