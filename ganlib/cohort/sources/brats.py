"""The BraTS challenges of 2018 to 2023."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ganlib.cohort.sources.listing import Source, Survey, all_ids, by_subject, chosen_contrasts
from ganlib.cohort.sources.people import PeopleTable, Person
from ganlib.cohort.sources.tree import check_folder, listed
from ganlib.errors import InputError

#: Suffixes of 2018 to 2021, and of 2023.
_CONTRASTS = {"T1": ("t1", "t1n"), "T1ce": ("t1ce", "t1c"), "T2": ("t2", "t2w"), "FLAIR": ("flair", "t2f")}
_SEGMENTATION = "seg"
#: Codes up to 2021, and of 2023, when 4 became 3.
_LABELS = {"necrotic core": ([1], [1]), "oedema": ([2], [2]), "enhancing tumour": ([4], [3])}

_CASES = {
    "site": re.compile(r"(?P<person>Bra[Tt][Ss](?P<year>1[789])_(?P<site>[A-Za-z0-9]+)_[A-Za-z0-9]+)_\d+"),
    "2020": re.compile(r"(?P<person>BraTS(?P<year>20)_(?:Training|Validation|Testing)_\d+)"),
    "2021": re.compile(r"(?P<person>BraTS20(?P<year>21)_\d+)"),
    "2023": re.compile(r"(?P<person>BraTS-[A-Z]+-\d+)-\d+"),
}


class _Case(NamedTuple):
    """A folder of one patient at one time."""

    name: str
    edition: int
    person: str
    site: str | None
    grade: str | None

    @classmethod
    def parse(cls, parts):
        """The case of a file from the names of the folders it lies in, or None."""
        for expression in _CASES.values():
            match = expression.fullmatch(parts[-1]) if parts else None
            if match:
                groups = match.groupdict()
                grade = next((part for part in parts[-2::-1] if part in ("HGG", "LGG")), None)
                return cls(parts[-1], 2000 + int(groups.get("year", 23)), groups["person"], groups.get("site"), grade)
        return None


@dataclass(frozen=True)
class BratsSource(Source):
    """Files of one edition of BraTS: `<case>/<case>_t1.nii.gz` (2018 to 2021) or `<case>/<case>-t1n.nii.gz` (2023).

    Images are skull-stripped and registered. A case is a person at one time; where the name says which person (2018,
    2019, 2023), follow-ups stay in one part of the split. Site (2018, 2019) and grade (where the folders `HGG` and
    `LGG` say it) can be split by.

    Args:
        folder: the folder that holds the cases' folders, at any depth.
        contrasts: list of `T1`, `T1ce`, `T2` and `FLAIR`, or dictionary from the name wanted to one of them; None for
            all.
        labels: list of `necrotic core`, `oedema` and `enhancing tumour`, from the segmentation; None for all, [] for
            none (validation cases have no segmentation).
        subjects: cases to use; None for all.
        edition: year, where several editions lie in the folder: they have patients in common under different names.
        table: CSV file with a row per case, such as `name_mapping.csv`, relative to `folder` or absolute; or None.
        subject_column: its column of cases.
        traits: its columns by which a split may be stratified, such as `["Grade"]`.
        follow_links: also take what links find outside `folder`.

    Raises:
        InputError: the folder is missing, or an option is unknown.

    Source: Menze et al. 2015, IEEE Transactions on Medical Imaging 34(10):1993; Baid et al. 2021, arXiv:2107.02314.
    """

    folder: str | Path
    contrasts: list[str] | dict[str, str] | None = None
    labels: list[str] | None = None
    subjects: list[str] | None = None
    edition: int | None = None
    table: str | Path | None = None
    subject_column: str = "BraTS_2020_subject_ID"
    traits: list[str] = field(default_factory=list)
    follow_links: bool = False

    mask = None

    def __post_init__(self):
        check_folder(self.folder)
        chosen = chosen_contrasts(self.folder, self.contrasts, _CONTRASTS)
        object.__setattr__(self, "images", chosen)
        object.__setattr__(self, "contrasts", list(chosen))
        object.__setattr__(self, "labels", list(_LABELS) if self.labels is None else list(self.labels))
        for name in self.labels:
            if name not in _LABELS:
                raise InputError(f"label {name!r} is unknown in the BraTS layout; it has {', '.join(_LABELS)}")
        if (self.table is None) != (not self.traits):
            raise InputError("`table` and `traits` go together; give both or neither")

    @property
    def label_codes(self):
        """Dictionary from label to the codes that carry it in this edition."""
        return {name: _LABELS[name][self._year >= 2023] for name in self.labels}

    def describe(self):
        """The source as plain data, for the provenance; of the folder only its name, which may be private."""
        return {
            "kind": "BraTS",
            "folder": Path(self.folder).resolve().name,
            "edition": self._year,
            "images": dict(self.images),
            "labels": list(self.labels),
        }

    def survey(self):
        """Read every file's name; returns `Survey`."""
        tree, cases, misnamed = self._seen
        year = self._year
        files = [(case, suffix, entry) for case, suffix, entry in cases if case.edition == year]
        suffixes = {name: _CONTRASTS[image][year >= 2023] for name, image in self.images.items()}
        suffixes |= {f"label {name}": _SEGMENTATION for name in self.labels}
        found = {what: self._found(files, what, suffix) for what, suffix in suffixes.items()}
        others = {entry.path: f"of the edition of {case.edition}, not of {year}" for case, _, entry in cases
                  if case.edition != year}  # fmt: skip
        tree.ignored.update(others)
        by_name = {case.name: case for case, _, _ in files}
        return Survey(found, tree, self._people(all_ids(found, self.contrasts), by_name), misnamed)

    def _found(self, files, what, suffix):
        pairs = [(case.name, entry) for case, found, entry in files if found == suffix]
        if not pairs:
            remedy = (
                "give labels=[] for cases without segmentation" if what.startswith("label ") else "check `contrasts`"
            )
            raise InputError(f"{self.folder}: no case has a file *{suffix}.nii[.gz] ({what}); {remedy}")
        return by_subject(pairs)

    def _people(self, ids, cases):
        rows = {}
        if self.table is not None:
            table = PeopleTable([Path(self.folder) / self.table], self.subject_column)
            rows = table.people({i: i for i in ids}, traits=self.traits)
        people = {}
        for i in ids:
            case, row = cases[i], rows.get(i, Person())
            traits = row.traits if case.grade is None else {"grade": case.grade, **row.traits}
            people[i] = Person(case.person, None, case.site, traits, row.trouble)
        return people

    @cached_property
    def _year(self):
        """The edition in use."""
        years = sorted({case.edition for case, _, _ in self._seen[1]})
        if self.edition is not None and self.edition not in years:
            raise InputError(f"{self.folder}: no case of the edition of {self.edition}; it has {_listed(years)}")
        if self.edition is None and len(years) > 1:
            raise InputError(
                f"{self.folder}: cases of the editions of {_listed(years)}, which have patients in common under "
                "different names; choose one by `edition`"
            )
        return self.edition or years[0]

    @cached_property
    def _seen(self):
        """The tree; case, suffix and entry of every file that is named after its folder; and files that are not."""
        tree, files, misnamed = listed(self.folder, follow_links=self.follow_links), [], {}
        for entry in tree.entries:
            *parts, name = entry.path.split("/")
            case = _Case.parse(parts)
            if case is None:
                continue
            file = _suffix(case, name)
            if file is not None:
                files.append((case, file, entry))
            elif _Case.parse([re.split(r"[_-][^_-]+\.nii", name)[0]]):
                misnamed[entry.path] = "the file is named after another case than its folder"
            else:
                tree.ignored[entry.path] = f"not named after its case, {case.name}"
        if not files:
            raise InputError(
                f"{self.folder}: none of its {len(tree.entries)} .nii and .nii.gz files lies in a folder named as a "
                "case of BraTS 2018 to 2023, such as BraTS2021_00000 or BraTS-GLI-00000-000; check the folder"
            )
        return tree, files, misnamed


def _suffix(case, name):
    """`t1` of `<case>_t1.nii.gz`; None if the file is not named after its case."""
    match = re.fullmatch(re.escape(case.name) + r"[_-]([A-Za-z0-9]+)\.nii(?:\.gz)?", name)
    return match[1].lower() if match else None


def _listed(years):
    return " and ".join(map(str, years))
