"""How much room a run takes: what its jobs write that grows with states and nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["expected_bytes"]

_STATE = 4
"""Bytes of a state; noise does not compress."""

_ERROR_ROW = 25
"""Of a row of errors, node by node: 10.6 MB for 417,600 rows in the default run."""

_NODE = 40
"""Of a row of a table of nodes, with coordinates."""

_EDGE = 8
"""Of an edge."""


def expected_bytes(jobs: Iterable[tuple[str, Mapping[str, Any]]], models: int) -> int:
    """What jobs are going to write, at least.

    Weights, networks and tables of whole graphs are not counted.

    Args:
        jobs: the rule of each, and what it is made with.
        models: number of neural ODEs of a system and a training cell.
    """
    total = 0.0
    for rule, made in jobs:
        if rule == "simulate_trajectories":
            total += sum(_states(x) * _STATE for x in made.values())
        elif rule == "sample_graphs":
            on = made["edges"]
            total += _nodes(on) * (_NODE + on["mean_degree"] / 2 * _EDGE)
        elif rule.startswith("evaluate_"):
            tests = [x for x in made.values() if isinstance(x, Mapping) and "truths" in x]
            rows = sum(_nodes(truth["on"]) for x in tests for truth in x["truths"])
            total += rows * models * _ERROR_ROW
    return round(total)


def _nodes(on: Mapping[str, Any]) -> int:
    """Nodes of all graphs of a cell."""
    return int(on["N"] * on["graphs"])


def _states(made: Mapping[str, Any]) -> int:
    return _nodes(made["on"]) * int(made["trajectories"]) * int(made["times"])
