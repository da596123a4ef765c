import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganlib.cohort.import_settings import ImportSettings
from ganlib.cohort.plan import split_of
from ganlib.cohort.sources import Listing, SubjectFiles
from ganlib.cohort.split import check_leakage, read_split, split_hash, split_subjects, write_split
from ganlib.errors import InputError


@given(st.integers(6, 60), st.integers(1, 4), st.integers(0, 1000))
def test_families_stay_together_and_counts_are_reached(number, size, seed):
    ids = [f"s{index}" for index in range(number)]
    families = {subject_id: f"f{index // size}" for index, subject_id in enumerate(ids)}
    try:
        parts = split_subjects(ids, validation=2, test=2, seed=seed, families=families)
    except InputError:
        assert number < 2 * (size + 1) + size  # only where the families do not suffice
        return
    assert set(parts) == set(ids)
    for name in ("validation", "test"):
        assert 2 <= list(parts.values()).count(name) <= size + 1
    assert "train" in parts.values()
    for family in set(families.values()):
        assert len({parts[i] for i in ids if families[i] == family}) == 1


def test_the_seed_and_the_set_decide_and_not_the_order():
    ids = [f"s{index}" for index in range(30)]
    once = split_subjects(ids, validation=0.1, test=0.2, seed=1)
    assert once == split_subjects(ids[::-1], validation=0.1, test=0.2, seed=1)
    assert once != split_subjects(ids, validation=0.1, test=0.2, seed=2)
    assert list(once.values()).count("test") == 6
    assert list(once.values()).count("validation") == 3


def test_a_family_may_bear_the_name_of_a_subject():
    parts = split_subjects(["a", "b", "c"], validation=1, test=1, seed=0, families={"b": "a"})
    assert sorted(parts.values()) == ["test", "train", "validation"]


def test_nobody_validates_if_nobody_is_asked_to():
    assert split_subjects(["a", "b"], validation=0, test=0, seed=0) == {"a": "train", "b": "train"}


@pytest.mark.parametrize("families", [None, {"a": "f", "b": "f", "c": "f"}])
def test_too_few_subjects_or_families(families):
    with pytest.raises(InputError, match="too few for 1 validation, 2 test"):
        split_subjects(["a", "b", "c"], validation=1, test=2, seed=0, families=families)


@given(st.integers(8, 60), st.integers(0, 1000), st.integers(1, 3))
def test_every_part_takes_its_share_of_every_stratum(number, seed, kinds):
    ids = [f"s{index}" for index in range(number)]
    strata = {subject_id: (index * index) % (kinds + 1) for index, subject_id in enumerate(ids)}
    parts = split_subjects(ids, validation=2, test=0.25, seed=seed, strata=strata)
    wanted = {"validation": 2, "test": round(0.25 * number)}
    for part, total in wanted.items():
        assert list(parts.values()).count(part) == total
    for stratum in set(strata.values()):
        members = [i for i in ids if strata[i] == stratum]
        assert abs(sum(parts[i] == "test" for i in members) - wanted["test"] * len(members) / number) < 1


def test_strata_do_not_tear_families_apart():
    ids = [f"s{index}" for index in range(24)]
    families = {subject_id: f"f{index // 3}" for index, subject_id in enumerate(ids)}
    strata = {subject_id: index % 2 for index, subject_id in enumerate(ids)}
    parts = split_subjects(ids, validation=3, test=6, seed=0, families=families, strata=strata)
    assert all(len({parts[i] for i in ids if families[i] == family}) == 1 for family in families.values())


def test_one_stratum_is_no_stratum():
    ids = [f"s{index}" for index in range(20)]
    plain = split_subjects(ids, validation=3, test=4, seed=5)
    assert plain == split_subjects(ids, validation=3, test=4, seed=5, strata=dict.fromkeys(ids, "a"))
    # As it was when cohorts were first split with this seed: they can be made again.
    assert [i for i in ids if plain[i] == "test"] == ["s0", "s4", "s13", "s16"]


def test_the_hash_knows_who_stands_where_and_not_in_which_order():
    parts = {"a": "train", "b": "test", "c": "train"}
    assert split_hash(parts) == split_hash(dict(reversed(parts.items())))
    assert split_hash(parts) != split_hash(parts | {"c": "test"})
    assert split_hash(parts) != split_hash({"a": "train", "b": "test"})


@pytest.mark.parametrize("name", ["split.json", "split.csv", "split.tsv"])
def test_what_is_written_is_read(tmp_path, name):
    parts = {"b": "test", "a,1": "train", "ä": "validation"}
    write_split(tmp_path / name, parts)
    assert read_split(tmp_path / name) == parts


