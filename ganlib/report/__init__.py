"""A set of runs as one page that opens anywhere: `write_report`."""

from ganlib.report.write import write_report

__all__ = ["write_report"]
