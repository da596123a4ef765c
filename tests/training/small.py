"""Settings that make a training small, a run's configuration without a run, and a training that is stopped."""

import pytest

from ganlib.runs import RunConfig

_RESNET = {"base_filters": 4, "num_residual_blocks": 1}
_GAN = {**_RESNET, "discriminator_filters": 4}
#: Options of every method, as small as they get.
OPTIONS = {
    "simple": {"filters": 8},
    "generators_s": _RESNET,
    "pix2pix": _GAN,
    "cyclegan": {**_GAN, "pool_size": 3},
    "cyclegan_s": {**_GAN, "pool_size": 3},
    "unit": {**_GAN, "discriminator_scales": 2},
}


def run_config(**settings):
    """A `RunConfig` that belongs to no folder."""
    defaults = {
        "method": "simple", "method_label": "Simple", "cohort": "cohort.h5", "cohort_fingerprint": "f", "phantom": True,
        "contrasts": ("T1w", "T2w"), "image_shape": (16, 16), "epochs": 10, "learning_rate": 1e-3,
    }  # fmt: skip
    return RunConfig(**{**defaults, **settings})


def stop_after_one_epoch(cohort, folder, settings):
    """Train one epoch of a training, and no more."""
    from ganlib.training.fit import train  # so that a test of the settings alone needs no Keras

    def stop(run):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(cohort, folder, settings, progress=False, on_epoch=stop)


def weights(run, which):
    """Bytes of every weight of both generators."""
    from ganlib.models import generators

    networks = generators.load(run.weights(which))
    return [variable.numpy().tobytes() for network in networks for variable in network.variables]
