"""Runs: one folder per trained model, with everything needed to rebuild, resume, show and compare it."""

from ganlib.runs.config import Augmentation, Direction, RunConfig
from ganlib.runs.folder import Run, open_runs

__all__ = ["Augmentation", "Direction", "Run", "RunConfig", "open_runs"]
