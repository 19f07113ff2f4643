"""All experiments on the sets of one system of a zoo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from nodeflow.bridge.experiments import (
    TestCase,
    ensemble_rows,
    error_rows,
    errors_by_degree,
    fixed_point_rows,
    unobserved_rows,
    worst_nodes,
)
from nodeflow.bridge.frame import Frame
from nodeflow.bridge.functions import learned_functions, true_functions
from nodeflow.bridge.members import Members
from nodeflow.bridge.predict import Predictions, fields_of, predict
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import SYSTEMS, Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.grid import Cell
from nodeflow.neural_ode.layout import NETS
from nodeflow.seeds import numpy_generator

__all__ = [
    "CellSets",
    "TestSettings",
    "cell_sets",
    "evaluate_cell",
    "functions_table",
    "test_cases",
]

Parameters = Mapping[str, Tensor]


@dataclass(frozen=True)
class TestSettings:
    """How much is tested.

    Attributes:
        models: neural ODEs of each set.
        controls: neural ODEs of each control: most of these fail, which takes long.
        ensembles: sizes of ensembles.
        unobserved: shares of nodes that are removed.
        fixed_points: neural ODEs of each set whose fixed points are sought.
        horizon: how long the integration towards a fixed point runs.
        detail_size: number of nodes of the graphs on which nodes are removed and fixed points are
            sought.
    """

    __test__ = False

    models: int
    controls: int
    ensembles: tuple[int, ...]
    unobserved: tuple[float, ...]
    fixed_points: int
    horizon: float
    detail_size: int


@dataclass(frozen=True)
class CellSets:
    """The sets that belong to one β and γ of training, or of the condition.

    Attributes:
        beta: β.
        gamma: γ.
        unseen: whether the flow never saw a member of it.
        sets: parameters by the name of the set.
        taught: by the name of a set, the number of the training graph of each of its neural ODEs;
            −1 for generated ones and for controls.
    """

    beta: float
    gamma: float
    unseen: bool
    sets: dict[str, Parameters]
    taught: dict[str, np.ndarray]


def cell_sets(
    held_out: Members,
    generated: Members,
    cells: Sequence[tuple[float, float]],
    unseen: Sequence[tuple[float, float]],
    controls: Mapping[str, Parameters],
    settings: TestSettings,
) -> list[CellSets]:
    """The first neural ODEs of every set, for each cell.

    For a cell that the flow has not seen, those of all other cells stand beside its own: "trained
    elsewhere" and "generated elsewhere". Controls belong to a zoo of a single cell.

    Args:
        held_out: trained members that the flow never saw.
        generated: samples.
        cells: β and γ that the flow has seen.
        unseen: others.
        controls: parameters by name.
        settings: how many of each.
    """
    found, count = [], settings.models
    for beta, gamma in (*cells, *unseen):
        chosen = {
            "held-out": _here(held_out, beta, gamma, count),
            "generated": _here(generated, beta, gamma, count),
        }
        if (beta, gamma) in unseen:
            chosen["trained elsewhere"] = _elsewhere(held_out, cells, count)
            chosen["generated elsewhere"] = _elsewhere(generated, cells, count)
        sets: dict[str, Parameters] = {name: some.parameters for name, some in chosen.items()}
        taught = {name: _taught(some) for name, some in chosen.items()}
        if len(cells) == 1 and (beta, gamma) not in unseen:
            for name, parameters in controls.items():
                sets[name] = {k: x[: settings.controls] for k, x in parameters.items()}
                taught[name] = np.full(len(next(iter(sets[name].values()))), -1)
        found.append(CellSets(beta, gamma, (beta, gamma) in unseen, sets, taught))
    return found


def _taught(members: Members) -> np.ndarray:
    """The number of each member's training graph among all of theirs; −1 if it has none."""
    own = np.column_stack([members.beta, members.gamma, members.graph])
    number = np.unique(own, axis=0, return_inverse=True)[1].ravel()
    graphs: np.ndarray = np.where(members.graph < 0, -1, number)
    return graphs


def _here(members: Members, beta: float, gamma: float, count: int) -> Members:
    at = np.flatnonzero((members.beta == beta) & (members.gamma == gamma))
    return members.take(_mixed(members, at)[:count])


