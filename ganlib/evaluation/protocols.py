"""Scoring protocols: which voxels count, how intensities are normalised, and what each measure assumes.

The protocol alone moves the PSNR of one and the same image by several decibels, so that no number is printed without
the name of its protocol. `PROTOCOLS` are always computed: `PAPER`, that of Welander et al. 2018 (arXiv:1806.07777)
with its gaps filled in and stated; `MASKED`, ours; and two others in use, `OWN_MAX` and `PERCENTILE`. Another protocol
is another object.
"""

import numpy as np

from ganlib.cohort import IntensityRange
from ganlib.errors import InputError
from ganlib.evaluation import metrics
from ganlib.evaluation.masked import MaskedProtocol
from ganlib.evaluation.measures import MEASURES, Measure
from ganlib.evaluation.normalisation import above_triangle, of_own_maximum, percentile_scaled, z_scored
from ganlib.evaluation.realism import REALISM
from ganlib.evaluation.registration import REGISTRATION
from ganlib.evaluation.whole_slice import WholeSliceProtocol

__all__ = [
    "MASKED", "MEASURES", "OWN_MAX", "PAPER", "PERCENTILE", "PROTOCOLS", "REALISM", "REGISTRATION", "MaskedProtocol",
    "Measure", "WholeSliceProtocol", "protocol_named", "score", "score_under_all", "z_scored",
]  # fmt: skip


def _one(image):
    return 1.0


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

#: As the released code of SynDiff (Özbey et al. 2023, arXiv:2207.08208, `test.py`) and the validation of ResViT
#: (Dalmaz et al. 2022, arXiv:2106.16031, `train.py`) compute PSNR: each slice divided by its own maximum, peak 1, mean
#: over slices. Assumed: intensity 0 is theirs (they shift [-1, 1] to [0, 1] first); nothing is cropped (SynDiff keeps
#: the middle 256 × 152 pixels after dividing); their papers' SSIM, whose code is not released, has the Gaussian window.
#: ResViT's MAE is of the images before they are divided; ours is of those after.
OWN_MAX = WholeSliceProtocol(
    name="own-max",
    normalise=of_own_maximum,
    normalisation="each slice of each image divided by its own maximum",
    unit="of own maximum",
    peak=_one,
    peak_words="1",
    ssim=metrics.gaussian_ssim,
    ssim_words="Gaussian σ 1.5 pixels, range 1",
    floor=0.05,
)

#: As the released code of the benchmark by Moschetto et al. 2025 (arXiv:2507.14575): each slice clipped at its own 5th
#: and 99.5th percentile and mapped to [0, 1]; SSIM by scikit-image's defaults over the whole slice; PSNR after each
#: image has lost what lies below its own triangle threshold, peak 1; mean over slices. Assumed: percentiles are of the
#: slice as it is stored (theirs is a padded 8-bit picture). Their squared error is of images that were not normalised
#: and is not computed here; MAE is ours.
PERCENTILE = WholeSliceProtocol(
    name="percentile",
    normalise=percentile_scaled,
    normalisation="each slice of each image clipped at its own 5th and 99.5th percentile and mapped to 0 to 1",
    unit="of own percentile range",
    peak=_one,
    peak_words="1",
    psnr_of=above_triangle,
    psnr_words="each image 0 below its own triangle threshold",
    ssim=metrics.square_ssim,
    ssim_words="7 × 7 pixels, range 1",
    floor=0.05,
)

#: The protocols of error that are always computed, by name.
PROTOCOLS = {protocol.name: protocol for protocol in (PAPER, MASKED, OWN_MAX, PERCENTILE)}

#: These ask another question than how large the error is.
_OTHERS = {protocol.name: protocol for protocol in (REALISM, REGISTRATION)}


def protocol_named(name):
    """The protocol of this name.

    Args:
        name: key of `PROTOCOLS`, `realism` or `registration`.

    Raises:
        InputError: no such protocol.
    """
    if name not in PROTOCOLS | _OTHERS:
        raise InputError(f"protocol {name!r} is unknown; use one of {', '.join(PROTOCOLS | _OTHERS)}")
    return (PROTOCOLS | _OTHERS)[name]


def score(target, synthetic, *, mask, protocol="masked", intensity_range=None):
    """Score a synthetic image under a protocol.

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        synthetic: generated image, same shape and units.
        mask: boolean array of the same shape; True inside the brain.
        protocol: name of a protocol, such as `"masked"`, or a protocol object.
        intensity_range: `IntensityRange`, or (low, high), of the target contrast over the whole training set; needed
            by protocols that do not normalise each image by itself.

    Returns:
        Dictionary from measure (key of `MEASURES`) to float.

    Raises:
        InputError: no protocol of this name.
        ValueError: shapes differ, the mask is empty, a value is not finite, or the range is missing.

    Example:
        >>> real = np.linspace(0, 1, 400).reshape(20, 20)
        >>> found = score(real, real + 0.1, mask=real >= 0, protocol="masked", intensity_range=(0, 1))
        >>> round(found["psnr_db"], 4)
        20.0
    """
    chosen = protocol_named(protocol) if isinstance(protocol, str) else protocol
    if isinstance(intensity_range, tuple | list):
        intensity_range = IntensityRange(*intensity_range)
    return chosen.score(target, synthetic, mask=mask, intensity_range=intensity_range)


def score_under_all(target, synthetic, *, mask, intensity_range):
    """Score one image under every protocol of error.

    Args:
        target: real image, float array (height, width) or (slices, height, width).
        synthetic: generated image, same shape and units.
        mask: boolean array of the same shape.
        intensity_range: `IntensityRange`, or (low, high), of the target contrast.

    Returns:
        `pandas.DataFrame`, a row per protocol and a column per measure (NaN where a protocol does not have it).

    Raises:
        ValueError: as `score`.
    """
    import pandas as pd  # slow to import, and only needed here

    rows = {
        name: score(target, synthetic, mask=mask, protocol=name, intensity_range=intensity_range) for name in PROTOCOLS
    }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("protocol")
    return table[[name for name in MEASURES if name in table]]
