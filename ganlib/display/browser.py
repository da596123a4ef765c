"""Chrome or Chromium, by which Plotly has its pictures drawn: found missing, or silent, in one line."""

import contextvars
import functools
import threading

from ganlib.errors import InputError

#: Longest wait for all pictures of one call, s. A picture takes a second or five; Kaleido gives up on one after 90 s,
#: but waits for ever where the browser has died between two of them.
PATIENCE_S = 300

_is_silent = threading.Event()


class NoBrowserError(InputError):
    """There is no Chrome or Chromium to draw pictures with, or it does not answer."""


def drawn(where, draw):
    """Draw pictures, and wait for them no longer than `PATIENCE_S`.

    Args:
        where: what the pictures are for, the beginning of what is said if they cannot be drawn.
        draw: function without arguments that has Plotly write or show them.

    Raises:
        NoBrowserError: there is no browser, it does not start, or it has not answered in time, now or before.
    """
    if _is_silent.is_set():
        raise _silence(where)
    errors = []

    def call():
        try:
            draw()
        except Exception as error:
            errors.append(error)

    # In the caller's context, by which a notebook knows the cell that shows something.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(call,), daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    if thread.is_alive():
        _is_silent.set()
        raise _silence(where)
    if errors:
        raise _explained(where, errors[0])


@functools.cache
def keep():
    """Keep one browser for all further pictures of this process: starting it anew takes seconds for each.

    Only once a picture has been drawn, since without a browser Kaleido's server waits for ever.
    """
    import kaleido

    kaleido.start_sync_server(silence_warnings=True)


def _silence(where):
    return NoBrowserError(
        f"{where}: pictures are drawn by Chrome or Chromium, which has not answered for {PATIENCE_S} s; end it "
        "and this program and try again, or save as .html"
    )


def _explained(where, error):
    said = f"{type(error).__name__} {error}".lower()
    if "chrom" not in said and "browser" not in said:
        return error
    made = NoBrowserError(
        f"{where}: pictures are drawn by Chrome or Chromium, and none could be started; install one (or run "
        "plotly_get_chrome), set BROWSER_PATH to it if need be, or save as .html"
    )
    made.__cause__ = error
    return made
