"""A function that takes many parameters says why."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST, REASON = 8, "More than eight parameters, because "


def long_ones(source: str) -> Iterator[tuple[str, bool]]:
    """Functions with too many parameters, `self` not counted, and whether they say why."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            names = [x.arg for x in given if x.arg not in ("self", "cls")]
            if len(names) > MOST:
                said = " ".join((ast.get_docstring(node) or "").split())
                yield f"{node.name}, line {node.lineno}", REASON in said


@pytest.mark.parametrize("folder", ["src", "workflow"])
def test_no_function_takes_more_than_eight_parameters_without_a_reason(folder: str) -> None:
    silent = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name, reasoned in long_ones(path.read_text())
        if not reasoned
    ]
    assert silent == []


def test_one_parameter_too_many_is_seen() -> None:
    eight = ", ".join("abcdefgh")
    assert list(long_ones(f"class A:\n def f(self, {eight}): ...\n")) == []
    assert list(long_ones(f"def f({eight}, *, i): ...\n")) == [("f, line 1", False)]
    reason = '"""F.\n\n    More than eight parameters,\n    because so.\n    """'
    assert list(long_ones(f"def f({eight}, i):\n    {reason}\n")) == [("f, line 1", True)]
