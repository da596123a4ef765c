"""The results in plain words: what was done, what came out, how sure one can be, and what it does not say."""

import math

from ganlib.study.agreement import agreement, reliability
from ganlib.study.course import response_times, trend
from ganlib.study.results import ALL

_SCOPES = {
    "this rater": "It holds for this one rater only; others may see more or less.",
    "these raters": "It holds for these two raters only; others may see more or less.",
    "raters like these": "Intervals are 95 % and hold for other raters and images like these.",
}


def summary(results):
    """Sentences for a reader who is no statistician.

    Args:
        results: `StudyResults`.

    Returns:
        List of sentences; the first says so if raters were simulated or the images are a phantom's.
    """
    labelled, detection = results.labelled(), results.detection()
    lines = [*_warnings(results), _what(results)]
    lines += _pairs(labelled) if results.pairs else _shares(labelled)
    lines += [_detected(_cell(detection[detection["statistic"] == "d_prime"], ALL, ALL))]
    lines += _methods(results, labelled)
    lines += [_SCOPES.get(_cell(labelled, ALL, ALL).scope, ""), _stable(results), _time(results)]
    if results.left_out:
        lines.append(f"Left out, with less than half of the trials answered: {', '.join(results.left_out)}.")
    return [line for line in lines if line]


def percent(row):
    """A share with its interval: `43 % (31 to 56 %)`.

    Args:
        row: with `value`, `low` and `high` as fractions.
    """
    if not math.isfinite(row.low):
        return f"{100 * row.value:.0f} %"
    return f"{100 * row.value:.0f} % ({100 * row.low:.0f} to {100 * row.high:.0f} %)"


def number(row):
    """A number with its interval: `0.61 (0.32 to 0.90)`."""
    if not math.isfinite(row.low):
        return f"{row.value:.2f}"
    return f"{row.value:.2f} ({row.low:.2f} to {row.high:.2f})".replace("-", "−")


def _warnings(results):
    found = []
    if results.simulated:
        found.append("SIMULATED RATERS: some or all of these answers were made by a program, not by people.")
    if results.trials.phantom:
        found.append("PHANTOM: the images are simulated, “real” ones too; nothing here is about patients.")
    return found


def _what(results):
    raters, ratings = len(results.raters), results.ratings
    noun = "pairs of a real and a synthetic image" if results.pairs else "images"
    return (
        f"{raters} {'rater' if raters == 1 else 'raters'} judged {len(ratings.images)} {noun} of "
        f"{' and '.join(results.trials.contrasts)}, made by {', '.join(results.trials.methods)}."
    )


def _cell(table, method, contrast, kind=None):
    rows = table[(table["method"] == method) & (table["contrast"] == contrast)]
    return next((rows if kind is None else rows[rows["kind"] == kind]).itertuples())


def _shares(labelled):
    real, synthetic = (_cell(labelled, ALL, ALL, kind) for kind in ("real", "synthetic"))
    return [f"Of the real images {percent(real)} were called real, of the synthetic ones {percent(synthetic)}."]


def _pairs(labelled):
    total = _cell(labelled, ALL, ALL, "pair")
    return [f"The synthetic image was taken for the real one in {percent(total)} of the pairs; guessing gives 50 %."]


def _detected(row):
    if not math.isfinite(row.low):
        return f"Telling them apart: d′ = {number(row)}."
    if row.low > 0:
        told = "People like these can tell them apart" if row.scope == "raters like these" else "They can be told apart"
        return f"{told}: d′ = {number(row)}, where 0 is guessing and 1 is right in about 7 of 10 images."
    if row.high < 0:
        return f"The synthetic images look more real than the real ones: d′ = {number(row)}."
    return f"Whether they can be told apart remains open: d′ = {number(row)} includes 0, which is guessing."


def _methods(results, labelled):
    kind = "pair" if results.pairs else "synthetic"
    rows = labelled[(labelled["kind"] == kind) & (labelled["method"] != ALL) & (labelled["contrast"] == ALL)]
    if len(rows) < 2:
        return []
    ordered = sorted(rows.itertuples(), key=lambda row: -row.value)
    found = ["Taken for real, by method: " + "; ".join(f"{row.method} {percent(row)}" for row in ordered) + "."]
    pairs = [row for row in results.differences().itertuples() if row.p_holm < 0.05]
    if not pairs:
        return [*found, "No two methods differ reliably (5 %, corrected for the number of comparisons)."]
    said = [
        f"{row.first if row.value > 0 else row.second} more often than {row.second if row.value > 0 else row.first}"
        for row in pairs
    ]
    return [*found, f"Reliable differences (5 %, corrected for the number of comparisons): {'; '.join(said)}."]


def _stable(results):
    again, between = reliability(results.counted), agreement(results.ratings)
    said = []
    if again.repeats:
        said.append(
            f"Shown again unannounced, {100 * again.same:.0f} % of {again.repeats} images got the answer they had got."
        )
    if math.isfinite(between.kappa):
        word = _landis_koch(between.kappa)
        said.append(f"Agreement between raters is {word} (Fleiss' κ = {between.kappa:.2f}).".replace("-", "−"))
    return " ".join(said)


def _landis_koch(kappa):
    """Word for an agreement. Source: Landis & Koch 1977, Biometrics 33(1):159."""
    words = ((0.0, "poor"), (0.2, "slight"), (0.4, "fair"), (0.6, "moderate"), (0.8, "substantial"))
    return next((word for end, word in words if kappa <= end), "almost perfect")


def _time(results):
    times, (change, low, high) = response_times(results.counted), trend(results.counted)
    said = []
    if len(times):
        median = results.counted["response_ms"].median() / 1000
        said.append(f"Half of the answers took less than {median:.1f} s.")
    if math.isfinite(low) and (low > 0 or high < 0):
        word = "rose" if change > 0 else "fell"
        said.append(f"The share of right answers {word} by {100 * abs(change):.0f} points over the session.")
    elif math.isfinite(low):
        said.append("Neither learning nor fatigue over the session can be seen.")
    return " ".join(said)
