"""Examples are one program that runs, prints what it shows, and leaves no public name out."""

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
EXAMPLES = sorted((ROOT / "docs/examples").glob("*.md"))
"""A file a package or module, in the order in which data flow."""

BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


def blocks() -> list[tuple[Path, str, str, int]]:
    """Of each block its file, its code, what it prints, and the line that the code begins in."""
    return [
        (path, found[1], found[2] or "", text.count("\n", 0, found.start(1)))
        for path, text in ((path, path.read_text()) for path in EXAMPLES)
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
    """`module.name` of each attribute that an example takes from something with a plain name."""
    return {
        f"{node.value.id}.{node.attr}"
        for _, code, _, _ in blocks()
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def test_no_public_name_is_missing() -> None:
    names = public_names()
    assert {"graphs.sample_cell", "tables.gather", "nodeflow.__version__"} <= names
    assert sorted(names - used_names()) == [], "docs/examples use each public name once"


@pytest.fixture
def undisturbed() -> Iterator[None]:
    """Logging as it was, whatever a job in an example does to it."""
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
    monkeypatch.setenv("NODEFLOW_CONFIG", "none")  # as it was, after the test
    names: dict[str, object] = {"__name__": "examples"}
    wrong = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        for path, code, expected, line in blocks():
            printed = io.StringIO()
            # The files' line numbers in every traceback.
            compiled = compile("\n" * line + code, str(path), "exec")
            with contextlib.redirect_stdout(printed):
                exec(compiled, names)
            if printed.getvalue() != expected:
                wrong.append(f"{path.name}, line {line}: printed\n{printed.getvalue()}")
    assert not wrong, "\n".join(wrong)
