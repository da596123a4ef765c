"""The figures of a benchmark as text."""

_MISSING = "–"


def as_text(figures):
    """Two tables, and what they were measured on.

    Args:
        figures: as from `ganlib.benchmark.results.summary`.
    """
    settings = figures["settings"]
    height, width = settings["size"]
    title = f"{settings['method']}, {height} x {width} pixels, batch {settings['batch_size']}"
    if settings["options"]:
        title += ", " + ", ".join(f"{name} {value}" for name, value in settings["options"].items())
    parts = [title, *_machine(figures), "", _training(figures)]
    if figures["translation"]:
        parts += ["", _translation(figures)]
    return "\n".join(parts)


def _machine(figures):
    load = figures["machine"]["load_average_1min"]
    busy = "" if load is None else f"; load average {load:.1f} on {figures['machine']['cores']} cores"
    devices = sorted({row["device"] for row in figures["training"]})
    versions = {name: version for row in figures["training"] for name, version in row["versions"].items()}
    yield f"{', '.join(devices)}{busy}"
    yield ", ".join(f"{name} {version}" for name, version in versions.items())


def _training(figures):
    images = figures["settings"]["images_per_epoch"]
    header = ["training step", "s", "ours / this", "(quartiles)", "processor s", "ours / this",
              f"s per {images} images", "memory GiB", "GPU GiB"]  # fmt: skip
    rows = [
        [
            row["contender"],
            f"{row['step_seconds_median']:.4f}",
            *_ratio(row["ours_over_this"]),
            f"{row['processor_seconds_median']:.3f}",
            f"{row['ours_over_this_processor']['median']:.2f}",
            f"{row['epoch_seconds']:.1f}",
            _optional(row["peak_resident_gib"]),
            _optional(row["peak_gpu_gib"]),
        ]
        for row in figures["training"]
    ]
    return _aligned([header, *rows])


def _translation(figures):
    header = ["translation", "batch", "ms", "images / s", "ours / this", "(quartiles)"]
    rows = [
        [
            f"{row['contender']} {row['way']}",
            str(row["batch"]),
            f"{row['milliseconds_median']:.2f}",
            f"{row['images_per_second']:.1f}",
            *_ratio(row["ours_over_this"]),
        ]
        for row in figures["translation"]
    ]
    return _aligned([header, *rows])


def _ratio(ratio):
    return f"{ratio['median']:.2f}", f"{ratio['low']:.2f}–{ratio['high']:.2f}"


def _optional(value):
    return _MISSING if value is None else f"{value:.2f}"


def _aligned(rows):
    """Rows as lines, the first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
