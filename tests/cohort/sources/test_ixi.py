import pytest

from ganlib.cohort.import_settings import ImportSettings
from ganlib.cohort.plan import split_of
from ganlib.cohort.sources import IxiSource
from ganlib.errors import InputError
from tests.cohort.sources.conftest import ids, names, refused, touch

SITES = {"Guys": 322, "HH": 185, "IOP": 74}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """As the archives unpack: one folder per contrast, 581 subjects of three sites."""
    folder, number = tmp_path_factory.mktemp("ixi"), 1
    for site, count in SITES.items():
        for _ in range(count):
            touch(folder, *(f"IXI-{image}/{scan(number, site)}-{image}.nii.gz" for image in ("T1", "T2", "PD")))
            number += 1
    return folder


@pytest.fixture
def few(tmp_path):
    for number in range(1, 5):
        touch(tmp_path, *(f"IXI-{image}/{scan(number, 'HH')}-{image}.nii.gz" for image in ("T1", "T2")))
    return tmp_path


def scan(number, site):
    return f"IXI{number:03d}-{site}-{700 + number:04d}"


def test_the_whole_data_set_is_listed_with_its_sites(whole):
    listing = IxiSource(whole, ["T1", "T2", "PD"]).find()
    assert len(listing.subjects) == 581
    first = listing.subjects[0]
    assert (first.id, first.person, first.site) == ("IXI001-Guys-0701", "IXI001", "Guys")
    assert first.contrasts["PD"].name == "IXI001-Guys-0701-PD.nii.gz"
    assert {site: sum(s.site == site for s in listing.subjects) for site in SITES} == SITES


def test_whole_sites_are_dealt_out_or_given(whole):
    listing = IxiSource(whole).find()
    site_of = {subject.id: subject.site for subject in listing.subjects}
    for settings in (
        ImportSettings(split_by="site", validation=1, test=1),
        ImportSettings(split_by="site", split={"Guys": "train", "HH": "validation", "IOP": "test"}),
    ):
        parts = split_of(listing, settings, whole)
        assert len({(site_of[i], part) for i, part in parts.items()}) == 3
        assert set(parts.values()) == {"train", "validation", "test"}
    assert parts["IXI581-IOP-1281"] == "test"


def test_sites_can_take_their_share_of_every_part(whole):
    listing = IxiSource(whole).find()
    parts = split_of(listing, ImportSettings(stratify=["site"], validation=0.1, test=0.2), whole)
    for site, count in SITES.items():
        test = sum(parts[s.id] == "test" for s in listing.subjects if s.site == site)
        assert abs(test - 0.2 * count) <= 1


def test_every_trap_is_reported(few):
    (few / f"IXI-T2/{scan(1, 'HH')}-T2.nii.gz").unlink()
    touch(few, f"copy/{scan(2, 'HH')}-T1.nii.gz", "IXI-T1/IXI5-HH-0001-T1.nii.gz", "IXI-T1/ixi006_T1.nii.gz")
    link = few / f"IXI-T1/{scan(3, 'HH')}-T1.nii.gz"
    link.unlink()
    link.symlink_to("nowhere")
    touch(few, "IXI-T2/IXI004-Guys-0704-T2.nii.gz", "IXI-DTI/IXI004-HH-0704-DTI-00.nii.gz", "other/brain.nii.gz")
    listing = IxiSource(few).list_all()
    assert ids(listing) == [scan(4, "HH")]
    assert listing.left_out == {
        scan(1, "HH"): "no T2 file",
        scan(2, "HH"): f"two T1 files, IXI-T1/{scan(2, 'HH')}-T1.nii.gz and copy/{scan(2, 'HH')}-T1.nii.gz",
        scan(3, "HH"): f"T1 file is a broken link (IXI-T1/{scan(3, 'HH')}-T1.nii.gz)",
        "IXI004-Guys-0704": "no T1 file",  # one person's images of two scans are never paired
    }
    assert sorted(listing.ignored) == ["IXI-T1/IXI5-HH-0001-T1.nii.gz", "IXI-T1/ixi006_T1.nii.gz"]
    refused(IxiSource(few), "has no T2 file", scan(1, "HH"))


def test_two_scans_of_one_person_stay_together(few):
    touch(few, "IXI-T1/IXI001-Guys-0999-T1.nii.gz", "IXI-T2/IXI001-Guys-0999-T2.nii.gz")
    listing = IxiSource(few).find()
    for seed in range(5):
        parts = split_of(listing, ImportSettings(validation=1, test=1, seed=seed), few)
        assert parts["IXI001-Guys-0999"] == parts[scan(1, "HH")]


def test_the_table_of_people(few):
    (few / "IXI.csv").write_text("IXI_ID,sex\n1,1\n2,2\n3.0,1\n4,2\n")
    listing = IxiSource(few, table="IXI.csv", traits=["sex"]).find()
    assert [subject.traits["sex"] for subject in listing.subjects] == ["1", "2", "1", "2"]
    with pytest.raises(InputError, match="go together"):
        IxiSource(few, table="IXI.csv")


def test_names_and_mistakes(few):
    assert list(names(IxiSource(few, {"anatomy": "T1"}).find(), "anatomy")) == [scan(n, "HH") for n in range(1, 5)]
    refused(IxiSource(few, ["PD"]), "none of its 8", "-PD.nii.gz")
    with pytest.raises(InputError, match="no contrast 'T9'"):
        IxiSource(few, ["T9"])
