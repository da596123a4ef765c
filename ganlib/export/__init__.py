"""A generator alone, to be used elsewhere, with what has to be known of it."""

from ganlib.export.export import FORMATS, export_generator

__all__ = ["FORMATS", "export_generator"]
