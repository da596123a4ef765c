"""The checkpoint of a run: weights, optimisers, image pools and epoch, replaced as a whole.

    checkpoint/state.json               the last finished epoch, the best one, and the weights file that belongs to them
    checkpoint/epoch_0007.weights.h5    weights of every network, slots of every optimiser, image pools, random states

The weights are written under a new name first; `state.json` is then replaced in one step, and older weights are
removed last. Whenever the training is killed, `state.json` names a whole weights file.
"""

import json

from pydantic import BaseModel, ConfigDict

from ganlib import atomic
from ganlib.errors import InputError


class TrainingState(BaseModel):
    """Where a training stands."""

    # NaN and infinity are numbers of a history, too.
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="constants")

    finished_epochs: int = 0
    best_epoch: int | None = None
    best_score: float | None = None
    weights: str | None = None
    trained: str | None = None
    history: list[dict[str, float]] = []


def load_state(folder):
    """The `TrainingState` of a run folder; a fresh one if there is no checkpoint."""
    path = folder / "checkpoint" / "state.json"
    if not path.is_file():
        return TrainingState()
    try:
        return TrainingState.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise InputError(f"{path}: not a training state; delete {folder} and train anew") from error


def save(run, model, state):
    """Write a checkpoint.

    Args:
        run: the `Run`.
        model: the compiled model; its optimiser is saved with it.
        state: `TrainingState`, whose `weights` are set to the file written.
    """
    folder, name = run.folder, f"epoch_{state.finished_epochs:04d}.weights.h5"
    with atomic.replacing(folder / "checkpoint" / name) as partial:
        # Keras wants this very ending.
        whole = partial.with_name(f"{partial.name}.weights.h5")
        model.save_weights(whole)
        whole.rename(partial)
    state.weights, state.trained = name, _trained(run.config)
    atomic.write_text(folder / "checkpoint" / "state.json", state.model_dump_json(indent=1))
    for old in (folder / "checkpoint").glob("*.weights.h5"):
        if old.name != name:
            old.unlink()


def restore(run, model, state):
    """Load the weights, optimisers, pools and random states of a checkpoint into a compiled model.

    Args:
        run: the `Run`.
        model: the model, compiled, with its optimiser built (Keras would otherwise skip the optimiser's slots).
        state: `TrainingState` of the folder.

    Raises:
        InputError: the weights file is missing, or was trained by another method or at another size.
    """
    path = run.folder / "checkpoint" / state.weights
    wanted = _trained(run.config)
    if not path.is_file():
        raise InputError(f"{path}: not found, though the checkpoint names it; delete {run.folder} and train anew")
    if state.trained not in (None, wanted):
        raise InputError(
            f"{path}: a checkpoint of {state.trained}, not of {wanted}; delete {run.folder} and train anew"
        )
    try:
        model.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        raise InputError(f"{path}: does not fit {wanted}; delete {run.folder} and train anew") from error


def _trained(config):
    """What the weights of a run belong to, in words."""
    height, width = config.image_shape
    return f"{config.method_label} at {height} x {width} pixels"
