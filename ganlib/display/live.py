"""A training as it goes: a panel in the notebook, drawn anew after each epoch."""

import plotly.io as pio
from IPython.display import Image, Markdown, display

from ganlib.display.figures import training_curves

_PICTURE_WIDTH_PX = 900


class LivePanel:
    """Loss parts, validation scores and the same validation subjects, after each epoch in the same place.

    The panel is an output that is replaced, not a widget: nothing is lost before the browser is there, and an executed
    notebook holds its last state alone. At the end a line takes its place, since the finished notebook shows the
    curves and the picture below.

    Example:
        >>> with LivePanel() as panel:                                            # doctest: +SKIP
        ...     run = train(cohort, folder, settings, on_epoch=panel.update)
    """

    def __enter__(self):
        self._shown = [display(Markdown(text), display_id=True) for text in ("Before the first epoch …", "")]
        self._epochs = 0
        return self

    def __exit__(self, kind, error, traceback):
        word = "finished" if kind is None else "stopped"
        self._shown[0].update(Markdown(f"Training {word} after {self._epochs} epochs in this session."))
        self._shown[1].update(Markdown(""))

    def update(self, run):
        """Draw the panel of a run.

        Args:
            run: `ganlib.runs.Run`, at least one epoch of which is finished.
        """
        self._epochs += 1
        # A figure shows itself anew instead of replacing what is there; what it shows does replace it.
        chart = pio.renderers["plotly_mimetype"].to_mimebundle(training_curves(run).to_dict())
        self._shown[0].update(chart, raw=True)
        if run.samples():
            self._shown[1].update(Image(filename=run.samples()[-1], width=_PICTURE_WIDTH_PX))


def alarm_list(run):
    """The alarms of a run, each with what to do: Markdown.

    Args:
        run: `ganlib.runs.Run`.
    """
    alarms = run.alarms()
    return "\n".join(f"- ⚠ **{alarm['kind']}**, {alarm['message']}" for alarm in alarms) or "No alarm was raised."
