"""Tables of a report about the runs themselves: what was compared, and what it costs."""

import math
import statistics

from ganlib.evaluation.compare import method_rank
from ganlib.report.cohort_card import plain
from ganlib.report.parts import Table, cells


def method_table(results):
    """What each method is, and how it was trained.

    Args:
        results: `ganlib.evaluation.results.Results`.
    """
    rows = []
    for run in in_order(results):
        config, history = run.config, run.history
        rows.append(cells(
            results.names[run.name], run.name, _seen(run), f"{len(history)} of {config.epochs}",
            run.translated_with or "not known", config.seed, config.batch_size, f"{config.learning_rate:g}",
            config.precision.replace("mixed_", ""),
        ))  # fmt: skip
    heads = ["method", "run", "subjects trained on", "epochs", "weights", "seed", "batch", "rate", "precision"]
    caption = (
        "The runs. Weights: those of the epoch that did best on the validation subjects, of the last one, or averaged."
    )
    return Table(caption, heads, rows, numeric=False)


def settings_lines(results):
    """The methods' own settings, a line per run.

    Args:
        results: `ganlib.evaluation.results.Results`.
    """
    for run in in_order(results):
        options = ", ".join(f"{name} {plain(value)}" for name, value in run.config.options.items())
        yield f"{results.names[run.name]} ({run.name}): {options}; {_versions(run)}"


def cost_table(results):
    """Parameters, training time and translation time of each run.

    Args:
        results: `ganlib.evaluation.results.Results`.
    """
    rows = []
    for run in in_order(results):
        cost, seconds = results.costs[run.name] or {}, list(run.history.get("seconds", ()))
        rows.append(cells(
            results.names[run.name], _counts(cost.get("parameters")),
            _number(statistics.median(seconds) if seconds else None), _number(sum(seconds) / 60 if seconds else None),
            _number(cost.get("milliseconds_per_slice")), run.config.versions.get("device", "not recorded"),
            cost.get("device", "not measured"),
        ))  # fmt: skip
    heads = [
        "method", "parameters of one generator", "training, s per epoch", "training, min in all",
        "translation, ms per slice", "trained on", "translation measured on",
    ]  # fmt: skip
    caption = (
        "Cost. Training: wall clock of an epoch with its validation (median). Translation: one slice at a time, "
        "networks compiled and warm, clock stopped when the image is back in main memory (median of both directions). "
        "Both hold what else the machine was doing."
    )
    return Table(caption, heads, rows, words=("trained on", "translation measured on"))


def in_order(results):
    """The runs in the order of their methods.

    Args:
        results: `ganlib.evaluation.results.Results`.
    """
    return sorted(results.runs, key=lambda run: (method_rank(results.names[run.name]), run.config.seed))


def _seen(run):
    """Training subjects of each contrast."""
    numbers = [len(run.domains[contrast]) for contrast in run.config.contrasts]
    return (
        f"{' + '.join(map(str, numbers))}, nobody in both"
        if run.config.unpaired
        else f"{numbers[0]}, in both contrasts"
    )


def _versions(run):
    return ", ".join(f"{name} {version}" for name, version in run.config.versions.items() if name != "device")


def _counts(parameters):
    """Parameters of one generator; of both, where they differ."""
    return " and ".join(dict.fromkeys(f"{count:,}" for count in parameters)) if parameters else "–"


def _number(value):
    """Three leading digits, no exponent."""
    if value is None or not math.isfinite(value):
        return "–"
    digits = max(2 - math.floor(math.log10(abs(value))), 0) if value else 0
    return f"{value:.{digits}f}"
