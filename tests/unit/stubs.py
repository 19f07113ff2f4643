"""Public names of packages: each is written once, in an import of the package's stub.

What a package offers is loaded when it is asked for, from the imports of its `__init__.pyi`. The
list of them that type checkers ask for, `__all__`, is written from these:

    python -m tests.unit.stubs
"""

from __future__ import annotations

import ast
from pathlib import Path

import nodeflow

__all__ = ["stubs", "with_names"]


def stubs() -> list[Path]:
    """The stubs of all packages."""
    return sorted(Path(nodeflow.__file__).parent.rglob("__init__.pyi"))


def with_names(text: str) -> str:
    """The text of a stub with an `__all__` of all names that it imports.

    Raises:
        ValueError: a name is imported twice.
    """
    parts = ast.parse(text).body
    imports = [x for x in parts if isinstance(x, ast.ImportFrom)]
    values = [x for x in parts if isinstance(x, ast.AnnAssign)]
    names = [alias.name for x in imports for alias in x.names]
    names += [x.target.id for x in values if isinstance(x.target, ast.Name)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} would be public twice; import each name once")
    quoted = [f'"{name}"' for name in sorted(names, key=_order)]
    listed = f"__all__ = [{', '.join(quoted)}]"
    if len(listed) >= _WIDTH:
        listed = "__all__ = [\n" + "".join(f"    {name},\n" for name in quoted) + "]"
    before, after = (
        "\n".join(ast.get_source_segment(text, x) or "" for x in group)
        for group in (imports, values)
    )
    return "\n\n".join(x for x in (before, listed, after) if x) + "\n"


_WIDTH = 100


def _order(name: str) -> tuple[int, str]:
    """Constants, classes, everything else, as the linter sorts them."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


if __name__ == "__main__":
    for path in stubs():
        path.write_text(with_names(path.read_text()))
