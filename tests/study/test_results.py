"""From answers to statements: known answers give known numbers, and simulated raters are found again."""

import csv
import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr

from benchmarks import study_coverage
from ganlib.errors import InputError
from ganlib.study import RatingSession, create_study, study_design
from ganlib.study.agreement import agreement, reliability
from ganlib.study.answers import COLUMNS, answers_table, export, rating
from ganlib.study.course import learning, response_times, trend
from ganlib.study.measures import wilson_interval
from ganlib.study.power import smallest_difference
from ganlib.study.rating_model import fit_rating_model
from ganlib.study.results import StudyResults
from ganlib.study.simulated_session import simulate_raters
from ganlib.study.simulation import SimulatedRaters
from ganlib.study.statistic import CALLED_REAL, D_PRIME, bootstrap_ends, difference, estimate
from ganlib.study.summary import summary


def answer_by_rule(study, rule, name="Anna"):
    """A rater who answers by the truth: `rule(trials, trial, showing)` gives verdict and confidence."""
    token = study.join(name, experience="researcher", consent=True)
    session = RatingSession(study.database, token, study)
    order, seen = study.trials.order(study.raters()[-1].number), set()
    for step in range(study.trials.num_steps):
        trial = study.trials.trial(step, order)
        session.answer(step, *rule(study.trials, trial, trial.images in seen), 1000.0 + step)
        seen.add(trial.images)


def perfect(trials, trial, _):
    return trials.truth(trial), 3


def fooled_by_cyclegan(trials, trial, _):
    image = trials.images[trial.images[0]]
    return "real" if image.kind == "real" or image.method == "CycleGAN" else "synthetic", 2


