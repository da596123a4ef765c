"""The way of a subject's slices into the networks, and of synthetic slices out of them."""

import numpy as np

#: Slices translated at a time, so that the memory needed does not grow with a subject's number of slices.
SLICES_PER_CALL = 16


class Passage:
    """Scales and pads images for the networks of a run, and undoes both.

    Where each slice is scaled by its own maximum, what a synthetic slice should be multiplied with is unknown, since
    the real slice is not to be looked at: it is the mean maximum of the training slices.

    Args:
        config: `RunConfig`.
        ranges: `IntensityRange` of each contrast, as `Cohort.ranges`.
    """

    def __init__(self, config, ranges):
        self.frame, self.maxima, self.ranges = config.frame, config.slice_maxima, ranges
        self.channels = config.options.get("input_channels", 1)

    def enter(self, images, contrast):
        """Bring images to network units and to the networks' frame.

        Args:
            images: float array (slices, height, width), in the units of the cohort.
            contrast: which contrast they show.

        Returns:
            float32 (slices, network height, network width).
        """
        if self.maxima is None:
            return self.frame.pad(self.ranges[contrast].scale(images))
        peaks = slice_maxima(images)[:, np.newaxis, np.newaxis]
        scaled = np.asarray(images, np.float32) * np.float32(2) / np.where(peaks > 0, peaks, 1).astype(np.float32) - 1
        return self.frame.pad(scaled)

    def leave(self, synthetic, contrast):
        """Bring synthetic images back to the units of the cohort and to their own frame.

        Args:
            synthetic: float array (slices, network height, network width), in network units.
            contrast: which contrast they show.

        Returns:
            float32 (slices, height, width).
        """
        synthetic = self.frame.crop(np.asarray(synthetic, np.float32))
        if self.maxima is None:
            return self.ranges[contrast].unscale(synthetic)
        return (synthetic + 1) * np.float32(self.maxima[contrast] / 2)

    def spread(self, deviation, contrast):
        """Bring a standard deviation in network units to the units of the cohort, and to the images' own frame."""
        width = self.ranges[contrast].width if self.maxima is None else self.maxima[contrast]
        return self.frame.crop(np.asarray(deviation, np.float32)) * np.float32(width / 2)

    def translate(self, function, images, direction):
        """Translate a subject's slices.

        Args:
            function: from and to float32 arrays (batch, network height, network width, 1).
            images: float array (slices, height, width) of the source contrast, in the units of the cohort.
            direction: `Direction`.

        Returns:
            float32 (slices, height, width), in the units of the cohort's target contrast.
        """
        return self.leave(self.through(function, self.enter(images, direction.source)), direction.target)

    def through(self, function, entered):
        """Apply a network's function a few slices at a time.

        Args:
            function: from float32 (batch, network height, network width, channels) to the same with one channel, or
                to a tuple of such arrays.
            entered: float32 (slices, network height, network width), as from `enter`.

        Returns:
            float32 (slices, network height, network width), or a tuple of such arrays.
        """
        stacked = np.moveaxis(entered[neighbours(len(entered), self.channels)], 1, -1)
        parts = [function(stacked[at : at + SLICES_PER_CALL]) for at in range(0, len(stacked), SLICES_PER_CALL)]
        if isinstance(parts[0], tuple):
            return tuple(np.concatenate(each)[..., 0] for each in zip(*parts, strict=True))
        return np.concatenate(parts)[..., 0]


def slice_maxima(images):
    """Largest value of each slice: float (slices,), from (slices, height, width)."""
    return np.asarray(images).max(axis=(1, 2))


def neighbours(number, channels):
    """Which slices make up the channels of each slice: those around it, the first and the last one repeated.

    Args:
        number: slices of a subject.
        channels: how many slices make up one image, odd.

    Returns:
        int (number, channels).

    Example:
        >>> neighbours(3, 3)
        array([[0, 0, 1],
               [0, 1, 2],
               [1, 2, 2]])
    """
    around = np.arange(channels) - channels // 2
    return np.clip(np.arange(number)[:, np.newaxis] + around, 0, number - 1)
