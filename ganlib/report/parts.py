"""What a report is made of: sections with text, lists, tables and pictures."""

from dataclasses import dataclass, field

import plotly.graph_objects as go


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Args:
        text: plain text.
        kind: `"plain"`, `"note"` (small), or `"warning"` (framed).
    """

    text: str
    kind: str = "plain"
    name = "text"


@dataclass(frozen=True)
class Bullets:
    """A list of lines, plain text.

    Args:
        lines: the lines.
    """

    lines: list[str]
    name = "bullets"


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Args:
        text: what stands in it.
        letters: set high behind it.
        strong: whether it stands out.
    """

    text: str
    letters: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """A table with a caption.

    Args:
        caption: what is shown, under which protocol, and how to read it.
        heads: heads of the columns, the first of the column of row names.
        rows: rows of `Cell`; the first of each is the row's name.
        quiet: names of rows that are set back, such as those of baselines.
        numeric: whether all cells but the first of a row are numbers, to be aligned at the right.
        words: heads of columns of a numeric table that hold words, aligned at the left and broken into lines.
    """

    caption: str
    heads: list[str]
    rows: list[list[Cell]]
    quiet: tuple[str, ...] = ()
    numeric: bool = True
    words: tuple[str, ...] = ()
    name = "table"


@dataclass(frozen=True)
class Picture:
    """A figure with a caption.

    Args:
        caption: what to see in it.
        figure: `plotly.graph_objects.Figure`.
        raster: whether it is of pixels, such as images, so that it is embedded as a picture and not as lines.
    """

    caption: str
    figure: go.Figure
    raster: bool = False
    name = "picture"


@dataclass(frozen=True)
class Section:
    """A section.

    Args:
        title: its heading.
        parts: `Text`, `Bullets`, `Table` and `Picture`.
    """

    title: str
    parts: list = field(default_factory=list)

    @property
    def anchor(self):
        """Name that a link can lead to."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.title.lower())


def cells(*texts):
    """A row of plain cells."""
    return [text if isinstance(text, Cell) else Cell(str(text)) for text in texts]
