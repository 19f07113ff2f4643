"""Fixed points of trained neural ODEs beside those of the true system: where, and how stable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from nodeflow.dynamics.fixed_points import FixedPoint, find_fixed_points
from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.mean_field import mean_field_states
from nodeflow.dynamics.systems import Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.bins import hubs
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.field import Learned, exact_fields, model_fields
from nodeflow.neural_ode.schemas import EIGENVALUES, NEURAL_ODE_FIXED_POINTS, OF_TRUTH
from nodeflow.threads import one_thread_if_small

__all__ = ["compare_fixed_points"]

Floats = NDArray[np.float64]

_TOLERANCE = 1e-5


@one_thread_if_small
def compare_fixed_points(
    models: Learned,
    system: Field,
    graphs: Sequence[Graph],
    initials: Sequence[Floats],
    *,
    domain: tuple[float, float],
    horizon: float,
    tolerance: Tolerance,
) -> pd.DataFrame:
    """The fixed point that model and true system reach from the same initial state.

    Both are integrated to `horizon`, then Newton's method with Armijo's line search takes over.

    Args:
        models: R models: neural ODEs, or other fields that were learned.
        system: the true vector field.
        graphs: test graphs.
        initials: (n,) initial states on each.
        domain: bounds of the true system's states; models are not held to them.
        horizon: time to integrate to.
        tolerance: of the true system; for models see `Tolerance.for_error`.

    Returns:
        One row a model and graph, with the columns of `NEURAL_ODE_FIXED_POINTS`.
    """
    pairs = list(zip(model_fields(models), exact_fields(models), strict=True))
    rows = []
    for index, (graph, initial) in enumerate(zip(graphs, initials, strict=True)):
        true, reason = _reached(system, system, graph, initial, horizon, domain, tolerance)
        ends = np.array([0.0, horizon])
        mean = mean_field_states(system, graph, initial[None], ends, tolerance)[0, -1]
        for replicate, (quick, exact) in enumerate(pairs):
            row = {**models.labels(replicate), "graph": index}
            if true is None:
                rows.append({**row, "status": "failed", "reason": f"{OF_TRUTH}{reason}"})
                continue
            if quick is None or exact is None:
                failed = {"status": "failed", "reason": "the training of the model failed"}
                rows.append({**row, **failed})
                continue
            everywhere = (-np.inf, np.inf)
            tightened = tolerance.for_error(models.error[replicate])
            reached, problem = _reached(
                quick, exact, graph, initial, horizon, everywhere, tightened
            )
            if reached is None:
                rows.append({**row, "status": "failed", "reason": f"model: {problem}"})
                continue
            rows.append({**row, **_row(graph, true, reached, initial, mean)})
    return pd.DataFrame(rows, columns=list(NEURAL_ODE_FIXED_POINTS.columns))


def _row(
    graph: Graph, true: FixedPoint, model: FixedPoint, initial: Floats, mean: Floats
) -> dict[str, float | str]:
    error = np.abs(model.state - true.state)
    _, label = connected_components(graph.adjacency(), directed=False)
    giant = label == np.bincount(label).argmax()
    return {
        "status": "ok",
        "reason": "",
        "residual": model.residual,
        "mae": float(error.mean()),
        "mae_giant": float(error[giant].mean()),
        "mae_hubs": float(error[hubs(graph.degrees)].mean()),
        "mae_persistence": float(np.abs(initial - true.state).mean()),
        "mae_mean_field": float(np.abs(mean - true.state).mean()),
        "size": float(np.abs(true.state).mean()),
        "rightmost": _first(model.spectrum.whole),
        "rightmost_true": _first(true.spectrum.whole),
        **_leading("rightmost_giant", model.spectrum.giant),
        **_leading("rightmost_giant_true", true.spectrum.giant),
    }


def _first(values: NDArray[np.complex128]) -> float:
    return float(values[0].real) if len(values) else np.nan


def _leading(name: str, values: NDArray[np.complex128]) -> dict[str, float]:
    """Real parts of the rightmost eigenvalues as NAME, NAME_2 and so on."""
    return {
        f"{name}_{place}" if place > 1 else name: float(value.real)
        for place, value in enumerate(values, 1)
    }


def _reached(
    quick: Field,
    exact: Field,
    graph: Graph,
    initial: Floats,
    horizon: float,
    domain: tuple[float, float],
    tolerance: Tolerance,
) -> tuple[FixedPoint | None, str]:
    """The fixed point reached from one initial state, or why there is none."""
    adjacency = graph.adjacency()
    end = simulate(quick, adjacency, initial[None], [0.0, horizon], **asdict(tolerance))
    if end.reason[0]:
        return None, end.reason[0]
    search = find_fixed_points(
        exact, adjacency, end.states[:, -1], domain=domain, tolerance=_TOLERANCE,
        eigenvalues=EIGENVALUES, near=quick,
    )  # fmt: skip
    return (search.points[0], "") if search.points else (None, search.searches[0].reason)
