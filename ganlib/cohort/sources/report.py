"""A listing in words: what was found, what was left out, and why."""

from collections import Counter

_MOST_LINES = 20


def report(source, listing):
    """What a source found, as lines of text, before a voxel is read.

    Args:
        source: the `Source`.
        listing: its `Listing`.

    Returns:
        Text of several lines.
    """
    subjects = listing.subjects
    count = len(subjects) + len(listing.left_out)
    described = source.describe()
    lines = [f"{described['kind']} layout, {described['folder']}: {count} subjects, {len(subjects)} complete"]
    lines += _files(subjects) + _groups(subjects)
    lines += _section("left out", listing.left_out)
    lines += _section("ignored", listing.ignored)
    shared = {f"{first} and {second}": f"share a file ({path})" for first, second, path in listing.same_file}
    lines += _section("pairs of subjects with one file", shared)
    return "\n".join([*lines, *(f"note: {note}" for note in listing.notes)])


def _files(subjects):
    lines = [f"  {name}: such as {_shown(path)}" for name, path in subjects[0].contrasts.items()]
    if subjects[0].mask is not None:
        lines.append(f"  mask: such as {_shown(subjects[0].mask)}")
    for name in subjects[0].labels:
        having = [subject.labels[name] for subject in subjects if subject.labels[name] is not None]
        lines.append(f"  label {name}: {len(having)} subjects" + (f", such as {_shown(having[0])}" if having else ""))
    return lines


def _shown(path):
    return "/".join(path.parts[-3:])


def _groups(subjects):
    persons = {subject.person or subject.id for subject in subjects}
    lines = [f"  persons: {len(persons)}"] if len(persons) < len(subjects) else []
    families = Counter(subject.family for subject in subjects if subject.family is not None)
    if families:
        several = sum(number > 1 for number in families.values())
        lines.append(f"  families: {len(families)}, of which {several} have several members")
    sites = Counter(subject.site for subject in subjects if subject.site is not None)
    if sites:
        lines.append("  sites: " + ", ".join(f"{site} {number}" for site, number in sorted(sites.items())))
    return lines


def _section(title, reasons):
    if not reasons:
        return []
    shown = [f"  {name}: {reason}" for name, reason in list(reasons.items())[:_MOST_LINES]]
    rest = len(reasons) - len(shown)
    return [f"{len(reasons)} {title}:", *shown, *([f"  … and {rest} more"] if rest else [])]
