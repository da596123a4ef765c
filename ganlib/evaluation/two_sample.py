"""The classifier two-sample test: can a small classifier tell synthetic slices from real ones?"""

from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter, uniform_filter
from scipy.optimize import brentq
from scipy.stats import rankdata

from ganlib.errors import InputError
from ganlib.evaluation.cases import BASELINES, mean_image, read_case
from ganlib.evaluation.comparable import require_same_directions
from ganlib.evaluation.parallel import in_order
from ganlib.evaluation.spectrum import POWER_FLOOR, radial_spectrum
from ganlib.evaluation.unscorable import unscorable
from ganlib.evaluation.voxels import as_slices, require_finite, require_mask, require_same_shape
from ganlib.evaluation.window import window

#: Parts that the subjects are divided into; a classifier sees all but one of them.
FOLDS = 5
#: Times that the subjects are divided anew.
REPEATS = 3
#: Random exchanges of real and synthetic that say what chance gives.
PERMUTATIONS = 499
#: Fewest subjects that can be divided.
FEWEST_SUBJECTS = 4

COLUMNS = ["method", "run", "direction", "source", "target", "seed", "n", "auc", "low", "high", "p", "phantom"]

_BANDS = 12
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_SCALES = (1.0, 2.0)
#: Strength of the ridge penalty: features are standardised, and there may be as many as subjects.
_PENALTY = 10.0
_NEXT = 1e-9
#: Half-width of a 95 % interval, in standard errors.
_NORMAL = 1.96


def features(image, *, mask):
    """What the classifier sees of a slice: no anatomy, only how the image is made.

    Power in 12 bands of spatial frequency (decibels); 5 quantiles of the intensity; 5 quantiles of the local standard
    deviation within 5 × 5 pixels; standard deviation and kurtosis of the difference between the image and its blur, at
    two scales. Everything inside the mask.

    Args:
        image: float array (height, width), in fractions of the contrast's range.
        mask: boolean array of the same shape.

    Returns:
        float64 vector.

    Raises:
        ValueError: shapes differ, the mask is empty or too thin, or a value inside is not finite.
    """
    mask = require_mask(mask)
    require_same_shape(image=image, mask=mask)
    require_finite(image=np.asarray(image)[mask])
    image = np.where(mask, image, 0).astype(float)
    power = radial_spectrum(image, mask=mask, voxel_mm=(1, 1)).power
    bands = [part.mean() for part in np.array_split(power, min(_BANDS, len(power)))]
    inner = window(mask, margin=3) > 0  # pixels whose neighbours are inside too
    inner = inner if inner.any() else mask
    local = uniform_filter(image**2, 5) - uniform_filter(image, 5) ** 2
    details = [(image - gaussian_filter(image, scale))[inner] for scale in _SCALES]
    moments = [(detail.std(), np.mean(detail**4) / (np.mean(detail**2) ** 2 + 1e-12)) for detail in details]
    return np.concatenate([
        10 * np.log10(np.maximum(bands, POWER_FLOOR)),
        np.quantile(image[mask], _QUANTILES),
        np.quantile(np.sqrt(np.maximum(local[inner], 0)), _QUANTILES),
        np.ravel(moments),
    ])  # fmt: skip


class TwoSample(NamedTuple):
    """Outcome of a two-sample test.

    Args:
        auc: area under the ROC curve; 0.5 where the classifier guesses, 1 where it is always right.
        low: lower end of the 95 % interval.
        high: upper end.
        p: how often chance gives such an AUC or a larger one; not below 1 / (`PERMUTATIONS` + 1).
    """

    auc: float
    low: float
    high: float
    p: float


def two_sample_test(real, synthetic, subjects, *, permutations=PERMUTATIONS, seed=0):
    """Area under the ROC curve of a classifier that tells real from synthetic slices of subjects it has not seen.

    A linear classifier (ridge regression of the label on standardised features); both images of a subject are always in
    the same fold, since a classifier that has seen a subject's real slice knows its synthetic one. The score of a slice
    is the mean over repeated divisions. Chance is what the same procedure gives when real and synthetic are exchanged
    for a random half of the subjects; with few subjects that is somewhat below 0.5, and wider than independent scores
    would be. The interval is a score interval for the AUC, scaled to the width of chance.

    Args:
        real: features of real slices, float array (slices, features).
        synthetic: features of synthetic ones, same shape, row by row of the same slices.
        subjects: whose slice each row is, vector (slices,).
        permutations: number of random exchanges.
        seed: of the divisions and the exchanges.

    Returns:
        `TwoSample`.

    Raises:
        ValueError: shapes differ, a value is not finite, or there are fewer than `FEWEST_SUBJECTS` subjects.

    Source: Lopez-Paz & Oquab 2017, Revisiting Classifier Two-Sample Tests, ICLR; Newcombe 2006, Statistics in Medicine
        25(4):559, method 5, for the interval.
    """
    require_same_shape(real=real, synthetic=synthetic)
    real, synthetic = require_finite(real=real, synthetic=synthetic)
    names, owners = np.unique(np.asarray(subjects), return_inverse=True)
    if len(names) < FEWEST_SUBJECTS:
        raise ValueError(f"{len(names)} subjects; a two-sample test needs at least {FEWEST_SUBJECTS}")
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (len(names), permutations))
    # The first column holds the true labels, the others exchange them subject by subject.
    labels = np.concatenate([np.ones((len(names), 1)), signs], axis=1)[owners]
    labels = np.concatenate([-labels, labels])
    rows, groups = np.concatenate([real, synthetic]), np.tile(owners, 2)
    scores = np.mean([_held_out_scores(rows, labels, groups, seed + repeat) for repeat in range(REPEATS)], axis=0)
    auc, *by_chance = _areas(scores, labels)
    low, high = _score_interval(auc, len(names), np.std(by_chance))
    return TwoSample(float(auc), low, high, float((1 + np.sum(by_chance >= auc)) / (1 + permutations)))


