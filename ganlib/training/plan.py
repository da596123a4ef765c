"""From settings and a cohort to what a run folder records: `RunConfig`, and who trains which contrast."""

import os
import platform
from pathlib import Path

import keras
import numpy as np

from ganlib import __version__
from ganlib.devices import DEVICES
from ganlib.errors import InputError
from ganlib.models.registry import method, method_options
from ganlib.runs import Run, RunConfig
from ganlib.runs.frame import Frame
from ganlib.runs.passage import slice_maxima
from ganlib.runs.preparation import Preparation
from ganlib.training.domains import are_apart

#: Settings in which a resumed training may differ from its run folder.
_MAY_DIFFER = {"versions", "cohort"}
_COPIED = {
    "seed", "epochs", "batch_size", "precision", "deterministic", "jit_compile", "data_parallel", "prevalence",
    "augmentation", "ema",
}  # fmt: skip


def run_config(cohort, folder, settings, options, domains):
    """What a run folder will record of its training.

    Args:
        cohort: the open cohort.
        folder: the run folder.
        settings: `TrainingSettings`.
        options: the method's validated options.
        domains: who trains each contrast, as `ganlib.training.domains.training_domains` says.

    Raises:
        InputError: settings, method and cohort do not go together.
    """
    chosen = method(settings.method)
    if settings.augmentation.flip and cohort.header.plane == "sagittal":
        raise InputError(f"{cohort.path}: sagittal slices have no left and right; leave out augmentation `flip`")
    contrasts, apart = chosen_contrasts(cohort, settings), are_apart(domains)
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
        best_on=settings.best_on or ("label_free" if apart else "psnr_db"),
        unpaired=apart,
        lesion=settings.lesion if settings.prevalence else None,
        slice_maxima=_slice_maxima(cohort, contrasts) if own["slice_scaling"] == "own_maximum" else None,
        options=own,
        versions=_versions(),
        **settings.model_dump(include=_COPIED),
    )


def open_or_create(folder, config, cohort, domains):
    """The run folder of a training: a new one, or the one that holds this very training.

    A folder without a finished epoch holds nothing, so that a setting that was refused can be mended.

    Raises:
        InputError: the folder holds a training with other settings.
    """
    if not all((folder / name).is_file() for name in ("config.json", "checkpoint/state.json")):
        return Run.create(folder, config, cohort.split(), domains, Preparation.of(cohort, config.contrasts))
    run = Run(folder)
    _require_same(run, config)
    _require_same_subjects(run, cohort)
    if domains is not None and run.domains != domains:
        raise InputError(f"{folder}: holds a training of other `subjects`; choose another folder, or delete this one")
    return run


def _require_same_subjects(run, cohort):
    """A training goes on with the subjects that it began with: anything else would be neither the one nor the other."""
    for part, ids in cohort.split().items():
        changed = sorted(set(ids) ^ set(run.split[part])) if part != "test" else []
        if changed:
            raise InputError(
                f"{run.folder}: subject {changed[0]!r} ({part}) was rejected or accepted since this training began; "
                "choose another folder, or delete this one to train anew"
            )


def _require_same(run, config):
    if run.config.cohort_fingerprint != config.cohort_fingerprint:
        found, asked = map(_cohort_in_words, (run.config, config))
        raise InputError(
            f"{run.folder}: holds a training on {found}, and {asked} is another cohort; "
            "choose another folder, or delete this one to train anew"
        )
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


def _cohort_in_words(config):
    height, width = config.image_shape
    return f"{Path(config.cohort).name} ({height} x {width} pixels, {config.cohort_fingerprint[:8]})"


def _default_options(config):
    defaults = method_options(config.method, {}).model_dump()
    return {name: defaults[name] for name in config.options if name in defaults}


def _difference(found, wanted):
    """Of two dictionaries only what differs."""
    if not isinstance(found, dict) or not isinstance(wanted, dict):
        return found, wanted
    names = [name for name in {**found, **wanted} if found.get(name) != wanted.get(name)]
    return tuple({name: values[name] for name in names if name in values} for values in (found, wanted))


def chosen_contrasts(cohort, settings):
    """The two domains of a training; `InputError` if the cohort does not have them."""
    chosen = settings.contrasts or cohort.contrasts[:2]
    if len(chosen) != 2 or chosen[0] == chosen[1] or not set(chosen) <= set(cohort.contrasts):
        has = ", ".join(cohort.contrasts)
        raise InputError(f"{cohort.path}: contrasts {list(chosen)} cannot be translated; choose two different of {has}")
    return tuple(chosen)


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
