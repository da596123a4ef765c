"""What the columns of numbers are called, and which way is better."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """How a number in a table of scores is named and read.

    Args:
        label: its name on an axis or in a table head.
        better: `"higher"`, `"lower"`, or `""` where neither is: it is a property of the subject and not of the
            method, a correction of another measure, or best at 0.
        unit: its unit, or `"intensity"` where it is that of the protocol's intensities.
    """

    label: str
    better: str
    unit: str = ""


#: Every measure that a protocol can return, in the order in which they are shown.
MEASURES = {
    "mae": Measure("MAE", "lower", "intensity"),
    "psnr_db": Measure("PSNR", "higher", "dB"),
    "mi_nats": Measure("Mutual information", "higher", "nats"),
    "mi_bias_nats": Measure("Mutual information, Miller–Madow bias", "", "nats"),
    "nmi": Measure("Normalised MI", "higher"),
    "ssim": Measure("SSIM", "higher"),
    "relative_error_median": Measure("Relative error, median", "lower"),
    "relative_error_p95": Measure("Relative error, 95th percentile", "lower"),
    "mask_fraction": Measure("Mask, fraction of the slice", ""),
    "bias": Measure("Mean error, synthetic − real", "", "intensity"),
    "spectrum_db": Measure("Power-spectrum distance", "lower", "dB"),
    "high_frequency_db": Measure("High-frequency power, synthetic / real", "", "dB"),
    "wasserstein": Measure("Wasserstein-1 distance of intensities", "lower", "intensity"),
    "auc": Measure("Classifier two-sample test, AUC", "lower"),
    "shift_mm": Measure("Residual shift", "lower", "mm"),
    "lesion_recovered": Measure("Lesion contrast kept, synthetic / real", ""),
    "lesion_erased": Measure("Lesions erased, share of a subject's", "lower"),
    "lesion_found": Measure("Lesions found, share of a subject's", "higher"),
    "lesion_invented": Measure("Lesions invented", "lower", "per subject"),
}


def measure_unit(measure, intensity_unit):
    """Unit of a measure.

    Args:
        measure: key of `MEASURES`.
        intensity_unit: unit of the protocol's intensities.

    Returns:
        Text; empty where the measure is a pure number.
    """
    unit = MEASURES[measure].unit if measure in MEASURES else ""
    return intensity_unit if unit == "intensity" else unit
