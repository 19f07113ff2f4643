"""Neural ODEs on graphs of which some nodes are not observed, or only with noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.dynamics.integrate import Simulation, simulate_graphs
from nodeflow.dynamics.mean_field import mean_field_states
from nodeflow.dynamics.runs import runs_on_each
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.checked import GraphProblem
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.field import Learned, model_fields
from nodeflow.neural_ode.schemas import NEURAL_ODE_HIDDEN, NEURAL_ODE_NOISE, OF_TRUTH
from nodeflow.threads import one_thread_if_small

__all__ = ["hide_nodes", "perturb_initial_states"]

Floats = NDArray[np.float64]


@one_thread_if_small
def hide_nodes(
    models: Learned,
    system: Field,
    graphs: Sequence[Graph],
    truth: Sequence[Trajectory],
    removed: Sequence[int],
    generators: Sequence[np.random.Generator],
    *,
    tolerance: Tolerance,
) -> pd.DataFrame:
    """Predict the observed nodes from the induced subgraph and their own initial states.

    The nodes that are not observed are the first of one random order for each graph. The true
    system on the same subgraph shows how much of the error is the missing nodes' alone.

    Args:
        models: R models: neural ODEs, or other fields that were learned.
        system: the true vector field.
        graphs: test graphs, by index.
        truth: one or more trajectories of the true system on each; the first is used.
        removed: numbers of nodes that are not observed.
        generators: one for each graph.
        tolerance: of the true system; for models see `Tolerance.for_error`.

    Returns:
        One row a model, graph and number, with the columns of `NEURAL_ODE_HIDDEN`.

    Raises:
        TrajectoryProblem: a trajectory does not fit its graph or the others; see `runs_on_each`.
        GraphProblem: as many nodes are removed as a graph has.
    """
    known = _firsts(graphs, truth)
    smallest = min(graph.n for graph in graphs)
    if not all(0 <= count < smallest for count in removed):
        raise GraphProblem(
            f"removed = {[*removed]} does not fit graphs of {smallest} nodes; keep at least one "
            "node of each."
        )
    orders = [g.permutation(x.n) for g, x in zip(generators, graphs, strict=True)]
    times = known[0].times
    fields = model_fields(models)
    whole = _predictions(models, fields, graphs, [x.states[0] for x in known], times, tolerance)
    rows = []
    for count in removed:
        kept = [np.sort(order[count:]) for order in orders]
        parts = [graph.subgraph(nodes) for graph, nodes in zip(graphs, kept, strict=True)]
        initials = [x.states[0, nodes] for x, nodes in zip(known, kept, strict=True)]
        floors = _simulated(system, parts, initials, times, tolerance)
        shared = []
        for part, x, nodes, floor in zip(parts, known, kept, floors, strict=True):
            states = x.states[:, nodes].astype(np.float64)
            mean = mean_field_states(system, part, states[:1], times, tolerance)[0]
            shared.append(
                {
                    "mae_floor": np.abs(floor.states[0] - states).mean(),
                    "mae_persistence": np.abs(states - states[0]).mean(),
                    "mae_mean_field": np.abs(states - mean).mean(),
                }
            )
        predicted = _predictions(models, fields, parts, initials, times, tolerance)
        for replicate, forecasts in enumerate(predicted):
            for index, (x, nodes) in enumerate(zip(known, kept, strict=True)):
                states = x.states[:, nodes].astype(np.float64)
                row = {
                    **models.labels(replicate),
                    "graph": index,
                    "removed": count,
                    "share": count / graphs[index].n,
                }
                on_all = whole[replicate]
                errors = {}
                reason = _reason(x, forecasts, index)
                if forecasts is not None and not reason:
                    errors = {"mae": np.abs(forecasts[index].states[0] - states).mean()}
                if on_all is not None and not reason:
                    errors["mae_whole"] = np.abs(on_all[index].states[0][:, nodes] - states).mean()
                rows.append({**row, **_status(reason), **errors, **shared[index]})
    return pd.DataFrame(rows, columns=list(NEURAL_ODE_HIDDEN.columns))


@one_thread_if_small
def perturb_initial_states(
    models: Learned,
    system: Field,
    graphs: Sequence[Graph],
    truth: Sequence[Trajectory],
    noises: Sequence[float],
    generators: Sequence[np.random.Generator],
    *,
    domain: tuple[float, float],
    tolerance: Tolerance,
) -> pd.DataFrame:
    """Predict from initial states with noise, compare with the trajectory without and with it.

    Noise is Gaussian. Data with it are what Laber, Eliassi-Rad and Klein (2026, arXiv:2602.08980)
    compare with: no prediction errs less there than the noise itself, about 0.8 of its standard
    deviation.

    Args:
        models: R models: neural ODEs, or other fields that were learned.
        system: the true vector field.
        graphs: test graphs, by index.
        truth: trajectories of the true system; the first of each graph is used.
        noises: standard deviations.
        generators: one for each graph; all standard deviations scale the same noise.
        domain: noisy states are cut off at these bounds; the first observed one is predicted from.
        tolerance: of the true system; for models see `Tolerance.for_error`.

    Returns:
        One row a model, graph and standard deviation, with the columns of `NEURAL_ODE_NOISE`.

    Raises:
        TrajectoryProblem: a trajectory does not fit its graph or the others; see `runs_on_each`.
    """
    known = _firsts(graphs, truth)
    fields = model_fields(models)
    times = known[0].times
    draws = [g.standard_normal((len(times), x.n)) for g, x in zip(generators, graphs, strict=True)]
    rows = []
    for noise in noises:
        observed = [
            np.clip(x.states + noise * draw, *domain) for x, draw in zip(known, draws, strict=True)
        ]
        initials = [states[0] for states in observed]
        floors = _simulated(system, graphs, initials, times, tolerance)
        shared = []
        for graph, x, noisy, floor in zip(graphs, known, observed, floors, strict=True):
            states = x.states.astype(np.float64)
            start = noisy[0]
            mean = mean_field_states(system, graph, start[None], times, tolerance)[0]
            shared.append(
                {
                    "mae_floor": np.abs(floor.states[0] - states).mean(),
                    "mae_observed_floor": np.abs(floor.states[0] - noisy).mean(),
                    "mae_persistence": np.abs(states - start).mean(),
                    "mae_mean_field": np.abs(states - mean).mean(),
                }
            )
        predicted = _predictions(models, fields, graphs, initials, times, tolerance)
        for replicate, forecasts in enumerate(predicted):
            for index, x in enumerate(known):
                reason = _reason(x, forecasts, index)
                errors = {}
                if forecasts is not None and not reason:
                    states = forecasts[index].states[0]
                    errors = {
                        "mae": np.abs(states - x.states).mean(),
                        "mae_observed": np.abs(states - observed[index]).mean(),
                    }
                row = {
                    **models.labels(replicate),
                    "graph": index,
                    "test_noise": float(noise),
                }
                rows.append({**row, **_status(reason), **errors, **shared[index]})
    return pd.DataFrame(rows, columns=list(NEURAL_ODE_NOISE.columns))


def _firsts(graphs: Sequence[Graph], truth: Sequence[Trajectory]) -> list[Trajectory]:
    return [runs[0] for runs in runs_on_each(graphs, truth)]


def _simulated(
    field: Field,
    graphs: Sequence[Graph],
    initials: Sequence[NDArray[np.floating]],
    times: Floats,
    tolerance: Tolerance,
) -> list[Simulation]:
    starts = [np.asarray(x, dtype=np.float64)[None] for x in initials]
    return simulate_graphs(field, graphs, starts, times, **asdict(tolerance))


def _predictions(
    models: Learned,
    fields: Sequence[Field | None],
    graphs: Sequence[Graph],
    initials: Sequence[NDArray[np.floating]],
    times: Floats,
    tolerance: Tolerance,
) -> list[list[Simulation] | None]:
    """Each model's simulations, None where its training failed."""
    return [
        None
        if field is None
        else _simulated(field, graphs, initials, times, tolerance.for_error(error))
        for field, error in zip(fields, models.error, strict=True)
    ]


def _reason(truth: Trajectory, forecasts: list[Simulation] | None, index: int) -> str:
    if truth.status != "ok":
        return f"{OF_TRUTH}{truth.reason}"
    if forecasts is None:
        return "the training of the model failed"
    reason = forecasts[index].reason[0]
    return f"model: {reason}" if reason else ""


def _status(reason: str) -> dict[str, str]:
    return {"status": "failed" if reason else "ok", "reason": reason}
