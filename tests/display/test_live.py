"""The live panel: drawn after each epoch in the same place, and one line in the finished notebook."""

import nbformat
import pytest
from nbclient import NotebookClient

from ganlib.display import live
from ganlib.display.live import LivePanel, alarm_list
from ganlib.runs import Run
from ganlib.training.alarms import Alarm, write_alarms
from tests.evaluation.fake_runs import write_history


class _Place:
    """Stands in for a notebook's output: remembers what was put there."""

    def __init__(self):
        self.shown = []

    def update(self, what, raw=False):
        self.shown.append(what)


@pytest.fixture
def places(monkeypatch):
    made = []
    monkeypatch.setattr(live, "display", lambda *_, **__: made.append(_Place()) or made[-1])
    return made


@pytest.fixture
def run(tmp_path):
    from tests.training.small import run_config

    run = Run.create(tmp_path / "run", run_config(method="cyclegan", method_label="CycleGAN"), {"train": []})
    write_history(run)
    return run


def test_panel_shows_the_curves_and_the_latest_picture(run, places):
    (run.folder / "samples").mkdir()
    for epoch in (1, 2):
        (run.folder / "samples" / f"epoch_{epoch:04d}.png").write_bytes(f"picture {epoch}".encode())
    with LivePanel() as panel:
        panel.update(run)
        curves, picture = (place.shown[-1] for place in places)
        chart = curves["application/vnd.plotly.v1+json"]
        assert "Training of CycleGAN" in chart["layout"]["title"]["text"]
        assert {trace.get("name") for trace in chart["data"]} >= {"cycle", "discriminator"}
        assert picture.data == b"picture 2"
    assert places[0].shown[-1].data == "Training finished after 1 epochs in this session."
    assert places[1].shown[-1].data == ""


def test_panel_of_a_training_that_fails_says_so_and_hides_nothing(run, places):
    with pytest.raises(ValueError, match="NaN"), LivePanel() as panel:
        panel.update(run)
        raise ValueError("NaN")
    assert "stopped" in places[0].shown[-1].data


@pytest.mark.slow
def test_executed_notebook_holds_the_last_line_alone(run):
    code = f"""
        from ganlib.display.live import LivePanel
        from ganlib.runs import Run
        with LivePanel() as panel:
            for _ in range(5):
                panel.update(Run({str(run.folder)!r}))
    """
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("if True:\n" + code)])
    executed = NotebookClient(notebook, kernel_name="python3").execute()
    assert len(nbformat.writes(executed)) < 5_000
    assert "Training finished after 5 epochs" in nbformat.writes(executed)


def test_alarms_are_listed_with_what_to_do(run):
    assert alarm_list(run) == "No alarm was raised."
    write_alarms(run.folder, [Alarm("shifted", 4, "epoch 4: synthetic T2w is shifted; check it", "t1w_to_t2w")])
    assert alarm_list(run) == "- ⚠ **shifted**, epoch 4: synthetic T2w is shifted; check it"
