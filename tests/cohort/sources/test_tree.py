"""Links, hidden files and names that no line of text can hold."""

import os

import pytest

from ganlib.cohort.sources.tree import Entry, listed
from tests.cohort.sources.conftest import touch


def paths(tree):
    return [entry.path for entry in tree.entries]


@pytest.fixture
def outside(tmp_path):
    return touch(tmp_path / "outside", "secret.nii.gz", "deep/more.nii.gz")


@pytest.fixture
def folder(tmp_path):
    return touch(tmp_path / "study", "b/b.nii.gz", "a.nii", "note.txt", ".hidden.nii", ".git/x.nii.gz")


def test_volumes_only_sorted_and_none_that_is_hidden(folder):
    assert paths(listed(folder)) == ["a.nii", "b/b.nii.gz"]


def test_links_inside_are_followed_once_and_real_folders_come_first(folder):
    (folder / "a_link").symlink_to(folder / "b", target_is_directory=True)
    (folder / "b" / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "c.nii.gz").symlink_to(folder / "b" / "b.nii.gz")
    tree = listed(folder)
    assert paths(tree) == ["a.nii", "b/b.nii.gz", "c.nii.gz"]
    assert (tree.ignored, tree.outside) == ({}, {})


def test_an_annexed_file_is_a_link_inside(folder):
    touch(folder, ".git/annex/objects/key.nii.gz")
    (folder / "b" / "annexed.nii.gz").symlink_to("../.git/annex/objects/key.nii.gz")
    assert "b/annexed.nii.gz" in paths(listed(folder))


def test_links_out_are_named_with_where_they_lead(folder, outside):
    (folder / "file.nii.gz").symlink_to(outside / "secret.nii.gz")
    (folder / "b" / "up").symlink_to("../../outside", target_is_directory=True)
    tree = listed(folder)
    assert paths(tree) == ["a.nii", "b/b.nii.gz"]
    assert tree.outside == {"file.nii.gz": str(outside / "secret.nii.gz"), "b/up": str(outside)}
    follow = listed(folder, follow_links=True)
    assert paths(follow) == ["a.nii", "b/b.nii.gz", "b/up/deep/more.nii.gz", "b/up/secret.nii.gz", "file.nii.gz"]
    assert follow.outside == {}


def test_a_neighbour_whose_name_begins_alike_is_outside(folder, tmp_path):
    touch(tmp_path / "study2", "x.nii")
    (folder / "x.nii").symlink_to(tmp_path / "study2" / "x.nii")
    assert "x.nii" in listed(folder).outside


def test_broken_links_are_entries_with_trouble(folder):
    (folder / "gone.nii.gz").symlink_to("nowhere.nii.gz")
    (folder / "sub-9").symlink_to("/nowhere/sub-9")
    tree = listed(folder)
    assert Entry("gone.nii.gz", "broken link") in tree.entries
    assert tree.ignored == {"sub-9": "broken link"}


def test_names_that_break_a_line_are_ignored_and_shown_in_ascii(folder):
    touch(folder, "two\nlines.nii.gz", "t\x1b[31m/x.nii")
    (folder / os.fsdecode(b"latin\xe9.nii.gz")).write_bytes(b"")
    tree = listed(folder)
    assert paths(tree) == ["a.nii", "b/b.nii.gz"]
    assert len(tree.ignored) == 3
    assert all(name.isprintable() for name in tree.ignored)


def test_the_folder_itself_may_be_a_link(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    assert paths(listed(tmp_path / "link")) == ["a.nii", "b/b.nii.gz"]
