"""Made-up trees of every layout: empty files with the right names, since a listing reads no voxel."""

import pytest

from ganlib.errors import InputError


def touch(folder, *names):
    """Empty files, with their folders."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def refused(source, *words, **options):
    """The one line with which a source refuses; it has all the words."""
    with pytest.raises(InputError) as caught:
        source.find(**options)
    text = str(caught.value)
    assert "\n" not in text
    for word in words:
        assert word in text
    return text


def names(listing, contrast="T1w"):
    """File name of every subject."""
    return {subject.id: subject.contrasts[contrast].name for subject in listing.subjects}


def ids(listing):
    """Ids of the subjects."""
    return [subject.id for subject in listing.subjects]
