"""`name=value` as it is written on a command line, the value in YAML."""

import yaml

from ganlib.errors import InputError


def assignments(texts, *, what="parameter"):
    """Dictionary of several `name=value`.

    Args:
        texts: strings.
        what: what the names are names of, for the error message.

    Raises:
        InputError: there is no `=`, or the value is not YAML.

    Example:
        >>> assignments(["slice_mm=12", "mask=computed"])
        {'slice_mm': 12, 'mask': 'computed'}
    """
    return dict(assigned(text, what) for text in texts)


def assigned(text, what="parameter"):
    """Name and value of one `name=value`; as `assignments`."""
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"{what} {text!r} is not of the form name=value")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise InputError(f"{what} {name!r}: {value!r} is not YAML") from error
