"""How many raters and images a study needs: the difference between two methods that it would find.

Raters of `ganlib.study.simulation` answer; the variance of the difference between two methods' shares of images called
real has a part from the images, one from raters to whom the methods differ, and one from chance in each answer.
"""

import numpy as np
import pandas as pd
from scipy import stats

from ganlib.study.simulation import SimulatedRaters

RATERS = (1, 3, 5, 10, 20, 30)
IMAGES = (6, 12, 24, 48)


def power_table(population=None, *, raters=RATERS, images=IMAGES, power=0.8, level=0.05):
    """Smallest difference between two methods that is found with a given power.

    Args:
        population: `SimulatedRaters`; default its own defaults, whose raters and images differ as people and brains do.
        raters: numbers of raters.
        images: numbers of synthetic images per method and contrast.
        power: probability to find the difference.
        level: of the two-sided test.

    Returns:
        `pandas.DataFrame`: rows `raters`, columns images per method and contrast; percentage points of "called real"
        in one contrast, or 100 where even a complete difference might be missed.
    """
    table = {number: [100 * smallest_difference(count, number, population, power=power, level=level)
                      for count in raters] for number in images}  # fmt: skip
    return pd.DataFrame(table, index=pd.Index(raters, name="raters")).rename_axis(columns="images per method, contrast")


def smallest_difference(raters, images, population=None, *, power=0.8, level=0.05):
    """Smallest difference in the share called real that is found with this power, as a fraction; at most 1.

    Args:
        raters: number of raters.
        images: number of synthetic images per method and contrast.
        population: `SimulatedRaters`.
        power: probability to find the difference.
        level: of the two-sided test.

    Source: Obuchowski & Rockette 1995 (the components); Cohen 1988, Statistical Power Analysis (normal approximation).
    """
    between_raters, between_images, chance = components(population or SimulatedRaters())
    variance = 2 * (between_raters / raters + between_images / images + chance / (raters * images))
    reach = stats.norm.ppf(1 - level / 2) + stats.norm.ppf(power)
    return float(min(reach * np.sqrt(variance), 1.0))


def components(population, *, draws=4000, seed=0):
    """Variance of one answer "real" to a synthetic image: between raters to whom methods differ, images, and chance.

    A rater's bias shifts both methods alike and drops out of their difference; what remains of the raters' part is
    that methods differ to raters. It is taken as if each rater had a d′ of their own for each method, which is on the
    safe side.

    Args:
        population: `SimulatedRaters`.
        draws: raters and images that are drawn.
        seed: of the drawing.

    Returns:
        Three variances.
    """
    rng = np.random.default_rng(seed)
    d_prime, bias = population.draw(draws, rng)
    image = rng.normal(0, population.image_sd, draws)
    few = slice(400)
    by_method = population.called_real(d_prime[:, None], population.bias, image[None, few]).mean(1).var()
    by_rater = population.called_real(d_prime[:, None], bias[:, None], image[None, few]).mean(1).var()
    by_image = population.called_real(d_prime[None, few], bias[None, few], image[:, None]).mean(1).var()
    every = population.called_real(d_prime, bias, image)
    # What is neither the rater's nor the image's own is new in every answer.
    chance = np.mean(every * (1 - every)) + max(every.var() - by_rater - by_image, 0)
    return float(by_method), float(by_image), float(chance)
