"""What was done to images before the networks of a run saw them, so that new volumes are treated alike."""

from collections.abc import Iterable
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ganlib.cohort import IntensityRange

#: Direction cosines closer to the world's axes than this are on them.
_AXIS_TOLERANCE = 1e-3
_STEP_TOLERANCE = 0.05


class Preparation(BaseModel):
    """How a cohort was made of volumes: kept in the run folder, so that translating needs no cohort file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cohort: str = Field(description="the cohort's name")
    phantom: bool
    split_hash: str
    plane: Literal["axial", "coronal", "sagittal"]
    orientation: str = Field(description="axis codes of the canonical orientation, index to direction")
    voxel_mm: tuple[float, float, float] = Field(description="row, column and slice spacing")
    shape: tuple[int, int] = Field(description="height and width of a slice, pixels")
    slice_mm: tuple[float, float] = Field(description="lowest and highest slice that training saw, mm")
    slice_step_mm: float | None = Field(None, description="distance of neighbouring slices; None if it is not known")
    on_axes: bool = Field(description="true if the volumes' axes were the world's")
    scaling: dict[str, tuple[float, float]] = Field(description="intensity range of each contrast")
    normalise: Literal["none", "subject"] = "none"
    mask: Literal["nonzero", "computed", "given"] = "nonzero"
    gains: dict[str, float] = Field(
        default_factory=dict, description="with normalise='subject', median gain of the training volumes by contrast"
    )

    @property
    def ranges(self):
        """`IntensityRange` of each contrast."""
        return {name: IntensityRange(*ends) for name, ends in self.scaling.items()}

    @classmethod
    def of(cls, cohort, contrasts: Iterable[str]):
        """Read it from an open `Cohort`, for the contrasts of a run."""
        header, contrasts = cohort.header, list(contrasts)
        training = [subject for subject in cohort.subjects if subject.split == "train"]
        settings = header.provenance.get("settings", {})
        gains = {name: [subject.gains[name] for subject in training if name in subject.gains] for name in contrasts}
        return cls(
            cohort=header.name,
            phantom=header.phantom,
            split_hash=cohort.split_hash,
            plane=header.plane,
            orientation=header.orientation,
            voxel_mm=header.voxel_mm,
            shape=cohort.shape,
            slice_mm=(min(min(s.slice_mm) for s in training), max(max(s.slice_mm) for s in training)),
            slice_step_mm=_step_mm(training),
            on_axes=all(_is_on_axes(subject.affine) for subject in training),
            scaling={name: header.ranges[name] for name in contrasts},
            normalise=settings.get("normalise", "none"),
            mask=_mask(settings, training),
            gains={name: float(np.median(values)) for name, values in gains.items() if values},
        )


def _mask(settings, subjects):
    if settings.get("mask") is not None:
        return settings["mask"]
    return "given" if any("mask" in subject.sources for subject in subjects) else "nonzero"


def _step_mm(subjects):
    """Distance of a slice to the next, if it is the same everywhere."""
    steps = np.concatenate([np.diff(sorted(subject.slice_mm)) for subject in subjects])
    if not steps.size or np.ptp(steps) > _STEP_TOLERANCE * steps.mean():
        return None
    return float(np.median(steps))


def _is_on_axes(affine):
    directions = np.abs(np.array(affine)[:3, :3])
    directions = directions / np.linalg.norm(directions, axis=0)
    return bool(np.abs(directions - np.round(directions)).max() < _AXIS_TOLERANCE)
