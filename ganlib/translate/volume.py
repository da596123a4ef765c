"""Translate a whole volume, slice by slice, into one that lies exactly where its source does."""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt
from tqdm.auto import tqdm

from ganlib.cohort.slab import read_slab, volume_mask
from ganlib.cohort.write import checked_name, stem, write_like
from ganlib.errors import InputError
from ganlib.memory import explaining_out_of_memory
from ganlib.models import generators
from ganlib.runs.passage import SLICES_PER_CALL, Passage, neighbours
from ganlib.translate import provenance
from ganlib.translate.direction import choose_direction
from ganlib.validation import validated

_REMEDY = "lower batch_size, or use a machine with more memory"
_FACTS_DIGITS = 6


class VolumeSettings(BaseModel):
    """How volumes are translated."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weights: str = Field("best", description="best, last or averaged")
    samples: NonNegativeInt = Field(0, description="UNIT: draws whose mean and deviation are stored, 2 or more")
    seed: NonNegativeInt = Field(0, description="of the draws")
    resample: bool = Field(False, description="interpolate onto pixels of the run's size, and the result back")
    zero_background: bool = Field(False, description="set what lies outside the source's mask to 0")
    batch_size: PositiveInt = Field(SLICES_PER_CALL, description="slices at a time")


class Translated(NamedTuple):
    """What became of a volume.

    Fields:
        path: the synthetic volume.
        uncertainty: the volume of its standard deviation, or None.
        notes: lines that a reader should see, such as how many slices the network never saw the like of.
        fresh: False if it was there already, from the same source, weights and settings.
    """

    path: Path
    uncertainty: Path | None
    notes: list[str]
    fresh: bool = True


class VolumeTranslator:
    """Translates volumes with the generators of one run, which are loaded once.

    Args:
        run: a trained `Run`.
        settings: `VolumeSettings`, or a dictionary of those that differ from the defaults.

    Raises:
        InputError: a setting is unknown, or the run has no such weights.

    Example:
        >>> translator = VolumeTranslator(Run("results/demo/runs/cyclegan"))                     # doctest: +SKIP
        >>> translator.write("sub-01_T1w.nii.gz", "sub-01_desc-synthetic_T2w.nii.gz").notes      # doctest: +SKIP
        []
    """

    def __init__(self, run, settings=None):
        given = settings if isinstance(settings, dict) or settings is None else settings.model_dump()
        self.run, self.settings = run, validated(VolumeSettings, given or {})
        self.preparation = run.preparation()
        self.passage = Passage(run.config, self.preparation.ranges)
        run.weights(self.settings.weights)

    def write(self, source, output, *, direction=None, mask=None, again=True, progress=True):
        """Translate a file into a file, with a JSON file of its provenance beside it.

        The result has the shape, affine, sform, qform and units of the source, and lies voxel by voxel on it.

        Args:
            source: NIfTI file.
            output: NIfTI file to write; the uncertainty, if sampled, goes to `<name>_uncertainty` beside it.
            direction: as `choose_direction` takes it; None infers it from the file's name.
            mask: mask file of the source, where the run's cohort had such, or for `zero_background`.
            again: False leaves alone what was made before from the same source, weights and settings.
            progress: whether to show a progress bar.

        Returns:
            `Translated`.

        Raises:
            InputError: the file or direction cannot be used; `output` is the source; the disk is full.
        """
        source, output = Path(source), checked_name(output)
        direction = choose_direction(self.run, source, direction)
        if output.exists() and source.exists() and output.samefile(source):
            raise InputError(f"{output}: is the source itself; choose another name")
        if not source.is_file():
            raise InputError(f"{source}: no such file; give an existing .nii or .nii.gz file")
        known, extra = self._identity(source, direction, mask), self._uncertainty_path(output)
        record = output.with_name(f"{stem(output)}.json")
        there = all(path.is_file() for path in (output, extra) if path)
        if not again and there and provenance.is_done(record, known):
            return Translated(output, extra, [], fresh=False)
        slab, volumes, facts, notes = self._translated(source, direction, mask, progress)
        described = f"synthetic {direction.target} not for diagnosis ({self.run.label} ganlib)"
        for path, volume in zip((output, extra), volumes, strict=False):
            write_like(path, volume, slab.source, description=described)
        provenance.write(record, known, {**facts, "notes": notes}, self.preparation.phantom)
        return Translated(output, extra, notes)

    def _identity(self, source, direction, mask):
        settings = self.settings.model_dump(exclude={"weights", "batch_size"})
        settings["mask_sha256"] = None if mask is None else provenance.sha256(Path(mask))
        return provenance.identity(self.run, self.preparation, direction, self.settings.weights, source, settings)

    def _uncertainty_path(self, output):
        if not self.settings.samples:
            return None
        return output.with_name(f"{stem(output)}_uncertainty{output.name[len(stem(output)) :]}")

    def _translated(self, source, direction, mask_path, progress):
        settings, prepared = self.settings, self.preparation
        slab = read_slab(source, prepared, channels=self.passage.channels, resample=settings.resample)
        normalise = prepared.normalise == "subject"
        mask = None
        if normalise or settings.zero_background:
            mask = volume_mask(slab.source, prepared.mask, mask_path=mask_path)
        gain = _gain(slab.source, mask) if normalise else 1.0
        with explaining_out_of_memory(f"{source}: translating", _REMEDY):
            stacks = self._through(slab, direction, gain, progress)
        back = prepared.gains.get(direction.target, 1.0) if normalise else 1.0
        volumes = [slab.restored(stack * np.float32(back)) for stack in stacks]
        if settings.zero_background:
            volumes = [volume * mask for volume in volumes]
        facts = {
            "resampled": slab.resampled,
            "source_gain": round(gain, _FACTS_DIGITS),
            "target_gain": round(back, _FACTS_DIGITS),
            "outside_window": round(slab.lost, _FACTS_DIGITS),
            "slices_outside_training": round(_share_outside(slab, prepared), _FACTS_DIGITS),
        }
        return slab, volumes, facts, list(_notes(facts, prepared))

    def _through(self, slab, direction, gain, progress):
        """Synthetic slices, and their deviation if sampled, in the units of the cohort; empty slices stay empty."""
        around = _neighbours(len(slab.slices), self.passage.channels, slab.stride)
        function, made = self._function(direction), None
        batches = np.array_split(slab.filled, -(-len(slab.filled) // self.settings.batch_size))
        bar = tqdm(desc=f"{slab.source.path.name} to {direction.target}", total=len(slab.filled), unit="slice",
                   disable=None if progress else True)  # fmt: skip
        with bar:
            for numbers in batches:
                images = slab.slices[around[numbers].ravel()] / np.float32(gain)
                entered = self.passage.enter(images, direction.source)
                stacked = entered.reshape(len(numbers), -1, *entered.shape[1:])
                found = self._left(function(np.moveaxis(stacked, 1, -1)), direction.target)
                made = made or [np.zeros(slab.slices.shape, np.float32) for _ in found]
                for stack, part in zip(made, found, strict=True):
                    stack[numbers] = part
                bar.update(len(numbers))
        return made

    def _left(self, found, contrast):
        if isinstance(found, tuple):
            mean, deviation = found
            return self.passage.leave(mean[..., 0], contrast), self.passage.spread(deviation[..., 0], contrast)
        return (self.passage.leave(found[..., 0], contrast),)

    def _function(self, direction):
        network = self._networks[self.run.directions.index(direction)]
        if not self.settings.samples:
            return generators.compiled(network)
        generator = np.random.default_rng(self.settings.seed)
        return functools.partial(generators.sampled(network), samples=self.settings.samples, generator=generator)

    @functools.cached_property
    def _networks(self):
        return generators.load(self.run.weights(self.settings.weights))


def translate_volume(run, source, output, *, direction=None, mask=None, progress=True, **settings):
    """Translate one volume; see `VolumeTranslator.write` and `VolumeSettings`.

    Example:
        >>> translate_volume(Run("runs/unit"), "sub-01_T1w.nii.gz", "out_T2w.nii.gz", samples=20)  # doctest: +SKIP
    """
    return VolumeTranslator(run, settings).write(source, output, direction=direction, mask=mask, progress=progress)


def _neighbours(number, channels, stride):
    """As `ganlib.runs.passage.neighbours`, but every `stride` slices."""
    if stride == 1:
        return neighbours(number, channels)
    around = stride * (np.arange(channels) - channels // 2)
    return np.clip(np.arange(number)[:, np.newaxis] + around, 0, number - 1)


def _gain(volume, mask):
    gain = float(np.median(volume.data[mask]))
    if not gain > 0:
        raise InputError(f"{volume.path}: its median inside the mask is {gain:g}, so that it cannot be normalised")
    return gain


def _share_outside(slab, preparation):
    """Fraction of the filled slices that lie beyond those that training saw."""
    low, high = preparation.slice_mm
    room = slab.plane.voxel_mm(slab.grid)[2] / 2
    positions = slab.positions_mm[slab.filled]
    return float(np.mean((positions < low - room) | (positions > high + room)))


def _notes(facts, preparation):
    low, high = preparation.slice_mm
    if facts["slices_outside_training"] > 0:
        where = f"{low:+g} to {high:+g} mm" if low < high else f"{low:+g} mm"
        yield (
            f"{facts['slices_outside_training']:.0%} of the slices lie where the run never learned "
            f"(it saw {preparation.plane} slices at {where})"
        )
    if facts["outside_window"] > 0:
        height, width = preparation.shape
        yield (
            f"{facts['outside_window']:.1%} of the source lies outside the {height} × {width} pixels that the run "
            "learned from, and is 0 in the result"
        )
    if facts["resampled"]:
        yield "interpolated onto the run's pixels and back, which smooths it"
