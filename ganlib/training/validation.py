"""How good the generators are on the validation subjects, after each epoch."""

from typing import NamedTuple

import numpy as np

from ganlib.evaluation import metrics
from ganlib.evaluation.realism import wasserstein
from ganlib.evaluation.registration import residual_shift
from ganlib.models import generators
from ganlib.models.registry import method
from ganlib.runs.passage import Passage

#: Validation subjects in the sample picture.
SAMPLE_SUBJECTS = 4
#: Without a clear likeness the shift of one image against another cannot be told: correlation inside the mask. A real
#: image shifted by 2 pixels still has 0.6 with itself (phantom at 2 mm).
_LIKENESS_FOR_SHIFT = 0.4
#: In smaller images nothing is left once the border of the mask is faded out, pixels.
_SIDE_FOR_SHIFT = 32
_VOXELS_PER_SUBJECT = 10_000


class Validation(NamedTuple):
    """What one look at the validation subjects gave.

    Args:
        scores: mean over the subjects by `metric_direction`, such as `psnr_db_t1w_to_t2w`.
        picture: uint8 (rows, columns), or None without validation subjects.
    """

    scores: dict[str, float]
    picture: np.ndarray | None


class NotFiniteError(ArithmeticError):
    """A generator made NaN or infinite values."""


class Validator:
    """Scores the generators on the validation subjects, under protocol `masked`.

    Beside MAE (fraction of range), PSNR (dB) and SSIM it gives the correlation with the real image inside the mask,
    the shift against it in pixels (middle slices of four subjects, their median; NaN while they are too unlike) and,
    for methods that need no pairs, `label_free`. The latter looks at no pair of real images, so that it may choose an
    epoch where there are none: the error of the way there and back again (MAE inside the mask, fraction of range) plus
    the Wasserstein-1 distance between the intensities of all synthetic and those of all real images of the target
    contrast (fraction of range). Each of the two alone is fooled, the first by doing nothing, the second by any image
    with the right histogram.

    Args:
        cohort: the open cohort.
        config: `RunConfig`.
        model: the `Translator` in training.
    """

    def __init__(self, cohort, config, model):
        self.cohort, self.directions = cohort, config.directions
        self.passage = Passage(config, cohort.ranges)
        networks = (model.to_b, model.to_a)
        self.translate = {
            direction: generators.compiled(network)
            for direction, network in zip(self.directions, networks, strict=True)
        }
        self.ids = cohort.ids("validation")
        self.label_free = config.best_on == "label_free" or not method(config.method).PAIRED
        self.has_ssim = min(config.image_shape) >= metrics.SSIM_WINDOW

    def validate(self):
        """Score both directions: `Validation`.

        Raises:
            NotFiniteError: a synthetic image has NaN or infinite values.
        """
        if not self.ids:
            return Validation({}, None)
        forth, back = (self._direction(direction) for direction in self.directions)
        rows = [np.hstack(pair) for pair in zip(forth.rows, back.rows, strict=True)]
        return Validation({**forth.scores, **back.scores}, np.uint8(np.clip(255 * np.vstack(rows), 0, 255)))

    def _direction(self, direction):
        tally = _Tally(direction, self.has_ssim)
        for subject_id in self.ids:
            source, target = (self.cohort.images(subject_id, contrast) for contrast in direction)
            mask = self.cohort.mask(subject_id)
            entered = self.passage.enter(source, direction.source)
            made = self.passage.through(self.translate[direction], entered)
            if not np.isfinite(made).all():
                raise NotFiniteError(direction.name)
            fractions = [
                self._fraction(source, direction.source),
                self._fraction(self.passage.leave(made, direction.target), direction.target),
                self._fraction(target, direction.target),
            ]
            tally.add(*fractions, mask)
            if self.label_free:
                tally.add_way_back(fractions[0], self._back(made, direction), mask)
        return tally

    def _back(self, made, direction):
        """Synthetic images, in network units, translated back: fractions of the source's range."""
        other = self.directions[1 - self.directions.index(direction)]
        back = self.passage.through(self.translate[other], made)
        return self._fraction(self.passage.leave(back, other.target), other.target)

    def _fraction(self, images, contrast):
        return self.cohort.ranges[contrast].fraction(images)


class _Tally:
    """Collects the scores of one direction, subject by subject."""

    def __init__(self, direction, has_ssim):
        self.direction, self.has_ssim = direction, has_ssim
        self.scored, self.shifts, self.errors_back, self.rows = [], [], [], []
        self.synthetic_voxels, self.real_voxels = [], []

    def add(self, source, synthetic, target, mask):
        """Score one subject; images are float (slices, height, width), fractions of the range."""
        scores = {
            "mae": metrics.mae(target, synthetic, mask=mask),
            "psnr_db": metrics.psnr(target, synthetic, mask=mask, data_range=1),
            "correlation": _correlation(target[mask], synthetic[mask]),
        }
        if self.has_ssim:
            scores["ssim"] = metrics.ssim(target, synthetic, mask=mask, data_range=1)
        self.scored.append(scores)
        middle = len(mask) // 2
        if len(self.rows) < SAMPLE_SUBJECTS:
            self.rows.append(np.hstack([source[middle], synthetic[middle], target[middle]]))
        alike = scores["correlation"] >= _LIKENESS_FOR_SHIFT and mask[middle].any()
        if alike and min(mask.shape[1:]) >= _SIDE_FOR_SHIFT and len(self.scored) <= SAMPLE_SUBJECTS:
            images = target[middle], synthetic[middle]
            self.shifts.append(residual_shift(*images, mask=mask[middle], voxel_mm=(1, 1))[0])
        self.synthetic_voxels.append(_thinned(synthetic[mask]))
        self.real_voxels.append(_thinned(target[mask]))

    def add_way_back(self, source, back, mask):
        """Note how far the way there and back again leads from a subject's source."""
        self.errors_back.append(metrics.mae(source, back, mask=mask))

    @property
    def scores(self):
        """Means over the subjects, by `metric_direction`."""
        scores = {name: np.mean([each[name] for each in self.scored]) for name in self.scored[0]}
        scores["shift_px"] = self._shift_px()
        if self.errors_back:
            real, synthetic = (np.concatenate(parts) for parts in (self.real_voxels, self.synthetic_voxels))
            distance = wasserstein(real, synthetic, mask=np.ones(real.shape, bool))
            scores["label_free"] = np.mean(self.errors_back) + distance
        return {f"{name}_{self.direction.name}": float(value) for name, value in scores.items()}

    def _shift_px(self):
        shifts = np.array(self.shifts or [(np.nan, np.nan)])
        shifts = shifts[np.isfinite(shifts).all(axis=1)]
        return np.hypot(*np.median(shifts, axis=0)) if len(shifts) else np.nan


def _correlation(target, synthetic):
    """Pearson's; 0 where one of the images has no contrast at all."""
    if np.ptp(target) == 0 or np.ptp(synthetic) == 0:
        return 0.0
    return float(np.corrcoef(target, synthetic)[0, 1])


def _thinned(values):
    return values[:: len(values) // _VOXELS_PER_SUBJECT + 1]
