"""How NIfTI files become a cohort: one typed, validated object, kept in the cohort's provenance."""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from ganlib.cohort.split import PARTS

_DEFAULT_AXIAL_MM = 12.0
_Index = Annotated[int, Field(ge=0)]
_Share = Annotated[int, Field(ge=0)] | Annotated[float, Field(ge=0, lt=1)]
_Policy = Literal["error", "skip"]


class ImportSettings(BaseModel):
    """How NIfTI files become a cohort. `validation.validated` makes one from a user's values, and errors one line long.

    `normalise="subject"` divides each volume by its own median inside the mask, because scanners and receive gains
    differ; the factor is kept in `Subject.gains`. It hides what it removes: a model can no longer be seen to get a
    subject's overall gain wrong, and a true difference in mean intensity between subjects (age, disease) is gone too.

    Example:
        >>> ImportSettings(slice_mm=(-8, 60), size=(224, 192)).plane
        'axial'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    plane: Literal["axial", "coronal", "sagittal"] = "axial"
    slice_mm: FiniteFloat | tuple[FiniteFloat, FiniteFloat] | None = Field(
        None,
        description="world coordinate of the slice (RAS), or ends of a range; +12 mm if axial and nothing is given",
    )
    slice_index: _Index | list[_Index] | None = Field(
        None, description="instead of `slice_mm`, canonical index: 0 is the lowest, most anterior or rightmost slice"
    )
    slice_step_mm: PositiveFloat | None = Field(None, description="with a range: one slice every so many mm, not all")
    size: tuple[PositiveInt, PositiveInt] | None = Field(
        None, description="height and width, multiples of 4, cropped or padded about the middle; None pads whole slices"
    )
    mask: Literal["nonzero", "computed", "given"] | None = Field(
        None,
        description="None: given if the source names mask files, else nonzero; computed is a head mask, not a brain's",
    )
    normalise: Literal["none", "subject"] = "none"
    resample: bool = Field(False, description="interpolate volumes onto the grid of their subject's first contrast")
    incomplete: _Policy = Field("error", description="subjects that lack a contrast, a mask or a row in a table")
    incomplete_labels: Literal["error", "skip", "empty"] = Field("error", description="empty: no voxel has the label")
    conflicts: _Policy = Field("error", description="two files of one contrast; names that contradict their folders")
    validation: _Share = Field(0.1, description="number of validation subjects, or a fraction below 1")
    test: _Share = Field(0.2, description="number of test subjects, or a fraction below 1")
    seed: int = 0
    split_by: Literal["subject", "family", "site"] | None = Field(
        None, description="who stays together; None: families where they are known. A person always does"
    )
    stratify: list[str] = Field(
        [], description="`site`, or traits of the source's table, of which every part takes its share"
    )
    split: dict[str, str] | str | None = Field(
        None,
        description="instead of `validation`, `test` and `seed`: part of every subject (of every site with "
        "`split_by='site'`), or a file with it",
    )

    @model_validator(mode="before")
    @classmethod
    def _default_position(cls, values):
        given = values.get("slice_mm") is not None or values.get("slice_index") is not None
        if given or values.get("plane", "axial") != "axial":
            return values
        return {**values, "slice_mm": _DEFAULT_AXIAL_MM}

    @field_validator("split")
    @classmethod
    def _known_parts(cls, split):
        for name, part in split.items() if isinstance(split, dict) else ():
            if part not in PARTS:
                raise ValueError(f"part {part!r} of {name!r} is unknown; use {', '.join(PARTS)}")
        return split

    @model_validator(mode="after")
    def _consistent(self):
        if (self.slice_mm is None) == (self.slice_index is None):
            raise ValueError(f"plane {self.plane}: give either `slice_mm` or `slice_index`")
        is_range = isinstance(self.slice_mm, tuple)
        if is_range and not self.slice_mm[0] < self.slice_mm[1]:
            raise ValueError(f"slice_mm: the range {self.slice_mm} does not ascend")
        if self.slice_step_mm is not None and not is_range:
            raise ValueError("slice_step_mm: needs a range, such as slice_mm=(-8, 60)")
        if self.size is not None and any(length % 4 for length in self.size):
            raise ValueError(f"size: {self.size} are not multiples of 4, but networks halve a slice twice")
        if self.split is not None and self.stratify:
            raise ValueError("stratify: a split that is given cannot be stratified; leave one out")
        return self
