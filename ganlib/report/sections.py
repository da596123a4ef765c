"""The sections of a report, in the order in which they are read."""

from ganlib.display.comparison import typical_subject
from ganlib.display.wording import mi_note
from ganlib.evaluation.protocols import PROTOCOLS, protocol_named
from ganlib.evaluation.statistics import RESAMPLES
from ganlib.report.about import cost_table, in_order, method_table, settings_lines
from ganlib.report.cohort_card import cohort_table
from ganlib.report.findings import findings, limits
from ganlib.report.parts import Bullets, Picture, Section, Text
from ganlib.report.score_tables import (
    pairs_table,
    protocol_table,
    score_tables,
    seed_table,
    subject_table,
    two_sample_table,
)


def sections(results, figures, subject_id=""):
    """Every section that the results have something for.

    Args:
        results: `ganlib.evaluation.results.Results`.
        figures: as from `ganlib.display.comparison.comparison_figures`.
        subject_id: test subject whose images are shown; empty for the typical one.

    Returns:
        List of `Section`.
    """
    made = [
        Section("In short", [Bullets(findings(results))]),
        _compared(results),
        _measured(results),
        _errors(results, figures),
        _tests(results, figures),
        _images(results, figures, subject_id),
        _realism(results, figures),
        _regions(results, figures),
        _registration(results, figures),
        _hidden(results, figures),
        Section("What it costs", [cost_table(results)]),
        _alarms(results),
        Section("Limits", [Bullets(limits(results))]),
    ]
    return [section for section in made if section is not None and section.parts]


def _compared(results):
    return Section(
        "What was compared",
        [
            method_table(results),
            cohort_table(results.runs[0]),
            Text("Settings of the methods, and versions:", "note"),
            Bullets(list(settings_lines(results))),
        ],
    )


def _measured(results):
    protocols = [f"{name}: {protocol_named(name).description}." for name in PROTOCOLS]
    if results.realism is not None:
        protocols.append(f"realism: {protocol_named('realism').description}.")
    if results.registration is not None:
        protocols.append(f"registration: {protocol_named('registration').description}.")
    return Section(
        "How it was measured",
        [
            Text(
                "The way of scoring alone moves the PSNR of one and the same image by several decibels, so that every "
                "number here carries the name of its protocol. Every test subject is scored by itself; two rows need "
                "no network: doing nothing takes the source image for the target, and mean image takes the voxelwise "
                "mean of the training subjects. A method that does not beat them has learned nothing."
            ),
            Bullets(protocols),
            Text(
                f"Intervals: 95 %, bootstrap over subjects (BCa, {RESAMPLES} resamples, widened for few subjects as "
                "Student's t is). Methods are compared in pairs on the same subjects: Wilcoxon's signed-rank test, "
                "two-sided, corrected by Holm's method over all pairs of one direction for one measure; looking at "
                "many measures is not corrected for. Training seeds, where there are several, are averaged per subject "
                "first."
            ),
        ],
    )


def _errors(results, figures):
    scores = results.scores
    return Section(
        "Error",
        [
            *(Picture(caption, figures[name]) for name, caption in (
                ("mae", "Mean absolute error under the paper's protocol, as its Figure 1a."),
                ("psnr_db", "PSNR under the paper's protocol, as its Figure 1b."),
                ("mi_nats", f"Mutual information under the paper's protocol, as its Figure 1c. {mi_note()}"),
            )),
            *score_tables(scores, "paper"),
            *(Picture(caption, figures[name]) for name, caption in (
                ("psnr_db_masked", "PSNR inside the mask, the headline number: the background flatters nobody."),
                ("mae_masked", "Mean absolute error inside the mask."),
                ("ssim_masked", "Structural similarity inside the mask."),
            )),
            *score_tables(scores, "masked"),
            protocol_table(scores),
            subject_table(scores),
        ],
    )  # fmt: skip


def _tests(results, figures):
    parts = [
        Picture(
            "Who differs from whom, by PSNR. Read along a row: blue, its method is better than the column's.",
            figures["pairs_psnr_db_masked"],
        ),
        Picture("The same for the mean absolute error.", figures["pairs_mae_masked"]),
    ]
    if len(results.names) > 1:
        parts.append(pairs_table(results.scores, "psnr_db", "masked"))
    seeds = seed_table(results.scores)
    return Section("Who differs from whom", [*parts, *([seeds] if seeds else [])])


def _images(results, figures, subject_id):
    subject = subject_id or typical_subject(results)
    why = "chosen by hand" if subject_id else "the one whose PSNR, mean over methods and directions, is the median"
    caption = (
        f"Real images above; below them, per method, both synthetic images and their relative errors, as the paper's "
        f"Figure 2. Subject {subject}: {why}. All images of a contrast have one window."
    )
    return Section("Images", [Picture(caption, figures["images"], raster=True)])


def _realism(results, figures):
    parts = [
        Picture(caption, figures[name])
        for name, caption in (
            ("realism_spectrum", "Distance of the power spectrum from that of real images, against the error: the "
             "smooth look of methods trained on the error alone."),
            ("realism_auc", "How well a classifier tells synthetic slices from real ones, against the error."),
        )
        if name in figures
    ]  # fmt: skip
    if results.realism is not None:
        parts += score_tables(results.realism, "realism", ["spectrum_db", "high_frequency_db", "wasserstein"])
    if results.two_sample is not None:
        parts.append(two_sample_table(results.two_sample))
    return Section("Realism, apart from error", parts)


def _regions(results, figures):
    if results.regions is None:
        return None
    caption = (
        "Mean absolute error by region; where a region is small, so is its weight in every score of the whole brain."
    )
    return Section("By region", [Picture(caption, figures["regions_mae"])])


def _registration(results, figures):
    if results.registration is None:
        return None
    caption = (
        "Residual shift within the slice. Doing nothing shows the registration of the real pairs, which bounds every "
        "score: one pixel of it costs as much error as a bad model does."
    )
    return Section("Registration", [Picture(caption, figures["registration"])])


def _hidden(results, figures):
    if results.steganography is None:
        return None
    caption = (
        "What each cycle knows more of its source than the real intermediate image would tell it, as noise is added to "
        "the intermediate image."
    )
    return Section("Hidden information", [Picture(caption, figures["hidden"])])


def _alarms(results):
    lines = [
        f"{results.names[run.name]} ({run.name}): {alarm['kind']}, {alarm['message']}"
        for run in in_order(results)
        for alarm in run.alarms()
    ]
    return Section("What the trainings noticed", [Bullets(lines or ["No alarm was raised in any training."])])
