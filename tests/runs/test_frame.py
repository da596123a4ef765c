"""Images in the networks' frame: padded as little as possible, and cropped back exactly."""

import numpy as np
import pytest

from ganlib.runs.frame import Frame


@pytest.mark.parametrize(
    ("image", "divisor", "network"),
    [((304, 256), 4, (304, 256)), ((193, 229), 4, (196, 232)), ((18, 14), 8, (24, 16)), ((7, 9), 1, (7, 9))],
)
def test_frame_is_the_smallest_that_can_be_halved(image, divisor, network):
    frame = Frame.dividing(image, divisor)
    assert frame.network_shape == network
    images = np.random.default_rng(0).normal(size=(2, *image))
    padded = frame.pad(images)
    assert padded.shape == (2, *network)
    np.testing.assert_array_equal(frame.crop(padded), images)


def test_image_lies_in_the_middle_and_its_border_is_continued():
    frame = Frame((2, 3), (4, 4))
    np.testing.assert_array_equal(
        frame.pad(np.array([[[1, 2, 3], [4, 5, 6]]]))[0], [[1, 2, 3, 3], [1, 2, 3, 3], [4, 5, 6, 6], [4, 5, 6, 6]]
    )


def test_image_that_fits_is_not_copied():
    images = np.zeros((1, 4, 4))
    assert Frame.dividing((4, 4), 4).pad(images) is images
