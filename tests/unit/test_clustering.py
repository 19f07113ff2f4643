"""Errors on graphs and on copies that keep nothing but their degrees."""

from collections.abc import Sequence
from dataclasses import asdict

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from nodeflow.dynamics.ensemble import simulate_cell
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph, build_graph, from_networkx
from nodeflow.graphs.measures import node_table
from nodeflow.grid import Cell
from nodeflow.judge.clustering import clustering_effect, with_ratios
from nodeflow.neural_ode.evaluate import evaluate_models
from nodeflow.neural_ode.rewired import RewiredCell
from nodeflow.neural_ode.schemas import NEURAL_ODE_REWIRED

from .test_neural_ode_experiments import trained

TOLERANCE = Tolerance(1e-6, 1e-6, 20_000)


def simulate(graphs: Sequence[Graph]) -> list[Trajectory]:
    return list(
        simulate_cell(
            graphs, "SIS", role="test", cell=Cell(graphs[0].n, 1.0, 3.0), trajectories=1,
            initial=(0.0, 0.5), horizon=1.0, times=17, root_seed=3, tolerance=TOLERANCE,
        )
    )  # fmt: skip


def test_degrees_alone_decide_where_they_decide_the_graph() -> None:
    # A star, and a clique beside isolated nodes, are the only graphs of their degrees; a ring of
    # cliques is not, and loses its triangles.
    graphs = [
        from_networkx(nx.star_graph(39)),
        build_graph(40, np.array([(u, v) for u in range(10) for v in range(u)])),
        from_networkx(nx.ring_of_cliques(10, 4)),
    ]
    models = trained("SIS")
    _, original = evaluate_models(
        models, field("SIS"), graphs, node_table(graphs), simulate(graphs), tolerance=TOLERANCE
    )
    cell = Cell(40, 1.0, 3.0)
    truth = {
        "system": "SIS", "parameters": {}, "trajectories": 1, "initial": (0.0, 0.5),
        "horizon": 1.0, "times": 17, "tolerance": asdict(TOLERANCE),
        "on": {"role": "test", "seed": 3, **asdict(cell)},
    }  # fmt: skip
    here = original.assign(**asdict(cell))
    elsewhere = here.assign(gamma=2.1, mae=7.0)
    rewired = RewiredCell.of(cell, graphs, node_table(graphs), 1)
    for copy, graph in zip(rewired.copies, graphs, strict=True):
        assert copy.degrees.tolist() == graph.degrees.tolist()
    table = rewired.evaluate(models, truth, pd.concat([elsewhere, here]))
    again = RewiredCell.of(cell, graphs[::-1], node_table(graphs[::-1]), 1)
    assert not np.array_equal(again.copies[0].edges, rewired.copies[2].edges)
    assert {*table.columns} == {*NEURAL_ODE_REWIRED.columns}
    assert set(table["gamma"]) == {3.0}
    _, runs = evaluate_models(
        models, field("SIS"), rewired.copies, rewired.nodes, simulate(rewired.copies),
        tolerance=TOLERANCE,
    )  # fmt: skip
    assert np.array_equal(table["mae"], runs["mae"])
    assert len(table) == 3 * len(models)
    same = table[table["graph"] < 2]
    assert np.array_equal(same["mae"], same["mae_original"])
    assert np.array_equal(same["clustering"], same["clustering_original"], equal_nan=True)
    cut = table[table["graph"] == 2]
    assert np.allclose(cut["clustering_original"], 0.75, atol=0.05)
    assert (cut["clustering"] < 0.3).all()
    assert (cut["mae"] != cut["mae_original"]).all()


def test_a_planted_effect_is_found_and_failed_runs_have_none() -> None:
    random = np.random.default_rng(1)
    runs = pd.DataFrame(
        [
            (replicate, replicate // 2, beta, 3.0, graph, "ok", "ok", random.lognormal(0, 0.01))
            for beta in (0.6, 3.1) for replicate in range(6) for graph in range(8)
        ],
        columns=["replicate", "training_graph", "beta", "gamma", "graph", "status",
                 "status_original", "mae"],
    )  # fmt: skip
    factor = np.where(runs["beta"] == 0.6, 2.0, 0.5)
    runs["mae_original"] = factor * random.lognormal(0, 0.01, len(runs))
    runs.loc[3, ["status", "mae"]] = "failed", np.nan
    runs.loc[5, ["status_original", "mae_original"]] = "failed", np.nan
    found = with_ratios(runs)
    assert found["ratio"].isna().sum() == 2 and (found["status"] != "ok").sum() == 2
    for beta, expected in ((0.6, 2.0), (3.1, 0.5)):
        middle, low, high = clustering_effect(found[found["beta"] == beta], random)
        assert low <= middle <= high
        assert middle == pytest.approx(expected, rel=0.02)
    middle, low, high = clustering_effect(found, random)
    assert middle == pytest.approx(1, rel=0.02) and low < 1.02 and high > 0.98
    assert np.isnan(clustering_effect(found[found["status"] != "ok"], random)).all()
