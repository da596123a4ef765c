"""Simulated raters of known discriminability, bias and lapses: for planning a study, and for testing its analysis.

They are equal-variance Gaussian observers: an image calls up an impression, half a d′ above 0 for real images and half
a d′ below for synthetic ones, plus what the image has in itself, plus noise; the impression is rated by five fixed
criteria. In a lapse the rater presses any of the six keys.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from ganlib.study.measures import RATINGS

#: Criteria of the six ratings around the one between `real` and `synthetic`.
_CRITERIA = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])


@dataclass(frozen=True)
class SimulatedRaters:
    """A population of raters and images.

    Args:
        d_prime: mean discriminability over raters.
        bias: mean criterion over raters; above 0 leans to `synthetic`.
        lapse: probability of pressing any key.
        d_prime_sd: standard deviation of d′ between raters.
        bias_sd: standard deviation of the criterion between raters.
        image_sd: standard deviation of what images have in themselves, in units of the noise.
    """

    d_prime: float = 1.0
    bias: float = 0.0
    lapse: float = 0.0
    d_prime_sd: float = 0.3
    bias_sd: float = 0.3
    image_sd: float = 0.5

    @property
    def criteria(self):
        """Criteria of the six ratings, without the rater's bias: float array (5,)."""
        return _CRITERIA

    def draw(self, raters, rng):
        """d′ and criterion of some raters: two float arrays (raters,)."""
        return rng.normal(self.d_prime, self.d_prime_sd, raters), rng.normal(self.bias, self.bias_sd, raters)

    def rate(self, is_real, raters, rng, showings=1):
        """Ratings of the same images by raters drawn from the population.

        Args:
            is_real: bool array (images,).
            raters: number of raters, or their d′ and criteria as from `draw`.
            rng: `numpy.random.Generator`.
            showings: how often each rater sees each image.

        Returns:
            int array (raters, images), or (showings, raters, images) if there are several; 1 to 6.
        """
        d_prime, bias = self.draw(raters, rng) if isinstance(raters, int) else raters
        side = np.where(is_real, 0.5, -0.5)
        image = rng.normal(0, self.image_sd, len(side))
        impression = d_prime[:, None] * side + image + rng.normal(size=(showings, len(d_prime), len(side)))
        criteria = bias[:, None, None] + _CRITERIA
        ratings = 1 + (impression[..., None] > criteria).sum(-1)
        lapse = rng.random(ratings.shape) < self.lapse
        ratings = np.where(lapse, rng.integers(1, RATINGS + 1, ratings.shape), ratings)
        return ratings if showings > 1 else ratings[0]

    def called_real(self, d_prime, bias, image):
        """Probability that a synthetic image is called real.

        Args:
            d_prime: of the rater, number or array.
            bias: of the rater, of a shape that fits.
            image: what the image has in itself, of a shape that fits.
        """
        return (1 - self.lapse) * ndtr(image - np.asarray(d_prime) / 2 - bias) + self.lapse / 2

    def rating_probabilities(self, d_prime, bias):
        """Probability of each rating, over all images: array (…, 2, 6), to synthetic and to real images.

        Args:
            d_prime: d′ of each rater, float array (…).
            bias: criterion of each rater, float array (…).
        """
        noise = np.hypot(1, self.image_sd)
        side = np.array([-0.5, 0.5])[:, None]
        d_prime, bias = (np.asarray(value, float)[..., None, None] for value in (d_prime, bias))
        below = ndtr((bias + _CRITERIA - side * d_prime) / noise)
        ends = np.zeros((*below.shape[:-1], 1))
        return (1 - self.lapse) * np.diff(np.concatenate([ends, below, ends + 1], -1)) + self.lapse / RATINGS