def _elsewhere(members: Members, cells: Sequence[tuple[float, float]], count: int) -> Members:
    per_cell = [
        _mixed(members, np.flatnonzero((members.beta == beta) & (members.gamma == gamma)))
        for beta, gamma in cells
    ]
    share = -(-count // len(cells))
    return members.take(np.concatenate([at[:share] for at in per_cell])[:count])


def _mixed(members: Members, at: np.ndarray) -> np.ndarray:
    """Those at some places, of as many different graphs as possible first."""
    turn = pd.Series(members.graph[at]).groupby(members.graph[at]).cumcount().to_numpy()
    mixed: np.ndarray = at[np.argsort(turn, kind="stable")]
    return mixed


def test_cases(
    graphs: Sequence[Graph], trajectories: Sequence[Trajectory], count: int
) -> list[TestCase]:
    """The first `count` graphs of a cell with their first true trajectory that succeeded."""
    first: dict[int, Trajectory] = {}
    for x in trajectories:
        if x.status == "ok":
            first.setdefault(x.graph, x)
    return [
        TestCase(graphs[index], x.times, x.states)
        for index, x in sorted(first.items())
        if index < count
    ]


test_cases.__test__ = False  # type: ignore[attr-defined]


def evaluate_cell(
    own: CellSets,
    tests: Mapping[Cell, Sequence[TestCase]],
    system: str,
    truth: Field,
    seen: tuple[float, float],
    settings: TestSettings,
    tolerance: Tolerance,
    error: float,
    root_seed: int,
) -> dict[str, pd.DataFrame]:
    """Every experiment on the sets of one training cell.

    More than eight parameters, because each is made once for all cells, by another stage.

    Args:
        own: the sets.
        tests: test graphs by cell.
        system: the system.
        truth: its vector field.
        seen: range of the states in the zoo's training data.
        settings: how much is tested.
        tolerance: of the true system; for neural ODEs see `Tolerance.for_error`.
        error: of the zoo's members on their training data: all sets are integrated alike.
        root_seed: the run's root seed; the nodes that are removed follow from it and from the cell.

    Returns:
        Tables "runs", "ensembles", "degrees", "fixed_points" and "unobserved".
    """
    found: dict[str, list[pd.DataFrame]] = defaultdict(list)
    fields = {name: fields_of(p, seen) for name, p in own.sets.items()}
    learned = tolerance.for_error(error)
    for cell, cases in tests.items():
        detail = cell == Cell(settings.detail_size, own.beta, own.gamma)
        for name, tables in _experiments(fields, cases, seen, settings, learned):
            facts: dict[str, Any] = {
                "system": system, "set": name, "trained_beta": own.beta,
                "trained_gamma": own.gamma, "unseen": own.unseen, "N": cell.N,
                "beta": cell.beta, "gamma": cell.gamma,
            }  # fmt: skip
            if detail:
                tables["fixed_points"] = fixed_point_rows(
                    fields[name][: settings.fixed_points], truth, SYSTEMS[system].domain, cases[0],
                    settings.horizon, tolerance, error,
                )  # fmt: skip
            for kind, rows in tables.items():
                found[kind].append(pd.DataFrame(rows).assign(**facts))
            runs = found["runs"][-1]
            runs["trained_graph"] = own.taught[name][runs["index"]]
        if detail:
            labels = (system, cell.N, cell.beta, cell.gamma)
            everyone: dict[str, list[Field | str]] = {**fields, "true system": [truth]}
            for name, some in everyone.items():
                rng = numpy_generator(root_seed, "unobserved", *labels)
                precision = tolerance if name == "true system" else learned
                rows = unobserved_rows(some, cases[0], settings.unobserved, precision, rng)
                found["unobserved"].append(pd.DataFrame(rows).assign(**{**facts, "set": name}))
    return {kind: pd.concat(parts, ignore_index=True) for kind, parts in found.items()}


def _experiments(
    fields: Mapping[str, Sequence[Field | str]],
    cases: Sequence[TestCase],
    seen: tuple[float, float],
    settings: TestSettings,
    tolerance: Tolerance,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Errors, ensembles and errors by degree of each set on the graphs of one cell."""
    graphs, initials = [case.graph for case in cases], [case.states[0] for case in cases]
    predictions = {
        name: predict(some, graphs, initials, cases[0].times, tolerance)
        for name, some in fields.items()
    }
    worst = [_worst(predictions["held-out"], g, case) for g, case in enumerate(cases)]
    for name, found in predictions.items():
        yield (
            name,
            {
                "runs": error_rows(found, cases),
                "ensembles": ensemble_rows(found, cases, settings.ensembles, seen, worst),
                "degrees": errors_by_degree(found, cases, seen),
            },
        )


def _worst(predictions: Predictions, g: int, case: TestCase) -> np.ndarray:
    """The nodes at which trained neural ODEs err most: by the median of their errors."""
    return worst_nodes(np.nan_to_num(np.nanmedian(case.errors(predictions.states[g]), axis=0)))


def functions_table(own: CellSets, frame: Frame, system: str, truth: Field) -> pd.DataFrame:
    """Deciles of the learned functions of each set beside the true ones, over training states."""
    states = frame.states(system)
    true = true_functions(truth, states)
    parts = []
    for name, parameters in own.sets.items():
        count = len(next(iter(parameters.values())))
        canonical = frame.apply(parameters, [system] * count).parameters
        values = learned_functions(canonical, states)
        values = values[np.isfinite(values).all(axis=(1, 2))]
        if len(values) == 0:
            continue
        for k, net in enumerate(NETS):
            low, middle, high = np.quantile(values[:, k], [0.1, 0.5, 0.9], axis=0)
            parts.append(
                pd.DataFrame(
                    {
                        "system": system,
                        "set": name,
                        "trained_beta": own.beta,
                        "trained_gamma": own.gamma,
                        "unseen": own.unseen,
                        "function": net,
                        "state": states,
                        "true": true[k],
                        "low": low,
                        "middle": middle,
                        "high": high,
                        "count": len(values),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)
