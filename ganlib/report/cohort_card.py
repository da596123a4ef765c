"""The cohort of a report: who was scanned, how it was prepared, how it was divided."""

import statistics

from ganlib.cohort.store import SPLITS
from ganlib.report.parts import Table, cells

_AXES = {"axial": "z", "coronal": "y", "sagittal": "x"}


def cohort_table(run):
    """The cohort card.

    Args:
        run: `ganlib.runs.Run`.

    Raises:
        InputError: the cohort is missing or has changed.
    """
    with run.cohort() as cohort:
        facts = [*_people(cohort, run), *_slices(cohort, run), *_making(cohort)]
    return Table("The cohort.", [], [cells(*fact) for fact in facts], numeric=False)


def plain(value):
    """A setting in print: lists without brackets.

    Args:
        value: of any type.
    """
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _people(cohort, run):
    phantom = " (PHANTOM: no scanner was involved)" if cohort.header.phantom else ""
    yield "name", f"{cohort.header.name}{phantom}"
    yield "subjects", ", ".join(f"{len(run.split[split])} {split}" for split in SPLITS if split in run.split)
    for name, kind in (("families", "family"), ("sites", "site")):
        known = {getattr(subject, kind) for subject in cohort.subjects} - {None}
        if known:
            yield name, str(len(known))


def _slices(cohort, run):
    header, subjects = cohort.header, cohort.subjects
    counts = {len(subject.slice_mm) for subject in subjects}
    places = [place for subject in subjects for place in subject.slice_mm]
    where = " to ".join(dict.fromkeys(_mm(place) for place in (min(places), max(places))))
    yield "slices", f"{_ends(counts)} {header.plane} per subject, {_AXES[header.plane]} = {where} mm"
    rows, columns, apart = header.voxel_mm
    height, width = cohort.shape
    yield "pixels", f"{height} × {width}, of {rows:.3g} × {columns:.3g} mm; {apart:.3g} mm from slice to slice"
    fraction = statistics.fmean(float(cohort.mask(name).mean()) for name in run.split["test"])
    yield "mask", f"{100 * fraction:.0f} % of the slice, mean over test subjects"
    for name in run.config.contrasts:
        ends = cohort.ranges[name]
        yield f"range of {name}", f"{ends.low:.4g} to {ends.high:.4g}, units of the cohort, from the training subjects"
    yield "labels", ", ".join(header.label_names.values()) or "none"


def _making(cohort):
    header = cohort.header
    made = header.provenance
    settings = ", ".join(f"{name} {plain(value)}" for name, value in made.get("settings", {}).items())
    if settings:
        yield "made with", f"{made.get('made_by', 'ganlib')}: {settings}"
    seed = f", seed {header.split_seed}" if header.split_seed is not None else ""
    yield "split", f"fingerprint {cohort.split_hash[:12]}{seed}"
    yield "file", f"{cohort.path.name}, fingerprint {cohort.fingerprint[:12]}"


def _ends(counts):
    return " to ".join(map(str, sorted({min(counts), max(counts)})))


def _mm(value):
    return f"{value:+.1f}".replace("-", "−")
