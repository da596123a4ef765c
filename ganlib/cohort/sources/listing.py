"""What a source offers: the files of each subject, who was left out and why."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ganlib.cohort.sources.people import Person
from ganlib.cohort.sources.tree import Entry, Tree
from ganlib.errors import InputError

_RESERVED = ("mask", "labels")


@dataclass(frozen=True)
class SubjectFiles:
    """The files of one subject.

    Args:
        id: the subject's id; `sub-01_ses-02` where one person was scanned in several sessions.
        contrasts: file of each contrast.
        family: family, or person, whose members stay in one part of the split; None if unrelated to everybody.
        mask: mask file, or None if the source names no masks.
        labels: file of each label; None where the subject has none.
        person: who was scanned; None where every subject is a person of its own.
        site: where the subject was scanned, or None.
        traits: further columns of the subject's row in the source's table, such as sex.
    """

    id: str
    contrasts: dict[str, Path]
    family: str | None = None
    mask: Path | None = None
    labels: dict[str, Path | None] = field(default_factory=dict)
    person: str | None = None
    site: str | None = None
    traits: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """What a source found.

    Args:
        subjects: `SubjectFiles`, sorted by id.
        left_out: why a subject is not used, by its id.
        ignored: why a file or folder is not used, by its path relative to the source's folder.
        same_file: pairs of subjects that share a file (one is a link to the other), with the file's path.
        notes: what else a reader should know.
    """

    subjects: list[SubjectFiles]
    left_out: dict[str, str]
    ignored: dict[str, str] = field(default_factory=dict)
    same_file: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class Survey:
    """What a source saw, before anything is decided.

    Args:
        found: for each contrast, `mask` and `label <name>`: the `Entry`s of each subject.
        tree: `Tree` they were found in.
        people: `Person` of each subject.
        misnamed: files whose names contradict where they lie, by relative path, with the reason.
        notes: what else a reader should know.
    """

    found: dict[str, dict[str, list[Entry]]]
    tree: Tree
    people: dict[str, Person]
    misnamed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class _Flaw(NamedTuple):
    """Why a subject cannot be used: which policy decides, in a few words, and as an error message."""

    policy: str
    reason: str
    message: str


class Source:
    """What the layouts have in common. A layout has `folder`, `contrasts`, `mask`, `subjects`, `label_codes`, `remedy`.

    `contrasts` is the list of contrasts, `label_codes` a dictionary from label to the codes that carry it (None for
    every non-zero code), `remedy` says how to choose between two files.
    """

    remedy = "keep one"

    def survey(self):
        """Look at the names of all files; returns `Survey`."""
        raise NotImplementedError

    def find(self, *, incomplete="error", incomplete_labels="error", conflicts="error"):
        """List the subjects and their files.

        Args:
            incomplete: what to do with a subject that lacks a contrast, its mask, or its row in a table: `"error"` or
                `"skip"`.
            incomplete_labels: the same for one that lacks a label volume, or `"empty"`: it has none of that label.
            conflicts: the same for one with two files of one contrast, and for files whose names contradict where
                they lie.

        Returns:
            `Listing`.

        Raises:
            InputError: a pattern matches nothing, a link leads out of the folder, or one of the above.
        """
        policies = {"incomplete": incomplete, "incomplete_labels": incomplete_labels, "conflicts": conflicts}
        return self._listing(self.survey(), policies, links="error")

    def list_all(self):
        """`Listing` in which everybody who cannot be used is left out, and everything else wrong is ignored, by name.

        Raises:
            InputError: a pattern matches nothing, or nobody is complete.
        """
        policies = dict.fromkeys(("incomplete", "incomplete_labels", "conflicts"), "skip")
        return self._listing(self.survey(), policies, links="skip")

    def _listing(self, survey, policies, links):
        _check_links(self.folder, survey.tree.outside, links)
        check_names(self.folder, survey.misnamed, policies["conflicts"])
        subjects, left_out = [], {}
        for subject_id in _selected(self.folder, _ids(survey, self.contrasts), self.subjects):
            flaws = [flaw for flaw in self._flaws(survey, subject_id) if policies[flaw.policy] != "empty"]
            for flaw in flaws:
                if policies[flaw.policy] == "error":
                    raise InputError(flaw.message)
            if flaws:
                left_out[subject_id] = "; ".join(flaw.reason for flaw in flaws)
            else:
                subjects.append(self._subject(survey, subject_id))
        if not subjects:
            raise InputError(
                f"{self.folder}: no subject is complete, {len(left_out)} were left out"
                f"{_first(left_out)}; check contrasts and patterns"
            )
        _check_distinct(subjects)
        outside = {path: f"a link out of the folder, to {target}" for path, target in survey.tree.outside.items()}
        ignored = survey.tree.ignored | survey.misnamed | outside
        return Listing(subjects, left_out, dict(sorted(ignored.items())), _same_files(subjects, self.folder),
                       survey.notes)  # fmt: skip

    def _flaws(self, survey, subject_id):
        if subject_id in (".", ".."):
            yield _Flaw("conflicts", "not a usable id", f"{self.folder}: subject {subject_id!r}: not a usable id")
        for what, of_subject in survey.found.items():
            label = what.startswith("label ")
            entries = of_subject.get(subject_id, [])
            usable = [entry for entry in entries if entry.trouble is None]
            if len(usable) > 1:
                yield self._double(subject_id, what, usable)
            elif not usable:
                option = "incomplete_labels='empty' or 'skip'" if label else "incomplete='skip'"
                yield self._lacking(subject_id, what, entries, "incomplete_labels" if label else "incomplete", option)
        trouble = survey.people[subject_id].trouble
        if trouble is not None:
            yield _Flaw("incomplete", *trouble)

    def _double(self, subject_id, what, entries):
        first, second = entries[:2]
        return _Flaw(
            "conflicts",
            f"two {what} files, {first.path} and {second.path}",
            f"{self.folder}: two files are {what} of subject {subject_id!r}: {first.path} and {second.path}; "
            f"{self.remedy}, or set conflicts='skip'",
        )

    def _lacking(self, subject_id, what, entries, policy, option):
        if entries:
            reason = f"{what} file is a {entries[0].trouble} ({entries[0].path})"
            message = f"{self.folder}: subject {subject_id!r}: its {reason}; restore the file, or set {option}"
        else:
            reason = f"no {what} file"
            message = f"{self.folder}: subject {subject_id!r} has {reason}; add it, or set {option}"
        return _Flaw(policy, reason, message)

    def _subject(self, survey, subject_id):
        folder, person = Path(self.folder), survey.people[subject_id]
        files = {what: _usable(of_subject.get(subject_id, []), folder) for what, of_subject in survey.found.items()}
        return SubjectFiles(
            id=subject_id,
            family=person.family,
            contrasts={name: files[name] for name in self.contrasts},
            mask=files.get("mask"),
            labels={name: files[f"label {name}"] for name in self.label_codes},
            person=person.id,
            site=person.site,
            traits=person.traits,
        )


def check_contrasts(folder, contrasts):
    """Raise `InputError` if no contrast is named, or one is named as something else in a cohort."""
    if not contrasts:
        raise InputError(f"{folder}: no contrast is named; name at least one")
    for name in contrasts:
        if name in _RESERVED or name.startswith("label "):
            raise InputError(f"contrast name {name!r} is reserved; choose another name")
        if name in ("", ".", "..") or "/" in name or not name.isprintable():
            raise InputError(f"contrast name {name!r} cannot be used; choose a word")


def chosen_contrasts(folder, contrasts, known):
    """Dictionary from contrast to what the layout calls it.

    Args:
        folder: for the error message.
        contrasts: list of the layout's names, dictionary from the name wanted to the layout's, or None for all.
        known: the layout's names.

    Raises:
        InputError: a name is unknown or reserved.
    """
    if contrasts is None:
        contrasts = list(known)
    chosen = dict(contrasts) if isinstance(contrasts, dict) else {name: name for name in contrasts}
    check_contrasts(folder, chosen)
    for name in chosen.values():
        if name not in known:
            raise InputError(f"{folder}: no contrast {name!r} in this layout; it has {', '.join(known)}")
    return chosen


def by_subject(pairs):
    """Dictionary from subject to its `Entry`s, from pairs of both."""
    found = {}
    for subject_id, entry in pairs:
        found.setdefault(subject_id, []).append(entry)
    return found


def all_ids(found, contrasts):
    """Subjects that have a file of any contrast, sorted."""
    return sorted(set().union(*(found[contrast] for contrast in contrasts)))


def _ids(survey, contrasts):
    return all_ids(survey.found, contrasts)


def _selected(folder, ids, wanted):
    if wanted is None:
        return ids
    for subject_id in wanted:
        if subject_id not in ids:
            such = f", such as {ids[0]!r}" if ids else ""
            raise InputError(f"{folder}: no subject {subject_id!r} among its {len(ids)}{such}")
    return sorted(set(wanted))


def _usable(entries, folder):
    return next((folder / entry.path for entry in entries if entry.trouble is None), None)


def _first(left_out):
    return next((f", such as {subject_id} ({reason})" for subject_id, reason in left_out.items()), "")


def _check_links(folder, outside, policy):
    for path, target in outside.items():
        if policy == "error":
            raise InputError(
                f"{Path(folder) / path}: a link that leads out of the folder, to {target}; "
                "copy what it links to, or set follow_links=True if that is meant"
            )


def check_names(folder, misnamed, policy):
    """Raise `InputError` if a file's name contradicts where it lies, unless the policy is `"skip"`."""
    for path, reason in misnamed.items():
        if policy == "error":
            raise InputError(f"{Path(folder) / path}: {reason}; rename one, or set conflicts='skip'")


def _check_distinct(subjects):
    """Refuse patterns so wide that one file serves as two contrasts."""
    for subject in subjects:
        names = list(subject.contrasts)
        paths = list(subject.contrasts.values())
        for index, path in enumerate(paths):
            if path in paths[:index]:
                first = names[paths.index(path)]
                raise InputError(f"{path}: matched as {first} and as {names[index]}; make the patterns narrower")


def _same_files(subjects, folder):
    """Pairs of subjects (or of one subject's contrasts) that share a file, under whatever names."""
    first, pairs = {}, []
    for subject in subjects:
        for path in subject.contrasts.values():
            status = path.stat()
            owner = first.setdefault((status.st_dev, status.st_ino), subject.id)
            if owner != subject.id:
                pairs.append((owner, subject.id, path.relative_to(folder).as_posix()))
    return pairs
