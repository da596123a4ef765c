"""Protocols that normalise each image by itself and score the whole slice, as most published numbers are made."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ganlib.evaluation import metrics
from ganlib.evaluation.information import counts_of, information
from ganlib.evaluation.measures import measure_unit
from ganlib.evaluation.normalisation import own_range
from ganlib.evaluation.voxels import as_slices, scored_slices


@dataclass(frozen=True)
class WholeSliceProtocol:
    """Each image normalised by itself, and scored over the whole slice, background included.

    Every slice is normalised and scored on its own, and the score of a subject is the mean over its slices; slices
    without any mask voxel are left out. Only the relative error is summed up inside the mask, since nothing is gained
    by dividing by the background.

    Normalising each image by itself hides errors of gain, and often of offset: an image that is 15 % too bright
    throughout scores as a perfect one.

    Args:
        name: short name that stands beside every number.
        normalise: function from an image (height, width) to the normalised image.
        normalisation: what `normalise` does, in words.
        unit: unit of the normalised intensities.
        peak: function from the normalised real image to the data range of PSNR.
        peak_words: what `peak` is, in words.
        floor: smallest divisor of the relative error, in `unit`.
        bins: bins of the joint histogram of mutual information, over each image's own range; None where the protocol
            has no mutual information.
        ssim: function (target, synthetic, data_range=…) to the SSIM of a normalised slice, with data range 1; None
            where the protocol has no SSIM.
        ssim_words: what `ssim` is, in words.
        psnr_of: function from a normalised image to what PSNR sees of it; None for all of it.
        psnr_words: what `psnr_of` does, in words.
    """

    name: str
    normalise: Callable
    normalisation: str
    unit: str
    peak: Callable
    peak_words: str
    floor: float
    bins: int | None = None
    ssim: Callable | None = None
    ssim_words: str = ""
    psnr_of: Callable | None = None
    psnr_words: str = ""

    @property
    def description(self):
        """Region, normalisation, bins, range and floor, in one sentence."""
        parts = [
            "whole slice, background included",
            self.normalisation,
            f"PSNR range {self.peak_words}" + (f", {self.psnr_words}" if self.psnr_words else ""),
            f"mutual information of {self.bins} bins over each image's own range" if self.bins else "",
            f"SSIM {self.ssim_words}" if self.ssim else "",
            f"relative error inside the mask, divisor at least {self.floor_label}",
            "mean over slices",
        ]
        return "; ".join(part for part in parts if part)

    def score(self, target, synthetic, *, mask, intensity_range=None):
        """Score a subject.

        Args:
            target: real image, float array (height, width) or (slices, height, width), in the units of the cohort.
            synthetic: generated image, same shape and units.
            mask: boolean array of the same shape.
            intensity_range: `IntensityRange` of the target contrast; not used, since each image is normalised by
                itself.

        Returns:
            Dictionary from measure to float: `mae`, `psnr_db`, `mi_nats` and `mi_bias_nats` if the protocol has
            `bins`, `ssim` if it has one, `relative_error_median`, `relative_error_p95`, `mask_fraction`.

        Raises:
            ValueError: shapes differ, the mask is empty, a value is not finite, or the real image is constant.
        """
        rows = [self._score_slice(*images) for images in scored_slices(target, synthetic, mask)]
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}

    def error_map(self, target, synthetic, *, mask, intensity_range=None):
        """Relative absolute error of every voxel, on the normalised images, over the whole slice.

        Args:
            target: real image, float array (height, width) or (slices, height, width), in the units of the cohort.
            synthetic: generated image, same shape and units.
            mask: boolean array of the same shape; not used.
            intensity_range: `IntensityRange` of the target contrast; not used.

        Returns:
            float64 array of the same shape.
        """
        pairs = zip(as_slices(target), as_slices(synthetic), strict=True)
        maps = [metrics.relative_error_map(*map(self.normalise, pair), floor=self.floor) for pair in pairs]
        return np.reshape(maps, np.shape(target))

    def measure_unit(self, measure):
        """Unit of a measure under this protocol."""
        return measure_unit(measure, self.unit)

    @property
    def error_label(self):
        """What the error map shows, with its floor, for a colour bar."""
        return f"|synthetic − real| / max(|real|, {self.floor_label}), protocol {self.name}"

    @property
    def floor_label(self):
        """The error map's smallest divisor with its unit."""
        return f"{self.floor:g} {self.unit}"

    def _score_slice(self, target, synthetic, mask):
        real, made = self.normalise(target), self.normalise(synthetic)
        scores = metrics.error_measures(real, made, data_range=self.peak(real))
        del scores["bias"]  # of two normalised images: next to nothing by construction
        if self.psnr_of:
            seen = self.psnr_of(real), self.psnr_of(made)
            scores["psnr_db"] = metrics.error_measures(*seen, data_range=self.peak(real))["psnr_db"]
        if self.bins:
            counts = counts_of(real.ravel(), made.ravel(), bins=self.bins, limits=(own_range(real), own_range(made)))
            found = information(counts)
            scores |= {name: found[name] for name in ("mi_nats", "mi_bias_nats")}
        if self.ssim:
            scores["ssim"] = self.ssim(real, made, data_range=1)
        return scores | relative_error(real[mask], made[mask], self.floor) | {"mask_fraction": float(mask.mean())}


def relative_error(real, made, floor):
    """Median and 95th percentile of the relative error; a mean would be that of a few voxels next to zero.

    Args:
        real: real intensities, float vector.
        made: generated intensities, same shape.
        floor: smallest divisor, in the units of the intensities.

    Returns:
        Dictionary: `relative_error_median`, `relative_error_p95`.
    """
    median, high = np.percentile(metrics.relative_error_map(real, made, floor=floor), (50, 95))
    return {"relative_error_median": float(median), "relative_error_p95": float(high)}
