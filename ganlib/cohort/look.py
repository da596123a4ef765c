"""A source from plain settings, as a notebook or a command line gives them, and a look at it before voxels are read."""

import dataclasses
import typing
from collections import Counter
from typing import NamedTuple

from pydantic import ConfigDict, create_model

from ganlib.cohort.import_settings import ImportSettings
from ganlib.cohort.plan import split_of
from ganlib.cohort.sources import LAYOUTS, report
from ganlib.cohort.split import PARTS, split_hash
from ganlib.errors import InputError
from ganlib.validation import validated


class Look(NamedTuple):
    """What a source holds: `text` of several lines, `parts` of the split, and what an import would stop at, if any."""

    text: str
    parts: dict[str, str]
    problem: InputError | None


def open_source(layout, folder, contrasts=None, options=None):
    """A source of `ganlib.cohort.sources` from plain settings.

    Args:
        layout: a key of `LAYOUTS`, such as `"bids"`.
        folder: where the NIfTI files are.
        contrasts: as the layout wants them: dictionary from contrast to pattern (`folder`), list of suffixes (`bids`)
            or of the layout's own names (`hcp`, `ixi`, `brats`; empty for its default).
        options: further arguments of the source.

    Raises:
        InputError: a name is unknown or a value cannot be used; the message names it.
    """
    if layout not in LAYOUTS:
        raise InputError(f"source {layout!r} is unknown; use {', '.join(LAYOUTS)}")
    kind = LAYOUTS[layout]
    hints = typing.get_type_hints(kind)
    _, chosen, *others = dataclasses.fields(kind)
    needed = chosen.default is dataclasses.MISSING
    if not folder or (needed and not contrasts):
        missing = "`folder` and `contrasts`" if needed else "`folder`"
        raise InputError(f"source {layout!r} needs {missing}; see the docstring of {kind.__name__}")
    fields = {field.name: (hints[field.name], _default(field)) for field in others}
    fields["contrasts"] = (hints[chosen.name], None)
    model = create_model("Options", __config__=ConfigDict(extra="forbid", coerce_numbers_to_str=True), **fields)
    values = dict(options or {}) | ({"contrasts": contrasts} if contrasts else {})
    given = validated(model, values, what=f"option of source {layout!r}:").model_dump(exclude_unset=True)
    return kind(folder, given.pop("contrasts", None), **given)


def look(layout, folder, contrasts=None, options=None, settings=None):
    """List what an import would take and leave out, and how it would divide it, without reading a voxel.

    Args:
        layout: a key of `LAYOUTS`, or `"phantom"`, which has nothing to list.
        folder: where the NIfTI files are.
        contrasts: as for `open_source`.
        options: as for `open_source`.
        settings: settings of `ImportSettings` that differ from the defaults.

    Returns:
        `Look`.

    Raises:
        InputError: nothing can be listed at all.
    """
    if layout == "phantom":
        return Look("The phantom: no files to list.", {}, None)
    source, settings = open_source(layout, folder, contrasts, options), validated(ImportSettings, settings or {})
    text, parts, problem = report(source, source.list_all()), {}, None
    try:
        listing = source.find(
            incomplete=settings.incomplete,
            incomplete_labels=settings.incomplete_labels,
            conflicts=settings.conflicts,
        )
        parts = split_of(listing, settings, folder)
        numbers = Counter(parts.values())
        text += f"\nsplit: {', '.join(f'{numbers[part]} {part}' for part in PARTS)}; hash {split_hash(parts)[:12]}"
    except InputError as error:
        problem = error
        text += f"\nan import would stop: {error}"
    return Look(text, parts, problem)


def _default(field):
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
