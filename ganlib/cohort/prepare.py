"""One call for every kind of cohort: the phantom, a folder of NIfTI files, or a BIDS data set."""

import inspect

from ganlib.cohort.build import ImportSettings, import_cohort
from ganlib.cohort.phantom import PhantomSettings, make_phantom
from ganlib.cohort.sources import BidsSource, FolderSource
from ganlib.errors import InputError
from ganlib.validation import validated

_SOURCES = {"folder": FolderSource, "bids": BidsSource}


def prepare(source, output, *, folder="", contrasts=None, source_options=None, settings=None, progress=True):
    """Make a cohort from plain settings, as a notebook or a command line gives them.

    Args:
        source: `"phantom"`, `"folder"` or `"bids"`.
        output: the cohort file to make or replace.
        folder: where the NIfTI files are; unused by the phantom.
        contrasts: dictionary from contrast to pattern (`folder`) or suffix (`bids`).
        source_options: further arguments of `FolderSource` or `BidsSource`.
        settings: settings of `PhantomSettings` or `ImportSettings` that differ from the defaults.
        progress: whether to show a progress bar.

    Returns:
        The open `Cohort`.

    Raises:
        InputError: a name is unknown or a value cannot be used; the message names it.
    """
    settings = settings or {}
    if source == "phantom":
        return make_phantom(output, validated(PhantomSettings, settings), progress=progress)
    if source not in _SOURCES:
        raise InputError(f"source {source!r} is unknown; use phantom, {', '.join(_SOURCES)}")
    if not folder or not contrasts:
        raise InputError(f"source {source!r} needs `folder` and `contrasts`; see the table at the top of the notebook")
    options = source_options or {}
    known = [name for name in inspect.signature(_SOURCES[source]).parameters if name not in {"folder", "patterns"}]
    for name in options:
        if name not in known:
            raise InputError(f"source option {name!r} is unknown; source {source!r} has {', '.join(known)}")
    return import_cohort(
        _SOURCES[source](folder, contrasts, **options), output, validated(ImportSettings, settings), progress=progress
    )
