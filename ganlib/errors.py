"""The one exception for a user's mistake."""


class InputError(ValueError):
    """Input that ganlib cannot use: the message is one line that names the file or key and the remedy.

    The command line and the dashboards print the message alone. In a notebook IPython asks the exception for its
    rendering, so that there, too, a user's mistake is one line and not a traceback.
    """

    def _render_traceback_(self):
        return [f"{type(self).__name__}: {self}"]
