"""Every data set that zoos can be trained on: one module each, which defines `DATASET`.

A new module in this folder is a new data set. Loading them loads neither torch nor scikit-learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from pkgutil import iter_modules, resolve_name
from types import MappingProxyType

from nodeflow.datasets.known import Known

__all__ = ["SETS"]

SETS: Mapping[str, Known] = MappingProxyType(
    {x.name: resolve_name(f"{__name__}.{x.name}:DATASET") for x in iter_modules(__path__)}
)
"""All data sets by name, which is that of their module."""
