"""The run in words, with its scores: `card.md`."""

import math

from ganlib import atomic
from ganlib.evaluation.compare import summary
from ganlib.evaluation.evaluate import BASELINES
from ganlib.evaluation.protocols import MEASURES

_SHOWN = (("paper", "mae"), ("paper", "psnr_db"), ("paper", "mi_nats"), ("masked", "psnr_db"), ("masked", "ssim"))


def write_card(run):
    """Write and return the card of an evaluated run: what it is, how it scored, what it is not for.

    Args:
        run: an evaluated `Run`.

    Returns:
        Markdown text, as in `card.md`.

    Raises:
        InputError: the run was not evaluated.
    """
    config, scores = run.config, run.scores()
    text = "\n".join([
        f"# {run.label}: {config.contrasts[0]} ↔ {config.contrasts[1]}",
        "",
        f"Trained for {len(run.history)} epochs (seed {config.seed}) on {len(run.split['train'])} subjects of "
        f"{'a **PHANTOM** cohort' if config.phantom else 'cohort'} `{config.cohort_fingerprint[:12]}`, "
        f"evaluated on {len(run.split['test'])} others.",
        "",
        "| measure, protocol | direction | " + " | ".join((run.label, *BASELINES)) + " |",
        "|---|---|" + "---|" * (1 + len(BASELINES)),
        *_rows(run, scores),
        "",
        f"{_spread_in_words(len(run.split['test']))} Doing nothing bounds the mutual information of every "
        "pixel-wise map.",
        "",
        "**Synthetic images are not for diagnosis**: a network can erase a lesion, or invent one.",
        "",
    ])  # fmt: skip
    atomic.write_text(run.folder / "card.md", text)
    return text


def _rows(run, scores):
    for protocol, metric in _SHOWN:
        table = summary(scores, metric, protocol).set_index(["direction", "method"])
        for direction in run.directions:
            cells = [_cell(table, direction.name, method) for method in (run.label, *BASELINES)]
            yield f"| {MEASURES[metric].label}, {protocol} | {direction.label} | " + " | ".join(cells) + " |"


def _cell(table, direction, method):
    if (direction, method) not in table.index:
        return "–"
    row = table.loc[(direction, method)]
    interval = f" [{row['low']:.3g}, {row['high']:.3g}]" if math.isfinite(row["low"]) else ""
    return f"{row['mean']:.3g}{interval}"


def _spread_in_words(subjects):
    if subjects < 2:
        return "One test subject, so that there is no interval."
    return "Mean over test subjects [95 % bootstrap interval]."
