"""A PostgreSQL server for every test that stores a study in one."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory):
    """URL of a PostgreSQL server of its own, on a Unix socket; the test is skipped where it is not installed."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    try:
        import psycopg  # noqa: F401  without the driver, the server is of no use
    except ModuleNotFoundError:
        binaries = []
    if not binaries:
        if "CI" in os.environ:
            pytest.fail("PostgreSQL or its driver is not installed; .ci/run installs both")
        pytest.skip("PostgreSQL or its driver is not installed")
    yield from _serve_postgresql(binaries[-1], tmp_path_factory.mktemp("pg"))


def _serve_postgresql(binaries, folder):
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder.chmod(0o755)
    home = Path("/tmp") / f"ganlib-pg-{os.getpid()}"  # a socket's path must be short, and readable by its user
    home.mkdir(mode=0o777)
    if user:
        shutil.chown(home, "postgres")
    name = "postgres" if user else os.environ.get("USER", "postgres")
    control = [*user, str(binaries / "pg_ctl"), "-D", str(home / "data"), "-w"]
    setting = f"-k {home} -c listen_addresses='' -c fsync=on -c max_connections=200"
    try:
        _run([*user, str(binaries / "initdb"), "-D", str(home / "data"), "-A", "trust", "-U", name, "-E", "UTF8"])
        _run([*control, "-l", str(home / "log"), "-o", setting, "start"])
        yield f"postgresql://{name}@/postgres?host={home}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], capture_output=True, check=False, cwd="/")
        shutil.rmtree(home, ignore_errors=True)


def _run(command):
    # Into a file: the server would inherit a pipe, and this process wait for the server's end.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(command, stdout=said, stderr=said, check=False, cwd="/")
        said.seek(0)
        assert done.returncode == 0, said.read().decode()
