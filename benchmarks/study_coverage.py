"""How often the study's 95 % intervals hold the truth, on simulated raters whose truth is known.

    python benchmarks/study_coverage.py [--studies 1000] [--json FILE]

A row per design, number of raters and population; a column per quantity. The truth is that of the raters and images in
general; of one or two raters, that of these raters and images in general.
"""

import argparse
import itertools
import json
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from ganlib.study.ratings import Ratings
from ganlib.study.simulation import SimulatedRaters
from ganlib.study.statistic import CALLED_REAL, CRITERION, D_PRIME, ROC_AREA, Estimate, difference, estimate

#: Real images per contrast, and synthetic ones per method and contrast, of three methods.
DESIGNS = {"paper": (48, 12), "balanced": (30, 10), "large": (90, 30)}
RATERS = (1, 2, 3, 5, 10, 30)
POPULATIONS = {
    "typical": SimulatedRaters(),
    "near chance, biased": SimulatedRaters(d_prime=0.3, bias=0.4),
    "good": SimulatedRaters(d_prime=2.0, d_prime_sd=0.4),
    "lapsing": SimulatedRaters(d_prime=1.2, bias=-0.3, lapse=0.1),
    "raters alike": SimulatedRaters(d_prime_sd=0.05, bias_sd=0.05, image_sd=0.5),
}
QUANTITIES = ("called_real", "called_real_cell", "d_prime", "d_prime_cell", "criterion", "roc_area", "difference")


def cells_of(real, synthetic, methods=("A", "B", "C"), contrasts=("T1w", "T2w")):
    """Kind, method and contrast of every image of a design."""
    cells = [("real", "", contrast) for contrast in contrasts for _ in range(real)]
    return tuple(cells + [("synthetic", method, contrast) for method, contrast, _ in
                          itertools.product(methods, contrasts, range(synthetic))])  # fmt: skip


def simulated(population, cells, raters, rng):
    """Ratings of one study, and the d′ and criteria of its raters."""
    is_real = np.array([cell[0] == "real" for cell in cells])
    drawn = population.draw(raters, rng)
    values = population.rate(is_real, drawn, rng).astype(float)
    names = tuple(f"R{number}" for number in range(raters))
    return Ratings(names, tuple(range(len(cells))), cells, values, np.tile(is_real, (raters, 1))), drawn


def truth(population, d_prime, bias):
    """What the statistics are, over all images, mean over these raters."""
    probabilities = population.rating_probabilities(d_prime, bias)
    called = probabilities[..., 3:].sum(-1)
    noise, signal = probabilities[..., 0, :], probabilities[..., 1, :]
    area = (signal * (np.cumsum(noise, -1) - 0.5 * noise)).sum(-1)
    z_noise, z_signal = ndtri(called[..., 0]), ndtri(called[..., 1])
    return {
        "called_real": called[..., 0].mean(), "d_prime": (z_signal - z_noise).mean(),
        "criterion": -0.5 * (z_signal + z_noise).mean(), "roc_area": area.mean(), "difference": 0.0,
    }  # fmt: skip


def estimates(ratings):
    """Every quantity of a study."""
    synthetic = ratings.of(lambda cell: cell[0] == "synthetic")
    cell = ratings.of(lambda cell: cell == ("synthetic", "A", "T1w"))
    with_real = ratings.of(lambda cell: cell[2] == "T1w" and cell[1] in ("", "A"))
    first, second = (ratings.of(lambda cell, name=name: cell[1] == name) for name in "AB")
    return {
        "called_real": estimate(CALLED_REAL, synthetic), "called_real_cell": estimate(CALLED_REAL, cell),
        "d_prime": estimate(D_PRIME, ratings), "d_prime_cell": estimate(D_PRIME, with_real),
        "criterion": estimate(CRITERION, ratings), "roc_area": estimate(ROC_AREA, ratings),
        "difference": difference(CALLED_REAL, first, second)[0],
    }  # fmt: skip


def coverage(population, design, raters, studies, seed=0):
    """Share of the studies in which the interval of each quantity held its truth.

    Args:
        population: `SimulatedRaters`.
        design: key of `DESIGNS`.
        raters: number of raters.
        studies: how many studies to simulate.
        seed: of the simulation.

    Returns:
        Dictionary from quantity to a fraction.
    """
    rng, cells = np.random.default_rng(seed), cells_of(*DESIGNS[design])
    everybody = truth(population, *population.draw(200_000, np.random.default_rng(99)))
    held = dict.fromkeys(QUANTITIES, 0)
    for _ in range(studies):
        ratings, drawn = simulated(population, cells, raters, rng)
        expected = everybody if raters > 2 else truth(population, *drawn)
        for name, found in estimates(ratings).items():
            held[name] += holds(found, expected[name.removesuffix("_cell")])
    return {name: count / studies for name, count in held.items()}


def holds(found: Estimate, value):
    """Whether an interval holds a value; one that could not be given does not."""
    return bool(found.low <= value <= found.high)


def main():
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--raters", type=int, nargs="*", default=RATERS)
    parser.add_argument("--designs", nargs="*", default=list(DESIGNS))
    arguments = parser.parse_args()
    rows = []
    print(f"{'design':10s} {'population':20s} raters  " + "  ".join(f"{name:>16s}" for name in QUANTITIES))
    for design, (label, population), raters in itertools.product(
        arguments.designs, POPULATIONS.items(), arguments.raters
    ):
        found = coverage(population, design, raters, arguments.studies)
        rows.append({"design": design, "population": label, "raters": raters, **found})
        numbers = "  ".join(f"{100 * found[name]:16.1f}" for name in QUANTITIES)
        print(f"{design:10s} {label:20s} {raters:6d}  {numbers}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
