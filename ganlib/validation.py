"""Settings from a user: validated, and refused in one line."""

from pydantic import ValidationError

from ganlib.errors import InputError


def validated(model, values, *, what="setting"):
    """An instance of a pydantic model.

    Args:
        model: the class.
        values: dictionary of the settings that differ from the defaults.
        what: what a key is called in the message.

    Raises:
        InputError: a key is unknown or a value cannot be used; the message names it and lists the known keys.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        # A key that is unknown is often the reason why another one is missing.
        first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        key = ".".join(map(str, first["loc"])) or "all"
        raise InputError(f"{what} {key!r}: {first['msg']}; known are {', '.join(model.model_fields)}") from error
