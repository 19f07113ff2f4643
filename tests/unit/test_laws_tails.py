"""Tails and bands of laws in the workflow: what is tested, read and rated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from nodeflow.config import read_config
from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.store import Trajectory
from nodeflow.dynamics.systems import field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import from_networkx
from nodeflow.graphs.measures import node_table
from nodeflow.laws import Form, Law, Laws, Term, write_laws
from nodeflow.laws.rated import rated_fields
from nodeflow.laws.tailed import read_tailed
from nodeflow.neural_ode.evaluate import evaluate_models
from nodeflow.neural_ode.model import initial_parameters
from nodeflow.neural_ode.schemas import TAILED
from nodeflow.neural_ode.store import Models, write_models
from nodeflow.neural_ode.trusted import rating_of
from nodeflow.plan import Plan
from nodeflow.seeds import torch_generator
from nodeflow.tables import FileProblem
from tests.unit.test_config import DEFAULT, ROOT, changed

X, ONE = Term("power", (1.0,)), Term("one")
TOLERANCE = Tolerance(1e-8, 1e-8, 20_000)
GRAPHS = [from_networkx(nx.barabasi_albert_graph(60, 4, seed=seed)) for seed in (1, 2)]

plan = Plan(read_config(DEFAULT), ROOT)


def law(*values: float) -> Law:
    """A law of the form of SIS, learned from states up to one half."""
    form = Form((X,), (X, ONE), (X,))
    return Law(form, np.array(values), np.diag([0.01] * 3) ** 2, 1e-3, (0.0, 0.5), check=1.0)


def truth() -> list[Trajectory]:
    """A trajectory of SIS on each graph."""
    times, random = np.linspace(0, 1, 17), np.random.default_rng(1)
    found = []
    for index, graph in enumerate(GRAPHS):
        start = random.uniform(0, 0.5, (1, graph.n))
        run = simulate(field("SIS"), graph.adjacency(), start, times, rtol=1e-9, atol=1e-9)
        found.append(Trajectory(index, 0, times, run.states[0], "ok", ""))
    return found


def test_neural_odes_have_tails_wherever_there_is_a_law_and_only_if_asked_for() -> None:
    tails = plan.tail_experiments
    assert tails.models.trainings == plan.laws.trainings
    row = {**plan.laws.trainings[0]}
    assert [*tails.models.files(row)] == [*plan.neural_ode.files(row), *plan.laws.files(row)]
    [made] = [tails.test_parts(row)[row["system"]]]
    assert made["method"] == TAILED
    assert made["models"]["models"] == plan.neural_ode.params(row)
    assert made["models"]["laws"] == plan.laws.params(row)
    learned = {x["learned"] for x in plan.evaluated.ensembles}
    assert learned == {"neural_ode", "law", "tailed"}
    none = Plan(read_config(changed("neural_ode.tails", "none")), ROOT)
    assert none.tail_experiments.models.trainings == []
    assert none.evaluated.tests == [x for x in plan.evaluated.tests if x["learned"] != "tailed"]


def test_models_are_read_with_the_tails_of_the_laws_of_their_graphs(tmp_path: Path) -> None:
    drawn = initial_parameters([torch_generator(1, "x", r) for r in range(4)], scale=1.0)
    count = np.arange(4)
    seen = np.array([[0.0, 1.0]] * 4)
    models = Models(
        {name: x.numpy() for name, x in drawn.items()},
        about={"training_graph": count // 2, "seen": seen, "error": 1e-3 * count},
    )
    write_models(tmp_path / "models.safetensors", models, {"system": "SIS"})
    laws = Laws((law(-1.0, -1.2, 1.2),), ("",))
    write_laws(tmp_path / "laws.json", laws, {"system": "SIS"})
    made = {"models": {"system": "SIS"}, "laws": {"system": "SIS"}}
    found = read_tailed(tmp_path / "models.safetensors", tmp_path / "laws.json", made)
    assert (len(found), found.error.tolist()) == (2, [0.0, 1e-3])
    assert found.fields[1] is not None
    np.testing.assert_allclose(found.fields[1].f(np.array([50.0])), [-50.0], rtol=1e-5)
    with pytest.raises(FileProblem, match="x"):
        read_tailed(
            tmp_path / "models.safetensors", tmp_path / "laws.json", {**made, "laws": {"x": 1}}
        )


def test_each_law_is_rated_on_each_graph_by_its_own_bands() -> None:
    laws = Laws((law(-1.0, -1.2, 1.2), None, law(-1.5, -1.2, 1.2)), ("", "none", ""))
    fields = rated_fields(laws)
    rows: list[dict[str, Any]] = []
    evaluate_models(
        fields, field("SIS"), GRAPHS, node_table(GRAPHS), truth(), tolerance=TOLERANCE,
        watch=rating_of(fields, None, GRAPHS, rows),
    )  # fmt: skip
    assert [(x["graph"], x["training_graph"]) for x in rows] == [(0, 0), (0, 2), (1, 0), (1, 2)]
    true, wrong = rows[::2], rows[1::2]
    assert all(x["coverage_90"] > 0.99 for x in true)
    assert all(x["coverage_90"] < 0.5 for x in wrong)
