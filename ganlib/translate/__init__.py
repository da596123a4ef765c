"""Apply a trained run: to the test subjects of its cohort, to a volume, to a folder of volumes."""

from ganlib.translate.folder import translate_folder
from ganlib.translate.test_set import translate_test_set
from ganlib.translate.volume import VolumeTranslator, translate_volume

__all__ = ["VolumeTranslator", "translate_folder", "translate_test_set", "translate_volume"]
