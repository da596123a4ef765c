"""Train a method on a cohort: `train` makes, resumes or finishes a run folder."""

from pathlib import Path

import keras

from ganlib.cohort import Cohort
from ganlib.cohort.decisions import warn_of_rejected
from ganlib.errors import InputError
from ganlib.memory import explaining_out_of_memory
from ganlib.models.processor import keep_freed_memory
from ganlib.models.registry import method, method_options
from ganlib.runs.passage import Passage
from ganlib.training import checkpoint
from ganlib.training.averages import keep_averages
from ganlib.training.batches import SliceBatches
from ganlib.training.domains import training_domains
from ganlib.training.monitor import Progress, RunRecorder
from ganlib.training.plan import chosen_contrasts, open_or_create, run_config
from ganlib.training.schedule import ConstantThenLinear
from ganlib.training.settings import TrainingSettings
from ganlib.training.slices import training_slices
from ganlib.training.validation import Validator
from ganlib.validation import validated

#: Steps that TensorFlow makes on a GPU before it comes back to Python.
_STEPS_AT_A_TIME = 20


def train(cohort_path, folder, settings, *, progress=True, on_epoch=None):
    """Train a method, or go on where its run folder stopped.

    Args:
        cohort_path: a cohort file.
        folder: the run folder. If it holds a training with the same settings, that is resumed at its last finished
            epoch, with the same result, bit for bit on a CPU, as if it had never been stopped.
        settings: `TrainingSettings`, or a dictionary of them.
        progress: whether to show progress.
        on_epoch: function of the `Run`, called after each epoch, such as the update of a live panel.

    Returns:
        The finished `Run`.

    Raises:
        InputError: a setting cannot be used, the folder holds a training with other settings, memory ran out, or the
            training ended in NaN.
    """
    folder = Path(folder)
    if isinstance(settings, dict):
        settings = validated(TrainingSettings, settings)
    with Cohort(cohort_path) as cohort:
        warn_of_rejected(cohort.rejected)
        options = method_options(settings.method, settings.options)
        contrasts, paired = chosen_contrasts(cohort, settings), method(settings.method).PAIRED
        domains = training_domains(cohort, contrasts, settings, paired=paired)
        config = run_config(cohort, folder, settings, options, domains)
        run = open_or_create(folder, config, cohort, domains)
        state = checkpoint.load_state(folder)
        if state.finished_epochs < config.epochs or not (folder / "generators_last.keras").is_file():
            with explaining_out_of_memory(f"{folder}: training {config.method_label}", _remedy(config)):
                _Training(run, cohort, settings, options, state).go_on(progress=progress, on_epoch=on_epoch)
    return run


class _Training:
    """One training from its last finished epoch on."""

    def __init__(self, run, cohort, settings, options, state):
        self.run, self.cohort, self.config, self.state = run, cohort, run.config, state
        self.method, self.options = method(run.config.method), options
        prepare_backend(self.config)
        keep_freed_memory()
        self.batches = self._batches(settings.memory_gb)
        self.model = compiled_model(self.config, options, self.batches.steps)
        if state.weights:
            checkpoint.restore(run, self.model, state)

    def go_on(self, *, progress, on_epoch):
        """Train the epochs that are left, and write the generators."""
        chance = self.method.discriminator_at_chance(self.options)
        validator = Validator(self.cohort, self.config, self.model)
        recorder = RunRecorder(self.run, validator, self.state, chance=chance, on_epoch=on_epoch)
        done, epochs, steps = self.state.finished_epochs, self.config.epochs, self.batches.steps
        if done >= epochs:
            recorder.set_model(self.model)
            recorder.write_last()
            return
        callbacks = [recorder, Progress(self.run.label, epochs, steps, done)] if progress else [recorder]
        try:
            # Shuffled by the batches themselves; Keras would draw the order anew in a resumed training.
            self.model.fit(
                self.batches.for_backend(), epochs=epochs, initial_epoch=done, steps_per_epoch=steps, shuffle=False,
                callbacks=callbacks, verbose=0,
            )  # fmt: skip
        finally:
            self.batches.close()

    def _batches(self, memory_gb):
        config, cohort = self.config, self.cohort
        passage = Passage(config, cohort.ranges)
        channels = config.options.get("input_channels", 1)
        limit = None if memory_gb is None else memory_gb * 1e9 / 2
        a, b = (
            training_slices(
                cohort, contrast, self.run.domains[contrast], passage, channels=channels, memory_bytes=limit
            )
            for contrast in config.contrasts
        )
        row_mm, column_mm, _ = cohort.header.voxel_mm
        return SliceBatches(
            a, b, batch_size=config.batch_size, paired=self.method.PAIRED, seed=config.seed,
            epochs=range(self.state.finished_epochs, config.epochs), augmentation=config.augmentation,
            row_to_column_mm=row_mm / column_mm,
        )  # fmt: skip


