"""What is refused or said before the first job of a run."""

from pathlib import Path

import pytest

import nodeflow
from nodeflow.start import StartProblem, check_paths, dropped_files, remarks, same_package

PACKAGE = Path(nodeflow.__file__).parent
PYTHON = "/opt/env/bin/python"


@pytest.mark.parametrize("name", ["a b", "a'b", 'a"b', "a$b", "a%s", "ä#b", "a[1]*"])
def test_a_checkout_may_lie_in_a_folder_of_almost_any_name(name: str) -> None:
    check_paths(Path("/data") / name, PYTHON)


@pytest.mark.parametrize(
    ("root", "python", "words"),
    [
        ("/data/a{b}", PYTHON, ["checkout", "/data/a{b}", "{ and }"]),
        ("/data", "/data/a b/.venv/bin/python", ["Python environment", "/data/a b", "a space"]),
        ("/data", "/data/it's/bin/python", ["Python environment", "'"]),
        ("/data", '/data/a"b/bin/python', ["Python environment", '"']),
    ],
)
def test_a_path_that_snakemake_cannot_start_scripts_with_is_named(
    root: str, python: str, words: list[str]
) -> None:
    with pytest.raises(StartProblem) as problem:
        check_paths(Path(root), python)
    assert all(word in str(problem.value) for word in words)


def test_a_container_s_path_counts_instead_of_the_interpreter_s_where_jobs_run_in_it() -> None:
    check_paths(Path("/data"), "/data/a b/bin/python", own_python=False)
    with pytest.raises(StartProblem, match="/data/a b, holds a space"):
        check_paths(Path("/data/a b"), PYTHON, own_python=False)


@pytest.mark.parametrize(
    ("arguments", "dropped"),
    [
        ("all --configfile a.yaml b.yaml --cores 1", []),
        ("all --configfile a.yaml --cores 1 --configfile b.yaml", ["a.yaml"]),
        ("--configfile=a.yaml --configfiles b.yaml c.yaml", ["a.yaml"]),
        ("--configfile a.yaml b.yaml --configfile b.yaml", ["a.yaml"]),
        ("all -n", []),
    ],
)
def test_configuration_files_that_snakemake_drops_are_found(
    arguments: str, dropped: list[str]
) -> None:
    assert dropped_files(["snakemake", *arguments.split()]) == dropped


def test_an_installed_copy_that_differs_from_the_checkout_is_said(tmp_path: Path) -> None:
    package = tmp_path / "src/nodeflow"
    (package / "deep").mkdir(parents=True)
    assert "installed in" in remarks(tmp_path, [])[0]
    for path in PACKAGE.rglob("*.py*"):
        if path.suffix != ".pyc":
            copy = package / path.relative_to(PACKAGE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    assert remarks(tmp_path, []) == []
    (package / "seeds.py").write_text("x = 1\n")
    [remark] = remarks(tmp_path, [])
    assert str(PACKAGE) in remark
    assert "pip install -e" in remark


def test_a_workflow_without_a_package_of_its_own_has_nothing_to_differ(tmp_path: Path) -> None:
    assert same_package(tmp_path / "src/nodeflow", PACKAGE)
