"""Tables of a report that hold scores: methods in rows, measures in columns, letters for who differs from whom."""

import pandas as pd

from ganlib.display.protocols import spread_of
from ganlib.display.tables import with_uncertainty
from ganlib.display.wording import p_text, signed
from ganlib.evaluation.cases import BASELINES
from ganlib.evaluation.compare import method_rank, per_subject, summary
from ganlib.evaluation.measures import MEASURES
from ganlib.evaluation.pairwise import compare_pairs, letter_display, seed_spread
from ganlib.evaluation.protocols import PROTOCOLS, protocol_named
from ganlib.evaluation.spread import methods_under_every_protocol
from ganlib.report.parts import Cell, Table, cells

_ARROWS = {"higher": "\N{NO-BREAK SPACE}↑", "lower": "\N{NO-BREAK SPACE}↓", "": ""}


def score_tables(scores, protocol, metrics=None):
    """One table per direction: mean ± half the interval, and letters: methods that share one do not differ.

    Args:
        scores: table of scores, as from `ganlib.evaluation.compare.load_scores`.
        protocol: name of the protocol.
        metrics: which measures; default all of the protocol that have a better way.

    Returns:
        List of `Table`.
    """
    there = set(scores.loc[scores["protocol"] == protocol, "metric"])
    metrics = metrics or [metric for metric in MEASURES if MEASURES[metric].better and metric in there]
    methods = methods_of(scores)
    means = {metric: summary(scores, metric, protocol) for metric in metrics}
    letters = {metric: letter_display(scores, metric, protocol, methods=methods) for metric in metrics}
    first = means[metrics[0]]
    tables = []
    for direction in dict.fromkeys(first["direction"]):
        names = list(first.loc[first["direction"] == direction, "method"])
        columns = [
            _column(means[metric], letters[metric], direction, names, MEASURES[metric].better) for metric in metrics
        ]
        rows = [[Cell(name), *row] for name, *row in zip(names, *columns, strict=True)]
        heads = ["method", *(_head(metric, protocol) for metric in metrics)]
        tables.append(Table(_caption(first, direction, protocol), heads, rows, quiet=BASELINES))
    return tables


def protocol_table(scores):
    """PSNR of every method under every protocol, and how far apart, one row per direction and method.

    Args:
        scores: table of scores.
    """
    rows = []
    for direction, source, target in _directions(scores):
        table = methods_under_every_protocol(scores, direction)
        for method, values in table.iterrows():
            if method not in BASELINES:
                numbers = [f"{value:.1f}" for value in values]
                rows.append(cells(f"{method}, {source} → {target}", *numbers, f"{spread_of(values):.1f}"))
    caption = (
        "The same images under every protocol: mean PSNR in dB. Only numbers of one column can be compared; the last "
        "column is what the protocol alone does to the number."
    )
    return Table(caption, ["method, direction", *PROTOCOLS, "apart (dB)"], rows)


def pairs_table(scores, metric, protocol):
    """Every pair of methods: difference with interval, corrected P, effect size.

    Args:
        scores: table of scores.
        metric: such as `psnr_db`.
        protocol: such as `masked`.
    """
    pairs = compare_pairs(scores, metric, protocol, methods=methods_of(scores))
    unit = protocol_named(protocol).measure_unit(metric)
    rows = [
        cells(
            f"{row.method_a} − {row.method_b}", f"{row.source} → {row.target}",
            with_uncertainty(row.difference, row.low, row.high), signed(row.rank_biserial, 2), p_text(row.p_holm),
            row.better or "not told apart",
        )
        for row in pairs.itertuples()
    ]  # fmt: skip
    caption = (
        f"{MEASURES[metric].label}, protocol {protocol}: mean difference over the same test subjects ± half its 95 % "
        f"bootstrap interval{f' ({unit})' if unit else ''}; effect: matched-pairs rank-biserial correlation, −1 to 1; "
        "P: Wilcoxon signed-rank test, two-sided, corrected by Holm's method over the pairs of a direction."
    )
    return Table(
        caption,
        ["pair", "direction", "difference", "effect", "P (Holm)", "better"],
        rows,
        words=("direction", "better"),
    )


