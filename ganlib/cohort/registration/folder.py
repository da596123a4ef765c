"""A whole source: subjects side by side, each kept when it is done, one failure not stopping the rest."""

import hashlib
import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tqdm.auto import tqdm

from ganlib import __version__, atomic
from ganlib.cohort.registration.align import one_thread
from ganlib.cohort.registration.images import simpleitk
from ganlib.cohort.registration.settings import TEMPLATE
from ganlib.cohort.registration.subject import Job, register_subject, result_path
from ganlib.cohort.sources import FolderSource
from ganlib.errors import InputError

#: Who belongs to whom, among the results.
TABLE = "subjects.csv"
_T1_NAMES = ("t1w", "t1")


@dataclass(frozen=True)
class RegistrationReport:
    """What became of a source's subjects.

    Args:
        folder: where the results are.
        contrasts: their names; the results are `{subject}/{subject}_<contrast>.nii.gz`.
        records: what was done, by subject, as in its `registration.json`.
        fresh: ids of those that were not there before.
        failed: why, by subject.
        left_out: why a subject was not tried, as the source says.
    """

    folder: Path
    contrasts: list[str]
    records: dict[str, dict]
    fresh: list[str]
    failed: dict[str, str]
    left_out: dict[str, str]

    @property
    def patterns(self):
        """Pattern of each contrast's results, for `FolderSource` and `ganlib import`."""
        return {name: f"{{subject}}/{{subject}}_{name}.nii.gz" for name in self.contrasts}

    @property
    def options(self):
        """Further options of `FolderSource` and `ganlib import`: masks, and the table of families, sites and traits."""
        masked = self.records and all(record["mask_fraction"] is not None for record in self.records.values())
        known = pd.read_csv(self.folder / TABLE, dtype=str, nrows=1).columns
        columns = {"family_column": "family", "site_column": "site"}
        found = {name: column for name, column in columns.items() if column in known}
        traits = [column for column in known if column not in ("subject", "family", "site")]
        found |= {"traits": traits} if traits else {}
        found |= {"family_table": TABLE} if found else {}
        return found | ({"mask": "{subject}/{subject}_mask.nii.gz"} if masked else {})

    @property
    def source(self):
        """The results as a `FolderSource`, of those that did not fail."""
        return FolderSource(self.folder, self.patterns, subjects=sorted(self.records), **self.options)


def register_folder(source, output, settings, *, workers=None, progress=True, listing=None):
    """Register every subject of a source.

    A subject that was registered before from the same files and settings is left alone, so that a call that was
    stopped goes on where it was. Results are ready for `ganlib import` with the report's `patterns`.

    Args:
        source: a source of `ganlib.cohort.sources`.
        output: folder of the results: a folder per subject.
        settings: `RegistrationSettings`.
        workers: processes; None takes one per core.
        progress: whether to show a progress bar.
        listing: `Listing` of the source; None lists it, and refuses what is incomplete.

    Returns:
        `RegistrationReport`.

    Raises:
        InputError: SimpleITK is missing, the reference is no contrast of the source, or files are missing.
    """
    simpleitk()
    output, listing = Path(output), listing or source.find()
    if output.resolve() == Path(source.folder).resolve():
        raise InputError(f"{output}: holds the sources; choose another folder for the results")
    reference = _reference(source, settings)
    for name in settings.transforms:
        if name not in source.contrasts:
            raise InputError(f"transforms: {name!r} is no contrast of {source.folder}; it has {_names(source)}")
    jobs = [_job(files, source, output, settings, reference) for files in listing.subjects]
    records = {job.id: record for job in jobs if (record := _done(job)) is not None}
    todo = [job for job in jobs if job.id not in records]
    failed = {}
    for job, outcome in _side_by_side(todo, workers or len(os.sched_getaffinity(0)), progress):
        (failed if isinstance(outcome, str) else records)[job.id] = outcome
    records = {job.id: records[job.id] for job in jobs if job.id in records}
    fresh = [job.id for job in todo if job.id in records]
    _write_table(output / TABLE, listing.subjects)
    return RegistrationReport(output, list(source.contrasts), records, fresh, failed, listing.left_out)


def _write_table(path, subjects):
    """Who belongs to whom, so that an import of the results keeps families together."""
    rows = [
        {"subject": one.id, "family": one.family or one.person, "site": one.site, **one.traits} for one in subjects
    ]  # fmt: skip
    table = pd.DataFrame(rows).dropna(axis="columns", how="all")
    atomic.write_text(path, table.to_csv(index=False))


def _reference(source, settings):
    if settings.to != TEMPLATE:
        if settings.to not in source.contrasts:
            raise InputError(f"to {settings.to!r}: give {TEMPLATE} or a contrast of the source, {_names(source)}")
        return settings.to
    if settings.via is not None:
        if settings.via not in source.contrasts:
            raise InputError(f"via {settings.via!r}: give a contrast of the source, {_names(source)}")
        return settings.via
    return next((name for name in source.contrasts if name.lower() in _T1_NAMES), next(iter(source.contrasts)))


def _names(source):
    return ", ".join(source.contrasts)


def _job(files, source, output, settings, reference):
    given = {name: _given_path(source, files.id, pattern) for name, pattern in settings.transforms.items()}
    used = [*files.contrasts.values(), *given.values(), *([files.mask] if files.mask else [])]
    status = [(os.path.realpath(path), path.stat().st_size, path.stat().st_mtime_ns) for path in used]
    key = [__version__, settings.model_dump(mode="json"), reference, list(files.contrasts), status]
    fingerprint = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]
    return Job(files.id, dict(files.contrasts), files.mask, given, reference, settings, output, fingerprint)


def _given_path(source, subject_id, pattern):
    found = sorted(Path(source.folder).glob(pattern.replace("{subject}", subject_id)))
    if len(found) != 1:
        raise InputError(
            f"transforms: {len(found)} files are {pattern!r} of subject {subject_id!r} in {source.folder}; "
            "there must be one"
        )
    return found[0]


def _done(job):
    """The record of a subject whose results are there and were made of the same; None if they are not."""
    try:
        record = json.loads((job.folder / job.id / "registration.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    there = all(result_path(job.folder, job.id, name).is_file() for name in job.files)
    return record if there and record.get("fingerprint") == job.fingerprint else None


def _side_by_side(jobs, workers, progress):
    """Each job and its record, or the reason why it failed, as they are done."""
    if workers == 1 or len(jobs) < 2:
        for job in tqdm(jobs, "Registering", unit="subject", disable=not progress):
            yield job, _explained(job)
        return
    # Spawned, not forked: ITK and BLAS keep threads, which do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context) as pool:
        futures = {pool.submit(_explained, job): job for job in jobs}
        shown = tqdm(as_completed(futures), "Registering", len(jobs), unit="subject", disable=not progress)
        try:
            for future in shown:
                yield futures[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _explained(job):
    try:
        with one_thread():  # subjects run side by side; one thread is reproducible
            return register_subject(job)
    except InputError as error:
        return str(error)
    except RuntimeError as error:  # ITK's errors are many lines
        return f"subject {job.id!r}: SimpleITK failed ({str(error).strip().splitlines()[-1]})"
