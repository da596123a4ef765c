"""The methods, by name. A new method is a file and a line here."""

import importlib

from ganlib.errors import InputError
from ganlib.validation import validated

METHODS = {
    "simple": "ganlib.models.simple:Simple",
    "generators_s": "ganlib.models.generators_s:GeneratorsS",
    "cyclegan": "ganlib.models.cyclegan:CycleGAN",
    "cyclegan_s": "ganlib.models.cyclegan_s:CycleGANS",
    "unit": "ganlib.models.unit:UNIT",
    "pix2pix": "ganlib.models.pix2pix:Pix2Pix",
}


def method(name):
    """The class of a method, a subclass of `ganlib.models.translator.Translator`.

    Args:
        name: key of `METHODS`.

    Raises:
        InputError: no such method.
    """
    if name not in METHODS:
        raise InputError(f"method {name!r} is unknown; use one of {', '.join(METHODS)}")
    module, attribute = METHODS[name].split(":")
    return getattr(importlib.import_module(module), attribute)


def method_options(name, options):
    """A method's validated options, defaults filled in.

    Args:
        name: key of `METHODS`.
        options: dictionary of the settings that differ from the defaults.

    Raises:
        InputError: an option is unknown or has the wrong type or value; the message names it.
    """
    return validated(method(name).Options, options, what=f"{name} option")
