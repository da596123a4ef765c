"""The phantom cohort: paired T1w and T2w brains from signal equations, made in seconds and free of anybody's data."""

from ganlib.cohort.phantom.make import make_phantom
from ganlib.cohort.phantom.settings import PhantomSettings

__all__ = ["PhantomSettings", "make_phantom"]
