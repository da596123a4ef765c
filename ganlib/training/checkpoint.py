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

    model_config = ConfigDict(extra="forbid")

    finished_epochs: int = 0
    best_epoch: int | None = None
    best_score: float | None = None
    weights: str | None = None
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


def save(folder, model, state):
    """Write a checkpoint.

    Args:
        folder: the run folder.
        model: the compiled model; its optimiser is saved with it.
        state: `TrainingState`, whose `weights` are set to the file written.
    """
    name = f"epoch_{state.finished_epochs:04d}.weights.h5"
    with atomic.replacing(folder / "checkpoint" / name) as partial:
        # Keras wants this very ending.
        whole = partial.with_name(f"{partial.name}.weights.h5")
        model.save_weights(whole)
        whole.rename(partial)
    state.weights = name
    atomic.write_text(folder / "checkpoint" / "state.json", state.model_dump_json(indent=1))
    for old in (folder / "checkpoint").glob("*.weights.h5"):
        if old.name != name:
            old.unlink()


def restore(folder, model, state):
    """Load the weights, optimisers, pools and random states of a checkpoint into a compiled model.

    Args:
        folder: the run folder.
        model: the model, compiled, with its optimiser built (Keras would otherwise skip the optimiser's slots).
        state: `TrainingState` of the folder.

    Raises:
        InputError: the weights file is missing or does not fit the model.
    """
    path = folder / "checkpoint" / state.weights
    if not path.is_file():
        raise InputError(f"{path}: not found, though the checkpoint names it; delete {folder} and train anew")
    try:
        model.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        raise InputError(f"{path}: does not fit this model; delete {folder} and train anew") from error
