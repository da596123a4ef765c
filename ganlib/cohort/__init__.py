"""Cohorts: registered slices of many subjects and contrasts, from NIfTI files or from the phantom."""

from ganlib.cohort.intensity import IntensityRange
from ganlib.cohort.store import Cohort, CohortHeader, CohortWriter, Subject

__all__ = ["Cohort", "CohortHeader", "CohortWriter", "IntensityRange", "Subject"]
