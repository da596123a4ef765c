"""A run in words."""

from ganlib.runs.config import LOWER_IS_BETTER

_SCORES = {
    "psnr_db": "PSNR, {:.2f} dB",
    "ssim": "SSIM, {:.3f}",
    "mae": "MAE, {:.4f} of the range",
    "label_free": "label-free score (way there and back, and histograms), {:.4f} of the range",
}


def describe_run(run):
    """Settings of a run, how long it took and which epoch is kept: Markdown.

    Args:
        run: a `Run`.
    """
    config, history = run.config, run.history
    options = ", ".join(f"{name} {value}" for name, value in config.options.items())
    lines = [
        f"**{run.label}**{', on a PHANTOM cohort' if config.phantom else ''}, in `{run.folder}`",
        "",
        f"- {' and '.join(direction.label for direction in run.directions)}, "
        f"{config.image_shape[0]} × {config.image_shape[1]} pixels, batches of {config.batch_size}",
        f"- {len(history)} of {config.epochs} epochs, {history['seconds'].sum():.0f} s, seed {config.seed}",
        f"- learning rate {config.learning_rate:g}, {config.precision}; {options}",
        *_choices(config),
        f"- {_best(run)}",
        f"- {', '.join(f'{name} {version}' for name, version in config.versions.items())}",
    ]
    return "\n".join(lines)


def _choices(config):
    """What was done otherwise than usual."""
    if config.network_shape:
        yield f"- images padded to {config.network_shape[0]} × {config.network_shape[1]} pixels for the networks"
    if config.slice_maxima:
        yield "- each slice scaled by its own maximum"
    if config.unpaired:
        yield "- unpaired: no training subject was seen in both contrasts"
    if config.prevalence:
        shares = ", ".join(f"{100 * share:g} % in {contrast}" for contrast, share in config.prevalence.items())
        yield f"- training subjects drawn by prevalence of label `{config.lesion}`: {shares}"
    if config.augmentation.active:
        changes = config.augmentation.model_dump(exclude_defaults=True).items()
        yield f"- augmentation: {', '.join(f'{name} {value}' for name, value in changes)}"
    if config.ema is not None:
        yield f"- averaged weights kept, decay {config.ema:g} per step"


def _best(run):
    history, best_on = run.history, run.config.best_on
    columns = [f"val_{best_on}_{direction.name}" for direction in run.directions]
    if history.empty or columns[0] not in history:
        return "no validation subjects: the last epoch's generators are kept"
    scores = history[columns].mean(axis=1)
    lower = best_on in LOWER_IS_BETTER
    best = scores.idxmin() if lower else scores.idxmax()
    return (
        f"generators kept: those of epoch {history['epoch'][best]:.0f}, with the {'lowest' if lower else 'highest'} "
        f"validation {_SCORES[best_on].format(scores[best])} on the mean of both directions (protocol `masked`)"
    )
