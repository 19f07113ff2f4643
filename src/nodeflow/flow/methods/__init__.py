"""Every flow method: one module each, which defines `METHOD`.

A new module in this folder is a new method. Loading them loads no torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pkgutil import iter_modules, resolve_name
from types import MappingProxyType
from typing import Any

from nodeflow.flow.method import Method
from nodeflow.flow.settings import FlowSettingsProblem

__all__ = ["METHODS", "looks", "settings_of"]

METHODS: Mapping[str, Method] = MappingProxyType(
    {x.name: resolve_name(f"{__name__}.{x.name}:METHOD") for x in iter_modules(__path__)}
)
"""All methods by name, which is that of their module."""


def settings_of(
    method: str, changes: Mapping[str, Any] | None = None, capacity: int | None = None
) -> Any:
    """The settings of a method with some of them changed.

    Args:
        method: a key of `METHODS`.
        changes: see `Method.changed`.
        capacity: of the flow: the number of probes of a descent, the hidden width of the
            velocity field of any other; None leaves it as it is.

    Raises:
        FlowSettingsProblem: no such method or setting.
    """
    if method not in METHODS:
        raise FlowSettingsProblem(
            f'flow method is "{method}"; allowed are {", ".join(sorted(METHODS))}.'
        )
    return METHODS[method].changed(changes or {}, capacity)


def looks(methods: Iterable[str]) -> dict[str, dict[str, Any]]:
    """How figures show networks of methods, as `nodeflow.figures` takes it.

    Args:
        methods: keys of `METHODS`.

    Returns:
        Of each its `title`, its `colours`, and as `size` what its capacity counts: "width" of the
        velocity field, or the name of a setting.
    """
    return {
        name: {
            "title": METHODS[name].title,
            "colours": list(METHODS[name].colours),
            "size": {Method.sized_by: "width"}.get(x := METHODS[name].sized_by, x),
        }
        for name in sorted(set(methods))
    }
