"""What the answers of a study are worth: tables of estimates, as in the paper's Figures 1d and 1e and beyond."""

import itertools

import pandas as pd

from ganlib.errors import InputError
from ganlib.evaluation.paired import holm
from ganlib.study.answers import answers_table, require_answers
from ganlib.study.ratings import first_ratings
from ganlib.study.statistic import (
    CALLED_REAL,
    CRITERION,
    D_PRIME,
    D_PRIME_PAIRS,
    ERROR_RATE,
    ROC_AREA,
    difference,
    estimate,
)

#: A rater who has answered less than this share of the counted trials is left out of the estimates.
LEAST_SHARE = 0.5
ALL = "all"


class StudyResults:
    """The answers of a study, and everything that is said of them.

    Args:
        study: `Study`, open or closed.

    Raises:
        InputError: nobody has answered enough yet.
    """

    def __init__(self, study):
        self.study = study
        self.trials = study.trials
        self.table = answers_table(study)
        require_answers(self.table, study)
        counted = self.table[~self.table["practice"].astype(bool)]
        shares = counted.groupby("rater", sort=False).size() / len(self.trials.trials)
        self.raters = tuple(shares.index[shares >= LEAST_SHARE])
        self.left_out = tuple(shares.index[shares < LEAST_SHARE])
        if not self.raters:
            raise InputError(
                f"study {study.name!r}: nobody has answered half of the {len(self.trials.trials)} trials yet "
                f"(most: {int(shares.max() * len(self.trials.trials))}); wait for more answers"
            )
        self.ratings = first_ratings(self.table, self.trials, self.raters)

    @property
    def pairs(self):
        """Whether it is a two-alternative study."""
        return self.trials.design.mode == "two_alternative"

    @property
    def simulated(self):
        """Whether a rater is simulated: everything that is shown must say so."""
        return bool((self.table["experience"] == "simulated").any())

    @property
    def counted(self):
        """Counted answers of the raters who are not left out (`pandas.DataFrame`)."""
        return self.table[~self.table["practice"].astype(bool) & self.table["rater"].isin(self.raters)]

    def labelled(self):
        """Share of the images that was called real, or of the pairs in which the synthetic one was: Figures 1d, 1e.

        Returns:
            `pandas.DataFrame`, one row per kind in total (`method` and `contrast` are `all`), per contrast, per method
            and per method × contrast; columns `kind`, `method`, `contrast`, `value`, `low`, `high` (fractions),
            `raters`, `images`, `scope`.
        """
        statistic = ERROR_RATE if self.pairs else CALLED_REAL
        groups = [*(self._groups("pair") if self.pairs else [*self._groups("real"), *self._groups("synthetic")])]
        return self._rows((statistic, kind, method, contrast) for kind, method, contrast in groups)

    def detection(self):
        """d′, criterion and ROC area of telling each method's images from real ones of the same contrast.

        Returns:
            `pandas.DataFrame`, columns as in `labelled` with `statistic` (`d_prime`, `criterion`, `roc_area`) and
            without `kind`.
        """
        chosen = (D_PRIME_PAIRS, CRITERION, ROC_AREA) if self.pairs else (D_PRIME, CRITERION, ROC_AREA)
        groups = [(statistic, "both", method, contrast)
                  for statistic in chosen for _, method, contrast in self._groups("synthetic")]  # fmt: skip
        table = self._rows(groups)
        return table.drop(columns="kind")

    def differences(self):
        """Every two methods: difference of the share called real, both contrasts together.

        Returns:
            `pandas.DataFrame`: `first`, `second`, `value` (first minus second), `low`, `high`, `p`, and `p_holm`,
            corrected for the number of comparisons; empty with one method.
        """
        statistic, rows = ERROR_RATE if self.pairs else CALLED_REAL, []
        for first, second in itertools.combinations(self.trials.methods, 2):
            chosen = [self.ratings.of(_member("synthetic", method, ALL)) for method in (first, second)]
            found, p_value = difference(statistic, *chosen)
            rows.append({"first": first, "second": second, **vars(found), "p": p_value})
        table = pd.DataFrame(
            rows, columns=["first", "second", "value", "low", "high", "raters", "images", "scope", "p"]
        )
        return table.assign(p_holm=holm(table["p"]))

    def _groups(self, kind):
        """Total, per contrast, per method, and method × contrast of one kind."""
        methods = [ALL] if kind == "real" else [ALL, *self.trials.methods]
        return [(kind, method, contrast) for method in methods for contrast in (ALL, *self.trials.contrasts)]

    def _rows(self, wanted):
        rows = []
        for statistic, kind, method, contrast in wanted:
            found = estimate(statistic, self.ratings.of(_member(kind, method, contrast)))
            rows.append({"kind": kind, "statistic": statistic.name, "method": method, "contrast": contrast,
                         **vars(found)})  # fmt: skip
        return pd.DataFrame(rows)


def _member(kind, method, contrast):
    """Function that tells whether a cell belongs to a group; `both` takes the real images of the contrast too."""

    def chosen(cell):
        own_kind, own_method, own_contrast = cell
        if contrast not in (ALL, own_contrast):
            return False
        if own_kind == "real":
            return kind in ("real", "both")
        return kind != "real" and method in (ALL, own_method)

    return chosen