def evaluate_two_sample(runs, *, progress=True):
    """The two-sample test of several runs and the baselines, on the test subjects, and `two_sample.parquet` with each.

    Args:
        runs: list of `ganlib.runs.Run` of one cohort, with the same contrasts and test subjects.
        progress: whether to show a progress bar.

    Returns:
        List of `pandas.DataFrame`, one per run, one row per method (the run's and the baselines) and direction, with
        the columns `COLUMNS`; n counts subjects.

    Raises:
        InputError: a translation is missing or cannot be used, there are too few test subjects, or the runs cannot be
            scored together.
    """
    runs = list(runs)
    if not runs:
        raise InputError("no run to test; give at least one translated run")
    for run in runs[1:]:
        require_same_directions(runs[0], run)
    with runs[0].cohort() as cohort:
        test_ids = runs[0].test_ids(cohort)
        found = [_of_direction(runs, cohort, test_ids, direction, progress) for direction in runs[0].directions]
    tables = []
    for place, run in enumerate(runs):
        tables.append(pd.DataFrame([row for part in found for row in part[place]], columns=COLUMNS))
        run.write_scores(tables[-1], "two_sample")
    return tables


def _of_direction(runs, cohort, test_ids, direction, progress):
    """Rows of one direction, a list per run."""
    mean = mean_image(cohort, runs[0].split["train"], direction.target)
    work = partial(_features_of_case, runs, cohort, direction, mean)
    seen = {}
    for part in in_order(work, test_ids, f"two-sample test, {direction.label}", progress):
        for name, rows in part.items():
            seen.setdefault(name, []).extend(rows)
    test = partial(_row, direction, seen["real"])
    baselines = [test(runs[0], name, seen[name]) for name in seen if name in BASELINES]
    return [[test(run, run.label, seen[run.folder]), *baselines] for run in runs]


def _features_of_case(runs, cohort, direction, mean, subject_id):
    """Subject and features of every slice, by whose image it is: `real`, a baseline, or a run's folder."""
    case = read_case(cohort, direction, subject_id, mean)
    images = {"real": case.target, **case.baselines}
    found = {name: _of_image(cohort.path, case, image, name) for name, image in images.items()}
    made = {run.folder: (run, run.synthetic(subject_id, direction)) for run in runs}
    return found | {key: _of_image(cohort.path, case, image, run.label, run) for key, (run, image) in made.items()}


def _of_image(cohort_path, case, image, method, run=None):
    """Subject and features of each slice that has a mask."""
    fractions = case.intensity_range.fraction(image)
    try:
        require_same_shape(target=case.target, synthetic=image)
        slices = zip(as_slices(fractions), as_slices(case.mask), strict=True)
        return [(case.subject_id, features(picture, mask=mask)) for picture, mask in slices if mask.any()]
    except ValueError as error:
        raise unscorable(error, case, method, cohort_path=cohort_path, run=run) from error


def _row(direction, real, run, method, synthetic):
    subjects = [subject for subject, _ in real]
    stacks = [np.array([row for _, row in rows]) for rows in (real, synthetic)]
    try:
        found = two_sample_test(*stacks, subjects)
    except ValueError as error:
        raise InputError(f"{run.folder}: {error}; evaluate on a larger test set") from error
    is_baseline = method in BASELINES
    identity = ["baseline", direction.name, *direction, 0] if is_baseline else [
        run.name, direction.name, *direction, run.config.seed
    ]  # fmt: skip
    return [method, *identity, len(set(subjects)), *found, run.config.phantom]


def _held_out_scores(rows, labels, groups, seed):
    """Score of every slice for each column of labels, by classifiers that have not seen its subject."""
    # Half a second to import, and the rest of the evaluation needs none of it.
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scores = np.empty(labels.shape)
    folds = GroupKFold(min(FOLDS, len(np.unique(groups))), shuffle=True, random_state=seed)
    for train, test in folds.split(rows, groups=groups):
        classifier = make_pipeline(StandardScaler(), Ridge(_PENALTY)).fit(rows[train], labels[train])
        scores[test] = classifier.predict(rows[test]).reshape(len(test), -1)
    return scores


def _areas(scores, labels):
    """Area under the ROC curve of each column, from the ranks; labels are -1 and 1, as many of each."""
    positives = len(scores) // 2
    ranks = np.sum(rankdata(scores, axis=0) * (labels > 0), axis=0)
    return (ranks - positives * (positives + 1) / 2) / positives**2


def _score_interval(auc, number, chance_sd):
    """Both AUCs whose distance from the one found is 1.96 of their own standard errors."""

    def error(area):
        spread = (1 - area) / (2 - area) + area / (1 + area)
        return np.sqrt(area * (1 - area) * (1 + (number - 1) * spread)) / number

    scale = _NORMAL * chance_sd / error(0.5)

    def beyond(area):
        return abs(auc - area) - scale * error(area)

    # At the AUC itself both sides are 0 if it is 0 or 1; the ends looked for lie further away.
    low = brentq(beyond, 0, auc - _NEXT) if auc > _NEXT and beyond(0) > 0 > beyond(auc - _NEXT) else min(auc, 0.0)
    high = brentq(beyond, auc + _NEXT, 1) if auc < 1 - _NEXT and beyond(1) > 0 > beyond(auc + _NEXT) else 1.0
    return float(low), float(high)
