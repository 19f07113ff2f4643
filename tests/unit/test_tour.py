"""The tour is one program that runs, prints what it shows, and leaves no public name out."""

import ast
import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/nodeflow"
TOUR = ROOT / "docs/tour.md"
BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


def blocks() -> list[tuple[str, str, int]]:
    """Code, what it prints, and the line of the tour that the code begins in."""
    text = TOUR.read_text()
    return [
        (found[1], found[2] or "", text.count("\n", 0, found.start(1)))
        for found in BLOCK.finditer(text)
    ]


INSIDE = {"columns", "sealed", "stack", "stack_files", "tensor_files", "tensors"}
"""Modules beside the packages that users meet through others: `nodeflow.Stack`, tables, flow."""


def public_names() -> set[str]:
    """`package.name` of each name in an `__all__` that users import from."""
    found = set()
    modules = [file for file in SOURCE.glob("*.py") if file.stem not in INSIDE]
    for file in [*SOURCE.rglob("__init__.pyi"), *modules]:
        module = file.parent.name if file.name == "__init__.pyi" else file.stem
        for statement in ast.parse(file.read_text()).body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
                found |= {f"{module}.{name}" for name in ast.literal_eval(statement.value)}
    return found


def used_names() -> set[str]:
    """`module.name` of each attribute that the tour takes from something with a plain name."""
    return {
        f"{node.value.id}.{node.attr}"
        for code, _, _ in blocks()
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def test_no_public_name_is_missing() -> None:
    names = public_names()
    assert {"graphs.sample_cell", "tables.gather", "nodeflow.__version__"} <= names
    assert sorted(names - used_names()) == [], "docs/tour.md uses each public name once"


@pytest.fixture
def undisturbed() -> Iterator[None]:
    """Logging as it was, whatever a job in the tour does to it."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.captureWarnings(False)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    plt.close("all")


def test_it_runs_and_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NODEFLOW_CONFIG", "none")  # as it was, after the tour
    names: dict[str, object] = {"__name__": "tour"}
    wrong = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        for code, expected, line in blocks():
            printed = io.StringIO()
            # The tour's line numbers in every traceback.
            compiled = compile("\n" * line + code, str(TOUR), "exec")
            with contextlib.redirect_stdout(printed):
                exec(compiled, names)
            if printed.getvalue() != expected:
                wrong.append(f"line {line}: printed\n{printed.getvalue()}")
    assert not wrong, "\n".join(wrong)