def seed_table(scores, metric="psnr_db", protocol="masked"):
    """Spread between subjects and between training seeds, or None where every method has one seed.

    Args:
        scores: table of scores.
        metric: such as `psnr_db`.
        protocol: such as `masked`.
    """
    spread = seed_spread(scores, metric, protocol)
    several = spread[spread["seeds"] > 1]
    if several.empty:
        return None
    rows = [
        cells(f"{row.method}, {row.source} → {row.target}", row.seeds, f"{row.subject_sd:.2g}", f"{row.seed_sd:.2g}",
              f"{row.residual_sd:.2g}")
        for row in several.itertuples()
    ]  # fmt: skip
    unit = protocol_named(protocol).measure_unit(metric)
    caption = (
        f"{MEASURES[metric].label} ({unit}, protocol {protocol}): standard deviations between subjects, between "
        "trainings that differ in their seed alone, and of what is left (two-way random effects)."
    )
    return Table(caption, ["method, direction", "seeds", "subjects", "training seeds", "residual"], rows)


def subject_table(scores, metric="psnr_db", protocol="masked"):
    """The test subjects on which each method does worst and best: where to look first.

    Args:
        scores: table of scores.
        metric: such as `psnr_db`.
        protocol: such as `masked`.
    """
    values = per_subject(scores, metric, protocol)
    sign = -1 if MEASURES[metric].better == "lower" else 1
    rows = []
    for keys, part in values.groupby(["method", "source", "target"], sort=False):
        if keys[0] not in BASELINES:
            ordered = part.loc[(sign * part["value"]).sort_values(kind="stable").index]
            ends = [f"{row['subject']}: {row['value']:.1f}" for _, row in ordered.iloc[[0, -1]].iterrows()]
            rows.append(cells(f"{keys[0]}, {keys[1]} → {keys[2]}", *ends))
    unit = protocol_named(protocol).measure_unit(metric)
    measure = f"{MEASURES[metric].label} ({unit}, protocol {protocol})"
    caption = f"Where to look first: the test subjects on which each method does worst and best, by {measure}."
    return Table(caption, ["method, direction", "worst", "best"], rows, numeric=False)


def two_sample_table(table):
    """The classifier two-sample test, one row per direction and method.

    Args:
        table: as from `ganlib.evaluation.joined.load_joined(runs, "two_sample")`.
    """
    rows = [
        cells(f"{row.method}, {row.source} → {row.target}", f"{row.auc:.2f}", f"{row.low:.2f} to {row.high:.2f}",
              p_text(row.p))
        for row in table.sort_values("direction", kind="stable").itertuples()
    ]  # fmt: skip
    caption = (
        "Can a linear classifier, cross-validated by subject, tell synthetic slices from real ones? AUC 0.5: no; 1: "
        "always. P: how often chance (real and synthetic exchanged at random) does as well; not corrected."
    )
    return Table(caption, ["method, direction", "AUC", "95 % interval", "P"], rows)


def methods_of(scores):
    """Names of the methods of a table of scores without the baselines, in `METHOD_ORDER`."""
    return sorted(set(scores["method"]) - set(BASELINES), key=method_rank)


def _directions(scores):
    """Name, source and target of each direction."""
    return scores[["direction", "source", "target"]].drop_duplicates().itertuples(index=False, name=None)


def _column(means, letters, direction, names, better):
    mine = means[means["direction"] == direction].set_index("method")
    mark = letters[letters["direction"] == direction].set_index("method")["letters"]
    alone = len(mark) < 2 or pd.isna(mine["low"]).all()
    found = []
    for name in names:
        row = mine.loc[name]
        letter = "" if alone else mark.get(name, "")
        found.append(
            Cell(with_uncertainty(row["mean"], row["low"], row["high"]), letter, bool(better) and "a" in letter)
        )
    return found


def _head(metric, protocol):
    unit = protocol_named(protocol).measure_unit(metric)
    return f"{MEASURES[metric].label}{_ARROWS[MEASURES[metric].better]}{f' ({unit})' if unit else ''}"


def _caption(means, direction, protocol):
    row = means[means["direction"] == direction].iloc[0]
    count = row["n"]
    spread = f"mean ± half the 95 % bootstrap interval over {count} test subjects" if count > 1 else (
        "one test subject: no interval and no test"
    )  # fmt: skip
    letters = (
        "; methods that share a letter are not told apart (Wilcoxon signed-rank, Holm, 5 %), bold: those that share a "
        "letter with the best mean" if count > 1 else ""
    )  # fmt: skip
    return f"Synthetic {row['target']} from {row['source']}, protocol {protocol}: {spread}{letters}."
