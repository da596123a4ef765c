"""Sources: which files belong to which subject. Everything is listed before a voxel is read."""

import csv
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from ganlib.errors import InputError

_NIFTI = (".nii", ".nii.gz")
_NO_FAMILY = {"", "n/a", "na", "nan"}
_WILDCARDS = re.compile(r"\{subject\}|\*\*/|\*\*|\*|\?")


@dataclass(frozen=True)
class SubjectFiles:
    """The files of one subject.

    Args:
        id: the subject's id; `sub-01_ses-02` where one person was scanned in several sessions.
        contrasts: file of each contrast.
        family: family, or person, whose members stay in one part of the split; None if unrelated to everybody.
        mask: mask file, or None if the source names no masks.
        labels: file of each label; None where the subject has none.
    """

    id: str
    contrasts: dict[str, Path]
    family: str | None = None
    mask: Path | None = None
    labels: dict[str, Path | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """What a source found: `subjects`, sorted by id, and `left_out`, a dictionary from subject id to the reason."""

    subjects: list[SubjectFiles]
    left_out: dict[str, str]


@dataclass(frozen=True)
class FolderSource:
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
        family_table: CSV or TSV file that names each subject's family, relative to `folder` or absolute.
        family_column: its column of families; an empty cell or `n/a` is a subject without relatives.
        subject_column: its column of subject ids.

    Raises:
        InputError: the folder is missing, a pattern lacks `{subject}`, or the options do not go together.

    Example:
        >>> source = FolderSource(                                            # doctest: +SKIP
        ...     "hcp",
        ...     {
        ...         "T1w": "{subject}/T1w/T1w_acpc_dc_restore_brain.nii.gz",
        ...         "T2w": "{subject}/T1w/T2w_acpc_dc_restore_brain.nii.gz",
        ...     },
        ...     family_table="restricted.csv",
        ...     family_column="Family_ID",
        ...     subject_column="Subject",
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

    def __post_init__(self):
        _check_folder(self.folder, self.patterns)
        for what, pattern in self._patterns():
            if "{subject}" not in pattern:
                raise InputError(
                    f"pattern {pattern!r} of {what} lacks {{subject}}; write that where the subject's id stands"
                )
        if (self.family_table is None) != (self.family_column is None):
            raise InputError("`family_table` and `family_column` go together; give both or neither")

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

    def find(self, *, incomplete="error", incomplete_labels="error"):
        """List the subjects and their files.

        Args:
            incomplete: what to do with a subject that lacks a contrast or its mask, `"error"` or `"skip"`.
            incomplete_labels: the same for one that lacks a label volume, or `"empty"`: it has none of that label.

        Returns:
            `Listing`.

        Raises:
            InputError: a pattern matches nothing, two files match one subject, a subject is incomplete, or a family is
                not known.
        """
        paths = list(_volume_paths(self.folder))
        found = {what: self._matches(paths, what, pattern) for what, pattern in self._patterns()}
        ids = _selected(self.folder, _ids(found, self.contrasts), self.subjects)
        families = dict.fromkeys(ids)
        if self.family_table is not None:
            table = Path(self.folder) / self.family_table
            column = _column(table, self.subject_column, self.family_column)
            families = {subject_id: _family(table, column, subject_id) for subject_id in ids}
        return _listing(self, found, families, incomplete, incomplete_labels)

    def _patterns(self):
        yield from self.patterns.items()
        if self.mask is not None:
            yield "mask", self.mask
        for name, entry in self.labels.items():
            yield f"label {name}", entry if isinstance(entry, str) else entry[0]

    def _matches(self, paths, what, pattern):
        expression = _expression(pattern)
        matched = ((expression.fullmatch(path), path) for path in paths)
        pairs = [(match["subject"], path) for match, path in matched if match]
        if not pairs:
            raise InputError(
                f"{self.folder}: none of its {len(paths)} .nii and .nii.gz files matches {pattern!r} ({what}); "
                "the pattern is a path relative to that folder"
            )
        return _one_each(self.folder, what, pairs, "make the pattern narrower")


@dataclass(frozen=True)
class BidsSource:
    """Files of a BIDS data set: `sub-*/[ses-*/]anat/sub-*[_ses-*][_<entities>]_<suffix>.nii[.gz]`.

    Label masks `*_label-<name>_mask.nii[.gz]` and brain masks `*_desc-<name>_mask.nii[.gz]` are looked for beside the
    images and in `derivatives/*/`. A person's sessions are subjects of their own, `sub-01_ses-02`, of one family, so
    that a person never stands on both sides of a split.

    Args:
        folder: the data set, or the folder of one derivative.
        contrasts: list of suffixes, or dictionary from contrast to suffix.
        space: value of `space-…`, also of masks that have that entity; None accepts any.
        session: use only this session (the part after `ses-`); None uses all.
        entities: values of other entities that an image must have, such as `{"acq": "mprage"}`; None for one it
            must not have.
        mask: name in `desc-<name>_mask` of the brain masks, or None.
        labels: list of names in `label-<name>_mask`. Where two labels overlap the later one wins.
        subjects: ids to use (with their session, if they have sessions); None for all.
        family_column: column of `participants.tsv` that names the family; an empty cell or `n/a` is a person without
            relatives.

    Raises:
        InputError: the folder is missing.

    Example:
        >>> source = BidsSource("lit-ms-mni", ["T1w", "T2w"], labels=["lesion"])   # doctest: +SKIP
        >>> [subject.id for subject in source.find().subjects]                     # doctest: +SKIP
        ['sub-ms07', 'sub-ms19']
    """

    folder: str | Path
    contrasts: list[str] | dict[str, str]
    space: str | None = None
    session: str | None = None
    entities: dict[str, str | None] = field(default_factory=dict)
    mask: str | None = None
    labels: list[str] = field(default_factory=list)
    subjects: list[str] | None = None
    family_column: str | None = None

    def __post_init__(self):
        suffixes = self.contrasts if isinstance(self.contrasts, dict) else {name: name for name in self.contrasts}
        object.__setattr__(self, "suffixes", dict(suffixes))
        object.__setattr__(self, "contrasts", list(suffixes))
        _check_folder(self.folder, suffixes)

    @property
    def label_codes(self):
        """Dictionary from label to None: every non-zero voxel of a label's mask carries it."""
        return dict.fromkeys(self.labels)

    def describe(self):
        """The source as plain data, for the provenance; of the folder only its name, which may be private."""
        return {
            "kind": "BIDS",
            "folder": Path(self.folder).resolve().name,
            "suffixes": dict(self.suffixes),
            "entities": {"space": self.space, "ses": self.session, **self.entities},
            "mask": self.mask,
            "labels": list(self.labels),
            "families": None if self.family_column is None else ["participants.tsv", self.family_column],
        }

    def find(self, *, incomplete="error", incomplete_labels="error"):
        """List the subjects and their files; arguments, result and errors as for `FolderSource.find`."""
        files = [file for file in map(_BidsFile.parse, _volume_paths(self.folder)) if file]
        found = {name: self._images(files, name, suffix) for name, suffix in self.suffixes.items()}
        if self.mask is not None:
            found["mask"] = self._masks(files, "mask", "desc", self.mask)
        found.update({f"label {name}": self._masks(files, f"label {name}", "label", name) for name in self.labels})
        ids = _selected(self.folder, _ids(found, self.contrasts), self.subjects)
        return _listing(self, found, self._families(ids), incomplete, incomplete_labels)

    def _families(self, ids):
        people = {subject_id: subject_id.partition("_ses-")[0] for subject_id in ids}
        if self.family_column is None:
            return {i: person if "_ses-" in i else None for i, person in people.items()}
        table = Path(self.folder) / "participants.tsv"
        families = _column(table, "participant_id", self.family_column)
        families = {"sub-" + person.removeprefix("sub-"): family for person, family in families.items()}
        return {i: _family(table, families, person) or person for i, person in people.items()}

    def _images(self, files, contrast, suffix):
        wanted = dict(self.entities) | ({} if self.space is None else {"space": self.space})
        pairs = [
            (file.subject, file.path)
            for file in self._of_session(files)
            if file.suffix == suffix
            and not file.derivative
            and all(file.entities.get(k) == v for k, v in wanted.items())
        ]
        if not pairs:
            conditions = "".join(f", {key}-{value}" for key, value in wanted.items())
            raise InputError(
                f"{self.folder}: no file sub-*/[ses-*/]anat/*_{suffix}.nii[.gz] ({contrast}{conditions}); "
                "check folder, suffix and entities, or use FolderSource"
            )
        return _one_each(self.folder, contrast, pairs, "choose one by `space` or `entities`")

    def _masks(self, files, what, key, name):
        pairs = [
            (file.subject, file.path)
            for file in self._of_session(files)
            if file.suffix == "mask"
            and file.entities.get(key) == name
            and (self.space is None or file.entities.get("space", self.space) == self.space)
        ]
        if not pairs:
            raise InputError(f"{self.folder}: no file [derivatives/*/]sub-*/anat/*_{key}-{name}_mask.nii[.gz] ({what})")
        return _one_each(self.folder, what, pairs, "choose one by `space`")

    def _of_session(self, files):
        return [file for file in files if self.session in (None, file.entities.get("ses"))]


@dataclass(frozen=True)
class _BidsFile:
    path: str
    derivative: bool
    entities: dict[str, str]
    suffix: str

    _PATH = re.compile(r"(derivatives/[^/]+/)?sub-([^/]+)/(?:ses-([^/]+)/)?anat/(sub-[^/]+)_([^/_]+)\.nii(\.gz)?")

    @classmethod
    def parse(cls, path):
        match = cls._PATH.fullmatch(path)
        if not match:
            return None
        entities = dict(part.partition("-")[::2] for part in match[4].split("_"))
        if (entities["sub"], entities.get("ses")) != (match[2], match[3] or entities.get("ses")):
            raise InputError(f"{path}: file name and folders name different subjects or sessions; rename one")
        return cls(path, bool(match[1]), entities, match[5])

    @property
    def subject(self):
        session = self.entities.get("ses")
        return f"sub-{self.entities['sub']}" + (f"_ses-{session}" if session else "")


def _check_folder(folder, contrasts):
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder; give the folder that holds the NIfTI files")
    if not contrasts:
        raise InputError(f"{folder}: no contrast is named; name at least one")
    for name in contrasts:
        if name in ("mask", "labels") or name.startswith("label "):
            raise InputError(f"contrast name {name!r} is reserved; choose another name")


def _volume_paths(folder):
    """Relative paths of all NIfTI files below a folder, sorted; linked folders are followed once."""
    paths, seen = [], set()
    for here, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        folders[:] = [] if real in seen else [name for name in folders if not name.startswith(".")]
        if real not in seen:
            names = [name for name in files if name.endswith(_NIFTI) and not name.startswith(".")]
            paths += [(Path(here) / name).relative_to(folder).as_posix() for name in names]
        seen.add(real)
    return sorted(paths)


def _expression(pattern):
    """Regular expression of a pattern of `FolderSource`."""
    parts, end = [], 0
    for match in _WILDCARDS.finditer(pattern):
        parts.append(re.escape(pattern[end : match.start()]))
        subject = "(?P=subject)" if any("(?P<subject>" in part for part in parts) else "(?P<subject>[^/]+?)"
        meaning = {"{subject}": subject, "**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        parts.append(meaning[match[0]])
        end = match.end()
    return re.compile("".join(parts) + re.escape(pattern[end:]))


def _one_each(folder, what, pairs, remedy):
    found = {}
    for subject_id, path in pairs:
        if subject_id in found:
            raise InputError(
                f"{folder}: two files are {what} of subject {subject_id!r}: {found[subject_id]} and {path}; {remedy}"
            )
        found[subject_id] = path
    return found


def _ids(found, contrasts):
    return sorted(set().union(*(found[contrast] for contrast in contrasts)))


def _selected(folder, ids, wanted):
    if wanted is None:
        return ids
    for subject_id in wanted:
        if subject_id not in ids:
            raise InputError(f"{folder}: no subject {subject_id!r} among its {len(ids)}, such as {ids[0]!r}")
    return sorted(set(wanted))


def _column(table, subject_column, family_column):
    """Dictionary from subject to family, from a CSV or TSV file."""
    if not table.is_file():
        raise InputError(f"{table}: no such table of families; give an existing .csv or .tsv file")
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t" if table.suffix == ".tsv" else ",")
        try:
            missing = {subject_column, family_column} - set(rows.fieldnames or ())
            if missing:
                columns = ", ".join(rows.fieldnames or ())
                raise InputError(f"{table}: no column {sorted(missing)[0]!r}; its columns are {columns}")
            return _one_family_each(table, [(_cell(row, subject_column), _cell(row, family_column)) for row in rows])
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{table}: not a table in UTF-8 ({error}); save it as CSV or TSV") from error


def _cell(row, column):
    return (row[column] or "").strip()


def _one_family_each(table, pairs):
    families = {}
    for person, family in pairs:
        if families.setdefault(person, family) != family:
            raise InputError(
                f"{table}: subject {person!r} has two families, {families[person]!r} and {family!r}; keep one"
            )
    return families


def _family(table, families, person):
    if person not in families:
        raise InputError(
            f"{table}: no row for subject {person!r}; add it, with its family, or n/a if it has no relatives"
        )
    family = families[person]
    return None if family.lower() in _NO_FAMILY else family


def _listing(source, found, families, incomplete, incomplete_labels):
    folder, subjects, left_out = Path(source.folder), [], {}
    policies = {what: incomplete_labels if what.startswith("label ") else incomplete for what in found}
    for subject_id, family in families.items():
        lacking = [what for what in found if subject_id not in found[what] and policies[what] != "empty"]
        if lacking:
            left_out[subject_id] = f"no {lacking[0]} file"
            _check_allowed(folder, subject_id, lacking, policies)
            continue
        files = {what: folder / found[what][subject_id] if subject_id in found[what] else None for what in found}
        subjects.append(_subject_files(source, subject_id, family, files))
    if not subjects:
        raise InputError(
            f"{folder}: no subject is complete, {len(left_out)} were left out; check contrasts and patterns"
        )
    _check_distinct(subjects)
    return Listing(subjects, left_out)


def _check_allowed(folder, subject_id, lacking, policies):
    for what in lacking:
        if policies[what] == "error":
            option = "incomplete_labels='empty' or 'skip'" if what.startswith("label ") else "incomplete='skip'"
            raise InputError(f"{folder}: subject {subject_id!r} has no {what} file; add it, or set {option}")


def _subject_files(source, subject_id, family, files):
    return SubjectFiles(
        id=subject_id,
        family=family,
        contrasts={name: files[name] for name in source.contrasts},
        mask=files.get("mask"),
        labels={name: files[f"label {name}"] for name in source.label_codes},
    )


def _check_distinct(subjects):
    """Refuse patterns so wide that one file serves as two contrasts."""
    for subject in subjects:
        names = list(subject.contrasts)
        paths = list(subject.contrasts.values())
        for index, path in enumerate(paths):
            if path in paths[:index]:
                first = names[paths.index(path)]
                raise InputError(f"{path}: matched as {first} and as {names[index]}; make the patterns narrower")
