"""Realism, which is not the absence of error: spectra and intensities like those of real images.

A method trained on the absolute error wins on error and looks smooth; one with an adversary has texture, in the wrong
places. So realism is measured apart: `REALISM` per subject, the classifier two-sample test (`two_sample`) per method,
and the perceptual study by people.
"""

from dataclasses import dataclass

import numpy as np

from ganlib.evaluation.measures import measure_unit
from ganlib.evaluation.spectrum import spectrum_measures
from ganlib.evaluation.voxels import inside


def wasserstein(target, synthetic, *, mask):
    """Wasserstein-1 distance of the intensities inside a mask: how far they have to be moved to be distributed alike.

    It looks at histograms alone: where an intensity is, does not matter.

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        synthetic: generated image, same shape and units.
        mask: boolean array of the same shape.

    Returns:
        Float, in the units of the images; 0 where the histograms agree.

    Raises:
        ValueError: shapes differ, the mask is empty, or a value is not finite.

    Example:
        >>> wasserstein(np.array([[0.0, 1.0]]), np.array([[1.0, 2.0]]), mask=np.ones((1, 2), bool))
        1.0

    Source: Villani 2009, Optimal Transport, chapter 6. Both images have as many voxels, so that it is the mean distance
        of the sorted intensities; `scipy.stats.wasserstein_distance` gives the same.
    """
    target, synthetic = inside(target, synthetic, mask)
    return float(np.mean(np.abs(np.sort(target) - np.sort(synthetic))))


@dataclass(frozen=True)
class RealismProtocol:
    """How like a real image a synthetic one is, whatever its error: inside the mask, in fractions of the range.

    Args:
        name: short name that stands beside every number.
        voxel_mm: row and column spacing in mm.
    """

    name: str
    voxel_mm: tuple[float, float] = (1.0, 1.0)

    unit = "fraction of range"

    @property
    def description(self):
        """Region, normalisation and definitions, in one sentence."""
        return (
            "mask only, intensities in fractions of the contrast's training range; power-spectrum distance: root mean "
            "square over frequency bands of the ratio of radially averaged powers, the mask's border faded out over 8 "
            "pixels; high-frequency power: mean ratio above half the Nyquist frequency, 0 is best; Wasserstein-1 "
            "distance of the intensities; AUC of a classifier that tells real from synthetic slices of subjects it has "
            "not seen, 0.5 is best"
        )

    def score(self, target, synthetic, *, mask, intensity_range):
        """Score a subject.

        Args:
            target: real image, float array (height, width) or (slices, height, width), in the units of the cohort.
            synthetic: generated image, same shape and units.
            mask: boolean array of the same shape.
            intensity_range: `IntensityRange` of the target contrast.

        Returns:
            Dictionary of floats: `spectrum_db`, `high_frequency_db`, `wasserstein`.

        Raises:
            ValueError: shapes differ, the mask is empty or too thin, a value inside it is not finite, or there is no
                range.
        """
        if intensity_range is None:
            raise ValueError(f"intensity_range is missing; protocol {self.name} counts in fractions of it")
        real, made = intensity_range.fraction(target), intensity_range.fraction(synthetic)
        distance = wasserstein(real, made, mask=mask)
        return {**spectrum_measures(real, made, mask=mask, voxel_mm=self.voxel_mm), "wasserstein": distance}

    def measure_unit(self, measure):
        """Unit of a measure under this protocol."""
        return measure_unit(measure, self.unit)


REALISM = RealismProtocol(name="realism")
