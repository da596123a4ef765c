"""A folder tree with one file pattern per contrast."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from ganlib.cohort.sources.listing import Source, Survey, all_ids, by_subject, check_contrasts
from ganlib.cohort.sources.people import PeopleTable, Person
from ganlib.cohort.sources.tree import check_folder, listed
from ganlib.errors import InputError

_WILDCARDS = re.compile(r"\{subject\}|\*\*/|\*\*|\*|\?")


@dataclass(frozen=True)
class FolderSource(Source):
    """Files of a folder tree, found by one pattern per contrast.

    A pattern is a path relative to `folder` with forward slashes. `{subject}` stands for the subject's id: the shortest
    run of characters other than `/` that lets the pattern match, and the same run wherever it is repeated. `*` stands
    for any characters but `/`, `?` for one, `**/` for any number of folders. Only `.nii` and `.nii.gz` files are seen,
    hidden files and folders (`.…`) are not.

    Args:
        folder: the folder.
        patterns: dictionary from contrast to pattern.
        mask: pattern of the masks (inside above 0.5), or None.
        labels: dictionary from label to the pattern of its volumes, whose non-zero voxels carry the label; or to a pair
            of pattern and list of codes, whose voxels carry it. Where two labels overlap the later one wins.
        subjects: ids to use; None for all.
        family_table: CSV or TSV file with a row per subject, relative to `folder` or absolute.
        family_column: its column of families; an empty cell or `n/a` is a subject without relatives.
        subject_column: its column of subject ids.
        site_column: its column of sites, or None.
        traits: its columns by which a split may be stratified, such as `["sex"]`.
        follow_links: also take what links find outside `folder`.

    Raises:
        InputError: the folder is missing, a pattern lacks `{subject}` or leads out of the folder, or the options do
            not go together.

    Example:
        >>> source = FolderSource(                                            # doctest: +SKIP
        ...     "study",
        ...     {"T1w": "{subject}/T1.nii.gz", "T2w": "{subject}/T2.nii.gz"},
        ...     family_table="people.csv",
        ...     family_column="family",
        ... )
    """

    folder: str | Path
    patterns: dict[str, str]
    mask: str | None = None
    labels: dict[str, str | tuple[str, list[int]]] = field(default_factory=dict)
    subjects: list[str] | None = None
    family_table: str | Path | None = None
    family_column: str | None = None
    subject_column: str = "subject"
    site_column: str | None = None
    traits: list[str] = field(default_factory=list)
    follow_links: bool = False

    remedy = "make the pattern narrower"

    def __post_init__(self):
        check_folder(self.folder)
        if not isinstance(self.patterns, dict):
            raise InputError(
                "contrasts: a dictionary from contrast to pattern is needed, such as {T1w: '{subject}.nii'}"
            )
        check_contrasts(self.folder, self.patterns)
        for what, pattern in self._patterns():
            _check_pattern(what, pattern)
        columns = (self.family_column, self.site_column, *self.traits)
        if (self.family_table is None) != (not any(columns)):
            raise InputError(
                "`family_table` and `family_column` (or `site_column`, or `traits`) go together; give both or neither"
            )

    @property
    def contrasts(self):
        """Names of the contrasts."""
        return list(self.patterns)

    @property
    def label_codes(self):
        """Dictionary from label to the codes that carry it; None for every non-zero code."""
        return {name: None if isinstance(entry, str) else list(entry[1]) for name, entry in self.labels.items()}

    def describe(self):
        """The source as plain data, for the provenance; of the folder only its name, which may be private."""
        table = None if self.family_table is None else Path(self.family_table).name
        return {
            "kind": "folder",
            "folder": Path(self.folder).resolve().name,
            "patterns": dict(self.patterns),
            "mask": self.mask,
            "labels": dict(self.labels),
            "families": None if table is None else [table, self.family_column],
        }

    def survey(self):
        """Match every file with every pattern; returns `Survey`."""
        tree = listed(self.folder, follow_links=self.follow_links)
        found = {what: self._matches(tree.entries, what, pattern) for what, pattern in self._patterns()}
        ids = all_ids(found, self.contrasts)
        return Survey(found, tree, self._people(ids))

    def _people(self, ids):
        if self.family_table is None:
            return dict.fromkeys(ids, Person())
        table = PeopleTable([Path(self.folder) / self.family_table], self.subject_column)
        families = [self.family_column] if self.family_column else []
        return table.people({i: i for i in ids}, families=families, site=self.site_column, traits=self.traits)

    def _patterns(self):
        yield from self.patterns.items()
        if self.mask is not None:
            yield "mask", self.mask
        for name, entry in self.labels.items():
            yield f"label {name}", entry if isinstance(entry, str) else entry[0]

    def _matches(self, entries, what, pattern):
        expression = _expression(pattern)
        matched = ((expression.fullmatch(entry.path), entry) for entry in entries)
        pairs = [(match["subject"], entry) for match, entry in matched if match]
        if not pairs:
            raise InputError(
                f"{self.folder}: none of its {len(entries)} .nii and .nii.gz files matches {pattern!r} ({what}); "
                "the pattern is a path relative to that folder"
            )
        return by_subject(pairs)


def _check_pattern(what, pattern):
    if "{subject}" not in pattern:
        raise InputError(f"pattern {pattern!r} of {what} lacks {{subject}}; write that where the subject's id stands")
    if pattern.startswith("/") or ".." in pattern.split("/"):
        raise InputError(f"pattern {pattern!r} of {what} leads out of the folder; write a path below it, without '..'")


def _expression(pattern):
    """Regular expression of a pattern."""
    parts, end = [], 0
    for match in _WILDCARDS.finditer(pattern):
        parts.append(re.escape(pattern[end : match.start()]))
        subject = "(?P=subject)" if any("(?P<subject>" in part for part in parts) else "(?P<subject>[^/]+?)"
        meaning = {"{subject}": subject, "**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        parts.append(meaning[match[0]])
        end = match.end()
    return re.compile("".join(parts) + re.escape(pattern[end:]))
