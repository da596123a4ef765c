"""Runs: one folder per trained model, with everything needed to rebuild, resume, show and compare it."""

from ganlib.runs.config import Direction, RunConfig
from ganlib.runs.folder import Run

__all__ = ["Direction", "Run", "RunConfig"]
