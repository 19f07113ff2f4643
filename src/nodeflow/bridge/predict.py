"""Predictions of many neural ODEs on the same graphs, and what they amount to as an ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from torch import Tensor

from nodeflow.dynamics.integrate import simulate_graphs
from nodeflow.dynamics.systems import Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.field import as_field
from nodeflow.neural_ode.table import TableProblem

__all__ = ["Predictions", "ensemble", "fields_of", "predict"]


@dataclass(frozen=True)
class Predictions:
    """Predicted trajectories of M neural ODEs on G graphs.

    Attributes:
        states: G arrays (M, T, n) float32; NaN throughout where an integration failed.
        reason: (M, G) why it failed; empty if it did not.
    """

    states: list[np.ndarray]
    reason: np.ndarray


def fields_of(parameters: Mapping[str, Tensor], seen: tuple[float, float]) -> list[Field | str]:
    """Neural ODEs as tabulated vector fields, or why one cannot be one.

    Args:
        parameters: M neural ODEs, tensors of shape (M, *shape).
        seen: range of the training states.
    """
    arrays = {name: tensor.numpy() for name, tensor in parameters.items()}
    fields: list[Field | str] = []
    for k in range(len(next(iter(arrays.values())))):
        if not all(np.isfinite(array[k]).all() for array in arrays.values()):
            fields.append("its parameters are not finite")
            continue
        try:
            fields.append(as_field(arrays, k, table=seen))
        except TableProblem as problem:
            fields.append(str(problem))
    return fields


def predict(
    fields: Sequence[Field | str],
    graphs: Sequence[Graph],
    initials: Sequence[np.ndarray],
    times: np.ndarray,
    tolerance: Tolerance,
) -> Predictions:
    """Integrate every neural ODE on every graph from one initial state each.

    Args:
        fields: M, from `fields_of`.
        graphs: G graphs.
        initials: G initial states (n,).
        times: (T,) observation times.
        tolerance: of the integration.
    """
    states = [
        np.full((len(fields), len(times), graph.n), np.nan, dtype=np.float32) for graph in graphs
    ]
    reason = np.full((len(fields), len(graphs)), "", dtype=object)
    starts = [np.asarray(x, dtype=np.float64)[None] for x in initials]
    for k, field in enumerate(fields):
        if isinstance(field, str):
            reason[k] = field
            continue
        found = simulate_graphs(field, graphs, starts, times, **asdict(tolerance))
        for g, simulation in enumerate(found):
            reason[k, g] = simulation.reason[0]
            if not simulation.reason[0]:
                with np.errstate(over="ignore"):
                    states[g][k] = simulation.states[0]
    return Predictions(states, reason)


def ensemble(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The prediction of an ensemble, and how much its members disagree.

    The median of the members is their prediction, which one bad member does not spoil; failed
    members are left out.

    Args:
        states: (M, T, n) predictions; a failed member is NaN throughout.

    Returns:
        Predicted states (T, n), and at each node the mean over times and members of the absolute
        distance from them, (n,). NaN if all members have failed.
    """
    good = states[np.isfinite(states).all(axis=(1, 2))].astype(np.float64)
    if len(good) == 0:
        return np.full(states.shape[1:], np.nan), np.full(states.shape[2], np.nan)
    middle: np.ndarray = np.median(good, axis=0)
    disagreement: np.ndarray = np.abs(good - middle).mean(axis=(0, 1))
    return middle, disagreement
