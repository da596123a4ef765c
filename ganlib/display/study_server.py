"""The servers of a study: one for raters, one for the organiser, so that raters cannot even reach the other page."""

import contextlib
import hashlib
import secrets
import socket
from pathlib import Path

from ganlib.display import serve
from ganlib.study.database import StudyDatabase

EVERYBODY = "0.0.0.0"


def variables(database, name=None, runs=None, organiser_token=None, raters_address=None):
    """Environment of a study's pages.

    Args:
        database: path or URL of the study database.
        name: the study that is shown where the page's address names none.
        runs: folder of the runs that the organiser may make studies from.
        organiser_token: opens every study on the organiser's page; only its hash is handed on.
        raters_address: where the raters' page is, for the organiser to pass on.
    """
    address = str(database)
    if "://" not in address:
        address = str(Path(address).expanduser().resolve())
    found = {"GANLIB_STUDY": address, "GANLIB_STUDY_NAME": name or ""}
    if runs is not None:
        found["GANLIB_STUDY_RUNS"] = str(Path(runs).expanduser().resolve())
    if organiser_token is not None:
        found["GANLIB_ORGANISER_HASH"] = hashlib.sha256(organiser_token.encode()).hexdigest()
    if raters_address is not None:
        found["GANLIB_RATERS_ADDRESS"] = raters_address
    return found


@contextlib.contextmanager
def started(database, name=None, *, runs=None, port=None, organiser_port=None, public=False):
    """Start both servers; they end with the block.

    Yields:
        raters: `serve.Server` of the raters' page.
        organiser: `serve.Server` of the organiser's page.
        token: the organiser's, made for this start; it opens every study of the database.
    """
    StudyDatabase(database).close()  # a mistake is told here and not on the page
    token = secrets.token_urlsafe(18)
    host = EVERYBODY if public else serve.HOST
    with contextlib.ExitStack() as stack:
        settings = variables(database, name)
        raters = serve.start(serve.DASHBOARDS / "rate.ipynb", port=port, host=host, variables=settings)
        stack.enter_context(raters)
        settings = variables(database, name, runs, token, public_address(raters, public))
        organiser = serve.start(serve.DASHBOARDS / "organise.ipynb", port=organiser_port, variables=settings)
        yield raters, stack.enter_context(organiser), token


def run(database, name=None, **settings):
    """Serve both pages, print their addresses, and go on until interrupted (Ctrl-C)."""
    with started(database, name, **settings) as (raters, organiser, token):
        print(f"raters:    {public_address(raters, settings.get('public'))}")  # noqa: T201
        print(f"organiser: {organiser.address}#organiser={token}   (Ctrl-C ends both)", flush=True)  # noqa: T201
        with contextlib.suppress(KeyboardInterrupt):
            raters.process.wait()


def run_beside(runs, database, *, port=None):
    """Serve the compare dashboard and a study of the same runs, print the addresses, and go on until interrupted."""
    with serve.start(runs=runs, port=port) as compare, started(database, runs=runs) as (raters, organiser, token):
        print(f"compare:   {compare.address}")  # noqa: T201  the addresses are what the caller wants
        print(f"rate:      {raters.address}")  # noqa: T201
        print(f"organiser: {organiser.address}#organiser={token}   (Ctrl-C ends all)", flush=True)  # noqa: T201
        with contextlib.suppress(KeyboardInterrupt):
            compare.process.wait()


def public_address(server, public=False):
    """Address of a server as others in the network see it."""
    if not public:
        return server.address
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        with contextlib.suppress(OSError):
            probe.connect(("192.0.2.1", 9))  # a test network: nothing is sent, the system only picks an interface
        return server.address.replace(serve.HOST, probe.getsockname()[0])
