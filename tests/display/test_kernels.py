"""Kernels are reached through socket files, whose names nobody takes away from them, where these can be had."""

import sys

import pytest

from ganlib.display import serve
from ganlib.display.kernels import transport


@pytest.mark.skipif(sys.platform != "linux", reason="socket files are tried on Linux alone")
def test_through_a_file_as_long_as_its_path_may_be():
    assert transport("/tmp/kernel-5") == "ipc"
    assert transport("/" + 106 * "a") == "ipc"
    assert transport("/" + 107 * "a") == "tcp"
    assert transport("/" + 60 * "ä") == "tcp"


def test_elsewhere_through_ports(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert transport("/tmp/kernel-5") == "tcp"


def test_a_dashboard_asks_for_what_fits_the_folder_for_temporary_files(monkeypatch):
    def asked(folder):
        monkeypatch.setattr(serve.tempfile, "tempdir", folder)
        [found] = [word for word in serve.command("rate.ipynb", 1) if word.startswith("--KernelManager.transport=")]
        return found.partition("=")[2]

    monkeypatch.setattr(sys, "platform", "linux")
    assert asked("/tmp") == "ipc"
    assert asked("/scratch/" + 60 * "a") == "tcp"
