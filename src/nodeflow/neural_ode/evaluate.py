"""Errors of neural ODEs on test graphs, node by node and run by run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.dynamics.integrate import Simulation, simulate_graphs
from nodeflow.dynamics.mean_field import mean_field_states
from nodeflow.dynamics.runs import runs_on_each
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.bins import hubs
from nodeflow.graphs.checked import GraphProblem
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.field import Learned, model_fields
from nodeflow.neural_ode.schemas import NEAR_ZERO, NEURAL_ODE_ERRORS, NEURAL_ODE_RUNS, OF_TRUTH
from nodeflow.threads import one_thread_if_small

__all__ = ["Watch", "evaluate_models", "node_errors"]

Floats = NDArray[np.float64]

Watch = Callable[[int, Sequence[Trajectory], Sequence[Simulation | None]], None]
"""Takes the index of a graph, its true trajectories, and each model's predictions of them."""

_STATES_AT_ONCE = 2**24


@one_thread_if_small
def evaluate_models(
    models: Learned,
    system: Field,
    graphs: Sequence[Graph],
    nodes: pd.DataFrame,
    truth: Sequence[Trajectory],
    *,
    tolerance: Tolerance,
    fields: Sequence[Field | None] | None = None,
    watch: Watch | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Integrate every model from the true initial states on every graph, and compare.

    A run, one model on one graph, fails if the training of the model, an integration of it, or the
    true trajectory failed; it is then a row without errors.

    Args:
        models: R models: neural ODEs, or other fields that were learned.
        system: the true vector field, for its mean field.
        graphs: test graphs, by index.
        nodes: columns graph, node, degree, clustering of all their nodes.
        truth: trajectories of the true system on them.
        tolerance: of the true system; for models see `Tolerance.for_error`.
        fields: what `model_fields` made of the models, if that has been done already.
        watch: is given what was predicted on each graph, for whatever else is asked about it.

    Returns:
        Tables with the columns of `NEURAL_ODE_ERRORS` and `NEURAL_ODE_RUNS`, but for N, beta and
        gamma.

    Raises:
        TrajectoryProblem: a trajectory does not fit its graph or the others; see `runs_on_each`.
        GraphProblem: `nodes` is the table of other graphs.
    """
    fields = model_fields(models) if fields is None else fields
    known = runs_on_each(graphs, truth)
    properties = _properties(graphs, nodes)
    times = known[0][0].times
    errors, runs = [], []
    for block in _blocks(graphs, known, len(models)):
        on_block = [graphs[index] for index in block]
        initials = [np.stack([x.states[0] for x in known[i]]).astype(np.float64) for i in block]
        by_model = [
            [None] * len(block)
            if field is None
            else simulate_graphs(
                field,
                on_block,
                initials,
                times,
                **asdict(tolerance.for_error(models.error[replicate])),
            )
            for replicate, field in enumerate(fields)
        ]
        for place, index in enumerate(block):
            mine = [simulations[place] for simulations in by_model]
            if watch is not None:
                watch(index, known[index], mine)
            table, rows = _compare(models, system, graphs[index], known[index], mine, tolerance)
            if len(table):
                for name in ("node", "degree", "clustering"):
                    values = properties[index][name].to_numpy()
                    table[name] = np.tile(values, len(table) // len(values))
                errors.append(table.assign(graph=index))
            runs.append(rows.assign(graph=index))
    empty = pd.DataFrame({name: [] for name in NEURAL_ODE_ERRORS.columns})
    return (
        pd.concat(errors, ignore_index=True) if errors else empty,
        pd.concat(runs, ignore_index=True),
    )


def _properties(graphs: Sequence[Graph], nodes: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each graph, node by node."""
    rows = dict(iter(nodes.sort_values(["graph", "node"]).groupby("graph")))
    for index, graph in enumerate(graphs):
        count = len(rows.get(index, ()))
        if count != graph.n:
            raise GraphProblem(
                f"The table of nodes has {count} rows of graph {index}, which has {graph.n} nodes; "
                "give that of graphs.node_table for the same graphs."
            )
    return [rows[index] for index in range(len(graphs))]


def _blocks(
    graphs: Sequence[Graph], known: Sequence[Sequence[Trajectory]], count: int
) -> list[list[int]]:
    """Indices of graphs whose predictions fit into memory together."""
    blocks: list[list[int]] = [[]]
    room = _STATES_AT_ONCE
    for index in range(len(graphs)):
        states = count * sum(x.states.size for x in known[index])
        if blocks[-1] and states > room:
            blocks.append([])
            room = _STATES_AT_ONCE
        blocks[-1].append(index)
        room -= states
    return blocks


def _compare(
    models: Learned,
    system: Field,
    graph: Graph,
    known: Sequence[Trajectory],
    simulations: Sequence[Simulation | None],
    tolerance: Tolerance,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All models on one graph."""
    states = np.stack([x.states for x in known]).astype(np.float64)
    size = np.abs(states).mean((0, 1))
    top = hubs(graph.degrees)
    reasons = [_failure(simulation, known) for simulation in simulations]
    shared, by_node = {}, {}
    mean = states[:, :1]
    if not all(reasons):
        mean = mean_field_states(system, graph, states[:, 0], known[0].times, tolerance)
        by_node = {
            "size": size,
            "mae_persistence": _distance(states, states[:, :1]),
            "mae_mean_field": _distance(states, mean),
        }
        shared = {name: by_node[name].mean() for name in ("mae_persistence", "mae_mean_field")}
        shared["near_zero"] = (size < NEAR_ZERO).mean()
    good = [x.states for x, reason in zip(simulations, reasons, strict=True) if x and not reason]
    spread = (
        np.std(good, axis=0, ddof=1).mean((0, 1)) if len(good) > 1 else np.full(graph.n, np.nan)
    )
    errors, runs = [], []
    for replicate, (simulation, reason) in enumerate(zip(simulations, reasons, strict=True)):
        run: dict[str, Any] = {
            **models.labels(replicate),
            "status": "failed" if reason else "ok",
            "reason": reason,
        }
        if simulation is None or reason:
            runs.append(run)
            continue
        table = _node_errors(states, simulation.states, *models.seen[replicate])
        means = {name: table[name].mean() for name in ("mse", "mae", "outside")}
        inside = table["mae"][table["outside"] == 0]
        medians = {
            "mae_hubs": table["mae"][top].mean(),
            "mae_inside": inside.mean() if len(inside) else np.nan,
            "outside_hubs": table["outside"][top].mean(),
            "mre": np.median(table["mre"]),
        }
        runs.append({**run, **means, **shared, **medians})
        signals = {
            "spread": spread,
            "change": _distance(simulation.states, states[:, :1]),
            "apart": _distance(simulation.states, mean),
        }
        number = np.full(graph.n, replicate)
        errors.append({**table, **by_node, **signals, "replicate": number})
    columns = [
        name for name in NEURAL_ODE_RUNS.columns if name not in ("N", "beta", "gamma", "graph")
    ]
    names = errors[0] if errors else ()
    whole = {name: np.concatenate([table[name] for table in errors]) for name in names}
    return pd.DataFrame(whole), pd.DataFrame(runs, columns=columns)


def _distance(one: Floats, other: Floats) -> Floats:
    """Mean absolute difference at each node."""
    distance: Floats = np.abs(one - other).mean((0, 1))
    return distance


def node_errors(true: np.ndarray, predicted: np.ndarray, low: float, high: float) -> pd.DataFrame:
    """Errors of every node, averaged over trajectories and times.

    Args:
        true: states (B, T, n).
        predicted: states (B, T, n).
        low: smallest state seen in training.
        high: largest state seen in training.

    Returns:
        n rows with the columns mse, mae, mre, outside of `NEURAL_ODE_ERRORS`.
    """
    return pd.DataFrame(_node_errors(true, predicted, low, high))


def _node_errors(true: Floats, predicted: Floats, low: float, high: float) -> dict[str, Floats]:
    """The columns of `node_errors`."""
    difference = np.abs(predicted - true)
    return {
        "mse": np.square(difference).mean((0, 1)),
        "mae": difference.mean((0, 1)),
        "mre": (difference / (np.abs(true) + 1e-15)).mean((0, 1)),
        "outside": ((true < low) | (true > high)).mean((0, 1)),
    }


def _failure(simulation: Simulation | None, truth: Sequence[Trajectory]) -> str:
    failed = [x.reason for x in truth if x.status != "ok"]
    if failed:
        return f"{OF_TRUTH}{failed[0]}"
    if simulation is None:
        return "the training of the model failed"
    return next((f"model: {reason}" for reason in simulation.reason if reason), "")
