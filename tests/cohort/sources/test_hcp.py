"""The whole HCP as a tree of names: 1,113 subjects with families, and every trap that a real disk has."""

import pytest

from ganlib.cohort.import_settings import ImportSettings
from ganlib.cohort.plan import split_of
from ganlib.cohort.sources import HcpSource, report
from ganlib.errors import InputError
from tests.cohort.sources.conftest import ids, refused, touch

SUBJECTS = 1113
IDS = [str(100_004 + 7 * number) for number in range(SUBJECTS)]
T1W, T2W = (f"MNINonLinear/{name}_restore_brain.nii.gz" for name in ("T1w", "T2w"))


def write_table(folder, rows, columns="Subject,Family_ID,Mother_ID,Father_ID", name="restricted.csv"):
    (folder / name).write_text("\n".join([columns, *(",".join(map(str, row)) for row in rows)]) + "\n")


def families(number):
    """Family, mother and father: triples of siblings; every 50th family shares the mother with the one before."""
    family = number // 3
    mother = family - 1 if family % 50 == 49 else family
    return f"F{family}", f"M{mother}", f"P{family}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hcp")
    touch(folder, *(f"{subject}/{path}" for subject in IDS for path in (T1W, T2W)))
    write_table(folder, [(subject, *families(number)) for number, subject in enumerate(IDS)])
    return folder


@pytest.fixture
def few(tmp_path):
    """Six subjects, two of them twins."""
    touch(tmp_path, *(f"{subject}/{path}" for subject in IDS[:6] for path in (T1W, T2W)))
    write_table(tmp_path, [(i, f"F{max(n, 1)}", f"M{max(n, 1)}", f"P{max(n, 1)}") for n, i in enumerate(IDS[:6])])
    return tmp_path


def test_the_whole_hcp_is_listed_with_its_families(whole):
    listing = HcpSource(whole, table="restricted.csv").find()
    assert ids(listing) == IDS
    first = listing.subjects[0]
    assert first.contrasts["T2w"] == whole / IDS[0] / T2W
    assert first.family == listing.subjects[2].family == "F0"
    # Half-siblings have another Family_ID, and one mother: 48 and 49 are one family, named after the first.
    assert {listing.subjects[number].family for number in range(48 * 3, 50 * 3)} == {"F48"}
    assert len({subject.family for subject in listing.subjects}) == 371 - 7
    assert (listing.left_out, listing.ignored, listing.notes) == ({}, {}, [])


def test_no_family_of_the_whole_hcp_stands_in_two_parts(whole):
    listing = HcpSource(whole, table="restricted.csv").find()
    parts = split_of(listing, ImportSettings(validation=0.1, test=0.2), whole)
    assert set(parts) == set(IDS)
    of_family = {}
    for subject in listing.subjects:
        of_family.setdefault(subject.family, set()).add(parts[subject.id])
    assert all(len(found) == 1 for found in of_family.values())
    counts = [list(parts.values()).count(part) for part in ("train", "validation", "test")]
    assert sum(counts) == SUBJECTS
    assert 111 <= counts[1] <= 116
    assert 223 <= counts[2] <= 228
    # By the table's family alone, the half-siblings could be torn apart: what the mothers add is not idle.
    alone = HcpSource(whole, table="restricted.csv", family_column="Family_ID").find()
    assert len({subject.family for subject in alone.subjects}) == 371


def test_every_trap_is_reported(few):
    missing, double, broken, empty, gone = IDS[1], IDS[2], IDS[3], IDS[4], IDS[5]
    (few / missing / T2W).unlink()
    touch(few, f"{double}/{T1W.removesuffix('.gz')}")
    (few / broken / T1W).unlink()
    (few / broken / T1W).symlink_to(few / "nowhere.nii.gz")
    for path in (T1W, T2W):
        (few / empty / path).unlink()
    touch(few, f"10030x/{T1W}", f"1003070/{T1W}", "logs/today.txt")
    (few / "999999").symlink_to(few / "gone", target_is_directory=True)
    table = (few / "restricted.csv").read_text().splitlines()
    (few / "restricted.csv").write_text("\n".join(line for line in table if not line.startswith(gone)))
    listing = HcpSource(few, table="restricted.csv").list_all()
    assert ids(listing) == IDS[:1]
    assert listing.left_out == {
        missing: "no T2w file",
        double: f"two T1w files, {double}/{T1W.removesuffix('.gz')} and {double}/{T1W}",
        broken: f"T1w file is a broken link ({broken}/{T1W})",
        empty: "no T1w file; no T2w file",
        gone: "no row in restricted.csv",
    }
    wrong = "the folder's name is no HCP subject id, which has six digits"
    assert listing.ignored == {"10030x": wrong, "1003070": wrong, "logs": wrong, "999999": "broken link"}
    text = report(HcpSource(few, table="restricted.csv"), listing)
    for words in (*listing.left_out, *listing.left_out.values(), "10030x", "6 subjects, 1 complete"):
        assert words in text


