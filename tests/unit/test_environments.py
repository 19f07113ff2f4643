"""pip, conda and Apptainer install the same libraries, and nodeflow itself is among them."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONDA_NAMES = {"matplotlib": "matplotlib-base", "torch": "pytorch"}
DEFINITION = (ROOT / "envs/nodeflow.def").read_text()


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
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [Requirement(x) for some in extras.values() for x in some]
    for name, specifier in {**{x.name: x.specifier for x in wanted}, **needed()}.items():
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
    # Also for jobs alone, which are executed without the run script.
    assert 'PYTHONPATH="$PWD/src"' in section("environment")
    assert 'container: str(ROOT / "nodeflow.sif")' in (ROOT / "rules/common.smk").read_text()
