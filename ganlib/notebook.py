"""Notebooks as functions: parameters that are checked, and a runner whose errors are one line."""

import ast
import contextlib
import os
import sys
import tempfile
from pathlib import Path

import nbformat
import papermill
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from pydantic import TypeAdapter, ValidationError
from traitlets.config import Config

from ganlib.display.kernels import transport
from ganlib.errors import InputError

_PARAMETERS_TAG = "parameters"


def check_parameters(namespace):
    """Check the parameters of the notebook that calls this, in its first cell after the parameters.

    The parameters cell declares every parameter with its type and default (`epochs: int = 20`). Whatever was injected
    on top of it must be one of these names, and of that type.

    Args:
        namespace: the notebook's `globals()`.

    Raises:
        InputError: a parameter is unknown or has the wrong type; the message names it.
    """
    declared = _declared(namespace)
    for name, value in namespace.items():
        plain = isinstance(value, str | int | float | bool | list | tuple | dict | None)
        if plain and not name.startswith("_") and name not in declared and name not in {"In", "Out"}:
            raise _unknown(name, declared)
    for name, kind in declared.items():
        _check_type(name, namespace[name], kind)


def declared_parameters(notebook):
    """Types of a notebook's parameters by name, read from its parameters cell without running it.

    Raises:
        InputError: the notebook is missing, unreadable, or has no parameters cell.
    """
    try:
        cells = nbformat.read(notebook, as_version=4).cells
    except FileNotFoundError as error:
        raise InputError(f"{notebook}: no such notebook") from error
    except Exception as error:
        raise InputError(f"{notebook}: not a readable notebook") from error
    for cell in cells:
        if _PARAMETERS_TAG in cell.metadata.get("tags", []):
            statements = ast.parse(cell.source).body
            return {node.target.id: eval(ast.unparse(node.annotation))
                    for node in statements if isinstance(node, ast.AnnAssign)}  # fmt: skip
    raise InputError(f"{notebook}: has no cell tagged {_PARAMETERS_TAG!r}; use one of the notebooks in notebooks/")


def run_notebook(notebook, output, parameters):
    """Execute a notebook with parameters and write the executed copy.

    What the notebook prints appears at once on standard output.

    Args:
        notebook: path of the notebook.
        output: path of the executed copy; it is written also if a cell fails, and then shows where.
        parameters: dictionary of the parameters that differ from the notebook's defaults.

    Raises:
        InputError: a parameter is unknown or has the wrong type (before anything runs), a cell failed, or the copy
            cannot be written.
    """
    declared = declared_parameters(notebook)
    for name, value in parameters.items():
        if name not in declared:
            raise _unknown(name, declared)
        _check_type(name, value, declared[name])
    with _written(output):
        Path(output).parent.mkdir(parents=True, exist_ok=True)
    # The kernel's own messages of a debugger that nobody uses would stand in every executed notebook.
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    with tempfile.TemporaryFile() as said:
        try:
            with _written(output), _standard_error_into(said):
                _execute(notebook, output, parameters)
        except NoSuchKernel as error:
            remedy = "install it: python -m pip install ipykernel"
            raise InputError(f"this environment has no Jupyter kernel; {remedy}") from error
        except DeadKernelError as error:
            said.seek(0)
            last = said.read().decode(errors="replace").strip().splitlines()[-1:]
            raise InputError(f"{notebook}: the kernel died, perhaps for want of memory {last}; see {output}") from error
        except PapermillExecutionError as error:
            where = "" if error.ename == InputError.__name__ else f"{error.ename}: "
            seen = f" (see {output})" if where else ""
            raise InputError(f"{notebook}: {where}{error.evalue}{seen}") from error


@contextlib.contextmanager
def _written(output):
    """Say in one line why the executed copy, or what a kernel writes beside it, cannot be written."""
    try:
        yield
    except OSError as error:
        remedy = "free space or choose another folder"
        raise InputError(f"{error.filename or output}: cannot be written ({error.strerror}); {remedy}") from error


def _execute(notebook, output, parameters):
    with tempfile.TemporaryDirectory(prefix="ganlib-") as folder:
        # Jupyter adds a number from 1 to 5.
        sockets = f"{folder}/kernel"
        kernel = {"transport": "ipc", "ip": sockets} if transport(f"{sockets}-5") == "ipc" else {}
        papermill.execute_notebook(
            str(notebook), str(output), parameters=parameters, kernel_name="python3", progress_bar=False,
            stdout_file=sys.stdout, extra_arguments=["--log-level=ERROR"], config=Config({"KernelManager": kernel}),
        )  # fmt: skip


@contextlib.contextmanager
def _standard_error_into(file):
    """Keep what the kernel's libraries say of themselves, which no setting of theirs silences, off the terminal."""
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def _declared(namespace):
    if "__annotations__" in namespace:
        return namespace["__annotations__"]
    # From Python 3.14 on annotations are evaluated on demand (1 asks for their values).
    return namespace["__annotate__"](1) if "__annotate__" in namespace else {}


def _check_type(name, value, kind):
    try:
        TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError as error:
        shown = getattr(kind, "__name__", str(kind)) if not hasattr(kind, "__args__") else str(kind)
        raise InputError(f"parameter {name!r} must be {shown}, not {value!r}") from error


def _unknown(name, declared):
    return InputError(f"parameter {name!r} is unknown; the notebook has {', '.join(declared)}")
