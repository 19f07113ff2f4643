"""Errors of neural ODEs on test graphs, node by node and run by run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nodeflow.dynamics.integrate import Simulation, simulate_graphs
from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs.graph import Graph
from nodeflow.node.field import as_field
from nodeflow.node.store import NODE_ERRORS, NODE_RUNS, Models

__all__ = ["evaluate_models", "node_errors"]


def evaluate_models(
    models: Models,
    graphs: Sequence[Graph],
    nodes: pd.DataFrame,
    truth: Sequence[Trajectory],
    *,
    rtol: float,
    atol: float,
    max_steps: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Integrate every model from the true initial states on every graph, and compare.

    A run, one model on one graph, fails if the training of the model, an integration of it, or the
    true trajectory failed; it is then a row without errors.

    Args:
        models: R models.
        graphs: test graphs, by index.
        nodes: columns graph, node, degree, clustering of all their nodes.
        truth: trajectories of the true system on them.
        rtol: relative tolerance of the integration, as for the true system.
        atol: absolute tolerance.
        max_steps: limit of steps for a trajectory.

    Returns:
        Tables with the columns of `NODE_ERRORS` and `NODE_RUNS`.
    """
    true = [[x for x in truth if x.graph == index] for index in range(len(graphs))]
    initials = [np.stack([x.states[0] for x in xs]).astype(np.float64) for xs in true]
    times = truth[0].times
    properties = [rows for _, rows in nodes.sort_values(["graph", "node"]).groupby("graph")]
    errors, runs = [], []
    for replicate in range(len(models)):
        low, high = models.seen[replicate]
        if models.ok[replicate]:
            field = as_field(models.parameters, replicate, table=(low, high))
            found: Sequence[Simulation | None] = simulate_graphs(
                field, graphs, initials, times, rtol=rtol, atol=atol, max_steps=max_steps
            )
        else:
            found = [None] * len(graphs)
        for index, (simulation, known) in enumerate(zip(found, true, strict=True)):
            reason = _failure(simulation, known)
            run = {
                "replicate": replicate,
                "training_graph": models.training_graph[replicate],
                "graph": index,
                "status": "failed" if reason else "ok",
                "reason": reason,
            }
            if simulation is None or reason:
                runs.append(run)
                continue
            states = np.stack([x.states for x in known]).astype(np.float64)
            table = node_errors(states, simulation.states, low, high)
            still = np.abs(states - states[:, :1]).mean()
            means = {name: table[name].mean() for name in ("mse", "mae", "outside")}
            runs.append({**run, **means, "mae_persistence": still})
            table["replicate"], table["graph"] = replicate, index
            for name in ("node", "degree", "clustering"):
                table[name] = properties[index][name].to_numpy()
            errors.append(table)
    empty = pd.DataFrame({name: [] for name in NODE_ERRORS.columns})
    return (
        pd.concat(errors, ignore_index=True) if errors else empty,
        pd.DataFrame(runs, columns=list(NODE_RUNS.columns)),
    )


def node_errors(true: np.ndarray, predicted: np.ndarray, low: float, high: float) -> pd.DataFrame:
    """Errors of every node, averaged over trajectories and times.

    Args:
        true: states (B, T, n).
        predicted: states (B, T, n).
        low: smallest state seen in training.
        high: largest state seen in training.

    Returns:
        n rows with the columns mse, mae, mre, outside of `NODE_ERRORS`.
    """
    difference = np.abs(predicted - true)
    return pd.DataFrame(
        {
            "mse": np.square(difference).mean((0, 1)),
            "mae": difference.mean((0, 1)),
            "mre": (difference / (np.abs(true) + 1e-15)).mean((0, 1)),
            "outside": ((true < low) | (true > high)).mean((0, 1)),
        }
    )


def _failure(simulation: Simulation | None, truth: Sequence[Trajectory]) -> str:
    failed = [x.reason for x in truth if x.status != "ok"]
    if failed:
        return f"true system: {failed[0]}"
    if simulation is None:
        return "the training of the model failed"
    return next((f"model: {reason}" for reason in simulation.reason if reason), "")
