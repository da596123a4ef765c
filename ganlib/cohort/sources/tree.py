"""Files below a folder: NIfTI volumes by relative path, and what is wrong with a link among them."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from ganlib.errors import InputError

NIFTI = (".nii", ".nii.gz")
BROKEN = "broken link"


@dataclass(frozen=True, order=True)
class Entry:
    """A file that a source found.

    Args:
        path: relative to the source's folder, with forward slashes.
        trouble: why it cannot be read, such as a broken link; None if nothing is known against it.
    """

    path: str
    trouble: str | None = None


@dataclass
class Tree:
    """What lies below a folder.

    Args:
        entries: NIfTI files, sorted by path.
        ignored: why a file or folder is not looked at, by relative path.
        outside: links that lead out of the folder, by relative path, with where they lead.
    """

    entries: list[Entry] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)
    outside: dict[str, str] = field(default_factory=dict)


def check_folder(folder):
    """Raise `InputError` if the folder is missing."""
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder; give the folder that holds the NIfTI files")


def listed(folder, *, follow_links=False):
    """List the NIfTI files below a folder.

    Real folders are listed before linked ones, and each only once, so that links cannot hide them or go in circles.
    Hidden files and folders (`.…`) are not seen.

    Args:
        folder: the folder.
        follow_links: also take files and folders that a link finds outside `folder`.

    Returns:
        `Tree`.
    """
    tree = Tree()
    waiting, seen = [Path(folder)], set()
    while waiting:
        start = waiting.pop(0)
        for here, folders, files in os.walk(start):
            real = os.path.realpath(here)
            new, folders[:] = real not in seen, sorted(_visible(tree, folder, here, folders))
            seen.add(real)
            if not new:
                folders.clear()
                continue
            linked = [Path(here) / name for name in folders if (Path(here) / name).is_symlink()]
            waiting += [path for path in linked if _inside(tree, folder, path, follow_links)]
            for name in _visible(tree, folder, here, files):
                _note(tree, folder, Path(here) / name, follow_links)
    tree.entries.sort()
    return tree


def entry(tree, folder, path, *, follow_links=False):
    """`Entry` of one file, or None if there is none; a link out of the folder is noted in `tree.outside`."""
    path = Path(path)
    if not path.is_file():
        return Entry(relative(path, folder), BROKEN) if path.is_symlink() and not path.exists() else None
    if not _inside(tree, folder, path, follow_links):
        return None
    return Entry(relative(path, folder))


def relative(path, folder):
    """Path relative to a folder, with forward slashes."""
    return Path(path).relative_to(folder).as_posix()


def _visible(tree, folder, here, names):
    """Names that are not hidden and can be printed in one line; the others are noted."""
    for name in names:
        if name.startswith("."):
            continue
        if name.isprintable():
            yield name
        else:
            shown = (Path(here) / ascii(name)).relative_to(folder).as_posix()
            tree.ignored[shown] = "its name has control characters or is not in the file system's encoding"


def _note(tree, folder, path, follow_links):
    """Sort a file into the tree."""
    broken = path.is_symlink() and not path.exists()
    if path.name.endswith(NIFTI):
        if broken or not path.is_symlink() or _inside(tree, folder, path, follow_links):
            tree.entries.append(Entry(relative(path, folder), BROKEN if broken else None))
    elif broken:
        tree.ignored[relative(path, folder)] = BROKEN


def _inside(tree, folder, path, follow_links):
    """True if no link on the way to a file or folder leads out of the source's folder; if one does, it is noted."""
    if follow_links:
        return True
    root, target = os.path.realpath(folder), os.path.realpath(path)
    if target == root or target.startswith(root.rstrip(os.sep) + os.sep):
        return True
    tree.outside[relative(path, folder)] = target if target.isprintable() else ascii(target)
    return False
