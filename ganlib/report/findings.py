"""What the numbers say, in sentences, and what they do not say."""

from ganlib.display.tables import with_uncertainty
from ganlib.display.wording import p_words
from ganlib.evaluation.cases import BASELINES, DOING_NOTHING
from ganlib.evaluation.compare import summary
from ganlib.evaluation.paired import LEVEL
from ganlib.evaluation.pairwise import compare_pairs, letter_display
from ganlib.evaluation.steganography import advantages
from ganlib.report.score_tables import methods_of

#: Noise on the intermediate image that nobody sees, fraction of the range, and what must survive it.
_UNSEEN, _SURVIVES = 0.01, 0.5


def findings(results):
    """What stands at the head of a report.

    Args:
        results: `ganlib.evaluation.results.Results`.

    Returns:
        List of sentences, plain text.
    """
    lines = [*_best(results), *_baselines(results)]
    lines += _realism(results) if results.realism is not None else []
    lines += _told_from_real(results.two_sample) if results.two_sample is not None else []
    lines += _registration(results.registration) if results.registration is not None else []
    lines += _hidden(results.steganography) if results.steganography is not None else []
    return lines


def limits(results):
    """What the numbers cannot say.

    Args:
        results: `ganlib.evaluation.results.Results`.

    Returns:
        List of sentences, plain text.
    """
    subjects, seeds = results.scores["subject"].nunique(), results.scores.groupby("method")["seed"].nunique().max()
    lines = [
        "Synthetic images are not for diagnosis: a network can erase a lesion, or invent one, and hardly any measure "
        "of whole images sees it."
    ]
    if results.phantom:
        lines.append(
            "The cohort is a PHANTOM: its numbers rank methods on simulated images and say nothing about patients."
        )
    if subjects < 2:
        lines.append("There is one test subject: no interval and no test can be given.")
    else:
        lines.append(
            f"The intervals and tests are about subjects like the {subjects} test subjects, from the same scanners and "
            "the same preparation; another hospital's images may fare otherwise."
        )
    if seeds < 2:
        lines.append(
            "Every method was trained once: how much of a difference is the luck of a training seed is not known."
        )
    epochs = {len(run.history) for run in results.runs}
    if len(epochs) > 1:
        lines.append("The methods were not trained for the same number of epochs; the table of runs says how long.")
    lines.append(
        "Realism is measured by spectra, histograms and a classifier; whether a radiologist takes an image for real is "
        "another question, and needs the perceptual study."
    )
    lines.append("Mutual information: but for binning, no pixel-wise map can have more of it than doing nothing.")
    return lines + list(results.lacking)


def _best(results):
    """Which method is ahead, direction by direction, and which are not told apart from it."""
    names = methods_of(results.scores)
    letters = letter_display(results.scores, "psnr_db", "masked", methods=names)
    means = summary(results.scores, "psnr_db", "masked").set_index(["direction", "method"])
    for direction in results.directions:
        mine = letters[letters["direction"] == direction.name]
        first, row = mine.iloc[0], means.loc[(direction.name, mine.iloc[0]["method"])]
        value = with_uncertainty(row["mean"], row["low"], row["high"])
        if len(mine) == 1:
            yield f"{direction.label}: {first['method']} has a PSNR of {value} dB (protocol masked)."
            continue
        level = list(mine.loc[mine["letters"].str.contains("a"), "method"])[1:]
        told = (
            f"not told apart from it: {_joined(level)}"
            if level
            else f"all others are significantly lower (P < {LEVEL:g})"
        )
        yield f"{direction.label}: {first['method']} has the highest PSNR, {value} dB (protocol masked); {told}."


def _baselines(results):
    """Which methods do not beat what needs no network."""
    pairs = compare_pairs(results.scores, "psnr_db", "masked")
    of_methods = pairs[pairs["method_a"].isin(BASELINES) & ~pairs["method_b"].isin(BASELINES)]
    if of_methods["p_holm"].isna().all():
        return
    failed = of_methods[of_methods["better"] != of_methods["method_b"]]
    for row in failed.itertuples():
        verb = "is worse than" if row.better == row.method_a else "does not beat"
        yield (
            f"{row.source} → {row.target}: {row.method_b} {verb} {_in_sentence(row.method_a)} (PSNR, protocol masked, "
            f"{p_words(row.p_holm)})."
        )
    if failed.empty:
        there = _joined([_in_sentence(name) for name in dict.fromkeys(of_methods["method_a"])])
        yield f"Every method beats {there} in both directions (PSNR, protocol masked)."


def _realism(results):
    errors = summary(results.scores, "mae", "masked")
    distances = summary(results.realism, "spectrum_db", "realism")
    for direction in results.directions:
        least, nearest = (_lowest(table, direction) for table in (errors, distances))
        if least["method"] == nearest["method"]:
            yield f"{direction.label}: {least['method']} has the lowest error and the most real power spectrum."
            continue
        yield (
            f"{direction.label}: low error is not realism. {least['method']} has the lowest error, {nearest['method']} "
            f"the power spectrum nearest to that of real images: {nearest['mean']:.1f} dB away, against "
            f"{_mean(distances, direction, least['method']):.1f} dB of {least['method']}."
        )


def _told_from_real(table):
    methods = table[~table["method"].isin(BASELINES)]
    passed = methods[methods["p"] >= LEVEL]
    if passed.empty:
        aucs = _range(methods["auc"])
        yield f"A linear classifier tells the synthetic slices of every method from real ones (AUC {aucs})."
    for row in passed.itertuples():
        yield (
            f"{row.source} → {row.target}: a linear classifier does not tell {row.method}'s slices from real ones (AUC "
            f"{row.auc:.2f}, {p_words(row.p)}); a better one, or a reader, may."
        )


def _registration(table):
    shifts = summary(table, "shift_mm", "registration")
    real = shifts[shifts["method"] == DOING_NOTHING]["mean"]
    methods = shifts[~shifts["method"].isin(BASELINES)]["mean"]
    yield (
        f"Residual shift within the slice: real pairs {_range(real)} mm, synthetic to real {_range(methods)} mm (mean "
        "over subjects)."
    )


def _hidden(table):
    """Cycles whose advantage does not survive noise that nobody sees."""
    means = advantages(table)
    found = means[(means["noise"] > 0) & (means["noise"] <= _UNSEEN) & (means["survival"] < _SURVIVES)]
    last = found.groupby(["method", "direction", "source", "target"], sort=False).first().reset_index()
    for row in last.itertuples():
        yield (
            f"{row.method}, {row.source} → {row.target} → {row.source}: hides information. Of what the cycle knows "
            f"more than the real image shows, {100 * max(row.survival, 0):.0f} % survives noise of "
            f"{100 * row.noise:g} % of the range on the intermediate image."
        )
    if last.empty:
        unseen = f"{100 * _UNSEEN:g} % of the range"
        yield f"No cycle loses half of its advantage to noise of {unseen}: no hidden information was found."


def _lowest(table, direction):
    mine = table[(table["direction"] == direction.name) & ~table["method"].isin(BASELINES)]
    return mine.loc[mine["mean"].idxmin()]


def _mean(table, direction, method):
    return table[(table["direction"] == direction.name) & (table["method"] == method)]["mean"].iloc[0]


def _range(values):
    low, high = (f"{value:.2f}" for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def _joined(names):
    names = list(names)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _in_sentence(name):
    """A baseline's name within a sentence."""
    return {"Doing nothing": "doing nothing", "Mean image": "the mean training image"}.get(name, name)
