"""The share of a run's training subjects that have lesions, in each contrast, and how the run is called by it."""

import math

from ganlib.cohort.prevalence import with_lesion


def lesion_shares(cohort, runs, lesion="lesion"):
    """Share of the training subjects with a lesion in each contrast of each run, as they were trained on.

    Args:
        cohort: the runs' open cohort.
        runs: list of `ganlib.runs.Run`.
        lesion: name of the lesions' label.

    Returns:
        Dictionary from the run's name to a dictionary from contrast to share, 0 to 1.

    Raises:
        InputError: the cohort has no such label.
    """
    ids = dict.fromkeys(name for run in runs for members in run.domains.values() for name in members)
    affected = with_lesion(cohort, ids, lesion)
    return {run.name: {side: _share(affected, members) for side, members in run.domains.items()} for run in runs}


def with_shares(table, shares):
    """A table with the columns `source_share` and `target_share`; NaN where a row is of no run.

    Args:
        table: `pandas.DataFrame` with the columns run, source and target.
        shares: as from `lesion_shares`.
    """
    columns = {
        f"{side}_share": [
            shares.get(run, {}).get(contrast, math.nan) for run, contrast in zip(table["run"], table[side], strict=True)
        ]
        for side in ("source", "target")
    }
    return table.assign(**columns)


def label_with_share(run):
    """A run's method, with the prevalence that its training subjects were drawn by: `CycleGAN (T1w 0 %, T2w 100 %)`.

    Runs of one method and prevalence that differ in their seed alone so have the same label, and are counted together.

    Args:
        run: `ganlib.runs.Run`.
    """
    return f"{run.label} ({share_words(run.config.prevalence)})" if run.config.prevalence else run.label


def share_words(prevalence):
    """Prevalence of each contrast in words: `50 %` where it is the same in both, else `T1w 0 %, T2w 100 %`.

    Args:
        prevalence: dictionary from contrast to share, 0 to 1.

    Example:
        >>> share_words({"T1w": 0.5, "T2w": 0.5}), share_words({"T1w": 0, "T2w": 1})
        ('50 %', 'T1w 0 %, T2w 100 %')
    """
    if len(set(prevalence.values())) == 1:
        return f"{100 * next(iter(prevalence.values())):g} %"
    return ", ".join(f"{contrast} {100 * share:g} %" for contrast, share in prevalence.items())


def _share(affected, members):
    return sum(affected[name] for name in members) / len(members)
