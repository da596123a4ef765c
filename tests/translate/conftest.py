"""A run whose generators change nothing, or double the intensity: what remains is everything around them."""

import keras
import numpy as np
import pytest

from ganlib import atomic
from ganlib.cohort import Cohort
from ganlib.cohort.build import ImportSettings, import_cohort
from ganlib.cohort.sources import FolderSource
from ganlib.models import generators
from ganlib.runs import Run, RunConfig
from ganlib.runs.preparation import Preparation
from tests.cohort.conftest import head, write_volume

PATTERNS = {name: f"{{subject}}/{name}.nii.gz" for name in ("T1w", "T2w")}


def make_cohort(folder, **settings):
    """Three subjects whose two contrasts are one image, so that their ranges are equal."""
    for number in (1, 2, 3):
        for name in PATTERNS:
            write_volume(folder / "study" / f"sub-{number}" / f"{name}.nii.gz", head(number))
    chosen = {"slice_mm": (-15, 15), "validation": 0, "test": 1, "size": (28, 24), **settings}
    with pytest.warns(UserWarning, match="there twice"):
        cohort = import_cohort(
            FolderSource(folder / "study", PATTERNS), folder / "cohort.h5", ImportSettings(**chosen), progress=False
        )  # fmt: skip
    return cohort.path


def make_run(folder, cohort_path, *, gain=1.0, channels=1):
    """A run folder with generators that multiply network units by `gain`, of the middle one of some channels."""
    with Cohort(cohort_path) as cohort:
        config = RunConfig(
            method="simple", method_label="Simple", cohort=f"../{cohort_path.name}", phantom=False, epochs=1,
            cohort_fingerprint=cohort.fingerprint, contrasts=("T1w", "T2w"), image_shape=cohort.shape,
            learning_rate=1e-3, options={"input_channels": channels},
        )  # fmt: skip
        run = Run.create(
            folder, config, cohort.split(), preparation=Preparation.of(cohort, config.contrasts)
        )  # fmt: skip
    networks = [_network(name, config.image_shape, gain, channels) for name in ("to_b", "to_a")]
    with atomic.replacing(folder / "generators.keras") as partial:
        generators.pack(*networks).save(partial)
    return run


def _network(name, shape, gain, channels):
    image = keras.Input((*shape, channels), name=f"{name}_image")
    kernel = np.zeros((1, 1, channels, 1), np.float32)
    kernel[0, 0, channels // 2] = gain
    layer = keras.layers.Conv2D(1, 1, use_bias=False, name=f"{name}_gain")
    network = keras.Model(image, layer(image), name=name)
    layer.set_weights([kernel])
    return network


@pytest.fixture(scope="session")
def cohort_path(tmp_path_factory):
    return make_cohort(tmp_path_factory.mktemp("identity"))


@pytest.fixture(scope="session")
def identity_run(cohort_path):
    """Run whose generators return what they get."""
    return make_run(cohort_path.parent / "run", cohort_path)
