"""A run in words."""


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
        f"- {_best(history)}",
        f"- {', '.join(f'{name} {version}' for name, version in config.versions.items())}",
    ]
    return "\n".join(lines)


def _best(history):
    columns = [name for name in history if name.startswith("val_psnr_db")]
    if not columns or history.empty:
        return "no validation subjects: the last epoch's generators are kept"
    scores = history[columns].mean(axis=1)
    best = scores.idxmax()
    return (
        f"generators kept: those of epoch {history['epoch'][best]:.0f}, with the highest validation PSNR, "
        f"{scores[best]:.2f} dB on the mean of both directions (protocol `masked`)"
    )
