"""The browser that draws pictures: what it cannot do is said in one line, and nothing waits for it for ever."""

import contextvars
import threading

import pytest

from ganlib.display import browser
from ganlib.display.browser import NoBrowserError, drawn


@pytest.fixture
def silence(monkeypatch):
    """A browser that never answers, and patience of a fifth of a second."""
    monkeypatch.setattr(browser, "_is_silent", threading.Event())
    monkeypatch.setattr(browser, "PATIENCE_S", 0.2)
    never = threading.Event()
    yield never.wait
    never.set()


def test_a_silent_browser_is_waited_for_once(silence):
    with pytest.raises(NoBrowserError, match=r"^report: .* has not answered for 0\.2 s"):
        drawn("report", silence)
    with pytest.raises(NoBrowserError, match=r"^this notebook: .* has not answered"):
        drawn("this notebook", pytest.fail)


def test_what_is_no_fault_of_the_browser_is_raised_as_it_is():
    def draw():
        raise PermissionError("figure.png")

    with pytest.raises(PermissionError, match=r"figure\.png"):
        drawn("report", draw)


def test_a_missing_browser_is_said_with_its_cause():
    def draw():
        raise RuntimeError("Kaleido requires Google Chrome to be installed.")

    with pytest.raises(NoBrowserError, match="none could be started; install one") as caught:
        drawn("report", draw)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_pictures_are_drawn_in_the_context_of_the_caller():
    cell = contextvars.ContextVar("cell", default=None)
    cell.set(3)
    seen = []
    drawn("this notebook", lambda: seen.append(cell.get()))
    assert seen == [3]
