"""The panel: how good and how new each neural ODE of each set is, judged by the same rules."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nodeflow.bridge.functions import (
    field_residuals,
    function_coordinates,
    learned_functions,
)
from nodeflow.bridge.members import Members
from nodeflow.bridge.sets import Sets
from nodeflow.dynamics.systems import Field
from nodeflow.flow.codec import flatten
from nodeflow.judge.novelty import Nearest, nearest_members, spread

__all__ = ["judge_nodes"]

Array = np.ndarray


def judge_nodes(
    sets: Sets,
    zoo: Members,
    field: Field,
    adjacency: Array,
    states: Array,
    grid: Array,
) -> pd.DataFrame:
    """Error and novelty of every neural ODE of one system.

    Novelty is measured in weights and in functions. A copy of a training member is near it in
    both; one that hides behind a symmetry, or behind units that do nothing, is near it in its
    functions only. The overlap compares mistakes: it is the largest cosine between the residuals of
    the vector field and those of a training member, as the overlap of error sets is for
    classifiers.

    Args:
        sets: all neural ODEs, canonical; "zoo" holds the training members.
        zoo: the training members.
        field: the true vector field.
        adjacency: (n, n), a graph that nothing was trained on.
        states: (B, n), states on it.
        grid: (K,) states at which functions are compared.

    Returns:
        One row for each neural ODE with the columns of `BRIDGE_PANEL`.
    """
    shapes = zoo.shapes
    members = flatten(zoo.parameters, shapes).astype(np.float64)
    functions = learned_functions(zoo.parameters, grid)
    coordinates = function_coordinates(functions, functions)
    residuals, _ = field_residuals(zoo.parameters, field, adjacency, states)
    tables = []
    for name, parameters in sets.parameters.items():
        rows = flatten(parameters, shapes).astype(np.float64)
        ok = np.isfinite(rows).all(axis=1)
        good = {key: tensor[np.flatnonzero(ok)] for key, tensor in parameters.items()}
        own = np.flatnonzero(ok) if name == "zoo" else None
        table = pd.DataFrame(
            {
                "set": name,
                "index": np.arange(len(rows)),
                "seed": sets.seeds[name],
                "status": np.where(ok, "ok", "failed"),
                "reason": np.where(ok, "", "parameters are not finite"),
            }
        )
        columns = ["error", "nearest", "ratio", "function_nearest", "function_ratio", "overlap"]
        table[[*columns, "spread", "function_spread"]] = np.nan
        if ok.any():
            difference, error = field_residuals(good, field, adjacency, states)
            near = nearest_members(rows[ok], members, own)
            placed = function_coordinates(learned_functions(good, grid), functions)
            near_function = nearest_members(placed, coordinates, own)
            found = {
                "error": error,
                **_columns("", near),
                **_columns("function_", near_function),
                "overlap": _largest_cosine(difference, residuals, own),
                "spread": spread([rows[ok]]),
                "function_spread": spread([placed]),
            }
            for column, values in found.items():
                table.loc[ok, column] = values
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _columns(prefix: str, near: Nearest) -> dict[str, Array]:
    return {f"{prefix}nearest": near.nearest, f"{prefix}ratio": near.ratio}


def _largest_cosine(a: Array, b: Array, own: Array | None) -> Array:
    """Largest cosine of each row of `a` with a row of `b`, its own left out."""
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = (a / np.linalg.norm(a, axis=1)[:, None]) @ (
            b / np.linalg.norm(b, axis=1)[:, None]
        ).T
    if own is not None:
        cosine[np.arange(len(a)), own] = -np.inf
    largest: Array = cosine.max(axis=1)
    return largest
