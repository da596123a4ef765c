"""What goes wrong in training, seen from the history: inverted contrast, useless discriminators, shift, NaN.

An alarm is found in the history alone, so that a resumed training raises the same alarms.
"""

import json
from typing import NamedTuple

from ganlib import atomic

#: Epochs in a row that something must go wrong: at least so many, and at least this part of the training. Early on the
#: contrast of a healthy training may still be inverted, too.
_MIN_EPOCHS = 3
_PART_OF_TRAINING = 0.1
#: A shift of a synthetic image against the real one beyond this is a defect, pixels.
SHIFT_PX = 0.5
#: The discriminators see through everything below this part of the loss at chance, and guess above that.
_SEEN_THROUGH = 0.02
_GUESSING = 0.99


class Alarm(NamedTuple):
    """Something that went wrong.

    Args:
        kind: `inverted`, `shifted`, `seen_through`, `guessing` or `nan`.
        epoch: from which on it is certain, counted from 1.
        message: what is wrong and what to do, one line.
        direction: name of the direction, or None where it is of both.
    """

    kind: str
    epoch: int
    message: str
    direction: str | None = None


def find_alarms(history, config, chance=None):
    """Alarms in the history of a training, in the order in which they were raised.

    Args:
        history: one dictionary per epoch, as the rows of `history.csv`.
        config: `RunConfig`.
        chance: the discriminators' loss while they guess; None where there are none.

    Returns:
        List of `Alarm`; one each time that something begins to go wrong.
    """
    patience = max(_MIN_EPOCHS, round(_PART_OF_TRAINING * config.epochs))
    alarms = []
    for direction in config.directions:
        alarms += _of_direction(history, direction, patience)
    if chance is not None:
        alarms += _of_discriminators(history, chance, patience)
    return sorted(alarms, key=lambda alarm: alarm.epoch)


def not_finite(epoch, what):
    """The alarm of a training whose numbers are no longer finite.

    Args:
        epoch: the epoch in which that happened, counted from 1.
        what: such as `loss part 'cycle'`.
    """
    message = (
        f"epoch {epoch}: {what} is NaN or infinite, so that the training stops (the run keeps the epochs before); "
        "train anew in another folder with a lower learning_rate, or with precision float32 or bfloat16"
    )
    return Alarm("nan", epoch, message)


def write_alarms(folder, alarms):
    """Write `alarms.json` of a run folder."""
    atomic.write_text(folder / "alarms.json", json.dumps([alarm._asdict() for alarm in alarms], indent=1))


def _of_direction(history, direction, patience):
    correlations = [row.get(f"val_correlation_{direction.name}") for row in history]
    for index in _onsets([value is not None and value < 0 for value in correlations], patience):
        yield Alarm(
            "inverted", index + 1,
            f"epoch {index + 1}: synthetic {direction.target} is inverted (correlation {correlations[index]:.2f} with "
            f"the real one, for {patience} epochs); try another seed or identity_weight, or learn from pairs",
            direction.name,
        )  # fmt: skip
    shifts = [row.get(f"val_shift_px_{direction.name}") for row in history]
    for index in _onsets([value is not None and value > SHIFT_PX for value in shifts], patience):
        yield Alarm(
            "shifted", index + 1,
            f"epoch {index + 1}: synthetic {direction.target} is shifted by {shifts[index]:.1f} pixels (against the "
            f"real one, for {patience} epochs); check that the contrasts are registered, else try another seed or "
            "identity_weight",
            direction.name,
        )  # fmt: skip


def _of_discriminators(history, chance, patience):
    losses = [row.get("discriminator") for row in history]
    parts = [None if loss is None else loss / chance for loss in losses]
    for index in _onsets([part is not None and part < _SEEN_THROUGH for part in parts], patience):
        yield Alarm(
            "seen_through", index + 1,
            f"epoch {index + 1}: the discriminators see through everything (loss {losses[index]:.2g}, {chance:.2g} is "
            f"chance) for {patience} epochs, so that the generators learn nothing from them; "
            "lower discriminator_filters, or set label_smoothing 0.1",
        )  # fmt: skip
    for index in _onsets([part is not None and part > _GUESSING for part in parts], patience):
        yield Alarm(
            "guessing", index + 1,
            f"epoch {index + 1}: the discriminators guess (loss {losses[index]:.2g}, {chance:.2g} is chance) for "
            f"{patience} epochs, so that the generators learn nothing from them; "
            "raise discriminator_filters or the learning rate, or train longer",
        )  # fmt: skip


def _onsets(wrong, patience):
    """Indices at which something has been wrong for `patience` epochs in a row, once for each stretch."""
    streak = 0
    for index, here in enumerate(wrong):
        streak = streak + 1 if here else 0
        if streak == patience:
            yield index
