"""A user's mistake on the command line is one line, names what is wrong, and ends with an exit code."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]


def _ganlib(*arguments):
    command = [sys.executable, "-m", "ganlib", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("notebook", "notebooks/02_train.ipynb", "out.ipynb", "-p", "epochs=two"), "parameter 'epochs' must be int"),
        (("notebook", "notebooks/02_train.ipynb", "out.ipynb", "-p", "epoch=2"), "parameter 'epoch' is unknown"),
        (("notebook", "notebooks/02_train.ipynb", "out.ipynb", "-p", "epochs"), "not of the form name=value"),
        (("notebook", "notebooks/09_none.ipynb", "out.ipynb"), "09_none.ipynb: no such notebook"),
        (("notebook", "README.md", "out.ipynb"), "README.md: not a readable notebook"),
    ],
)
def test_mistake_is_one_line(arguments, named):
    result = _ganlib(*arguments)
    assert result.returncode == 2
    assert named in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_error_inside_a_notebook_is_one_line_and_the_copy_shows_where(tmp_path):
    result = _ganlib("notebook", "notebooks/03_evaluate.ipynb", tmp_path / "out.ipynb", "-p", f"run={tmp_path}/none")
    assert result.returncode == 2
    assert "config.json: not found" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    errors = [
        output for cell in nbformat.read(tmp_path / "out.ipynb", 4).cells if cell.cell_type == "code"
        for output in cell.outputs if output.output_type == "error"
    ]  # fmt: skip
    assert [error.ename for error in errors] == ["InputError"]
    assert len(errors[0].traceback) == 1


@pytest.mark.slow
def test_parameters_are_checked_by_the_notebook_too(tmp_path):
    import papermill

    with pytest.raises(papermill.PapermillExecutionError, match="parameter 'epohcs' is unknown"):
        papermill.execute_notebook(
            ROOT / "notebooks/02_train.ipynb", tmp_path / "out.ipynb", {"epohcs": 3}, progress_bar=False
        )
