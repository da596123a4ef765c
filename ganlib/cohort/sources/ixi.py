"""The IXI data set."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from ganlib.cohort.sources.listing import Source, Survey, all_ids, by_subject, chosen_contrasts
from ganlib.cohort.sources.people import PeopleTable, Person
from ganlib.cohort.sources.tree import check_folder, listed
from ganlib.errors import InputError

_CONTRASTS = ("T1", "T2", "PD")
_NAME = re.compile(r"(IXI(\d{3})-([A-Za-z]+)-(\d{4}))-([A-Z0-9]+)(-\d+)?\.nii(\.gz)?")


@dataclass(frozen=True)
class IxiSource(Source):
    """Files of the IXI data set, `IXI012-HH-1211-T1.nii.gz`, wherever below the folder.

    The name holds person, site and scan; a subject's id is all three, `IXI012-HH-1211`. T2 and PD share a grid, T1 has
    its own: register them, or import with `resample=True` if the heads lie still enough.

    Args:
        folder: the folder that holds the unpacked archives.
        contrasts: list of `T1`, `T2` and `PD`, or dictionary from the name wanted to one of them; None for T1 and T2.
        subjects: ids to use; None for all.
        table: IXI's table of people saved as CSV, relative to `folder` or absolute; or None.
        subject_column: its column of the person's number.
        traits: its columns by which a split may be stratified, such as `["SEX_ID (1=m, 2=f)"]`.
        follow_links: also take what links find outside `folder`.

    Raises:
        InputError: the folder is missing, or an option is unknown.

    Source: https://brain-development.org/ixi-dataset/ (CC BY-SA 3.0). Sites: Guy's Hospital (1.5 T), Hammersmith
        Hospital (3 T), Institute of Psychiatry (1.5 T).
    """

    folder: str | Path
    contrasts: list[str] | dict[str, str] | None = None
    subjects: list[str] | None = None
    table: str | Path | None = None
    subject_column: str = "IXI_ID"
    traits: list[str] = field(default_factory=list)
    follow_links: bool = False

    mask = None
    labels = ()
    label_codes = {}

    def __post_init__(self):
        check_folder(self.folder)
        chosen = chosen_contrasts(self.folder, self.contrasts or ["T1", "T2"], _CONTRASTS)
        object.__setattr__(self, "images", chosen)
        object.__setattr__(self, "contrasts", list(chosen))
        if (self.table is None) != (not self.traits):
            raise InputError("`table` and `traits` go together; give both or neither")

    def describe(self):
        """The source as plain data, for the provenance; of the folder only its name, which may be private."""
        return {"kind": "IXI", "folder": Path(self.folder).resolve().name, "images": dict(self.images)}

    def survey(self):
        """Read every file's name; returns `Survey`."""
        tree = listed(self.folder, follow_links=self.follow_links)
        found, sites = {}, {}
        matches = [(_NAME.fullmatch(entry.path.rpartition("/")[2]), entry) for entry in tree.entries]
        for name, image in self.images.items():
            pairs = [(match[1], entry) for match, entry in matches if match and match[5] == image]
            if not pairs:
                raise InputError(
                    f"{self.folder}: none of its {len(matches)} .nii and .nii.gz files is named as IXI's {image}, "
                    f"such as IXI012-HH-1211-{image}.nii.gz ({name}); give the folder of the unpacked archives"
                )
            found[name] = by_subject(pairs)
        for match, entry in matches:
            if match:
                sites[match[1]] = match[3]
            elif "ixi" in entry.path.rpartition("/")[2].lower():
                tree.ignored[entry.path] = "not named as IXI names its files, such as IXI012-HH-1211-T1.nii.gz"
        return Survey(found, tree, self._people(all_ids(found, self.contrasts), sites))

    def _people(self, ids, sites):
        persons = {i: i.partition("-")[0] for i in ids}
        if self.table is None:
            return {i: Person(id=persons[i], site=sites[i]) for i in ids}
        table = PeopleTable([Path(self.folder) / self.table], self.subject_column, key=_person)
        people = table.people(persons, traits=self.traits)
        return {i: Person(persons[i], None, sites[i], people[i].traits, people[i].trouble) for i in ids}


def _person(cell):
    """`IXI012` from the table's `12` (or `12.0`, as spreadsheets like to save it)."""
    number = cell.removesuffix(".0").removeprefix("IXI")
    return f"IXI{int(number):03d}" if number.isdecimal() else cell