def compiled_model(config, options, steps):
    """The model of a training, compiled, with its optimiser built.

    Args:
        config: `RunConfig`.
        options: the method's validated options.
        steps: steps per epoch.
    """
    model = method(config.method).create(
        options, image_shape=config.frame.network_shape, batch_size=config.batch_size, seed=config.seed
    )
    optimizer = model.make_optimizer(ConstantThenLinear(config.learning_rate, config.epochs * steps))
    if config.ema is not None:
        keep_averages(optimizer, config.ema)
    model.build(None)
    model.compile(
        optimizer=optimizer, jit_compile=_jit_compile(config), steps_per_execution=_steps_per_execution(steps)
    )
    model.optimizer.build(model.trainable_variables)
    return model


def prepare_backend(config):
    """Set precision, seed, determinism and devices; to be called before the model is made."""
    backend = keras.backend.backend()
    keras.utils.clear_session()
    keras.config.set_dtype_policy(config.precision)
    if config.deterministic and backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    if backend == "torch":
        import torch

        torch.use_deterministic_algorithms(config.deterministic, warn_only=True)
        _require_precision(config.precision)
    keras.distribution.set_distribution(_data_parallel(config) if config.data_parallel else None)
    keras.utils.set_random_seed(config.seed)


def _require_precision(precision):
    """On processors without instructions for short numbers PyTorch fails in the gradient of the last convolution."""
    shape = (1, 32, 32, 32)
    convolution = keras.layers.Conv2D(1, 7)
    convolution.build(shape)
    try:
        keras.ops.sum(convolution(keras.ops.ones(shape))).backward()
    except RuntimeError as error:
        raise InputError(
            f"precision {precision!r}: PyTorch cannot train with it on this processor; use float32, or another backend"
        ) from error


def _data_parallel(config):
    """All devices, each with an equal part of every batch."""
    if keras.backend.backend() != "jax":
        raise InputError("data_parallel needs the JAX backend; set KERAS_BACKEND=jax, or leave it out")
    devices = keras.distribution.list_devices()
    if config.batch_size % len(devices):
        raise InputError(
            f"batch_size {config.batch_size} cannot be divided among {len(devices)} devices; choose a multiple of that"
        )
    return keras.distribution.DataParallel(devices=devices)


def _jit_compile(config):
    """XLA has no fast convolution for CPUs, but JAX has nothing else; on a GPU Keras decides."""
    if config.jit_compile is not None:
        return config.jit_compile
    return "auto" if keras.backend.backend() == "jax" or _has_gpu() else False


def _steps_per_execution(steps):
    """On a GPU TensorFlow makes many steps in one go, so that none waits for Python; JAX runs ahead by itself."""
    if keras.backend.backend() != "tensorflow" or not _has_gpu():
        return 1
    return max(number for number in range(1, _STEPS_AT_A_TIME + 1) if steps % number == 0)


def _has_gpu():
    if keras.backend.backend() != "torch":
        return bool(keras.distribution.list_devices("gpu"))
    import torch

    return torch.cuda.is_available()


def _remedy(config):
    height, width = config.frame.network_shape
    batch = "" if config.batch_size == 1 else f"lower batch_size (now {config.batch_size}), "
    filters = "base_filters" if "base_filters" in config.options else "filters"
    return (
        f"{batch}lower {filters} (now {config.options[filters]}), use precision bfloat16, or make a cohort with a "
        f"smaller size (now {height} x {width} pixels)"
    )
