"""The figures of a comparison of runs, by the names of their files."""

from ganlib.display.figures import score_figure
from ganlib.display.grid import image_grid
from ganlib.display.hidden import hidden_figure
from ganlib.display.pairs import pairs_figure
from ganlib.display.realism import realism_figure
from ganlib.display.regions import region_figure
from ganlib.evaluation.cases import BASELINES, MEAN_IMAGE
from ganlib.evaluation.compare import method_rank, per_subject
from ganlib.evaluation.tradeoff import realism_against_error

#: Measures that are drawn, by protocol: the paper's Figures 1a to 1c first.
SHOWN = {"paper": ("mae", "psnr_db", "mi_nats"), "masked": ("mae", "psnr_db", "ssim")}

#: Areas under the curve that differ by less are drawn on one line, and a picture of them says nothing.
_SAME_AREA = 0.02


def comparison_figures(results, subject_id=""):
    """Every figure that can be drawn of the results.

    Args:
        results: `ganlib.evaluation.results.Results`.
        subject_id: test subject whose images are shown; empty for the typical one (`typical_subject`).

    Returns:
        Dictionary from name to `plotly.graph_objects.Figure`: `mae`, `psnr_db`, `mi_nats` (protocol `paper`),
        `mae_masked`, `psnr_db_masked`, `ssim_masked`, `pairs_psnr_db_masked`, `pairs_mae_masked`, `images`; and, where
        it was measured, `realism_spectrum`, `realism_auc` (unless it is the same for all methods), `regions_mae`,
        `registration`, `hidden`.

    Raises:
        InputError: a translation is missing, or the cohort.
    """
    scores = results.scores
    figures = {
        metric if protocol == "paper" else f"{metric}_{protocol}": score_figure(scores, metric, protocol)
        for protocol, metrics in SHOWN.items()
        for metric in metrics
    }
    figures |= {f"pairs_{metric}_masked": pairs_figure(scores, metric, "masked") for metric in ("psnr_db", "mae")}
    with results.runs[0].cohort() as cohort:
        runs = sorted(results.runs, key=lambda run: (method_rank(results.names[run.name]), run.config.seed))
        figures["images"] = image_grid(cohort, runs, subject_id or typical_subject(results))
    if results.realism is not None:
        figures["realism_spectrum"] = realism_figure(realism_against_error(results.runs))
    if _tells_methods_apart(results.two_sample):
        figures["realism_auc"] = realism_figure(realism_against_error(results.runs, realism="auc"))
    if results.regions is not None:
        figures["regions_mae"] = region_figure(results.regions, "mae")
    if results.registration is not None:
        # The mean image is blurred over all heads: where it lies means nothing.
        placed = results.registration[results.registration["method"] != MEAN_IMAGE]
        figures["registration"] = score_figure(placed, "shift_mm", "registration")
    if results.steganography is not None:
        figures["hidden"] = hidden_figure(results.steganography)
    return figures


def _tells_methods_apart(two_sample):
    """Whether the classifier finds one method's slices easier to tell from real ones than another's."""
    if two_sample is None:
        return False
    areas = two_sample.loc[~two_sample["method"].isin(BASELINES), "auc"]
    return areas.max() - areas.min() > _SAME_AREA


def typical_subject(results):
    """The test subject whose PSNR, mean over methods and directions, is the median: neither the best nor the worst.

    Args:
        results: `ganlib.evaluation.results.Results`.

    Returns:
        Subject id; of an even number, the lower of the two in the middle.
    """
    values = per_subject(results.scores, "psnr_db", "masked")
    methods = values[values["method"].isin(results.names.values())]
    means = methods.groupby("subject")["value"].mean().sort_values(kind="stable")
    return means.index[(len(means) - 1) // 2]
