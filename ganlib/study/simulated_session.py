"""Simulated raters in a real study: they answer through the same door as people."""

import secrets
from pathlib import Path

import numpy as np

from ganlib.study.create import store
from ganlib.study.database import StudyDatabase
from ganlib.study.measures import RATINGS
from ganlib.study.raters import SIMULATED
from ganlib.study.session import RatingSession
from ganlib.study.simulation import SimulatedRaters
from ganlib.study.study import Study


def simulate_raters(study, raters, population=None, *, seed=0, method_d_prime=None):
    """Let simulated raters answer a whole study.

    Args:
        study: `Study`, open.
        raters: how many.
        population: `SimulatedRaters`.
        seed: of their answers.
        method_d_prime: dictionary from method to its mean d′, where methods differ; default the population's.

    Returns:
        Array (raters, trials): the ratings as they were meant, 1 to 6, in the order of each rater's counted trials.
    """
    population, rng = population or SimulatedRaters(), np.random.default_rng(seed)
    image_effects = rng.normal(0, population.image_sd, len(study.trials.images))
    return np.array([
        _answer_all(study, f"Simulated {index + 1}", population, method_d_prime or {}, image_effects, rng)
        for index in range(raters)
    ])  # fmt: skip


def rated_copy(study, raters, path, population=None, *, seed=0):
    """A copy of a study in a database of its own, rated by simulated raters only.

    Args:
        study: `Study`, open or closed.
        raters: how many.
        path: SQLite file to make or replace.
        population: `SimulatedRaters`.
        seed: of their answers.

    Returns:
        The copy, a `Study` named `<name> (simulated raters)`.
    """
    path = Path(path)
    for leftover in path.parent.glob(f"{path.name}*"):
        leftover.unlink()
    database = StudyDatabase(path, create=True)
    name = f"{study.name[:50]} (simulated raters)"
    pictures = [study.pixels(number) for number in range(len(study.trials.images))]
    store(database, name, study.trials, pictures, secrets.token_urlsafe(18))
    copy = Study(database, name)
    simulate_raters(copy, raters, population, seed=seed)
    return copy


def _answer_all(study, name, population, method_d_prime, image_effects, rng):
    trials = study.trials
    token = study.join(name, experience=SIMULATED, consent=True)
    session = RatingSession(study.database, token, study)
    order = trials.order(study.raters()[-1].number)
    (d_prime,), (bias,) = population.draw(1, rng)
    ratings = []
    for step in range(trials.num_steps):
        trial = trials.trial(step, order)
        strength = d_prime - population.d_prime + method_d_prime.get(_method(trials, trial), population.d_prime)
        rating = _rating(trials, trial, population, strength, bias, image_effects, rng)
        verdicts = session.current().verdicts
        session.answer(step, *_answer(rating, verdicts), float(rng.lognormal(7.5, 0.5)))
        if not trials.is_practice(step):
            ratings.append(rating)
    return ratings


def _method(trials, trial):
    return next((trials.images[number].method for number in trial.images if trials.images[number].method), None)


def _rating(trials, trial, population, d_prime, bias, image_effects, rng):
    """1 to 6: of an image, how real it looks; of a pair, how much more so than the left one the right one does."""
    if rng.random() < population.lapse:
        return int(rng.integers(1, RATINGS + 1))
    looks = [
        image_effects[number] + d_prime * (0.5 if trials.images[number].kind == "real" else -0.5) + rng.normal()
        for number in trial.images
    ]
    impression = looks[0] if len(looks) == 1 else looks[1] - looks[0]
    return 1 + int((impression > bias + population.criteria).sum())


def _answer(rating, verdicts):
    """Verdict and confidence of a rating; of the two verdicts one stands for signal."""
    signal = "real" if "real" in verdicts else "right"
    noise = next(verdict for verdict in verdicts if verdict != signal)
    half = RATINGS // 2
    return (signal, rating - half) if rating > half else (noise, half + 1 - rating)
