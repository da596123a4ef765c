"""The package as a whole: light to import, in step with its environment file, complete when installed."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
_FRAMEWORKS = {"keras", "tensorflow", "jax", "torch"}
_LIGHT = ["ganlib", "ganlib.cohort", "ganlib.runs", "ganlib.evaluation.evaluate", "ganlib.evaluation.compare",
          "ganlib.display.figures", "ganlib.display.panels", "ganlib.display.serve", "ganlib.display.comparison",
          "ganlib.report", "ganlib.cli"]  # fmt: skip


def _python(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("module", _LIGHT)
def test_import_without_a_deep_learning_framework(module):
    loaded = json.loads(_python(f"import json, sys, {module}; print(json.dumps(list(sys.modules)))"))
    assert not _FRAMEWORKS & set(loaded)


def test_import_of_the_package_brings_in_nothing_but_the_standard_library():
    # Speed itself depends on the machine; what makes an import slow is what it imports.
    loaded = json.loads(_python("import json, sys, ganlib; print(json.dumps(list(sys.modules)))"))
    foreign = {name.split(".")[0] for name in loaded} & {"numpy", "pandas", "pydantic", "plotly", "h5py", "nibabel"}
    assert not foreign


def test_environment_file_is_in_step_with_the_project_file():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    [pip] = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    wanted = project["dependencies"] + project["optional-dependencies"]["cpu"]
    assert sorted(pip) == sorted([*wanted, "--editable ."])


def test_lock_has_names_and_versions_alone_and_all_dependencies():
    lines = (ROOT / "requirements.lock").read_text().split()
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!]+", line) for line in lines)
    locked = {_plain(line.split("==")[0]) for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = project["dependencies"] + project["optional-dependencies"]["dev"]
    assert {_plain(re.match(r"[\w-]+", entry)[0]) for entry in named} <= locked


@pytest.mark.slow
def test_wheel_holds_everything(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = tmp_path.glob("ganlib-*.whl")
    target = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    script = f"import sys; sys.path.insert(0, {str(target)!r}); import ganlib.display.viewer as v; print(v.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path
    ).stdout  # fmt: skip
    assert Path(found.strip()).is_relative_to(target)
    shipped = {path.relative_to(target).as_posix() for path in target.rglob("ganlib/**/*") if path.is_file()}
    tracked = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "ganlib").rglob("*") if "__pycache__" not in path.parts
    }
    tracked = {name for name in tracked if Path(name).suffix in {".py", ".js", ".css", ".j2"}}
    assert tracked <= shipped


def _plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()