def cell(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    [row] = table.itertuples()
    return row


class TestTable:
    def test_every_answer_stands_beside_its_trial(self, study):
        answer_by_rule(study, perfect)
        table = answers_table(study)
        assert list(table.columns) == list(COLUMNS)
        assert len(table) == 42
        assert table["correct"].all()
        assert (table["showing"] == 2).sum() == 8
        assert table["practice"].sum() == 2
        images = [study.trials.images[number] for number in table["image"]]
        assert list(table["subject"]) == [image.subject for image in images]
        assert set(table["rating"]) == {1, 6}

    @pytest.mark.parametrize(("verdict", "confidence", "expected"), [
        ("synthetic", 3, 1), ("left", 2, 2), ("synthetic", 1, 3), ("right", 1, 4), ("real", 2, 5), ("real", 3, 6),
    ])  # fmt: skip
    def test_rating(self, verdict, confidence, expected):
        assert rating(verdict, confidence) == expected

    def test_export_has_a_dictionary_and_no_names(self, study, tmp_path):
        answer_by_rule(study, perfect, name="=cmd|Secret Name")
        paths = export(study, tmp_path / "out")
        assert [path.name for path in paths] == ["answers.csv", "raters.csv", "data_dictionary.csv", "trials.json"]
        with paths[0].open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 42
        with paths[2].open(newline="") as file:
            assert [row["column"] for row in csv.DictReader(file)] == list(rows[0])
        assert not [path for path in paths if "Secret Name" in path.read_text()]
        assert study.trials.runs[0].folder not in paths[3].read_text()
        assert {row["correct"] for row in rows} == {"1"}


class TestLabelled:
    def test_figures_1d_and_1e_of_a_known_rater(self, study):
        answer_by_rule(study, fooled_by_cyclegan)
        table = StudyResults(study).labelled()
        assert cell(table, kind="real", method="all", contrast="all").value == 1
        total = cell(table, kind="synthetic", method="all", contrast="all")
        assert (total.value, total.images) == (0.5, 16)
        assert (total.low, total.high) == pytest.approx(wilson_interval(0.5, 16))
        for contrast in ("T1w", "T2w", "all"):
            assert cell(table, kind="synthetic", method="CycleGAN", contrast=contrast).value == 1
            assert cell(table, kind="synthetic", method="Simple", contrast=contrast).value == 0
        assert cell(table, kind="real", method="all", contrast="T1w").images == 8

    def test_the_papers_six_of_twelve(self):
        assert wilson_interval(6 / 12, 12) == pytest.approx((0.25, 0.75), abs=0.005)

    def test_repeats_and_practice_are_not_counted(self, study):
        def changing(trials, trial, again):
            return ("synthetic" if again else trials.truth(trial)), 1

        answer_by_rule(study, changing)
        table = StudyResults(study).labelled()
        assert cell(table, kind="real", method="all", contrast="all").value == 1

    def test_pairs(self, database, study_runs):
        design = study_design("two_alternative", synthetic_per_cell=4, practice=1, real_from=("train", "test"))
        study = create_study(database, "pairs", study_runs, design)[0]

        def rule(trials, trial, _):
            method = trials.images[trials.subject_image(trial)].method
            truth = trials.truth(trial)
            return (truth if method == "Simple" else {"left": "right", "right": "left"}[truth]), 3

        answer_by_rule(study, rule)
        results = StudyResults(study)
        table = results.labelled()
        assert cell(table, method="CycleGAN", contrast="all").value == 1
        assert cell(table, method="Simple", contrast="all").value == 0
        assert reliability(results.counted).same == 1
        assert any("50 %" in line for line in summary(results))


class TestReliability:
    def test_agreement_of_raters_with_themselves_and_each_other(self, study):
        for name in ("A", "B", "C"):
            answer_by_rule(study, perfect, name)
        results = StudyResults(study)
        again = reliability(results.counted)
        assert (again.same, again.kappa, again.repeats) == (1, 1, 24)
        assert agreement(results.ratings).kappa == 1

    def test_opposite_raters_disagree(self, study):
        answer_by_rule(study, perfect, "A")
        other = {"real": "synthetic", "synthetic": "real"}
        answer_by_rule(study, lambda trials, trial, _: (other[trials.truth(trial)], 3), "B")
        assert agreement(StudyResults(study).ratings).kappa == pytest.approx(-1)


class TestCourse:
    def frame(self, correct):
        count = len(correct)
        return pd.DataFrame({
            "rater": "R01", "position": np.arange(1, count + 1), "correct": correct, "truth": "real",
            "response_ms": [2000.0] * count, "resumed": False,
        })  # fmt: skip

    def test_learning_shows(self):
        table = self.frame([False] * 10 + [True] * 30)
        assert learning(table)["value"].tolist() == [0, 1, 1, 1]
        change, low, high = trend(table)
        assert low > 0.5
        assert low < change < high

    def test_resumed_and_unknown_times_do_not_count(self):
        table = self.frame([True] * 6)
        table.loc[0, "response_ms"] = np.nan
        table.loc[1, ["response_ms", "resumed"]] = [9e6, True]
        [row] = response_times(table).itertuples()
        assert (row.seconds, row.answers) == (pytest.approx(2), 4)


class TestRefused:
    def test_nobody_or_too_little(self, study):
        with pytest.raises(InputError, match="no counted answer yet"):
            StudyResults(study)
        session = RatingSession(study.database, study.join(consent=True), study)
        for step in range(9):
            session.answer(step, "real", 1)
        with pytest.raises(InputError, match=r"nobody has answered half of the 40 trials yet \(most: 7\)"):
            StudyResults(study)

    def test_who_gave_up_is_left_out_and_named(self, study):
        answer_by_rule(study, perfect)
        session = RatingSession(study.database, study.join(consent=True), study)
        for step in range(9):
            session.answer(step, "real", 1)
        results = StudyResults(study)
        assert (results.raters, results.left_out) == (("R01",), ("R02",))
        assert any("R02" in line for line in summary(results))


class TestSimulated:
    def test_say_so_everywhere_and_pressed_is_stored(self, study):
        meant = simulate_raters(study, 3, SimulatedRaters(d_prime=1.5), seed=1)
        results = StudyResults(study)
        assert results.counted["rating"].to_numpy().reshape(3, -1).tolist() == meant.tolist()
        lines = summary(results)
        assert lines[0].startswith("SIMULATED RATERS")
        assert lines[1].startswith("PHANTOM")

    def test_a_plain_interval_would_fail_a_check_of_coverage(self):
        """The binomial interval that ignores raters and images is far too narrow, and such a check sees it."""
        rng, held = np.random.default_rng(0), 0
        population, cells = study_coverage.POPULATIONS["typical"], study_coverage.cells_of(48, 12)
        expected = study_coverage.truth(population, *population.draw(100_000, rng))["called_real"]
        for _ in range(150):
            ratings, _ = study_coverage.simulated(population, cells, 5, rng)
            values = ratings.of(lambda cell: cell[0] == "synthetic").values  # noqa: PD011  no table
            low, high = wilson_interval((values > 3).mean(), values.size)
            held += low <= expected <= high
        assert held / 150 < 0.85

    def test_lapses_are_recovered(self):
        rng = np.random.default_rng(5)
        population = SimulatedRaters(d_prime=2.0, lapse=0.12, d_prime_sd=0.2, bias_sd=0.2, image_sd=0)
        d_prime, bias = population.draw(12, rng)
        is_real = np.arange(800) % 2 == 0
        values = population.rate(is_real, (d_prime, bias), rng)
        counts = np.stack([[np.bincount(row[is_real == side], minlength=7)[1:] for side in (False, True)]
                           for row in values])  # fmt: skip
        model = fit_rating_model(counts)
        assert model.lapse_low <= 0.12 <= model.lapse_high
        assert model.lapse_high - model.lapse_low < 0.2
        assert model.d_prime.mean() == pytest.approx(d_prime.mean(), abs=0.15)
        assert np.abs(model.bias - bias).mean() < 0.12

    def test_a_difference_between_methods_is_found_and_none_is_not(self):
        rng = np.random.default_rng(2)
        population, cells = SimulatedRaters(), study_coverage.cells_of(48, 12)
        ratings, _ = study_coverage.simulated(population, cells, 10, rng)
        first, second = (ratings.of(lambda cell, name=name: cell[1] == name) for name in "AB")
        assert difference(CALLED_REAL, first, second)[1] > 0.01
        shifted = first.values.copy()  # noqa: PD011  no table
        shifted[:] = np.minimum(shifted + 2, 6)
        better = type(first)(first.raters, first.images, first.cells, shifted, first.is_signal)
        found, p_value = difference(CALLED_REAL, better, second)
        assert p_value < 0.001
        assert found.low > 0

    def test_bootstrap_is_near_the_interval_with_many_raters(self):
        ratings, _ = study_coverage.simulated(SimulatedRaters(), study_coverage.cells_of(30, 10), 20,
                                              np.random.default_rng(1))  # fmt: skip
        found = estimate(D_PRIME, ratings)
        low, high = bootstrap_ends(D_PRIME, ratings, resamples=500)
        assert low == pytest.approx(found.low, abs=0.15)
        assert high == pytest.approx(found.high, abs=0.15)


class TestPower:
    def test_more_raters_and_images_find_less(self):
        few, more_raters, more_images = (smallest_difference(*pair) for pair in ((3, 12), (10, 12), (3, 48)))
        assert few > more_raters
        assert few > more_images
        assert smallest_difference(1, 12) > 0.5  # the paper's design: one rater, twelve images per method and contrast

    def test_power_is_what_is_promised(self):
        """With the difference that the table names, a test by its own standard error finds it in 80 % of studies."""
        population = SimulatedRaters(bias_sd=0.2)
        wanted = smallest_difference(10, 24, population)
        rng, found, studies = np.random.default_rng(0), 0, 300
        second_d = _d_prime_with_rate(population, wanted)
        for _ in range(studies):
            bias = rng.normal(population.bias, population.bias_sd, 10)
            shares = []
            for level in (population.d_prime, second_d):
                own = rng.normal(level, population.d_prime_sd, 10)
                image = rng.normal(0, population.image_sd, 24)
                shares.append(rng.random((10, 24)) < population.called_real(own[:, None], bias[:, None], image[None]))
            spread = shares[1].mean() - shares[0].mean()
            found += spread / (wanted / 2.8016) > 1.96
        assert 0.7 < found / studies < 0.9


def _d_prime_with_rate(population, more):
    """The d′ at which so many more synthetic images are called real."""
    noise = math.hypot(math.hypot(1, population.image_sd), math.hypot(population.d_prime_sd / 2, population.bias_sd))
    base = ndtr(-population.d_prime / 2 / noise)
    return brentq(lambda level: ndtr(-level / 2 / noise) - base - more, -8, population.d_prime)
