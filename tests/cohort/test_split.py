import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganlib.cohort.split import split_subjects
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
