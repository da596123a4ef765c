"""The model card of an exported generator: what it is, how it scored and under which protocol, what it is not for.

Source of the headings: Mitchell et al. 2019, doi:10.1145/3287560.3287596.
"""

from ganlib.errors import InputError
from ganlib.evaluation.compare import summary
from ganlib.evaluation.evaluate import BASELINES
from ganlib.evaluation.protocols import MEASURES
from ganlib.translate.provenance import WARNING

_SHOWN = (("masked", "mae"), ("masked", "psnr_db"), ("masked", "ssim"), ("paper", "mae"), ("paper", "psnr_db"))


def model_card(run, preparation, direction, facts):
    """The card as Markdown.

    Args:
        run: `Run`.
        preparation: its `Preparation`.
        direction: `Direction` of the generator.
        facts: what `export.json` holds.
    """
    parts = {name: len(ids) for name, ids in run.split.items()}
    return "\n".join([
        f"# {run.label}: {direction.label}",
        "",
        f"**{WARNING}**" + (" **Trained on a PHANTOM: no scanner was involved.**" if preparation.phantom else ""),
        "",
        f"A generator that turns {preparation.plane} slices of {direction.source} into slices of {direction.target}, "
        f"trained with ganlib {facts['versions']['ganlib']} for {facts['epochs']} epochs (seed {facts['seed']}, "
        f"weights `{facts['weights']}`). {facts['parameters']:,} parameters.",
        "",
        "## Trained on",
        "",
        f"- cohort `{preparation.cohort}`, fingerprint `{run.config.cohort_fingerprint[:12]}`, split hash "
        f"`{preparation.split_hash[:12]}`",
        f"- subjects: {parts['train']} training, {parts['validation']} validation, {parts['test']} test",
        f"- {_where(preparation)}, {preparation.shape[0]} × {preparation.shape[1]} pixels of "
        f"{preparation.voxel_mm[0]:.3g} × {preparation.voxel_mm[1]:.3g} mm",
        "",
        "## Scores",
        "",
        *_scores(run, direction),
        "",
        "## How to use it",
        "",
        f"Input `{tuple(facts['input_shape'])}`, output `{tuple(facts['output_shape'])}`, float32. Bring slices to the "
        f"orientation {preparation.orientation}, pad or crop them about their middle, and scale intensities: "
        f"{_scaling(run, preparation, direction)} `preparation.json` has it all; "
        "`ganlib translate` does it from the run folder.",
        "",
        "## Intended use",
        "",
        "Research on image translation, teaching, and the preparation of data for methods that are validated on real "
        "images. Images of the kind that it was trained on: same contrasts, preparation and population.",
        "",
        "## Limits",
        "",
        "- **Not for diagnosis**: a network can erase a lesion, or invent one, and hardly any score sees it.",
        "- Other scanners, ages or diseases, other slices, images with skull where it saw none: not tested.",
        "- Intensities are in the units of the training images, and mean nothing in themselves.",
        "- Every derived image should say that it is synthetic, and of which model.",
        "",
    ])  # fmt: skip


def _where(preparation):
    low, high = preparation.slice_mm
    return f"slices at {low:+g} mm" if low == high else f"slices from {low:+g} to {high:+g} mm"


def _scaling(run, preparation, direction):
    if run.config.slice_maxima is not None:
        return "each slice by its own maximum, 0 to −1 and the maximum to +1."
    ranges = preparation.ranges
    ends = [f"{name} {ranges[name].low:g} … {ranges[name].high:g}" for name in direction]
    before = "divided by the volume's own median inside the mask, then " if preparation.normalise == "subject" else ""
    return f"{before}the ranges {' and '.join(ends)} to [−1, 1], nothing clipped."


def _scores(run, direction):
    """Lines of the table of scores, or why there is none."""
    try:
        scores = run.scores()
    except InputError:
        yield "This run was not evaluated: nothing is known of its quality. `notebooks/03_evaluate.ipynb` scores it."
        return
    yield "Mean over the test subjects [95 % bootstrap interval]. Scores of other protocols are not comparable."
    yield ""
    yield "| measure, protocol | " + " | ".join((run.label, *BASELINES)) + " |"
    yield "|---|" + "---|" * (1 + len(BASELINES))
    for protocol, metric in _SHOWN:
        table = summary(scores, metric, protocol).set_index(["direction", "method"])
        cells = [_cell(table, direction.name, method) for method in (run.label, *BASELINES)]
        yield f"| {MEASURES[metric].label}, {protocol} | " + " | ".join(cells) + " |"


def _cell(table, direction, method):
    if (direction, method) not in table.index:
        return "–"
    row = table.loc[(direction, method)]
    interval = f" [{row['low']:.3g}, {row['high']:.3g}]" if row["low"] == row["low"] else ""
    return f"{row['mean']:.3g}{interval}"
