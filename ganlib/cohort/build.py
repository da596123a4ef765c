"""Build a cohort from NIfTI files: list them, check every header, split, then read subjects side by side."""

import math
import os
import warnings
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import nibabel
import numpy as np
from tqdm.auto import tqdm

from ganlib import __version__
from ganlib.cohort.extract import extract, memory_needed
from ganlib.cohort.import_settings import ImportSettings
from ganlib.cohort.plan import check_pixels, common_size, plan_subject, split_of
from ganlib.cohort.slices import PLANES, centred_offset
from ganlib.cohort.staging import Staging
from ganlib.cohort.store import Cohort, CohortHeader, CohortWriter, Subject
from ganlib.errors import InputError

__all__ = ["ImportSettings", "import_cohort"]

#: What the subjects in hand may take together, so that an import stays under 1 GB.
_MEMORY_BYTES = 700 << 20
_MOST_NAMED = 10


def import_cohort(source, path, settings=None, *, name=None, progress=True, workers=None):
    """Import NIfTI files as a cohort.

    All headers are checked before the first voxel is read. Subjects are read side by side, as many as there are cores
    and as stay under 1 GB. The same files and settings give the same bytes. An import that was stopped goes on where
    it was when it is started again: what is done is kept beside `path`, in `.<name>.importing`, until the import
    succeeds. Subjects that are left out, masks that are cropped and images that are there twice are warned of, and
    listed under `left_out`, `mask_cut_off` and `duplicates` in the header's provenance.

    Args:
        source: a source of `ganlib.cohort.sources`, such as `FolderSource`.
        path: the HDF5 file to make or replace; an existing one is untouched unless the import succeeds.
        settings: `ImportSettings`, or None for the defaults.
        name: the cohort's name; None takes the source folder's name.
        progress: show a progress bar with the time left.
        workers: number of subjects to read side by side; None chooses.

    Returns:
        The `Cohort`, open.

    Raises:
        InputError: a file, setting or the disk does not allow it; one line that names it.

    Example:
        >>> source = BidsSource("lit-ms-mni", ["T1w", "T2w"])                               # doctest: +SKIP
        >>> import_cohort(source, "ms.h5", ImportSettings(validation=0, test=1))            # doctest: +SKIP
    """
    settings = settings or ImportSettings()
    listing = source.find(
        incomplete=settings.incomplete,
        incomplete_labels=settings.incomplete_labels,
        conflicts=settings.conflicts,
    )
    _check_mask_setting(source, settings)
    parts = split_of(listing, settings, source.folder)
    plans = list(_side_by_side(lambda files: plan_subject(files, settings), listing.subjects, workers or _cores()))
    plane = PLANES[settings.plane]
    check_pixels(plans, plane)
    size = settings.size or common_size(plans, plane)
    header = _header(source, listing, plans, settings, name)
    _warn_of_listing(listing)
    with CohortWriter(path, header) as writer:
        _add_subjects(writer, plans, source, settings, size, parts, progress=progress, workers=workers)
    _warn_cut_off(header.provenance["mask_cut_off"], size)
    _warn_duplicates(header.provenance["duplicates"], parts)
    Staging(path).remove()
    return Cohort(path)


def _add_subjects(writer, plans, source, settings, size, parts, *, progress, workers):
    staging, codes = Staging(writer.path), source.label_codes

    def done(plan):
        path = staging.path(plan, settings, size, codes)
        found = staging.read(path)
        if found is None:
            found = extract(plan, settings, size, codes)
            staging.write(path, found)
        return plan, found

    first, record = {}, writer.header.provenance
    subjects = _side_by_side(done, plans, workers or _workers(plans, settings))
    for plan, found in tqdm(subjects, "Importing", len(plans), unit="subject", disable=not progress):
        subject = _subject(plan, source, parts[plan.files.id], found.gains, size, PLANES[settings.plane])
        writer.add(subject, found.images, found.mask, found.labels)
        if found.cut_off > 0:
            record["mask_cut_off"][subject.id] = round(found.cut_off, 6)
        _note_duplicates(record["duplicates"], first, subject.id, found.digests)


