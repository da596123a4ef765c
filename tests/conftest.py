"""What several tests need: tiny cohorts, and where the shared real data are."""

from pathlib import Path

import numpy as np
import pytest

from ganlib.cohort import CohortHeader, CohortWriter, Subject
from tests.browser import chromium  # noqa: F401, a fixture
from tests.measured import measured_home, measured_runs, results  # noqa: F401, fixtures
from tests.postgresql import postgresql  # noqa: F401, a fixture

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data():
    """Folder of the real MR data; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared MR data are not beside the checkout")
    return SHARED_DATA


def write_tiny_cohort(path, *, splits=("train",) * 6 + ("validation",) * 2 + ("test",) * 2, shape=(16, 16), slices=1):
    """A cohort of smooth random blobs whose T2w is a fixed function of T1w."""
    header = CohortHeader(name="tiny", contrasts=["T1w", "T2w"], voxel_mm=(2, 2, 2), phantom=True)
    rows, columns = np.mgrid[: shape[0], : shape[1]] / shape[0]
    with CohortWriter(path, header) as writer:
        for index, split in enumerate(splits):
            phase = np.random.default_rng(index).uniform(0, 6, (slices, 1, 1))
            t1w = 500 + 400 * np.sin(5 * rows + phase) * np.cos(4 * columns + phase)
            subject = Subject(
                id=f"sub-{index:02d}", split=split, affine=np.diag([-2.0, -2, 2, 1]).tolist(),
                volume_shape=(*shape[::-1], 20), slice_indices=list(range(slices)),
                slice_mm=[2.0 * index for index in range(slices)],
            )  # fmt: skip
            mask = np.hypot(rows - 0.5, columns - 0.5) < 0.45
            images = {"T1w": t1w * mask, "T2w": (1000 - t1w) * mask}
            writer.add(subject, images=images, mask=np.broadcast_to(mask, t1w.shape))
    return path


@pytest.fixture
def tiny_cohort(tmp_path):
    """Path of a cohort of 6 training, 2 validation and 2 test subjects, one slice of 16 x 16 pixels each."""
    return write_tiny_cohort(tmp_path / "cohort.h5")