@pytest.mark.parametrize("trap", ["missing", "double", "broken", "table"])
def test_each_trap_stops_an_import_unless_it_is_allowed(few, trap):
    subject = IDS[2]
    source = HcpSource(few, table="restricted.csv")
    allowed = {"incomplete": "skip"}
    if trap == "missing":
        (few / subject / T2W).unlink()
        refused(source, f"{subject!r} has no T2w file", "incomplete='skip'")
    elif trap == "double":
        touch(few, f"{subject}/{T1W.removesuffix('.gz')}")
        allowed = {"conflicts": "skip"}
        refused(source, f"two files are T1w of subject {subject!r}", "conflicts='skip'", incomplete="skip")
    elif trap == "broken":
        (few / subject / T1W).unlink()
        (few / subject / T1W).symlink_to("nowhere.nii.gz")
        refused(source, f"subject {subject!r}: its T1w file is a broken link", "restore the file")
    else:
        write_table(few, [(i, i, i, i) for i in IDS[:6] if i != subject])
        refused(source, "restricted.csv: no row for subject", subject)
    listing = source.find(**allowed)
    assert list(listing.left_out) == [subject]
    assert len(listing.subjects) == 5


def test_without_a_table_twins_are_warned_of(few):
    listing = HcpSource(few).find()
    assert "twins" in listing.notes[0]
    assert listing.subjects[0].family is None


def test_the_unrestricted_table_has_no_families_but_goes_along(few):
    write_table(few, [(i, "F" if n % 2 else "M") for n, i in enumerate(IDS[:6])], "Subject,Gender", "unrestricted.csv")
    refused(HcpSource(few, table="unrestricted.csv"), "unrestricted.csv: no column of families", "restricted one too")
    both = HcpSource(few, table=["restricted.csv", "unrestricted.csv"], traits=["Gender"]).find()
    assert [subject.traits["Gender"] for subject in both.subjects] == ["M", "F"] * 3
    assert both.subjects[0].family == both.subjects[1].family == "F1"


def test_native_space_heads_masks_and_labels(few):
    for subject in IDS[:6]:
        touch(few, f"{subject}/T1w/T1w_acpc_dc_restore.nii.gz", f"{subject}/T1w/brainmask_fs.nii.gz",
              f"{subject}/T1w/aparc+aseg.nii.gz")  # fmt: skip
    source = HcpSource(few, {"anatomy": "T1w"}, space="native", brain=False, mask="brain", labels={"wm": [2, 41]})
    first = source.find().subjects[0]
    assert first.contrasts == {"anatomy": few / IDS[0] / "T1w/T1w_acpc_dc_restore.nii.gz"}
    assert first.mask.name == "brainmask_fs.nii.gz"
    assert (first.labels["wm"].name, source.label_codes) == ("aparc+aseg.nii.gz", {"wm": [2, 41]})


def test_visits_of_aging_and_development_are_of_one_person(tmp_path):
    visits = ["HCA6002236_V1_MR", "HCA6002236_V2_MR"]
    touch(tmp_path, *(f"{visit}/{path}" for visit in visits for path in (T1W, T2W)))
    assert [subject.person for subject in HcpSource(tmp_path).find().subjects] == ["HCA6002236"] * 2


def test_a_folder_that_links_elsewhere_is_refused(few, tmp_path_factory):
    elsewhere = touch(tmp_path_factory.mktemp("other"), T1W, T2W)
    (few / "200000").symlink_to(elsewhere, target_is_directory=True)
    refused(HcpSource(few), "200000", "leads out of the folder", "follow_links=True")
    assert "200000" in ids(HcpSource(few, follow_links=True).find())


def test_mistakes(few):
    for options, words in [
        ({"contrasts": ["T1"]}, "no contrast 'T1' in this layout; it has T1w, T2w"),
        ({"space": "talairach"}, "space 'talairach' is unknown"),
        ({"mask": "whole"}, "mask 'whole' is unknown"),
        ({"traits": ["Gender"]}, "need a `table`"),
    ]:
        with pytest.raises(InputError, match=words):
            HcpSource(few, **options)
    refused(HcpSource(few, space="native"), "none of its 6 subject folders", "T1w_acpc_dc_restore_brain")
    refused(HcpSource(few, subjects=["123456"]), "no subject '123456' among its 6")