def _side_by_side(function, items, workers):
    """Results of a function in the order of the items, computed by several threads a little ahead."""
    with ThreadPoolExecutor(workers) as pool:
        waiting = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _workers(plans, settings):
    """As many as there are cores and as fit into memory."""
    largest = max(memory_needed(plan, settings) for plan in plans)
    return max(1, min(_cores(), int(_MEMORY_BYTES / largest)))


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_mask_setting(source, settings):
    if settings.mask == "given" and source.mask is None:
        raise InputError("import settings: mask='given', but the source names no mask files; give its `mask`")


def _header(source, listing, plans, settings, name):
    plane = PLANES[settings.plane]
    return CohortHeader(
        name=name or Path(source.folder).resolve().name,
        contrasts=source.contrasts,
        plane=settings.plane,
        orientation=plane.orientation,
        voxel_mm=plane.voxel_mm(plans[0].grid),
        label_names=dict(enumerate(source.label_codes, start=1)),
        split_seed=settings.seed if settings.split is None else None,
        provenance={
            "source": source.describe(),
            "settings": _without_paths(settings).model_dump(mode="json"),
            "versions": {
                "ganlib": __version__,
                "nibabel": nibabel.__version__,
                "numpy": np.__version__,
                "h5py": h5py.__version__,
            },
            "files": {plan.files.id: _described(source.folder, plan) for plan in plans},
            "left_out": listing.left_out,
            "ignored": listing.ignored,
            "mask_cut_off": {},
            "duplicates": [],
        },
    )


def _without_paths(settings):
    """The settings with the name only of a file that gives the split: where it lies may be private."""
    name = Path(settings.split).name if isinstance(settings.split, str) else settings.split
    return settings.model_copy(update={"split": name})


def _described(folder, plan):
    return {
        name: {
            "file": _relative(header.path, folder),
            "orientation": header.file_orientation,
            "affine": header.file_affine.tolist(),
            "dtype": header.file_dtype,
            "resampled": not header.grid.matches(plan.grid),
        }
        for name, header in plan.volumes.items()
    }


def _relative(path, folder):
    return path.relative_to(folder).as_posix()


def _subject(plan, source, part, gains, size, plane):
    positions = plane.positions_mm(plan.grid)
    files = plan.files
    return Subject(
        id=files.id,
        split=part,
        family=files.family,
        person=files.person,
        site=files.site,
        traits=files.traits,
        sources={name: _relative(header.path, source.folder) for name, header in plan.volumes.items()},
        affine=plan.grid.affine.tolist(),
        volume_shape=plan.grid.shape,
        gains=gains,
        slice_indices=plan.indices,
        slice_mm=[round(float(positions[index]), 6) for index in plan.indices],
        offset=centred_offset(plane.whole(plan.grid), size),
    )


def _note_duplicates(record, first, subject_id, digests):
    """Note images that were there before, under another subject or contrast."""
    for contrast, digest in digests.items():
        before = first.setdefault(digest, (subject_id, contrast))
        if before != (subject_id, contrast):
            record.append([*before, subject_id, contrast])


def _warn_of_listing(listing):
    reasons = [f"{subject_id} ({reason})" for subject_id, reason in listing.left_out.items()]
    _warn(reasons, f"{len(reasons)} subjects left out")
    ignored = [f"{path} ({reason})" for path, reason in listing.ignored.items()]
    _warn(ignored, f"{len(ignored)} files or folders ignored")
    for note in listing.notes:
        warnings.warn(note, stacklevel=3)


def _warn_cut_off(record, size):
    if record:
        worst = max(record, key=record.get)
        text = f"size {size[0]} × {size[1]} cuts off part of the mask of {len(record)} subjects"
        warnings.warn(f"{text}, at worst {math.ceil(record[worst] * 1000) / 10:.1f} % ({worst})", stacklevel=3)


def _warn_duplicates(record, parts):
    pairs = [f"{a} {x} ({parts[a]}) and {b} {y} ({parts[b]})" for a, x, b, y in record]
    _warn(pairs, f"{len(pairs)} images are there twice")


def _warn(items, title):
    if items:
        rest = f" and {len(items) - _MOST_NAMED} more" if len(items) > _MOST_NAMED else ""
        warnings.warn(f"{title}: {', '.join(items[:_MOST_NAMED])}{rest}", stacklevel=4)
