"""A wheel, installed into an environment outside of the checkout, is a library that works there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import blocks

from .conftest import ROOT

pytestmark = pytest.mark.slow


def ran(*command: object, folder: Path) -> str:
    environment = {name: x for name, x in os.environ.items() if name != "PYTHONPATH"}
    answer = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-4000:]
    return answer.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    ran(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT, folder=folder)
    [built] = folder.glob("nodeflow-*.whl")
    return built


def test_the_library_works_without_the_checkout(wheel: Path) -> None:
    folder = wheel.parent
    ran(sys.executable, "-m", "venv", "env", folder=folder)
    python = folder / "env/bin/python"
    ran(python, "-m", "pip", "install", "-q", "-c", ROOT / "envs/pins.txt", wheel, folder=folder)
    ask = "import nodeflow; print(nodeflow.__file__, nodeflow.__version__)"
    place, version = ran(python, "-c", ask, folder=folder).split()
    assert Path(place).is_relative_to(folder / "env")
    assert re.match(r"\d+\.\d+", version)
    assert version in wheel.name
    [example] = blocks((ROOT / "README.md").read_text(), "python")
    assert "upper_90" in ran(python, "-c", example, folder=folder)
    commit = ran(
        python, "-c", "from nodeflow import provenance as p; print(p.commit())", folder=folder
    )
    assert re.match(r"[0-9a-f]{40}", commit)
    # Types and stubs are part of it: an editor knows the public names.
    package = Path(place).parent
    assert (package / "py.typed").is_file()
    assert (package / "graphs/__init__.pyi").is_file()


def test_a_copy_without_git_has_a_version(tmp_path: Path) -> None:
    names = ["pyproject.toml", "README.md", "LICENSE", "envs/hatch_build.py"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    package = tmp_path / "src/nodeflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    # A folder among the temporary files lies in no checkout.
    ran(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", ".", ".", folder=tmp_path)
    [built] = tmp_path.glob("nodeflow-*.whl")
    assert re.match(r"nodeflow-\d+\.\d+\.\d+-", built.name)