def test_a_changed_split_file_is_noticed(tmp_path):
    path = tmp_path / "split.json"
    write_split(path, {"a": "train", "b": "test"})
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"train": ["a", "c"]}))
    with pytest.raises(InputError, match="its hash is not that of its subjects"):
        read_split(path)
    del record["hash"]
    path.write_text(json.dumps(record | {"train": ["a", "c"], "cohort_fingerprint": "0"}))  # as in a run folder
    assert read_split(path) == {"a": "train", "b": "test", "c": "train"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("none.json", None, "no such split"),
        ("s.json", "[1, 2]", "not a split"),
        ("s.json", '{"train": 3}', "not a split"),
        ("s.json", '{"train": ["a"], "test": ["a"]}', "'a' stands in train and in test"),
        ("s.csv", "subject,part\na,train\n", "no column 'split'"),
        ("s.csv", "subject,split\na,dev\n", "part 'dev' is unknown"),
        ("s.tsv", "subject\tsplit\na\ttrain\na\ttest\n", "stands in train and in test"),
    ],
)
def test_split_files_that_cannot_be_used(tmp_path, name, text, words):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        read_split(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=120)
    | st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3)
                   | st.dictionaries(st.sampled_from(["train", "test", "hash", "x"]), inner, max_size=4),
                   max_leaves=8).map(lambda value: json.dumps(value).encode())
)  # fmt: skip
def test_any_bytes_are_a_split_or_refused_in_one_line(tmp_path, raw):
    path = tmp_path / "split.json"
    path.write_bytes(raw)
    try:
        parts = read_split(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert set(parts.values()) <= {"train", "validation", "test"}


def people(**more):
    """Eight subjects: `a` and `b` are scans of one person, `c` and `d` relatives; four of each site and sex."""
    groups = {"a": ("p", None), "b": ("p", None), "c": (None, "f"), "d": (None, "f")}
    subjects = []
    for number, subject_id in enumerate("abcdefgh"):
        person, family = groups.get(subject_id, (None, None))
        site, sex = "XY"[number > 3], "fm"[number % 2]
        subjects.append(SubjectFiles(subject_id, {}, family, person=person, site=site, traits={"sex": sex}))
    return Listing([*subjects], {"left": "no T2w file"}, **more)


def given_split(**parts):
    return ImportSettings(split=dict.fromkeys("abcdefgh", "train") | parts)


def test_one_person_in_two_parts_is_an_error_whatever_is_split_by():
    for by in (None, "subject", "family", "site"):
        settings = given_split(b="test").model_copy(update={"split_by": by})
        if by == "site":
            settings = settings.model_copy(update={"split": {"X": "train", "Y": "test"}})
            assert set(split_of(people(), settings, "study").values()) == {"train", "test"}
            continue
        with pytest.raises(InputError, match=r"'a' \(train\) and 'b' \(test\) are of one person, 'p'"):
            split_of(people(), settings, "study")


def test_relatives_in_two_parts_are_an_error_unless_the_split_is_by_subject():
    settings = given_split(d="test")
    with pytest.raises(InputError, match="are of one family, 'f'"):
        split_of(people(), settings, "study")
    assert split_of(people(), settings.model_copy(update={"split_by": "subject"}), "study")["d"] == "test"


@pytest.mark.parametrize("seed", range(6))
def test_persons_families_and_sites_stay_together(seed):
    parts = split_of(people(), ImportSettings(validation=1, test=2, seed=seed), "study")
    assert parts["a"] == parts["b"]
    assert parts["c"] == parts["d"]
    by_site = split_of(people(), ImportSettings(split_by="site", validation=0, test=1, seed=seed), "study")
    assert sorted(map(len, (set(map(by_site.get, "abcd")), set(map(by_site.get, "efgh"))))) == [1, 1]
    check_leakage(by_site, people().subjects, by="site")


def test_a_split_from_a_file_and_one_that_names_somebody_left_out(tmp_path):
    write_split(tmp_path / "s.csv", dict.fromkeys("abcdefg", "train") | {"h": "test", "left": "test"})
    parts = split_of(people(), ImportSettings(split=str(tmp_path / "s.csv")), "study")
    assert parts == dict.fromkeys("abcdefg", "train") | {"h": "test"}
    with pytest.raises(InputError, match="'x' is not in the source"):
        split_of(people(), given_split(x="test"), "study")
    with pytest.raises(InputError, match="site 'Y' is not in `split`"):
        split_of(people(), ImportSettings(split={"X": "train"}, split_by="site"), "study")


def test_what_is_not_known_cannot_be_split_by():
    unknown = Listing([SubjectFiles(i, {}) for i in "abcdefgh"], {})
    for options, words in [
        ({"split_by": "site"}, "site of subject 'a' is not known"),
        ({"split_by": "family"}, "no family is known"),
        ({"stratify": ["sex"]}, "'sex' of subject 'a' is not known"),
    ]:
        with pytest.raises(InputError, match=f"^study: .*{words}"):
            split_of(unknown, ImportSettings(validation=1, test=1, **options), "study")
    ages = Listing([SubjectFiles(str(i), {}, traits={"age": str(i)}) for i in range(8)], {})
    with pytest.raises(InputError, match="divide 8 subjects into 8 strata, too many"):
        split_of(ages, ImportSettings(validation=1, test=1, stratify=["age"]), "study")


def test_strata_of_several_traits():
    parts = split_of(people(), ImportSettings(validation=0, test=4, stratify=["site"], split_by="subject"), "study")
    assert sum(parts[i] == "test" for i in "abcd") in (2, 3)  # a and b are one person
    assert sum(parts[i] == "test" for i in "efgh") == 2
