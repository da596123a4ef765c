"""Trial lists: the paper's design, the balanced one and pairs; constraints; orders of raters."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlib.errors import InputError
from ganlib.study import study_design
from ganlib.study.draw import draw_trials, subjects_needed
from ganlib.study.trials import MIN_LAG, fingerprint
from tests.study.conftest import RECORDED, pool


def draw(preset="balanced", subjects=200, methods=("CycleGAN", "CycleGAN_s", "UNIT"), slices=1, **changes):
    return draw_trials(study_design(preset, **changes), pool(subjects, methods, slices), **RECORDED)


def cells(trials):
    shown = {number for trial in trials.trials for number in trial.images}
    return Counter(trials.images[number].cell for number in shown)


class TestPaper:
    def test_has_the_papers_numbers(self):
        counts = cells(draw("paper_2018"))
        assert sum(number for cell, number in counts.items() if cell[0] == "real") == 96
        assert sum(number for cell, number in counts.items() if cell[0] == "synthetic") == 72
        assert {number for cell, number in counts.items() if cell[0] == "synthetic"} == {12}
        assert {cell[2]: number for cell, number in counts.items() if cell[0] == "real"} == {"T1w": 48, "T2w": 48}

    def test_without_practice_and_repeats_it_is_168_trials(self):
        assert draw("paper_2018", practice=0, repeats=0).num_steps == 168
        assert draw("paper_2018").num_steps == 168 + 10 + 17

    def test_every_rater_meets_all_methods_throughout_the_session(self):
        trials = draw("paper_2018", repeats=0)
        order = trials.order(1)
        for part in range(4):
            shown = order[42 * part : 42 * part + 42]
            methods = Counter(trials.images[trials.trials[index].images[0]].method for index in shown)
            assert all(4 <= methods[name] <= 8 for name in ("CycleGAN", "CycleGAN_s", "UNIT")), methods
            assert 22 <= methods[None] <= 26

    def test_needs_three_methods(self):
        with pytest.raises(InputError, match=r"shows 3 methods .* not 2 .*give 3 runs, or use preset 'balanced'"):
            draw("paper_2018", methods=("CycleGAN", "UNIT"))

    def test_runs_on_the_papers_213_test_subjects(self):
        assert sum(subjects_needed(study_design("paper_2018"), 3, 1).values()) <= 213


class TestConstraints:
    @settings(max_examples=60, deadline=None)
    @given(
        mode=st.sampled_from(["balanced", "two_alternative"]), per_cell=st.integers(1, 8), methods=st.integers(1, 4),
        practice=st.integers(0, 7), repeats=st.floats(0, 0.5), slices=st.integers(1, 3), seed=st.integers(0, 99),
    )  # fmt: skip
    def test_hold_for_every_design(self, mode, per_cell, methods, practice, repeats, slices, seed):
        trials = draw(mode, methods=[f"m{k}" for k in range(methods)], synthetic_per_cell=per_cell, practice=practice,
                      repeats=repeats, slices_per_subject=slices, seed=seed, subjects=150, slices=slices)  # fmt: skip
        counted = {number for trial in trials.trials for number in trial.images}
        subjects = {kind: {trials.images[n].subject for n in counted if trials.images[n].kind == kind}
                    for kind in ("real", "synthetic")}  # fmt: skip
        practised = {trials.images[n].subject for trial in trials.practice for n in trial.images}
        assert not subjects["real"] & subjects["synthetic"]
        assert not practised & (subjects["real"] | subjects["synthetic"])
        assert set(cells(trials).values()) <= {per_cell, per_cell * methods}
        unique = {frozenset(trial.images) for trial in trials.trials}
        assert len(trials.trials) - len(unique) == round(repeats * len(unique))
        order = trials.order(3)
        assert sorted(order) == list(range(len(trials.trials)))
        places = {}
        for place, index in enumerate(order):
            places.setdefault(frozenset(trials.trials[index].images), []).append(place)
        gaps = [later - earlier for earlier, later in (entry for entry in places.values() if len(entry) == 2)]
        assert min(gaps, default=99) >= min(MIN_LAG, len(trials.trials) // 6)

    def test_a_broken_list_is_refused(self):
        trials = draw(synthetic_per_cell=2)
        real = next(image for image in trials.images if image.kind == "real")
        taken = [image.model_copy(update={"subject": real.subject}) if image.kind == "synthetic" else image
                 for image in trials.images]  # fmt: skip
        with pytest.raises(ValueError, match=f"subject {real.subject} is shown both real and synthetic"):
            trials.model_copy(update={"images": tuple(taken)}).check()
        with pytest.raises(ValueError, match="9 practice trials, not 10"):
            trials.model_copy(update={"practice": trials.practice[1:]}).check()
        repeated = trials.model_copy(update={"trials": (*trials.trials, trials.trials[0], trials.trials[0])})
        with pytest.raises(ValueError, match=r"trials are repeated, not|shown more than twice"):
            repeated.check()

    def test_too_few_subjects_says_how_many_are_needed(self):
        with pytest.raises(InputError, match=r"too few subjects: .* needs 38, 19 of them translated .* 30 translated"):
            draw(methods=["a", "b", "c", "d"], synthetic_per_cell=4, subjects=30)

    def test_pairs_have_the_real_image_left_as_often_as_right(self):
        trials = draw("two_alternative", synthetic_per_cell=6, repeats=0)
        sides = Counter(trials.truth(trial) for trial in trials.trials)
        assert sides["left"] == sides["right"] == 18
        for trial in trials.trials:
            left, right = (trials.images[number] for number in trial.images)
            assert left.contrast == right.contrast
            assert left.subject != right.subject


class TestSeedAndHash:
    def test_same_seed_same_list_other_seed_other_list(self):
        first, again, other = draw(seed=1), draw(seed=1), draw(seed=2)
        assert first == again
        assert fingerprint(first.model_dump_json()) == fingerprint(again.model_dump_json())
        assert first.images != other.images

    def test_where_the_runs_lie_is_no_part_of_the_fingerprint_and_all_else_is(self):
        trials = draw(synthetic_per_cell=2)

        def moved(**changes):
            runs = tuple(run.model_copy(update=changes) for run in trials.runs)
            return fingerprint(trials.model_copy(update={"runs": runs}).model_dump_json())

        here = fingerprint(trials.model_dump_json())
        assert moved(folder="/elsewhere/runs") == moved(folder='C:\\a "name"\\runs\\') == here
        for changes in ({"seed": 1}, {"method": "pix2pix"}, {"name": 'x","folder":"runs'}):
            assert moved(**changes) != here
        assert fingerprint(trials.model_copy(update={"cohort": "other"}).model_dump_json()) != here

    def test_orders_differ_between_raters_and_are_known(self):
        trials = draw(synthetic_per_cell=2, repeats=0)
        assert trials.order(1) != trials.order(2)
        assert trials.order(1) == trials.order(1)
        # Written down once: an order that changed with a version of ganlib would mix up studies that are running.
        assert draw(synthetic_per_cell=1, methods=["m"], repeats=0, practice=0).order(1) == [3, 0, 2, 1]


class TestDesign:
    def test_mistakes_are_one_line(self):
        with pytest.raises(InputError, match="preset 'paper' is unknown; use one of paper_2018"):
            study_design("paper")
        with pytest.raises(InputError, match=r"design 'synthetic': .*known are"):
            study_design(synthetic=3)
        with pytest.raises(InputError, match="upper end must lie above"):
            study_design(window=(0.5, 0.5))
        with pytest.raises(InputError, match="leave it out"):
            study_design("two_alternative", real_per_contrast=5)
