"""Translate every volume of a folder; started again after it was stopped, it goes on where it was."""

from pathlib import Path
from typing import NamedTuple

from tqdm.auto import tqdm

from ganlib.cohort.write import stem
from ganlib.errors import InputError
from ganlib.translate.direction import choose_direction, named_contrast
from ganlib.translate.volume import VolumeTranslator

_SUFFIXES = (".nii", ".nii.gz")
_MARK = "synthetic"


class FolderReport(NamedTuple):
    """What became of a folder: `Translated` of each source, why one failed, and who was passed over."""

    done: dict[Path, object]
    failed: dict[Path, str]
    passed_over: list[Path]


def translate_folder(run, folder, output, *, pattern="**/*", direction=None, progress=True, **settings):
    """Translate the volumes of a folder into another one, under the same relative paths.

    A file is translated if its name names one of the run's two contrasts; with `direction`, if it names the source
    contrast. What was translated before from the same source, weights and settings is left alone. A file that cannot
    be used does not stop the others.

    Args:
        run: a trained `Run`.
        folder: where the sources are, at any depth.
        output: where the results go: not within `folder`.
        pattern: which files, such as `*/anat/*_T1w.nii.gz`.
        direction: as `choose_direction` takes it; None infers it for each file from its name.
        progress: whether to show a progress bar.
        **settings: of `VolumeSettings`.

    Returns:
        `FolderReport`.

    Raises:
        InputError: the folder is missing or holds no such file, or a setting cannot be used.
    """
    folder, output = Path(folder), Path(output)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the one that holds the volumes")
    if output.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{output}: lies within {folder}, so that results would be taken for sources; choose another")
    wanted = choose_direction(run, folder, direction) if direction else None
    files = _volumes(folder, pattern)
    jobs = {path: way for path in files if (way := _way(run, path, wanted)) is not None}
    if not jobs:
        names = ", ".join([wanted.source] if wanted else run.config.contrasts)
        raise InputError(f"{folder}: no volume is named as {names} (of {len(files)} that match {pattern})")
    translator, done, failed = VolumeTranslator(run, settings), {}, {}
    for path, way in tqdm(jobs.items(), f"{run.label}: translating", unit="volume", disable=None if progress else True):
        target = output / path.relative_to(folder).parent / synthetic_name(path, way)
        try:
            done[path] = translator.write(path, target, direction=way.name, again=False, progress=False)
        except InputError as error:
            failed[path] = str(error)
    return FolderReport(done, failed, [path for path in files if path not in jobs])


def synthetic_name(path, direction):
    """Name of a result: in BIDS with a `desc` entity, else with a suffix that says what it is.

    Example:
        >>> from ganlib.runs import Direction
        >>> synthetic_name("sub-01_T1w.nii.gz", Direction("T1w", "T2w"))
        'sub-01_desc-synthetic_T2w.nii.gz'
        >>> synthetic_name("IXI002-Guys-0828-T1.nii.gz", Direction("T1", "T2"))
        'IXI002-Guys-0828-T1_synthetic-T2.nii.gz'
    """
    name = stem(path)
    suffix = Path(path).name[len(name) :]
    before, _, last = name.rpartition("_")
    if name.startswith("sub-") and last == direction.source:
        return f"{before}_desc-{_MARK}_{direction.target}{suffix}"
    return f"{name}_{_MARK}-{direction.target}{suffix}"


def _volumes(folder, pattern):
    return sorted(
        path for path in folder.glob(pattern)
        if path.is_file() and path.name.lower().endswith(_SUFFIXES) and not path.name.startswith(".")
    )  # fmt: skip


def _way(run, path, wanted):
    if _MARK in path.name:
        return None
    source = named_contrast(path, run.config.contrasts)
    if source is None or (wanted and source != wanted.source):
        return None
    return next(direction for direction in run.directions if direction.source == source)
