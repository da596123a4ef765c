import re

import pytest

from ganlib.cohort import Cohort
from ganlib.cohort.phantom import PhantomSettings, make_phantom
from ganlib.cohort.prevalence import draw_by_prevalence, lesion_code, with_lesion
from ganlib.errors import InputError
from tests.conftest import write_tiny_cohort

#: Twelve subjects, every third of them with lesions.
AFFECTED = {f"sub-{number:02d}": number % 3 == 0 for number in range(12)}


def shares(lists):
    return [sum(AFFECTED[subject_id] for subject_id in ids) / len(ids) for ids in lists]


@pytest.mark.parametrize(
    ("prevalences", "number"), [([0, 1], 4), ([1, 0], 4), ([0.5, 0.5], 4), ([0.25, 0.25], 6), ([0.5], 8), ([1], 4)]
)
def test_lists_are_as_long_as_they_can_be_and_have_the_prevalence(prevalences, number):
    lists = draw_by_prevalence(AFFECTED, prevalences, seed=0)
    assert [len(ids) for ids in lists] == [number] * len(prevalences)
    assert shares(lists) == pytest.approx(prevalences, abs=0.5 / number)
    assert all(ids == sorted(ids) for ids in lists)
    if len(lists) == 2:
        assert not set(lists[0]) & set(lists[1])


def test_the_draw_depends_on_the_seed_alone():
    drawn = [draw_by_prevalence(AFFECTED, [0.5, 0.5], seed=seed) for seed in (0, 0, 1, 2)]
    assert drawn[0] == drawn[1]
    assert len({str(lists) for lists in drawn}) > 1


def test_a_family_is_not_divided():
    families = {subject_id: f"family-{number // 2}" for number, subject_id in enumerate(AFFECTED)}
    for seed in range(5):
        a, b = draw_by_prevalence(AFFECTED, [0, 0.5], seed=seed, families=families)
        assert not {families[subject_id] for subject_id in a} & {families[subject_id] for subject_id in b}
        assert shares([a, b]) == pytest.approx([0, 0.5], abs=0.5 / len(a))
        assert len(a) == len(b) >= 2


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_prevalence_out_of_range_is_refused(share):
    with pytest.raises(InputError, match=re.escape(f"prevalence {share} is not a share of the subjects")):
        draw_by_prevalence(AFFECTED, [0, share], seed=0)


def test_without_patients_there_is_no_prevalence_above_0():
    healthy = dict.fromkeys(AFFECTED, False)
    with pytest.raises(
        InputError, match=r"0 training subjects with lesions and 12 without are too few for .* 0 % and 100"
    ):
        draw_by_prevalence(healthy, [0, 1], seed=0)


def test_lesions_of_a_cohort(tmp_path):
    settings = PhantomSettings(num_train=8, num_validation=0, num_test=1, lesion_prevalence=0.5, seed=1)
    with make_phantom(tmp_path / "phantom.h5", settings, progress=False) as cohort:
        found = with_lesion(cohort, cohort.ids())
        assert list(found) == cohort.ids()
        assert 0 < sum(found.values()) < len(found)
        assert all(found[name] == (cohort.labels(name) == lesion_code(cohort)).any() for name in found)
        with pytest.raises(
            InputError, match=r"no label 'tumour' .labels: CSF, grey matter, white matter, lesion.; import"
        ):
            lesion_code(cohort, "tumour")


def test_a_cohort_without_labels_is_refused(tmp_path):
    with (
        Cohort(write_tiny_cohort(tmp_path / "cohort.h5")) as cohort,
        pytest.raises(InputError, match=r"cohort\.h5: no label 'lesion' .labels: none."),
    ):
        with_lesion(cohort, cohort.ids())
