"""Scoring protocols: which voxels count, how intensities are normalised, and what each measure assumes.

The protocol alone moves the PSNR of one and the same image by several decibels, so that no number is printed without
the name of its protocol. Two are always computed: `PAPER`, that of Welander et al. 2018 (arXiv:1806.07777) with its
gaps filled in and stated, and `MASKED`, ours. Another protocol is another object in `PROTOCOLS`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ganlib.errors import InputError
from ganlib.evaluation import metrics


@dataclass(frozen=True)
class Measure:
    """How a number in a table of scores is named and read.

    Args:
        label: its name on an axis or in a table head.
        better: `"higher"`, `"lower"`, or `""` where it is a property of the subject and not of the method.
    """

    label: str
    better: str


#: Every measure a protocol can return, in the order in which they are shown.
MEASURES = {
    "mae": Measure("MAE", "lower"),
    "psnr_db": Measure("PSNR", "higher"),
    "mi_nats": Measure("Mutual information", "higher"),
    "nmi": Measure("Normalised MI", "higher"),
    "ssim": Measure("SSIM", "higher"),
    "relative_error_median": Measure("Relative error, median", "lower"),
    "relative_error_p95": Measure("Relative error, 95th percentile", "lower"),
    "mask_fraction": Measure("Mask, fraction of the slice", ""),
}


def z_scored(image):
    """Subtract an image's mean and divide by its standard deviation.

    Args:
        image: float array of any shape.

    Returns:
        float64 array of the same shape, mean 0 and standard deviation 1; all 0 where the image is constant, since it
        then has no contrast to normalise.
    """
    image = np.asarray(image, np.float64)
    centred = image - image.mean()
    return centred / centred.std() if np.ptp(image) > 0 else np.zeros_like(image)


@dataclass(frozen=True)
class WholeSliceProtocol:
    """Each image normalised by itself, and scored over the whole slice, background included.

    Every slice is normalised and scored on its own, and the score of a subject is the mean over its slices; slices
    without any mask voxel are left out. Only the relative error is summed up inside the mask, since nothing is gained
    by dividing by the background.

    Normalising each image by itself hides errors of gain and offset: an image that is 15 % too bright throughout
    scores as a perfect one.

    Args:
        name: short name that stands beside every number.
        normalise: function from an image (height, width) to the normalised image.
        normalisation: what `normalise` does, in words.
        unit: unit of the normalised intensities.
        peak: function from the normalised real image to the data range of PSNR.
        peak_words: what `peak` is, in words.
        bins: bins of the joint histogram of mutual information, over each image's own range.
        floor: smallest divisor of the relative error, in `unit`.
    """

    name: str
    normalise: Callable
    normalisation: str
    unit: str
    peak: Callable
    peak_words: str
    bins: int
    floor: float

    @property
    def description(self):
        """Region, normalisation, bins, range and floor, in one sentence."""
        return (
            f"whole slice, background included; {self.normalisation}; PSNR range {self.peak_words}; "
            f"mutual information of {self.bins} bins over each image's own range; "
            f"relative error inside the mask, divisor at least {self.floor_label}; mean over slices"
        )

    def score(self, target, synthetic, *, mask, intensity_range):
        """Score a subject.

        Args:
            target: real image, float array (height, width) or (slices, height, width), in the units of the cohort.
            synthetic: generated image, same shape and units.
            mask: boolean array of the same shape.
            intensity_range: `IntensityRange` of the target contrast; not used, since each image is normalised by
                itself.

        Returns:
            Dictionary from measure to float: `mae`, `psnr_db`, `mi_nats`, `relative_error_median`,
            `relative_error_p95`, `mask_fraction`.

        Raises:
            ValueError: shapes differ, the mask is empty, a value is not finite, or the real image is constant.
        """
        target, synthetic, mask = map(np.asarray, (target, synthetic, mask))
        metrics.require_same_shape(target=target, synthetic=synthetic, mask=mask)
        metrics.require_finite(target=target, synthetic=synthetic)
        if not mask.any():
            raise ValueError("the mask is empty: no slice to score")
        slices = [_as_slices(image) for image in (target, synthetic, mask)]
        rows = [self._score_slice(*images) for images in zip(*slices, strict=True) if images[2].any()]
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}

    def error_map(self, target, synthetic, *, mask, intensity_range):
        """Relative absolute error of every voxel, on the normalised images, over the whole slice.

        Args:
            target: real image, float array (height, width) or (slices, height, width), in the units of the cohort.
            synthetic: generated image, same shape and units.
            mask: boolean array of the same shape; not used.
            intensity_range: `IntensityRange` of the target contrast; not used.

        Returns:
            float64 array of the same shape.
        """
        pairs = zip(_as_slices(target), _as_slices(synthetic), strict=True)
        maps = [metrics.relative_error_map(*map(self.normalise, pair), floor=self.floor) for pair in pairs]
        return np.reshape(maps, np.shape(target))

    def measure_unit(self, measure):
        """Unit of a measure under this protocol."""
        return _unit(measure, self.unit)

    @property
    def error_label(self):
        """What the error map shows, with its floor, for a colour bar."""
        return f"|synthetic − real| / max(|real|, {self.floor_label}), protocol {self.name}"

    @property
    def floor_label(self):
        """The error map's smallest divisor with its unit."""
        return f"{self.floor:g} {self.unit}"

    def _score_slice(self, target, synthetic, mask):
        whole = np.ones(np.shape(target), bool)
        real, made = self.normalise(target), self.normalise(synthetic)
        return {
            "mae": metrics.mae(real, made, mask=whole),
            "psnr_db": metrics.psnr(real, made, mask=whole, data_range=self.peak(real)),
            "mi_nats": metrics.mutual_information(
                real, made, mask=whole, bins=self.bins, limits=(_own_range(real), _own_range(made))
            ),
            **_relative_error(real, made, mask, self.floor),
        }


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
            Dictionary from measure to float: `mae`, `psnr_db`, `mi_nats`, `nmi`, `ssim`, `relative_error_median`,
            `relative_error_p95`, `mask_fraction`.

        Raises:
            ValueError: shapes differ, the mask is empty, or a value inside it is not finite.
        """
        real, made = intensity_range.fraction(target), intensity_range.fraction(synthetic)
        histogram = {"mask": mask, "bins": self.bins, "limits": ((0, 1), (0, 1))}
        return {
            "mae": metrics.mae(real, made, mask=mask),
            "psnr_db": metrics.psnr(real, made, mask=mask, data_range=1),
            "mi_nats": metrics.mutual_information(real, made, **histogram),
            "nmi": metrics.normalised_mutual_information(real, made, **histogram),
            "ssim": metrics.ssim(real, made, mask=mask, data_range=1),
            **_relative_error(real, made, mask, self.floor),
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
        real, made = intensity_range.fraction(target), intensity_range.fraction(synthetic)
        errors = np.full(np.shape(target), np.nan)
        errors[mask] = metrics.relative_error_map(real[mask], made[mask], floor=self.floor)
        return errors

    def measure_unit(self, measure):
        """Unit of a measure under this protocol."""
        return _unit(measure, "fraction of range")

    @property
    def error_label(self):
        """What the error map shows, with its floor, for a colour bar."""
        return f"|synthetic − real| / max(real, {self.floor_label}), protocol {self.name}"

    @property
    def floor_label(self):
        """The error map's smallest divisor with its unit."""
        return f"{100 * self.floor:g} % of range"


