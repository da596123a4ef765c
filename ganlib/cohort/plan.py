"""What is settled before a voxel is read: who stands in which part of the split, grids, slices, and their size."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ganlib.cohort.slices import PLANES, choose_slices, padded_size
from ganlib.cohort.sources.listing import SubjectFiles
from ganlib.cohort.split import check_leakage, read_split, split_subjects
from ganlib.cohort.volumes import Grid, VolumeHeader, read_header
from ganlib.errors import InputError

#: Voxel sizes that differ by less than this fraction are one size.
_VOXEL_TOLERANCE = 0.01


@dataclass(frozen=True)
class Plan:
    """What is known of a subject before a voxel is read."""

    files: SubjectFiles
    headers: dict[str, VolumeHeader]
    grid: Grid
    indices: list[int]
    labels: dict[str, VolumeHeader] = field(default_factory=dict)
    mask: VolumeHeader | None = None

    @property
    def path(self):
        """File of the first contrast."""
        return next(iter(self.files.contrasts.values()))

    @property
    def volumes(self):
        """Every volume by its name in the cohort: contrasts, `mask`, and `label <name>`."""
        labels = {f"label {name}": header for name, header in self.labels.items()}
        return self.headers | ({} if self.mask is None else {"mask": self.mask}) | labels


def split_of(listing, settings, folder):
    """Part of every subject of a listing.

    Args:
        listing: `Listing`.
        settings: `ImportSettings`.
        folder: the source's folder, for the error message.

    Returns:
        Dictionary from subject id to `"train"`, `"validation"` or `"test"`.

    Raises:
        InputError: a subject, site or trait is unknown, too few subjects, or one person, family or site in two parts.
    """
    subjects = listing.subjects
    if settings.split is not None:
        parts = _given(listing, settings)
        check_leakage(parts, subjects, by=settings.split_by)
        return parts
    groups = {subject.id: _group(subject, settings.split_by, folder) for subject in subjects}
    if settings.split_by == "family" and not any(subject.family for subject in subjects):
        raise InputError(f"{folder}: split_by='family', but no family is known; name the source's table of families")
    try:
        parts = split_subjects(
            [subject.id for subject in subjects], validation=settings.validation, test=settings.test,
            seed=settings.seed, families={i: group for i, group in groups.items() if group is not None},
            strata=_strata(subjects, settings.stratify, folder),
        )  # fmt: skip
    except InputError as error:
        raise InputError(f"{folder}: {error}") from error
    check_leakage(parts, subjects, by=settings.split_by)
    return parts


def plan_subject(files, settings):
    """Read the headers of a subject's files and choose its slices.

    Returns:
        `Plan`.

    Raises:
        InputError: a file cannot be used, grids differ, or a slice lies outside.
    """
    plane = PLANES[settings.plane]
    headers = {name: read_header(path, plane.orientation) for name, path in files.contrasts.items()}
    labels = {name: read_header(path, plane.orientation) for name, path in files.labels.items() if path is not None}
    use_file = files.mask is not None and settings.mask in (None, "given")
    mask = read_header(files.mask, plane.orientation) if use_file else None
    first, *others = [*headers.values(), *labels.values(), *([mask] if mask else [])]
    if not settings.resample:
        _check_one_grid(files.id, first, others)
    position = settings.model_dump(include={"slice_mm", "slice_index", "slice_step_mm"})
    indices = choose_slices(first.grid, plane, path=first.path, **position)
    return Plan(files, headers, first.grid, indices, labels, mask)


def check_pixels(plans, plane):
    """Refuse pixels of different sizes: they would be one anatomy at two scales. Slice spacing does not matter."""
    first = plane.voxel_mm(plans[0].grid)[:2]
    for plan in plans[1:]:
        voxel_mm = plane.voxel_mm(plan.grid)[:2]
        if any(abs(a - b) > _VOXEL_TOLERANCE * b for a, b in zip(voxel_mm, first, strict=True)):
            raise InputError(
                f"{plan.path} has pixels of {_sizes(voxel_mm)} mm, but {plans[0].path} of {_sizes(first)} mm; "
                "resample all subjects to one pixel size first"
            )


def common_size(plans, plane):
    """Size that whole slices are padded to, if all subjects' slices are of one size.

    Raises:
        InputError: they are not, and the message says a size that would do.
    """
    first = plane.whole(plans[0].grid)
    for plan in plans[1:]:
        whole = plane.whole(plan.grid)
        if whole != first:
            raise InputError(
                f"{plan.path} has slices of {_sizes(whole)} pixels, but {plans[0].path} of {_sizes(first)}; "
                f"set size, such as size={padded_size(np.maximum(whole, first).tolist())}"
            )
    return padded_size(first)


def _given(listing, settings):
    """Part of every subject, from the settings or from a file."""
    given = read_split(Path(settings.split)) if isinstance(settings.split, str) else settings.split
    key = "site" if settings.split_by == "site" else "id"
    names = {subject.id: getattr(subject, key) for subject in listing.subjects}
    what = "subject" if key == "id" else "site"
    for name in [*names.values(), *given]:
        if name in given and (name in names.values() or name in listing.left_out):
            continue
        where = "the source" if name in given else "`split`"
        raise InputError(f"import settings: split: {what} {name!r} is not in {where}; name every {what} once")
    return {subject_id: given[name] for subject_id, name in names.items()}


def _group(subject, by, folder):
    """What must stay in one part with the subject; None if it is alone."""
    if by == "site":
        if subject.site is None:
            raise InputError(f"{folder}: split_by='site', but the site of subject {subject.id!r} is not known")
        return subject.site
    if by == "subject":
        return subject.person
    return subject.family or subject.person


def _strata(subjects, stratify, folder):
    """Dictionary from subject id to the values by which it is stratified, or None."""
    if not stratify:
        return None
    strata = {}
    for subject in subjects:
        known = subject.traits if subject.site is None else {"site": subject.site, **subject.traits}
        for name in stratify:
            if name not in known:
                raise InputError(
                    f"{folder}: stratify: {name!r} of subject {subject.id!r} is not known; name it in the source's "
                    f"`traits`{', besides ' + ', '.join(known) if known else ''}"
                )
        strata[subject.id] = tuple(known[name] for name in stratify)
    if len(set(strata.values())) > len(subjects) / 2:
        raise InputError(
            f"{folder}: stratify: {', '.join(stratify)} divide {len(subjects)} subjects into "
            f"{len(set(strata.values()))} strata, too many; name a trait of few values, such as age groups and not ages"
        )
    return strata


def _check_one_grid(subject_id, first, others):
    for other in others:
        if not first.grid.matches(other.grid):
            raise InputError(
                f"subject {subject_id!r}: two grids, {first.path} is {first.grid} and {other.path} is {other.grid} "
                f"(as {first.orientation}); register them, or set resample=True if they are registered already"
            )


def _sizes(lengths):
    return " × ".join(f"{length:.4g}" for length in lengths)
