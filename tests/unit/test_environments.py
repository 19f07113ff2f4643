"""pip, conda and Apptainer install the same libraries, and nodeflow itself is among them."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONDA_NAMES = {"matplotlib": "matplotlib-base", "torch": "pytorch"}
DEFINITION = (ROOT / "envs/nodeflow.def").read_text()
DEPLOY = ROOT / "envs/environment.post-deploy.sh"


def needed() -> dict[str, SpecifierSet]:
    found = map(Requirement, PROJECT["project"]["dependencies"])
    return {requirement.name: requirement.specifier for requirement in found}


def section(name: str) -> str:
    """A section of the Apptainer definition."""
    [body] = re.findall(rf"^%{name}\n(.*?)(?=^%|\Z)", DEFINITION, re.MULTILINE | re.DOTALL)
    return str(body)


def test_conda_installs_what_pyproject_asks_for() -> None:
    listed = yaml.safe_load((ROOT / "envs/environment.yaml").read_text())
    found = dict((*line.split(maxsplit=1), "")[:2] for line in listed["dependencies"])
    wanted = {CONDA_NAMES.get(name, name): str(spec) for name, spec in needed().items()}
    # What installs nodeflow after that, without fetching anything more; hatchling asks for the last
    # one when the installation is editable.
    build = dict.fromkeys(("pip", *PROJECT["build-system"]["requires"], "editables"), "")
    assert found == {"python": PROJECT["project"]["requires-python"], **build, **wanted}


def test_the_pins_are_versions_that_pyproject_allows() -> None:
    pins = dict(line.split("==") for line in (ROOT / "envs/pins.txt").read_text().split())
    pins = {name.lower().replace("-", "_"): version for name, version in pins.items()}
    for name, specifier in needed().items():
        assert Version(pins[name.lower().replace("-", "_")]) in specifier, name


def test_the_apptainer_image_is_made_of_the_pins() -> None:
    [python] = re.findall(r"^From: python:([\d.]+)", DEFINITION, re.MULTILINE)
    assert python in SpecifierSet(PROJECT["project"]["requires-python"])
    copied = dict(line.split() for line in section("files").strip().splitlines())
    assert all((ROOT / source).exists() for source in copied)
    package = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {
        "pyproject.toml",
        PROJECT["project"]["readme"],
        *(Path(x).parts[0] for x in package),
    } <= {*copied}
    [install] = re.findall(r"pip install .*", section("post"))
    assert install.endswith(f"--constraint {copied['envs/pins.txt']} /opt/nodeflow")
    assert "import nodeflow" in section("test")
    assert 'exec snakemake "$@"' in section("runscript")


@pytest.fixture
def deployed(tmp_path: Path) -> Path:
    """A folder with a `python` that says what it was called with."""
    python = tmp_path / "bin/python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    # Snakemake runs a copy, beside the environment.
    shutil.copy(DEPLOY, tmp_path / "hash.post-deploy.sh")
    return tmp_path


def deploy(folder: Path, here: Path, **names: str) -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", str(folder / "hash.post-deploy.sh")], cwd=here, capture_output=True, text=True,
        env={"PATH": path, **names},
    )  # fmt: skip


def test_the_conda_environment_gets_this_checkout(deployed: Path) -> None:
    arguments = f"-m pip install --no-deps --no-build-isolation --editable {ROOT}\n"
    assert deploy(deployed, ROOT).stdout == arguments
    assert deploy(deployed, ROOT / "config").stdout == arguments
    assert deploy(deployed, deployed, NODEFLOW=str(ROOT)).stdout == arguments


def test_without_a_checkout_it_says_what_to_do(deployed: Path) -> None:
    answer = deploy(deployed, deployed)
    assert answer.returncode == 1
    assert "NODEFLOW=" in answer.stderr and answer.stdout == ""
