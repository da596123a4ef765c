"""Intensity ranges: one per contrast, taken from the training subjects, and invertible."""

from dataclasses import dataclass

import numpy as np

from ganlib.errors import InputError

#: Percentile of the training subjects' voxels inside the mask that is mapped to +1.
UPPER_PERCENTILE = 99.5


@dataclass(frozen=True)
class IntensityRange:
    """The intensities of one contrast that are mapped to [-1, 1], in the units of the source files.

    Nothing is clipped: values outside the range map outside [-1, 1], so that scaling can always be undone.

    Args:
        low: intensity mapped to -1.
        high: intensity mapped to +1; above `low`.

    Raises:
        ValueError: `high` is not above `low`.
    """

    low: float
    high: float

    def __post_init__(self):
        if not self.high > self.low:
            raise ValueError(f"intensity range is empty: low {self.low}, high {self.high}")

    @property
    def width(self):
        """`high - low`, in the units of the source files."""
        return self.high - self.low

    def scale(self, intensities):
        """Map intensities to network units, [-1, 1]."""
        return (np.asarray(intensities, np.float32) - self.low) * np.float32(2 / self.width) - 1

    def unscale(self, scaled):
        """Undo `scale`: network units back to intensities."""
        return (np.asarray(scaled, np.float32) + 1) * np.float32(self.width / 2) + np.float32(self.low)

    def fraction(self, intensities):
        """Map intensities to fractions of the range, 0 at `low` and 1 at `high` (the units of protocol `masked`)."""
        return (np.asarray(intensities, np.float32) - self.low) / np.float32(self.width)

    @classmethod
    def of(cls, values, contrast):
        """Range of a contrast from its training voxels.

        The lower end is 0 unless the data go below it (CT, z-scored images), so that an empty background, which is 0
        in skull-stripped images, always lies inside the range.

        Args:
            values: intensities of the training subjects inside the mask, any shape.
            contrast: name, for the error message.

        Raises:
            InputError: there are no values, or all are equal.
        """
        if not np.size(values):
            raise InputError(f"contrast {contrast!r}: the masks of the training subjects are empty; check the masks")
        low = min(0.0, float(np.percentile(values, 100 - UPPER_PERCENTILE)))
        high = float(np.percentile(values, UPPER_PERCENTILE))
        if not high > low:
            raise InputError(
                f"contrast {contrast!r}: every training voxel inside the mask is {high:g}; check the files and the mask"
            )
        return cls(low, high)
