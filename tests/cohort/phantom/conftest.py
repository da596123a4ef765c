import numpy as np
import pytest

from ganlib.cohort.phantom import PhantomSettings, make_phantom
from tests.cohort.conftest import write_volume

#: RAS, 4 mm: a box of a brain in a box of skull, cortex around white matter. The left half alone has a CSF ventricle.
HEAD_SHAPE = (48, 56, 44)
HEAD_AFFINE = np.array([[4.0, 0, 0, -94], [0, 4.0, 0, -127], [0, 0, 4.0, -83], [0, 0, 0, 1]])


def head_of_boxes():
    """Label map int16 (x, y, z), RAS."""
    codes = np.zeros(HEAD_SHAPE, np.int16)
    codes[4:44, 4:52, 2:42] = 516
    codes[6:42, 6:50, 4:40] = 3
    codes[10:38, 10:46, 8:36] = 2
    codes[14:20, 20:36, 12:32] = 4
    return codes


@pytest.fixture
def heads_folder(tmp_path):
    """Function that writes a number of label maps and returns their folder."""

    def write(number=1, orientation="LIA"):
        for index in range(number):
            path = tmp_path / "heads" / f"head_{index:02d}.nii.gz"
            write_volume(path, head_of_boxes(), orientation=orientation, affine=HEAD_AFFINE, dtype=np.int16)
        return str(tmp_path / "heads")

    return write


@pytest.fixture(scope="session")
def settings():
    return PhantomSettings(num_train=4, num_validation=1, num_test=2)


@pytest.fixture(scope="session")
def phantom(settings, tmp_path_factory):
    with make_phantom(tmp_path_factory.mktemp("phantom") / "phantom.h5", settings, progress=False) as cohort:
        yield cohort
