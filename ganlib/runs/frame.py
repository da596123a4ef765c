"""Images in the frame that the networks need: padded to sides that can be halved, and cropped back."""

from typing import NamedTuple

import numpy as np


class Frame(NamedTuple):
    """Where an image lies within the larger one that networks see: in the middle.

    Args:
        image_shape: height and width of the image, pixels.
        network_shape: height and width that networks see, pixels; not smaller.

    Example:
        >>> frame = Frame((2, 3), (4, 4))
        >>> frame.pad(np.arange(6).reshape(1, 2, 3))
        array([[[0, 1, 2, 2],
                [0, 1, 2, 2],
                [3, 4, 5, 5],
                [3, 4, 5, 5]]])
        >>> frame.crop(frame.pad(np.arange(6).reshape(1, 2, 3)))
        array([[[0, 1, 2],
                [3, 4, 5]]])
    """

    image_shape: tuple[int, int]
    network_shape: tuple[int, int]

    @classmethod
    def dividing(cls, image_shape, divisor):
        """The smallest frame whose sides are divisible by `divisor`."""
        return cls(tuple(image_shape), tuple(-(-side // divisor) * divisor for side in image_shape))

    @property
    def margins(self):
        """Pixels before and after the image: ((above, below), (left, right))."""
        spare = [whole - side for side, whole in zip(self.image_shape, self.network_shape, strict=True)]
        return tuple((pixels // 2, pixels - pixels // 2) for pixels in spare)

    def pad(self, images):
        """Continue images beyond their border by its own pixels.

        Args:
            images: array (slices, height, width).

        Returns:
            Array (slices, network height, network width); `images` itself where nothing is to be padded.
        """
        return images if self.image_shape == self.network_shape else np.pad(images, ((0, 0), *self.margins), "edge")

    def crop(self, images):
        """Undo `pad`.

        Args:
            images: array (slices, network height, network width).

        Returns:
            Array (slices, height, width): a view.
        """
        (above, _), (left, _) = self.margins
        height, width = self.image_shape
        return images[:, above : above + height, left : left + width]
