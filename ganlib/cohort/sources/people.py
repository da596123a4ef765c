"""Tables of people: who is whose relative, where somebody was scanned, and what else a split may look at."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

from ganlib.errors import InputError

_EMPTY = {"", "n/a", "na", "nan"}


@dataclass(frozen=True)
class Person:
    """What is known of a subject besides the files.

    Args:
        id: who was scanned; None where every subject is a person of its own.
        family: family, or person, whose members stay together; None if unrelated to everybody.
        site: where, or None.
        traits: further columns by name.
        trouble: why the subject cannot be used, in a few words, and as an error message; None if it can.
    """

    id: str | None = None
    family: str | None = None
    site: str | None = None
    traits: dict[str, str] = field(default_factory=dict)
    trouble: tuple[str, str] | None = None


def read_table(path, what="people"):
    """Rows of a CSV or TSV file (by its suffix), each a dictionary from column to cell without spaces around it.

    Raises:
        InputError: the file is missing, or not a table in UTF-8.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such table of {what}; give an existing .csv or .tsv file")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
            columns = [column for column in rows.fieldnames or () if column is not None]
            return columns, [{column: _text(row[column]) for column in columns} for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a table in UTF-8 ({error}); save it as CSV or TSV") from error


class PeopleTable:
    """One table or several, a row per person.

    Args:
        paths: CSV or TSV files; a person's rows are put together.
        subject_column: column that names the person.
        key: function from a cell of that column to the person's id, where the table writes it otherwise.

    Raises:
        InputError: a table is unusable, or lacks the column.
    """

    def __init__(self, paths, subject_column, *, key=str):
        self.paths = [Path(path) for path in paths]
        self.columns, self._rows = [], []
        for path in self.paths:
            columns, rows = read_table(path, "families")
            if subject_column not in columns:
                raise InputError(f"{path}: no column {subject_column!r}; its columns are {_listed(columns)}")
            self.columns += columns
            self._rows += [(key(row[subject_column]), row) for row in rows]

    @property
    def name(self):
        """The files, as in a message."""
        return " and ".join(map(str, self.paths))

    def column(self, name, what):
        """Dictionary from person to cell.

        Raises:
            InputError: the column is missing, or a person has two different cells.
        """
        if name not in self.columns:
            raise InputError(f"{self.name}: no column {name!r}; its columns are {_listed(self.columns)}")
        cells = {}
        for person, row in self._rows:
            cell = row.get(name)
            if cell is not None and cells.setdefault(person, cell) != cell:
                raise InputError(
                    f"{self.name}: subject {person!r} has two {what}, {cells[person]!r} and {cell!r}; keep one"
                )
        return cells

    def people(self, subjects, *, families=(), site=None, traits=()):
        """`Person` of each subject.

        Persons are of one family if they share a cell in any of the columns of families: half-siblings share a mother
        or a father, but not the family's id.

        Args:
            subjects: dictionary from subject to person.
            families: columns that tie relatives together.
            site: column of sites, or None.
            traits: further columns to keep.

        Raises:
            InputError: as `column`.
        """
        family_of = _families([self.column(name, "families") for name in families])
        sites = {} if site is None else self.column(site, "sites")
        columns = {name: self.column(name, name) for name in traits}
        rows = {person for person, _ in self._rows}
        return {
            subject: Person(
                id=person,
                family=family_of.get(person),
                site=_known(sites.get(person)),
                traits={name: cells.get(person, "") for name, cells in columns.items()},
                trouble=None if person in rows else self._no_row(person, families),
            )
            for subject, person in subjects.items()
        }

    def _no_row(self, person, families):
        what = ", with its family, or n/a if it has no relatives" if families else ""
        return f"no row in {self.paths[0].name}", f"{self.name}: no row for subject {person!r}; add it{what}"


def _families(columns):
    """Dictionary from person to family: the connected pieces of who shares a cell with whom."""
    # A node is a person, or a cell of a column; a cell of the first column is the least, and names the piece.
    parent, persons = {}, len(columns)

    def root(node):
        while parent.setdefault(node, node) != node:
            node = parent[node]
        return node

    for number, cells in enumerate(columns):
        for person, cell in cells.items():
            if _known(cell) is not None:
                least, other = sorted((root((persons, person)), root((number, cell))))
                parent[other] = least
    return {name: root((kind, name))[1] for kind, name in list(parent) if kind == persons}


def _known(cell):
    return None if cell is None or cell.lower() in _EMPTY else cell


def _text(cell):
    return (cell or "").strip()


def _listed(columns, most=12):
    shown = ", ".join(column if column.isprintable() else ascii(column) for column in columns[:most])
    return f"{shown} and {len(columns) - most} more" if len(columns) > most else shown
