"""Everything that is asked of the generated neural ODEs of one system of a zoo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nodeflow.bridge.evaluate import (
    TestSettings,
    cell_sets,
    evaluate_cell,
    functions_table,
    test_cases,
)
from nodeflow.bridge.experiments import TestCase
from nodeflow.bridge.frame import Frame
from nodeflow.bridge.members import Members, learned
from nodeflow.bridge.panel import judge_nodes
from nodeflow.bridge.sets import ControlSettings, build_sets
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph
from nodeflow.grid import Cell
from nodeflow.threads import one_thread_if_small

__all__ = ["judge_system"]


@one_thread_if_small
def judge_system(
    p: Mapping[str, Any],
    frame: Frame,
    aligned: Members,
    samples: Members,
    weight_samples: Members,
    graphs: Sequence[Sequence[Graph]],
    trajectories: Sequence[Sequence[Trajectory]],
) -> dict[str, pd.DataFrame]:
    """The panel and all experiments.

    Args:
        p: what the judgement is made with: `nodeflow.plan.Plan.bridge_judgement`.
        frame: canonical form of the zoo.
        aligned: its members, canonical.
        samples: generated neural ODEs.
        weight_samples: the same of a flow over weights.
        graphs: those of each test cell, in the order of p["truth"].
        trajectories: of the true system on them.

    Returns:
        The tables of `nodeflow.bridge.store.TABLES`, without the column zoo.
    """
    system, flow, tests = p["system"], p["from"], p["tests"]
    truth = field(system, p["parameters"])
    cells = [(beta, gamma) for beta, gamma in flow["cells"]]
    unseen = [(beta, gamma) for beta, gamma in flow["unseen"]]
    of_system = aligned.take(np.flatnonzero((aligned.system == system) & aligned.ok))
    own = learned(of_system, cells, flow["learned_graphs"])
    zoo = of_system.take(np.flatnonzero(own))
    never = (of_system.graph >= flow["learned_graphs"]) | of_system.in_cells(unseen)
    held_out = of_system.take(np.flatnonzero(never))
    generated, from_weights = (
        x.take(np.flatnonzero(x.system == system)) for x in (samples, weight_samples)
    )
    cases = _cases(p["truth"], graphs, trajectories, tests["graphs"])
    sets = build_sets(
        zoo,
        held_out.take(np.flatnonzero(held_out.in_cells(cells))),
        generated.take(np.flatnonzero(generated.in_cells(cells))),
        from_weights.take(np.flatnonzero(from_weights.in_cells(cells))),
        ControlSettings(**{**p["controls"], "noise_scales": tuple(p["controls"]["noise_scales"])}),
        lambda x: frame.apply(x, [system] * len(next(iter(x.values())))).parameters,
        p["seed"],
        (p["zoo"], system),
    )
    first = next(iter(cases.values()))[0]
    panel = judge_nodes(
        sets, zoo, truth, first.graph.adjacency().toarray(), first.states.astype(np.float64),
        frame.states(system),
    )  # fmt: skip
    plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in tests.items()}
    settings = TestSettings(**{k: v for k, v in plain.items() if k != "graphs"})
    found: dict[str, list[pd.DataFrame]] = {"panel": [panel.assign(system=system)]}
    controls = {k: v for k, v in sets.parameters.items() if k in _TESTED_CONTROLS}
    for here in cell_sets(held_out, generated, cells, unseen, controls, settings):
        on = {
            cell: some
            for cell, some in cases.items()
            if (len(cells) == 1 and not here.unseen)
            or (cell.beta, cell.gamma) == (here.beta, here.gamma)
        }
        tables = evaluate_cell(
            here, on, system, truth, frame.ranges[system], settings, Tolerance(**p["tolerance"]),
            float(np.median(zoo.error)), p["seed"],
        )  # fmt: skip
        tables["functions"] = functions_table(here, frame, system, truth)
        for name, table in tables.items():
            found.setdefault(name, []).append(table)
    return {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}


_TESTED_CONTROLS = ("weight flow", "noise matched")
"""The controls whose trajectories are tested; the panel has all of them."""


def _cases(
    truth: Sequence[Mapping[str, Any]],
    graphs: Sequence[Sequence[Graph]],
    trajectories: Sequence[Sequence[Trajectory]],
    count: int,
) -> dict[Cell, list[TestCase]]:
    """Test graphs with their true trajectories, by cell."""
    return {
        Cell(x["on"]["N"], x["on"]["beta"], x["on"]["gamma"]): test_cases(some, runs, count)
        for x, some, runs in zip(truth, graphs, trajectories, strict=True)
    }
