import pytest

from ganlib.cohort.import_settings import ImportSettings
from ganlib.cohort.plan import split_of
from ganlib.cohort.sources import BratsSource
from ganlib.errors import InputError
from tests.cohort.sources.conftest import ids, refused, touch

OLD, NEW = ("t1", "t1ce", "t2", "flair", "seg"), ("t1n", "t1c", "t2w", "t2f", "seg")
EDITIONS = {
    2018: ["HGG/Brats18_CBICA_AAM_1", "HGG/Brats18_2013_2_1", "LGG/Brats18_TCIA01_130_1"],
    2019: ["HGG/BraTS19_CBICA_AAB_1", "LGG/BraTS19_TMC_06290_1"],
    2020: ["BraTS20_Training_001", "BraTS20_Training_002"],
    2021: ["BraTS2021_00000", "BraTS2021_00002"],
    2023: ["BraTS-GLI-00000-000", "BraTS-GLI-00000-001", "BraTS-SSA-00002-000"],
}


def write(folder, year, cases=None):
    suffixes, mark = (NEW, "-") if year == 2023 else (OLD, "_")
    for path in cases or EDITIONS[year]:
        case = path.rpartition("/")[2]
        touch(folder, *(f"{path}/{case}{mark}{suffix}.nii.gz" for suffix in suffixes))
    return folder


@pytest.mark.parametrize("year", EDITIONS)
def test_every_edition(tmp_path, year):
    source = BratsSource(write(tmp_path, year))
    listing = source.find()
    assert ids(listing) == sorted(path.rpartition("/")[2] for path in EDITIONS[year])
    first = listing.subjects[0]
    assert list(first.contrasts) == ["T1", "T1ce", "T2", "FLAIR"]
    stems = [path.name.removesuffix(".nii.gz").removeprefix(first.id)[1:] for path in first.contrasts.values()]
    assert stems == list(NEW[:4] if year == 2023 else OLD[:4])
    assert first.labels["oedema"].name.endswith("seg.nii.gz")
    assert source.label_codes["enhancing tumour"] == ([3] if year == 2023 else [4])
    assert source.describe()["edition"] == year


def test_site_grade_and_person_come_from_the_names(tmp_path):
    subjects = BratsSource(write(tmp_path, 2018)).find().subjects
    assert [(s.site, s.traits["grade"], s.person) for s in subjects] == [
        ("2013", "HGG", "Brats18_2013_2"), ("CBICA", "HGG", "Brats18_CBICA_AAM"),
        ("TCIA01", "LGG", "Brats18_TCIA01_130"),
    ]  # fmt: skip


def test_follow_ups_stay_with_their_person(tmp_path):
    cases = [f"BraTS-GLI-{person:05d}-{time:03d}" for person in range(6) for time in range(3)]
    listing = BratsSource(write(tmp_path, 2023, cases)).find()
    parts = split_of(listing, ImportSettings(validation=3, test=3), tmp_path)
    assert all(len({parts[f"BraTS-GLI-{person:05d}-{time:03d}"] for time in range(3)}) == 1 for person in range(6))
    with pytest.raises(InputError, match="are of one person, 'BraTS-GLI-00000'"):
        split_of(listing, ImportSettings(split=dict.fromkeys(cases, "train") | {cases[1]: "test"}), tmp_path)


def test_two_editions_in_one_folder_have_patients_in_common(tmp_path):
    write(write(tmp_path, 2020), 2021)
    with pytest.raises(InputError, match=r"editions of 2020 and 2021.*`edition`"):
        BratsSource(tmp_path).find()
    listing = BratsSource(tmp_path, edition=2021).find()
    assert ids(listing) == EDITIONS[2021]
    assert "of the edition of 2020, not of 2021" in listing.ignored.values()
    refused(BratsSource(tmp_path, edition=2019), "no case of the edition of 2019")


def test_every_trap_is_reported(tmp_path):
    cases = [f"BraTS20_Training_{number:03d}" for number in range(351, 357)]
    write(tmp_path, 2020, cases)
    (tmp_path / cases[0] / f"{cases[0]}_t2.nii.gz").unlink()
    touch(tmp_path, f"{cases[1]}/{cases[1]}_t1.nii")
    segmentation = tmp_path / cases[4] / f"{cases[4]}_seg.nii.gz"  # as the original has it
    segmentation.rename(segmentation.with_name("W39_1998.09.19_Segm.nii"))
    link = tmp_path / cases[2] / f"{cases[2]}_flair.nii.gz"
    link.unlink()
    link.symlink_to("nowhere")
    wrong = tmp_path / cases[3] / f"{cases[3]}_t1ce.nii.gz"
    wrong.rename(wrong.with_name(f"{cases[5]}_t1ce.nii.gz"))
    listing = BratsSource(tmp_path).list_all()
    assert ids(listing) == [cases[5]]
    assert listing.left_out == {
        cases[0]: "no T2 file",
        cases[1]: f"two T1 files, {cases[1]}/{cases[1]}_t1.nii and {cases[1]}/{cases[1]}_t1.nii.gz",
        cases[2]: f"FLAIR file is a broken link ({cases[2]}/{cases[2]}_flair.nii.gz)",
        cases[3]: "no T1ce file",
        cases[4]: "no label necrotic core file; no label oedema file; no label enhancing tumour file",
    }
    assert listing.ignored == {
        f"{cases[3]}/{cases[5]}_t1ce.nii.gz": "the file is named after another case than its folder",
        f"{cases[4]}/W39_1998.09.19_Segm.nii": f"not named after its case, {cases[4]}",
    }
    refused(BratsSource(tmp_path), "named after another case", "conflicts='skip'", incomplete="skip")


def test_cases_without_segmentation(tmp_path):
    write(tmp_path, 2021)
    for path in tmp_path.rglob("*_seg.nii.gz"):
        path.unlink()
    refused(BratsSource(tmp_path), "no case has a file *seg.nii", "labels=[]")
    assert BratsSource(tmp_path, ["T1", "T2"], labels=[]).find().subjects[0].labels == {}


def test_mistakes(tmp_path):
    refused(BratsSource(touch(tmp_path, "a/b.nii.gz")), "none of its 1", "BraTS-GLI-00000-000")
    with pytest.raises(InputError, match="label 'tumor' is unknown"):
        BratsSource(tmp_path, labels=["tumor"])
    with pytest.raises(InputError, match="no contrast 'T1w'"):
        BratsSource(tmp_path, ["T1w"])