#: The protocol of Welander et al. 2018. PSNR's range, the bins and the floor are not in the paper; these are ours.
#: The floor keeps a divisor of a tenth of the slice's standard deviation, below which a z-score is mostly noise.
PAPER = WholeSliceProtocol(
    name="paper",
    normalise=z_scored,
    normalisation="each slice of each image z-scored over the whole slice",
    unit="SD",
    peak=np.ptp,
    peak_words="max − min of the z-scored real slice",
    bins=256,
    floor=0.1,
)

#: Ours, the headline.
MASKED = MaskedProtocol(name="masked", bins=64, floor=0.05)

#: The protocols that are always computed, by name.
PROTOCOLS = {protocol.name: protocol for protocol in (PAPER, MASKED)}


def protocol_named(name):
    """The protocol of this name.

    Args:
        name: key of `PROTOCOLS`.

    Raises:
        InputError: no such protocol.
    """
    if name not in PROTOCOLS:
        raise InputError(f"protocol {name!r} is unknown; use one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def _relative_error(real, made, mask, floor):
    """Median and 95th percentile inside the mask; a mean would be that of a few voxels next to zero."""
    inside = np.asarray(mask, bool)
    errors = metrics.relative_error_map(real[inside], made[inside], floor=floor)
    median, high = np.percentile(errors, (50, 95))
    return {
        "relative_error_median": float(median),
        "relative_error_p95": float(high),
        "mask_fraction": float(inside.mean()),
    }


def _as_slices(image):
    image = np.asarray(image)
    return image[None] if image.ndim == 2 else image


def _own_range(image):
    """Smallest and largest intensity; a constant image gets a range of 1, so that it falls into one bin."""
    low, high = float(image.min()), float(image.max())
    return (low, high) if high > low else (low, low + 1)


def _unit(measure, intensity_unit):
    return {"mae": intensity_unit, "psnr_db": "dB", "mi_nats": "nats"}.get(measure, "")
