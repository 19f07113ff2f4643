"""Public names are written once, and are there."""

import ast
import importlib

import pytest

from tests.unit.stubs import stubs, with_names

STUBS = {path.parent.name: path for path in stubs()}


@pytest.mark.parametrize("package", STUBS)
def test_the_list_of_public_names_follows_from_the_imports(package: str) -> None:
    text = STUBS[package].read_text()
    assert text == with_names(text), "run python -m tests.unit.stubs"


@pytest.mark.parametrize("package", [name for name in STUBS if name != "nodeflow"])
def test_public_names_are_those_of_the_modules_that_they_are_imported_from(package: str) -> None:
    public = importlib.import_module(f"nodeflow.{package}")
    for statement in ast.parse(STUBS[package].read_text()).body:
        if isinstance(statement, ast.ImportFrom):
            module = importlib.import_module(f"nodeflow.{package}.{statement.module}")
            for name in (alias.name for alias in statement.names):
                assert name in module.__all__, f"{module.__name__} does not list {name}"
                assert getattr(public, name) is getattr(module, name)


def test_a_name_that_is_imported_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="a would be public twice"):
        with_names("from .x import a, b\nfrom .y import a\n")


def test_constants_stand_before_classes_and_functions() -> None:
    text = with_names("from .x import find, One, ALL\n\nversion: str\n")
    assert text == (
        'from .x import find, One, ALL\n\n__all__ = ["ALL", "One", "find", "version"]\n\n'
        "version: str\n"
    )
