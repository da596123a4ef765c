"""One call for every kind of cohort: the phantom, or NIfTI files in any layout."""

import warnings
from pathlib import Path

from ganlib.cohort.build import ImportSettings, import_cohort
from ganlib.cohort.look import open_source
from ganlib.cohort.phantom import PhantomSettings, make_phantom
from ganlib.cohort.sources import LAYOUTS
from ganlib.errors import InputError
from ganlib.validation import validated


def prepare(
    source, output, *, folder="", contrasts=None, source_options=None, settings=None, registration=None, progress=True
):
    """Make a cohort from plain settings, as a notebook or a command line gives them.

    Args:
        source: `"phantom"`, or a layout: `"pattern"` (also called `"folder"`), `"bids"`, `"hcp"`, `"ixi"`, `"brats"`.
        output: the cohort file to make or replace.
        folder: where the NIfTI files are; unused by the phantom.
        contrasts: as `look.open_source` takes them; unused by the phantom.
        source_options: further arguments of the source, such as `FolderSource`.
        settings: settings of `PhantomSettings` or `ImportSettings` that differ from the defaults.
        registration: settings of `RegistrationSettings`, to register the volumes first; nothing to take them as they
            are. The results stay beside the cohort, in `<name>_registered`.
        progress: whether to show a progress bar.

    Returns:
        The open `Cohort`.

    Raises:
        InputError: a name is unknown or a value cannot be used; the message names it.
    """
    settings = settings or {}
    if source == "phantom":
        return make_phantom(output, validated(PhantomSettings, settings), progress=progress)
    if source not in LAYOUTS:
        raise InputError(f"source {source!r} is unknown; use phantom, {', '.join(LAYOUTS)}")
    opened = open_source(source, folder, contrasts, source_options)
    if registration:
        opened = _registered(opened, Path(output), registration, validated(ImportSettings, settings), progress)
    return import_cohort(opened, output, validated(ImportSettings, settings), progress=progress)


def _registered(source, output, registration, settings, progress):
    """The source of the registered volumes; whoever fails stops the import, unless incomplete subjects are skipped."""
    from ganlib.cohort.registration import RegistrationSettings, register_folder

    if source.label_codes:
        raise InputError("registration: label volumes cannot be registered along; leave the labels out")
    chosen = validated(RegistrationSettings, registration, what="registration setting")
    listing = source.find(incomplete=settings.incomplete, conflicts=settings.conflicts)
    folder = output.with_name(f"{output.stem}_registered")
    report = register_folder(source, folder, chosen, listing=listing, progress=progress)
    if report.failed and settings.incomplete == "error":
        raise InputError(next(iter(report.failed.values())))
    for reason in report.failed.values():
        warnings.warn(f"left out, registration failed: {reason}", stacklevel=3)
    return report.source
