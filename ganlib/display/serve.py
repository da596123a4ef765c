"""Start a dashboard: Voila on this machine only, on a free port, with ganlib's own page template.

The template (`dashboards/share/voila/templates/ganlib`) is Voila's `lab` page without its links to a content
delivery network: a dashboard must open in a hospital without internet.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ganlib.display.kernels import transport
from ganlib.errors import InputError

HOST = "127.0.0.1"
DASHBOARDS = Path(__file__).resolve().parents[2] / "dashboards"


class Server:
    """A running Voila server; use it as a context manager, or call `stop`.

    Attributes:
        address: where the dashboard is, such as `http://127.0.0.1:8866/`.
        process: the `subprocess.Popen`.
    """

    def __init__(self, process, address, log):
        self.process = process
        self.address = address
        self._log = log

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def log(self):
        """What the server has written so far."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def stop(self, seconds=10):
        """End the server and its kernels."""
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()


#: A kernel's socket file, as Voila and Jupyter name it in the folder for temporary files.
_SOCKET = "voila_12345678/kernel-12345678-1234-1234-1234-123456789012-ipc-5"


def command(notebook, port, host=HOST):
    """The command that serves one notebook.

    Only this notebook is served: given a folder, Voila lists and runs every notebook below it.
    """
    return [
        sys.executable, "-m", "voila", str(notebook), "--no-browser", f"--port={port}", f"--Voila.ip={host}",
        "--Voila.port_retries=0", f"--Voila.config_file_paths={DASHBOARDS}", "--template=ganlib", "--theme=dark",
        f"--KernelManager.transport={transport(Path(tempfile.gettempdir(), _SOCKET))}",
    ]  # fmt: skip


def environment(runs=None, variables=None, cohort=None):
    """The server's environment: this process's, ganlib's page template, and where the runs or the cohort are."""
    paths = [str(DASHBOARDS / "share"), os.environ.get("JUPYTER_PATH", "")]
    merged = {**os.environ, "JUPYTER_PATH": os.pathsep.join(filter(None, paths)), **(variables or {})}
    if runs is not None:
        merged["GANLIB_RUNS"] = str(Path(runs).expanduser().resolve())
    if cohort is not None:
        merged["GANLIB_COHORT"] = str(Path(cohort).expanduser().resolve())
    return merged


def start(notebook=None, *, runs=None, cohort=None, port=None, host=HOST, variables=None, seconds=60):
    """Start Voila and wait until it accepts connections.

    Args:
        notebook: the dashboard's notebook; default `dashboards/compare.ipynb`.
        runs: folder that holds the run folders (`GANLIB_RUNS` of the kernel); default: as in this environment.
        cohort: cohort file (`GANLIB_COHORT` of the kernel), for the quality page; default: as in this environment.
        port: default a free one.
        host: address to listen on; by default this machine only, `0.0.0.0` for everybody who can reach it.
        variables: further environment variables of the server and its kernels.
        seconds: how long to wait at most.

    Returns:
        `Server`.

    Raises:
        InputError: the notebook is missing, the port is taken, or the server does not start.
    """
    notebook = Path(notebook or DASHBOARDS / "compare.ipynb").resolve()
    if not notebook.is_file():
        raise InputError(f"{notebook}: no such dashboard; there are {_dashboards()}")
    port = port or _free_port()
    if _accepts(port):
        raise InputError(f"port {port} of {HOST} is taken; choose another one, or none to get a free one")
    log = tempfile.TemporaryFile()  # noqa: SIM115  closed by Server.stop
    process = subprocess.Popen(
        command(notebook, port, host),
        env=environment(runs, variables, cohort),
        cwd=notebook.parent,
        stdout=log,
        stderr=log,
    )
    server = Server(process, f"http://{HOST}:{port}/", log)
    _wait(server, port, seconds)
    return server


def run(notebook=None, *, runs=None, cohort=None, port=None):
    """Start a dashboard, print its address, and serve until interrupted (Ctrl-C)."""
    with start(notebook, runs=runs, cohort=cohort, port=port) as server:
        print(f"{server.address}   (Ctrl-C ends it)", flush=True)  # noqa: T201  the address is what the caller wants
        with contextlib.suppress(KeyboardInterrupt):
            server.process.wait()


def _wait(server, port, seconds):
    deadline = time.monotonic() + seconds
    while not _accepts(port):
        if server.process.poll() is not None or time.monotonic() > deadline:
            lines = server.log().strip().splitlines() or ["it wrote nothing"]
            server.stop()
            raise InputError(f"the Voila server did not start within {seconds} s: {lines[-1]}")
        time.sleep(0.05)


def _accepts(port):
    with socket.socket() as connection:
        connection.settimeout(0.5)
        return connection.connect_ex((HOST, port)) == 0


def _free_port():
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return listener.getsockname()[1]


def _dashboards():
    return ", ".join(path.name for path in sorted(DASHBOARDS.glob("*.ipynb"))) or "none"
