"""Kernels are reached through socket files, whose names nobody takes away from them, where these can be had."""

import json
import sys
from pathlib import Path

import nbformat
import psutil
import pytest

from ganlib.display import serve
from ganlib.display.kernels import transport
from ganlib.notebook import run_notebook
from tests.dashboards.raw_client import RawClient


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


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="socket files are tried on Linux alone")
def test_a_pages_kernel_does():
    with serve.start(serve.DASHBOARDS / "rate.ipynb") as server, RawClient(server.address):
        [kernel] = psutil.Process(server.process.pid).children()
        assert json.loads(Path(kernel.cmdline()[-1]).read_text())["transport"] == "ipc"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="socket files are tried on Linux alone")
def test_a_notebooks_kernel_does(tmp_path):
    cells = [
        nbformat.v4.new_code_cell("wanted: str = 'ipc'", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(
            "import json, ipykernel\n"
            "with open(ipykernel.get_connection_file()) as file:\n"
            "    assert json.load(file)['transport'] == wanted"
        ),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "notebook.ipynb")
    run_notebook(tmp_path / "notebook.ipynb", tmp_path / "copy.ipynb", {})
