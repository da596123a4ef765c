"""The Human Connectome Project."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ganlib.cohort.sources.listing import Source, Survey, all_ids, chosen_contrasts
from ganlib.cohort.sources.people import PeopleTable, Person
from ganlib.cohort.sources.tree import BROKEN, NIFTI, Tree, check_folder, entry
from ganlib.errors import InputError

#: Young Adult: six digits. Aging and Development: `HCA6002236_V1_MR`, a visit of a person.
_SUBJECT = re.compile(r"(\d{6})|(HC[AD]\d{7})_V\d+_MR")
_SPACES = {"MNI": ("MNINonLinear", "restore"), "native": ("T1w", "acpc_dc_restore")}
_CONTRASTS = ("T1w", "T2w")
#: Half-siblings share a mother or a father, but not the family's id.
_FAMILY_COLUMNS = ("Family_ID", "Mother_ID", "Father_ID")
_SEGMENTATION = "aparc+aseg"
_MASK = "brainmask_fs"


@dataclass(frozen=True)
class HcpSource(Source):
    """Structural images of the HCP's preprocessed releases: `<subject>/MNINonLinear/T1w_restore_brain.nii.gz` and such.

    Only the files that are needed are looked for, since a subject's folder holds thousands.

    Args:
        folder: the folder that holds the subjects' folders.
        contrasts: list of `T1w` and `T2w`, or dictionary from the name wanted to one of them; None for both.
        space: `"MNI"`, `MNINonLinear/T1w_restore…`; or `"native"`, `T1w/T1w_acpc_dc_restore…`.
        brain: the skull-stripped images, `…_brain`, instead of the whole heads.
        mask: `"brain"` for the brain mask `brainmask_fs`, or None.
        labels: dictionary from label to the codes of `aparc+aseg` that carry it, such as `{"white matter": [2, 41]}`.
        subjects: ids to use; None for all.
        table: CSV file with a row per subject, relative to `folder` or absolute, or a list of such files (the
            restricted one has the families, the unrestricted one the sex).
        family_column: its column of families, or a list of columns; None takes those of `Family_ID`, `Mother_ID` and
            `Father_ID` that it has.
        subject_column: its column of subject ids.
        traits: its columns by which a split may be stratified, such as `["Gender"]`.
        follow_links: also take what links find outside `folder`.

    Raises:
        InputError: the folder is missing, or an option is unknown.

    Source: Glasser et al. 2013, NeuroImage 80:105; Van Essen et al. 2013, NeuroImage 80:62.

    Example:
        >>> HcpSource("hcp", table="restricted.csv").find().subjects[0].family   # doctest: +SKIP
        '51488_81149'
    """

    folder: str | Path
    contrasts: list[str] | dict[str, str] | None = None
    space: Literal["MNI", "native"] = "MNI"
    brain: bool = True
    mask: Literal["brain"] | None = None
    labels: dict[str, list[int]] = field(default_factory=dict)
    subjects: list[str] | None = None
    table: str | Path | list[str] | None = None
    family_column: str | list[str] | None = None
    subject_column: str = "Subject"
    traits: list[str] = field(default_factory=list)
    follow_links: bool = False

    def __post_init__(self):
        check_folder(self.folder)
        chosen = chosen_contrasts(self.folder, self.contrasts, _CONTRASTS)
        object.__setattr__(self, "images", chosen)
        object.__setattr__(self, "contrasts", list(chosen))
        if self.space not in _SPACES:
            raise InputError(f"space {self.space!r} is unknown in the HCP layout; use {' or '.join(_SPACES)}")
        if self.mask not in (None, "brain"):
            raise InputError(f"mask {self.mask!r} is unknown in the HCP layout; use brain, or leave it out")
        if self.table is None and (self.family_column or self.traits):
            raise InputError("`family_column` and `traits` need a `table`; give the HCP's CSV file")

    @property
    def label_codes(self):
        """Dictionary from label to the codes that carry it."""
        return {name: list(codes) for name, codes in self.labels.items()}

    def describe(self):
        """The source as plain data, for the provenance; of the folder only its name, which may be private."""
        return {
            "kind": "HCP",
            "folder": Path(self.folder).resolve().name,
            "files": {what: f"{path}.nii.gz" for what, path in self._files().items()},
            "families": [path.name for path in self._tables()] if self.table else None,
        }

    def survey(self):
        """Look for the files of every subject's folder; returns `Survey`."""
        tree = Tree()
        names = [path.name for path in sorted(Path(self.folder).iterdir()) if self._is_subject(tree, path)]
        found = {what: self._found(tree, names, path) for what, path in self._files().items()}
        if not any(found[contrast] for contrast in self.contrasts):
            raise InputError(
                f"{self.folder}: none of its {len(names)} subject folders (six digits) has "
                f"{self._files()[self.contrasts[0]]}.nii.gz; give the folder that holds the subjects' folders"
            )
        # A subject's folder without any of the images is a subject, too, of which everything is missing.
        for name in names:
            found[self.contrasts[0]].setdefault(name, [])
        ids = all_ids(found, self.contrasts)
        return Survey(found, tree, self._people(ids), notes=self._notes())

    def _is_subject(self, tree, path):
        if path.name.startswith("."):
            return False
        if _SUBJECT.fullmatch(path.name) and path.is_dir():
            return True
        shown = path.name if path.name.isprintable() else ascii(path.name)
        if path.is_symlink() and not path.exists():
            tree.ignored[shown] = BROKEN
        elif path.is_dir():
            tree.ignored[shown] = "the folder's name is no HCP subject id, which has six digits"
        return False

    def _files(self):
        folder, stem = _SPACES[self.space]
        brain = "_brain" if self.brain else ""
        files = {name: f"{folder}/{image}_{stem}{brain}" for name, image in self.images.items()}
        if self.mask is not None:
            files["mask"] = f"{folder}/{_MASK}"
        return files | {f"label {name}": f"{folder}/{_SEGMENTATION}" for name in self.labels}

    def _found(self, tree, names, path):
        folder, found = Path(self.folder), {}
        for name in names:
            paths = [folder / name / f"{path}{suffix}" for suffix in NIFTI]
            entries = [entry(tree, folder, each, follow_links=self.follow_links) for each in paths]
            if any(entries):
                found[name] = [each for each in entries if each]
        return found

    def _tables(self):
        tables = self.table if isinstance(self.table, list) else [self.table]
        return [Path(self.folder) / table for table in tables]

    def _people(self, ids):
        persons = {i: _SUBJECT.fullmatch(i)[1] or _SUBJECT.fullmatch(i)[2] for i in ids}
        if self.table is None:
            return {i: Person(id=person) for i, person in persons.items()}
        table = PeopleTable(self._tables(), self.subject_column)
        return table.people(persons, families=self._family_columns(table), traits=self.traits)

    def _family_columns(self, table):
        if self.family_column is not None:
            return [self.family_column] if isinstance(self.family_column, str) else self.family_column
        columns = [name for name in _FAMILY_COLUMNS if name in table.columns]
        if not columns:
            raise InputError(
                f"{table.name}: no column of families ({', '.join(_FAMILY_COLUMNS)}), as in the unrestricted table; "
                "give the restricted one too, or name its column by family_column"
            )
        return columns

    def _notes(self):
        if self.table is not None:
            return []
        return ["no table of families: twins and siblings may stand on both sides of the split; give the HCP's table"]
