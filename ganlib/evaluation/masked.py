"""The project's own protocol: fixed units, inside the mask."""

from dataclasses import dataclass

import numpy as np

from ganlib.evaluation import metrics
from ganlib.evaluation.information import counts_of, information
from ganlib.evaluation.measures import measure_unit
from ganlib.evaluation.voxels import inside
from ganlib.evaluation.whole_slice import relative_error


@dataclass(frozen=True)
class MaskedProtocol:
    """Intensities in fractions of the target contrast's fixed range, scored inside the mask only.

    Nothing is normalised per image, so that a gain error counts as the error it is. The voxels of all slices of a
    subject are pooled.

    Args:
        name: short name that stands beside every number.
        bins: bins of the joint histogram of mutual information, on fixed edges from 0 to 1.
        floor: smallest divisor of the relative error, fraction of the range.
    """

    name: str
    bins: int
    floor: float

    unit = "fraction of range"

    @property
    def description(self):
        """Region, normalisation, bins, range and floor, in one sentence."""
        return (
            "mask only; intensities in fractions of the contrast's training range, prediction not normalised; "
            f"PSNR and SSIM range 1, squared error pooled over the subject's mask; mutual information of {self.bins} "
            f"bins from 0 to 1; SSIM Gaussian σ 1.5 pixels; relative error's divisor at least {self.floor_label}"
        )

    def score(self, target, synthetic, *, mask, intensity_range):
        """Score a subject.

        Args:
            target: real image, float array (height, width) or (slices, height, width), in the units of the cohort.
            synthetic: generated image, same shape and units.
            mask: boolean array of the same shape; True where the score counts.
            intensity_range: `IntensityRange` of the target contrast.

        Returns:
            Dictionary from measure to float: `mae`, `psnr_db`, `mi_nats`, `mi_bias_nats`, `nmi`, `ssim`,
            `relative_error_median`, `relative_error_p95`, `mask_fraction`.

        Raises:
            ValueError: shapes differ, the mask is empty, a value inside it is not finite, or there is no range.
        """
        images = _fractions(target, synthetic, intensity_range)
        real, made = inside(*images, mask)
        scores = metrics.error_measures(real, made, data_range=1)
        del scores["bias"]  # the sign says nothing of how good a method is; it stands in the scores of regions
        return {
            **scores,
            **information(counts_of(real, made, bins=self.bins, limits=((0, 1), (0, 1)))),
            "ssim": metrics.ssim(*images, mask=mask, data_range=1),
            **relative_error(real, made, self.floor),
            "mask_fraction": float(np.mean(mask)),
        }

    def error_map(self, target, synthetic, *, mask, intensity_range):
        """Relative absolute error of every voxel inside the mask.

        Args:
            target: real image, float array (height, width) or (slices, height, width), in the units of the cohort.
            synthetic: generated image, same shape and units.
            mask: boolean array of the same shape.
            intensity_range: `IntensityRange` of the target contrast.

        Returns:
            float64 array of the same shape, NaN outside the mask.
        """
        real, made = _fractions(target, synthetic, intensity_range)
        errors = np.full(np.shape(target), np.nan)
        errors[mask] = metrics.relative_error_map(real[mask], made[mask], floor=self.floor)
        return errors

    def measure_unit(self, measure):
        """Unit of a measure under this protocol."""
        return measure_unit(measure, self.unit)

    @property
    def error_label(self):
        """What the error map shows, with its floor, for a colour bar."""
        return f"|synthetic − real| / max(real, {self.floor_label}), protocol {self.name}"

    @property
    def floor_label(self):
        """The error map's smallest divisor with its unit."""
        return f"{100 * self.floor:g} % of range"


def _fractions(target, synthetic, intensity_range):
    if intensity_range is None:
        raise ValueError("intensity_range is missing; protocol masked counts in fractions of the contrast's range")
    return intensity_range.fraction(target), intensity_range.fraction(synthetic)
