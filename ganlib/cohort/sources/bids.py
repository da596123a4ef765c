"""A BIDS data set."""

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ganlib.cohort.sources.listing import Source, Survey, all_ids, by_subject, check_contrasts, check_names
from ganlib.cohort.sources.people import PeopleTable, Person
from ganlib.cohort.sources.tree import Entry, check_folder, listed
from ganlib.errors import InputError

_RUNS = {None, "first", "last"}


@dataclass(frozen=True)
class BidsSource(Source):
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
        run: which of several runs that differ in nothing else, `"first"` or `"last"`; None makes them a conflict.
        derivative: take the images from `derivatives/<derivative>/` instead.
        mask: name in `desc-<name>_mask` of the brain masks, or None.
        labels: list of names in `label-<name>_mask`. Where two labels overlap the later one wins.
        subjects: ids to use (with their session, if they have sessions); None for all.
        family_column: column of `participants.tsv` that names the family; an empty cell or `n/a` is a person without
            relatives.
        site_column: its column of sites, or None.
        traits: its columns by which a split may be stratified, such as `["sex"]`.
        follow_links: also take what links find outside `folder`.

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
    run: Literal["first", "last"] | None = None
    derivative: str | None = None
    mask: str | None = None
    labels: list[str] = field(default_factory=list)
    subjects: list[str] | None = None
    family_column: str | None = None
    site_column: str | None = None
    traits: list[str] = field(default_factory=list)
    follow_links: bool = False

    remedy = "choose one by `space`, `entities` or `run`"

    def __post_init__(self):
        suffixes = self.contrasts if isinstance(self.contrasts, dict) else {name: name for name in self.contrasts}
        object.__setattr__(self, "suffixes", dict(suffixes))
        object.__setattr__(self, "contrasts", list(suffixes))
        check_folder(self.folder)
        check_contrasts(self.folder, suffixes)
        if self.run not in _RUNS:
            raise InputError(f"run {self.run!r} is unknown; use first, last, or entities={{'run': '{self.run}'}}")

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
            "run": self.run,
            "derivative": self.derivative,
            "mask": self.mask,
            "labels": list(self.labels),
            "families": None if self.family_column is None else ["participants.tsv", self.family_column],
        }

    def survey(self):
        """Read every file's name; returns `Survey`."""
        tree = listed(self.folder, follow_links=self.follow_links)
        parsed = [file for file in map(_BidsFile.parse, tree.entries) if file]
        misnamed = {file.path: "file name and folders name different subjects or sessions"
                    for file in parsed if file.misnamed}  # fmt: skip
        if len(misnamed) == len(parsed):
            check_names(self.folder, misnamed, "error")
        files = [file for file in parsed if not file.misnamed and self.session in (None, file.entities.get("ses"))]
        found = {name: self._images(files, name, suffix) for name, suffix in self.suffixes.items()}
        if self.mask is not None:
            found["mask"] = self._masks(files, "mask", "desc", self.mask)
        found.update({f"label {name}": self._masks(files, f"label {name}", "label", name) for name in self.labels})
        return Survey(found, tree, self._people(all_ids(found, self.contrasts)), misnamed)

    def _people(self, ids):
        persons = {subject_id: subject_id.partition("_ses-")[0] for subject_id in ids}
        if not (self.family_column or self.site_column or self.traits):
            people = {i: Person(id=person) for i, person in persons.items()}
        else:
            table = PeopleTable([Path(self.folder) / "participants.tsv"], "participant_id", key=_participant)
            families = [self.family_column] if self.family_column else []
            people = table.people(persons, families=families, site=self.site_column, traits=self.traits)
        # A person's sessions are a family, and so is everybody once families are known.
        alone = {i for i in ids if not people[i].family and (self.family_column or "_ses-" in i)}
        return {i: replace(person, family=person.id) if i in alone else person for i, person in people.items()}

    def _images(self, files, contrast, suffix):
        wanted = dict(self.entities) | ({} if self.space is None else {"space": self.space})
        chosen = [
            file
            for file in files
            if file.suffix == suffix
            and file.derivative == self.derivative
            and all(file.entities.get(key) == value for key, value in wanted.items())
        ]
        if not chosen:
            conditions = "".join(f", {key}-{value}" for key, value in wanted.items())
            where = f"derivatives/{self.derivative}/" if self.derivative else ""
            raise InputError(
                f"{self.folder}: no file {where}sub-*/[ses-*/]anat/*_{suffix}.nii[.gz] ({contrast}{conditions}); "
                "check folder, suffix and entities, or use FolderSource"
            )
        return by_subject((file.subject, file.entry) for file in self._one_run(chosen))

    def _one_run(self, files):
        if self.run is None:
            return files
        alike = defaultdict(list)
        for file in files:
            others = tuple(sorted((key, value) for key, value in file.entities.items() if key != "run"))
            alike[others].append(file)
        pick = min if self.run == "first" else max
        return [pick(group, key=_BidsFile.run_order) for group in alike.values()]

    def _masks(self, files, what, key, name):
        pairs = [
            (file.subject, file.entry)
            for file in files
            if file.suffix == "mask"
            and file.entities.get(key) == name
            and (self.space is None or file.entities.get("space", self.space) == self.space)
        ]
        if not pairs:
            raise InputError(f"{self.folder}: no file [derivatives/*/]sub-*/anat/*_{key}-{name}_mask.nii[.gz] ({what})")
        return by_subject(pairs)


@dataclass(frozen=True)
class _BidsFile:
    entry: Entry
    derivative: str | None
    entities: dict[str, str]
    suffix: str
    misnamed: bool

    _PATH = re.compile(r"(?:derivatives/([^/]+)/)?sub-([^/]+)/(?:ses-([^/]+)/)?anat/(sub-[^/]+)_([^/_]+)\.nii(?:\.gz)?")

    @classmethod
    def parse(cls, entry):
        match = cls._PATH.fullmatch(entry.path)
        if not match:
            return None
        derivative, subject, session, stem, suffix = match.groups()
        entities = dict(part.partition("-")[::2] for part in stem.split("_"))
        agrees = entities["sub"] == subject and session in (None, entities.get("ses"))
        return cls(entry, derivative, entities, suffix, not agrees)

    @property
    def path(self):
        return self.entry.path

    @property
    def subject(self):
        session = self.entities.get("ses")
        return f"sub-{self.entities['sub']}" + (f"_ses-{session}" if session else "")

    def run_order(self):
        """Runs in their order, numbers as numbers; a file without a run comes before them."""
        run = self.entities.get("run", "")
        return (len(run.lstrip("0")), run.lstrip("0"), self.path)


def _participant(cell):
    return "sub-" + cell.removeprefix("sub-")
