"""From settings and a cohort to what a run folder records: `RunConfig`, and who trains which contrast."""

import os
import platform

import keras
import numpy as np

from ganlib import __version__
from ganlib.cohort.split import split_subjects
from ganlib.devices import DEVICES
from ganlib.errors import InputError
from ganlib.models.registry import method, method_options
from ganlib.runs import Run, RunConfig
from ganlib.runs.frame import Frame
from ganlib.runs.passage import slice_maxima

#: Settings in which a resumed training may differ from its run folder.
_MAY_DIFFER = {"versions", "cohort"}
_COPIED = {
    "seed", "epochs", "batch_size", "precision", "deterministic", "jit_compile", "data_parallel", "unpaired",
    "augmentation", "ema",
}  # fmt: skip


def run_config(cohort, folder, settings, options):
    """What a run folder will record of its training.

    Args:
        cohort: the open cohort.
        folder: the run folder.
        settings: `TrainingSettings`.
        options: the method's validated options.

    Raises:
        InputError: settings, method and cohort do not go together.
    """
    chosen = method(settings.method)
    if settings.unpaired and chosen.PAIRED:
        raise InputError(
            f"method {settings.method!r} learns from pairs, and `unpaired` leaves none; "
            "use cyclegan or unit, or leave `unpaired` out"
        )
    if settings.augmentation.flip and cohort.header.plane == "sagittal":
        raise InputError(f"{cohort.path}: sagittal slices have no left and right; leave out augmentation `flip`")
    contrasts = _contrasts(cohort, settings)
    frame = Frame.dividing(cohort.shape, options.stride)
    own = options.model_dump()
    return RunConfig(
        method=settings.method,
        method_label=chosen.LABEL,
        cohort=os.path.relpath(cohort.path, folder),
        cohort_fingerprint=cohort.fingerprint,
        phantom=cohort.header.phantom,
        contrasts=contrasts,
        image_shape=frame.image_shape,
        network_shape=frame.network_shape if frame.network_shape != frame.image_shape else None,
        learning_rate=own.pop("learning_rate"),
        best_on=settings.best_on or ("label_free" if settings.unpaired else "psnr_db"),
        slice_maxima=_slice_maxima(cohort, contrasts) if own["slice_scaling"] == "own_maximum" else None,
        options=own,
        versions=_versions(),
        **settings.model_dump(include=_COPIED),
    )


def open_or_create(folder, config, cohort):
    """The run folder of a training: a new one, or the one that holds this very training.

    A folder without a finished epoch holds nothing, so that a setting that was refused can be mended.

    Raises:
        InputError: the folder holds a training with other settings.
    """
    if not all((folder / name).is_file() for name in ("config.json", "checkpoint/state.json")):
        return Run.create(folder, config, cohort.split(), _halves(cohort, config) if config.unpaired else None)
    run = Run(folder)
    _require_same(run, config)
    return run


def _require_same(run, config):
    found = run.config.model_dump(exclude=_MAY_DIFFER)
    # Options that are newer than the folder had their default value when it was trained.
    if run.config.method == config.method:
        found["options"] = {**_default_options(config), **found["options"]}
    for name, wanted in config.model_dump(exclude=_MAY_DIFFER).items():
        if found[name] != wanted:
            was, asked = _difference(found[name], wanted)
            raise InputError(
                f"{run.folder}: holds a training with {name} {was!r}, not {asked!r}; "
                "choose another folder, or delete this one to train anew"
            )


def _default_options(config):
    defaults = method_options(config.method, {}).model_dump()
    return {name: defaults[name] for name in config.options if name in defaults}


def _difference(found, wanted):
    """Of two dictionaries only what differs."""
    if not isinstance(found, dict) or not isinstance(wanted, dict):
        return found, wanted
    names = [name for name in {**found, **wanted} if found.get(name) != wanted.get(name)]
    return tuple({name: values[name] for name in names if name in values} for values in (found, wanted))


def _contrasts(cohort, settings):
    chosen = settings.contrasts or cohort.contrasts[:2]
    if len(chosen) != 2 or chosen[0] == chosen[1] or not set(chosen) <= set(cohort.contrasts):
        has = ", ".join(cohort.contrasts)
        raise InputError(f"{cohort.path}: contrasts {list(chosen)} cannot be translated; choose two different of {has}")
    return tuple(chosen)


def _halves(cohort, config):
    """Training subjects of each contrast: two halves without a subject, or a family, in common."""
    ids = cohort.ids("train")
    families = {subject_id: cohort.subject(subject_id).family for subject_id in ids}
    if len({families[subject_id] or subject_id for subject_id in ids}) < 2:
        raise InputError(f"{cohort.path}: unpaired training needs two unrelated training subjects at least")
    parts = split_subjects(ids, validation=0, test=len(ids) // 2, seed=config.seed, families=families)
    a, b = config.contrasts
    return {
        contrast: [subject_id for subject_id in ids if parts[subject_id] == part]
        for contrast, part in ((a, "train"), (b, "test"))
    }


def _slice_maxima(cohort, contrasts):
    """Mean over the training slices of their largest intensity, by contrast."""
    ids = cohort.ids("train")
    return {
        contrast: float(np.mean(np.concatenate([slice_maxima(cohort.images(name, contrast)) for name in ids])))
        for contrast in contrasts
    }


def _versions():
    backend = keras.backend.backend()
    return {
        "ganlib": __version__,
        "keras": keras.__version__,
        backend: __import__(backend).__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "device": DEVICES[backend]().name,
    }
