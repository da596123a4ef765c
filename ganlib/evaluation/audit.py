"""The hallucination audit of runs: every lesion of every test subject, both directions, every method.

What healthy tissue looks like, which way a lesion stands out, and at which threshold a search is trusted, is learned
from real training images alone; the real test images are searched too, so that the search itself is known.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from ganlib.errors import InputError
from ganlib.evaluation import hallucination as search
from ganlib.evaluation.cases import ALL_SLICES, BASELINES, Case, mean_image, read_case
from ganlib.evaluation.comparable import require_same_directions
from ganlib.evaluation.compare import told_apart
from ganlib.evaluation.evaluate import COLUMNS
from ganlib.evaluation.lesion_reference import Reference, Tissue, reference_of
from ganlib.evaluation.lesion_share import label_with_share, lesion_shares, with_shares
from ganlib.evaluation.parallel import in_order
from ganlib.evaluation.protocols import MASKED
from ganlib.evaluation.unscorable import unscorable
from ganlib.evaluation.voxels import require_mask, require_same_shape

#: Method of the rows that search the real images: what the search itself misses and invents.
REAL = "Real images"
#: Columns of a table of scores, whether the subject has no lesion at all, and its number of visible lesions.
SUBJECT_COLUMNS = [*COLUMNS, "healthy", "lesions"]
_IDENTITY = [name for name in COLUMNS if name not in ("slices", "protocol", "metric", "value")]
LESION_COLUMNS = [*_IDENTITY, "number", "largest_mm2", "contrast_real", "contrast_synthetic", "recovered", "erased"]
FREE_RESPONSE_COLUMNS = [*_IDENTITY, "healthy", "lesions", "threshold", "found", "invented"]


class Audit(NamedTuple):
    """Tables of an audit.

    Args:
        subjects: one row per subject, method, direction and measure, in the form of a table of scores (protocol
            `audit`: `lesion_recovered`, `lesion_erased`, `lesion_found` of subjects with visible lesions,
            `lesion_invented`; protocol `masked`: `mae`, `psnr_db`, `ssim` of the whole brain), with the subject's
            number of visible lesions, and `source_share` and `target_share`: the share of the run's training subjects
            with lesions in either contrast (NaN without a run).
        lesions: one row per visible lesion, method and direction (`hallucination.Lesion`).
        free_response: one row per subject, method, direction and threshold.
        references: `Reference` of each contrast.
    """

    subjects: pd.DataFrame
    lesions: pd.DataFrame
    free_response: pd.DataFrame
    references: dict[str, Reference]


def audit(runs, *, lesion="lesion", tissue="white matter", progress=True):
    """Audit the translations of runs, and store `hallucination.parquet` with each.

    Args:
        runs: list of `ganlib.runs.Run` with the same cohort, contrasts and test subjects; their cohort has labels.
        lesion: name of the lesions' label.
        tissue: name of the label of the tissue that lesions lie in, which is searched; "" where there is none: then
            nothing is searched, and the contrast of lesions is taken to whatever lies around them.
        progress: whether to show progress bars.

    Returns:
        `Audit`. Beside the runs it has `Real images`, the search on the truth, and the baselines. Runs whose training
        subjects were drawn by prevalence are called by it, `CycleGAN (T1w 0 %, T2w 100 %)`.

    Raises:
        InputError: the cohort has no such labels or no lesions, a translation is missing, or the runs are of different
            cohorts.
    """
    runs = list(runs)
    _require_together(runs)
    with runs[0].cohort() as cohort:
        codes = Tissue.named(cohort, lesion, tissue)
        references = {contrast: reference_of(cohort, contrast, codes) for contrast in runs[0].config.contrasts}
        shares, test_ids = lesion_shares(cohort, runs, lesion), runs[0].test_ids(cohort)
        rows = {"subjects": [], "lesions": [], "free_response": []}
        for direction in runs[0].directions:
            mean = mean_image(cohort, runs[0].split["train"], direction.target)
            work = partial(_audit_subject, runs, cohort, direction, mean, codes, references[direction.target])
            for found in in_order(work, test_ids, f"hallucination audit, {direction.label}", progress):
                for name, part in found.items():
                    rows[name] += part
    tables = (
        told_apart(pd.DataFrame(rows[name], columns=columns))
        for name, columns in zip(rows, (SUBJECT_COLUMNS, LESION_COLUMNS, FREE_RESPONSE_COLUMNS), strict=True)
    )
    subjects, lesions, free_response = tables
    found = Audit(with_shares(subjects, shares), lesions, free_response, references)
    for run in runs:
        run.write_scores(found.subjects[found.subjects["run"] == run.name], "hallucination")
    return found


def _require_together(runs):
    if not runs:
        raise InputError("no run to audit; give at least one translated run")
    for run in runs:
        if not run.split["test"]:
            raise InputError(f"{run.folder}: no test subject, so that nothing can be audited; make a cohort with some")
    for run in runs[1:]:
        require_same_directions(runs[0], run)


class _Truth(NamedTuple):
    """What is the same for every image of one subject in one direction."""

    case: Case
    lesions: np.ndarray
    tissue: np.ndarray
    healthy: bool
    voxel_mm: tuple
    reference: Reference


def _audit_subject(runs, cohort, direction, mean, codes, reference, subject_id):
    """Rows of one subject in one direction, by table."""
    case, voxel_mm = read_case(cohort, direction, subject_id, mean), cohort.header.voxel_mm
    lesions, tissue = codes.of(case.labels, case.mask, voxel_mm)
    truth = _Truth(case, lesions, tissue, not (case.labels == codes.lesion).any(), voxel_mm, reference)
    images = [(REAL, None, case.target), *((name, None, image) for name, image in case.baselines.items())]
    images += [(label_with_share(run), run, run.synthetic(subject_id, direction)) for run in runs]
    rows = {"subjects": [], "lesions": [], "free_response": []}
    for method, run, image in images:
        try:
            found = _audit_image(truth, image)
        except ValueError as error:
            raise unscorable(error, case, method, cohort_path=cohort.path, run=run) from error
        who = _identity(method, run, runs[0], truth)
        for name, part in zip(rows, found, strict=True):
            rows[name] += [{**who, **row} for row in part]
    return rows


def _identity(method, run, first, truth):
    direction = truth.case.direction
    return {
        "subject": truth.case.subject_id,
        "slices": ALL_SLICES,
        "method": method,
        "run": run.name if run else "baseline" if method in BASELINES else "real",
        "direction": direction.name,
        "source": direction.source,
        "target": direction.target,
        "seed": run.config.seed if run else 0,
        "phantom": first.config.phantom,
        "healthy": truth.healthy,
    }


def _audit_image(truth, image):
    """Rows of one image: of the subject, of its lesions, of the free response."""
    case, reference = truth.case, truth.reference
    require_same_shape(target=case.target, synthetic=image)
    require_mask(case.mask)
    real, made = (case.intensity_range.fraction(each) for each in (case.target, image))
    every = search.lesion_contrasts(real, made, truth.lesions, tissue=truth.tissue, voxel_mm=truth.voxel_mm)
    seen = [each for each in every if reference.can_judge(each)]
    counts = _counts(truth, made, [each.number for each in seen])
    at = [each for each in counts if each.threshold == reference.threshold]
    brain = MASKED.score(case.target, image, mask=case.mask, intensity_range=case.intensity_range)
    values = {
        ("audit", "lesion_recovered"): np.mean([each.recovered for each in seen]) if seen else np.nan,
        ("audit", "lesion_erased"): np.mean([each.erased for each in seen]) if seen else np.nan,
        ("audit", "lesion_found"): at[0].found / len(seen) if at and seen else np.nan,
        ("audit", "lesion_invented"): at[0].invented if at else np.nan,
        **{("masked", metric): brain[metric] for metric in ("mae", "psnr_db", "ssim")},
    }
    number = {"lesions": len(seen)}
    return (
        [
            {"protocol": protocol, "metric": metric, "value": float(value), **number}
            for (protocol, metric), value in values.items()
            if not np.isnan(value)
        ],
        [{**each._asdict(), "recovered": each.recovered, "erased": each.erased} for each in seen],
        [{**each._asdict(), **number} for each in counts],
    )


def _counts(truth, made, seen):
    """Free response of an image; empty where nothing can be searched."""
    room, reference = search.search_room(truth.tissue, truth.lesions), truth.reference
    if not np.isfinite(reference.threshold) or not room.any():
        return []
    departures = search.departures(made, room, voxel_mm=truth.voxel_mm)
    scaled = departures * (np.sign(reference.contrast) / reference.spread)
    return search.free_response(scaled, truth.lesions, voxel_mm=truth.voxel_mm, counted=seen)
