"""Train a method on a cohort: `train` makes, resumes or finishes a run folder."""

import os
import platform
from pathlib import Path

import keras

from ganlib import __version__
from ganlib.cohort import Cohort
from ganlib.errors import InputError
from ganlib.models.networks import STRIDE
from ganlib.models.registry import method, method_options
from ganlib.runs import Run, RunConfig
from ganlib.training import checkpoint
from ganlib.training.batches import SliceBatches
from ganlib.training.monitor import Progress, RunRecorder, Validator
from ganlib.training.schedule import ConstantThenLinear
from ganlib.training.settings import TrainingSettings
from ganlib.validation import validated

#: Settings in which a resumed training may differ from its run folder.
_MAY_DIFFER = {"versions", "cohort"}


def train(cohort_path, folder, settings, *, progress=True):
    """Train a method, or go on where its run folder stopped.

    Args:
        cohort_path: a cohort file.
        folder: the run folder. If it holds a training with the same settings, that is resumed at its last finished
            epoch, with the same result, bit for bit on a CPU, as if it had never been stopped.
        settings: `TrainingSettings`, or a dictionary of them.
        progress: whether to show progress.

    Returns:
        The finished `Run`.

    Raises:
        InputError: a setting cannot be used, or the folder holds a training with other settings.
    """
    folder = Path(folder)
    if isinstance(settings, dict):
        settings = validated(TrainingSettings, settings)
    with Cohort(cohort_path) as cohort:
        options = method_options(settings.method, settings.options)
        config = _run_config(cohort, folder, settings, options)
        run = _open_or_create(folder, config, cohort)
        state = checkpoint.load_state(folder)
        if state.finished_epochs < config.epochs or not (folder / "generators_last.keras").is_file():
            _fit(run, cohort, options, state, progress=progress)
    return run


def _fit(run, cohort, options, state, *, progress):
    config = run.config
    _prepare_backend(config)
    # At least one epoch is laid out, so that a training killed after its last epoch can still write its generators.
    last = max(config.epochs, state.finished_epochs + 1)
    batches = _batches(cohort, config, range(state.finished_epochs, last))
    model = _compiled_model(config, options, steps=config.epochs * batches.steps)
    if state.weights:
        checkpoint.restore(run.folder, model, state)
    recorder = RunRecorder(run, Validator(cohort, config.directions, model), state)
    callbacks = [recorder, keras.callbacks.TerminateOnNaN()]
    if progress:
        callbacks.append(Progress(run.label, config.epochs, batches.steps, state.finished_epochs))
    epochs = {"epochs": config.epochs, "initial_epoch": state.finished_epochs, "steps_per_epoch": batches.steps}
    # Shuffled by the batches themselves; Keras would draw the order anew in a resumed training.
    model.fit(batches.for_backend(), **epochs, shuffle=False, callbacks=callbacks, verbose=0)


def _compiled_model(config, options, steps):
    model = method(config.method).create(
        options, image_shape=config.image_shape, batch_size=config.batch_size, seed=config.seed
    )
    schedule = ConstantThenLinear(config.learning_rate, steps)
    # XLA has no fast convolution for CPUs; on a GPU Keras decides.
    jit_compile = "auto" if keras.backend.backend() == "jax" or _has_gpu() else False
    model.build(None)
    model.compile(optimizer=model.make_optimizer(schedule), jit_compile=jit_compile)
    model.optimizer.build(model.trainable_variables)
    return model


def _batches(cohort, config, epochs):
    ids = cohort.ids("train")
    a, b = (cohort.stack(contrast, ids) for contrast in config.contrasts)
    paired = method(config.method).PAIRED
    return SliceBatches(a, b, batch_size=config.batch_size, paired=paired, seed=config.seed, epochs=epochs)


def _prepare_backend(config):
    keras.utils.clear_session()
    keras.config.set_dtype_policy(config.precision)
    keras.utils.set_random_seed(config.seed)
    if config.deterministic and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def _has_gpu():
    return bool(keras.distribution.list_devices("gpu"))


def _run_config(cohort, folder, settings, options):
    a, b = _contrasts(cohort, settings)
    if any(side % STRIDE for side in cohort.shape):
        raise InputError(f"{cohort.path}: slices of {cohort.shape} pixels; sides must be divisible by {STRIDE}")
    own = options.model_dump()
    return RunConfig(
        method=settings.method,
        method_label=method(settings.method).LABEL,
        cohort=os.path.relpath(cohort.path, folder),
        cohort_fingerprint=cohort.fingerprint,
        phantom=cohort.header.phantom,
        contrasts=(a, b),
        image_shape=cohort.shape,
        learning_rate=own.pop("learning_rate"),
        options=own,
        versions=_versions(),
        **settings.model_dump(include={"seed", "epochs", "batch_size", "precision", "deterministic"}),
    )


def _contrasts(cohort, settings):
    chosen = settings.contrasts or cohort.contrasts[:2]
    if len(chosen) != 2 or chosen[0] == chosen[1] or not set(chosen) <= set(cohort.contrasts):
        has = ", ".join(cohort.contrasts)
        raise InputError(f"{cohort.path}: contrasts {list(chosen)} cannot be translated; choose two different of {has}")
    return tuple(chosen)


def _open_or_create(folder, config, cohort):
    if not (folder / "config.json").is_file():
        return Run.create(folder, config, cohort.split())
    run = Run(folder)
    for name, wanted in config.model_dump(exclude=_MAY_DIFFER).items():
        found = getattr(run.config, name)
        if found != wanted:
            raise InputError(
                f"{folder}: holds a training with {name} {found!r}, not {wanted!r}; "
                "choose another folder, or delete this one to train anew"
            )
    return run


def _versions():
    backend = keras.backend.backend()
    return {
        "ganlib": __version__,
        "keras": keras.__version__,
        backend: __import__(backend).__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
