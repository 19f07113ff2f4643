"""From two files of a user's to a forecast: weights, directions, names and gaps are used."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp

from nodeflow import data, dynamics, graphs, neural_ode, priors
from nodeflow.dynamics.mean_field import mean_field_of, mean_field_states

NODES = [f"gene_{k}" for k in range(30)]


def network(seed: int = 5) -> np.ndarray:
    """A_ij, what j does to i: each gene is driven by one to four others."""
    rng = np.random.default_rng(seed)
    weights = np.zeros((30, 30))
    for i in range(30):
        for j in rng.choice(np.delete(np.arange(30), i), rng.integers(1, 5), replace=False):
            weights[i, j] = rng.lognormal(0, 0.5)
    return weights


def velocity(_: float, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    found: np.ndarray = 0.1 - x + weights @ (x**2 / (1 + x**2))
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An edge list with weights, and wide series: uneven times, a little noise, some gaps."""
    folder = tmp_path_factory.mktemp("mine")
    rng, weights = np.random.default_rng(1), network()
    edges = [(NODES[j], NODES[i], weights[i, j]) for i, j in zip(*np.nonzero(weights), strict=True)]
    table = pd.DataFrame(edges, columns=["source", "target", "weight"])
    table.sample(frac=1, random_state=0).to_csv(folder / "edges.csv", index=False)
    times = np.sort(np.concatenate([[0, 3], rng.uniform(0, 3, 38)]))
    runs = []
    for run in range(5):
        solved = solve_ivp(
            velocity, (0, 3), rng.uniform(0, 2, 30), t_eval=times, args=(weights,), rtol=1e-8
        )
        rows = pd.DataFrame(solved.y.T + 0.002 * rng.normal(size=(40, 30)), columns=NODES)
        rows = rows.mask(rng.random(rows.shape) < 0.02)
        rows.iloc[[0, -1]] = solved.y.T[[0, -1]]
        runs.append(rows.assign(run=run, time=times))
    pd.concat(runs)[[*NODES[::-1], "time", "run"]].to_csv(folder / "series.csv", index=False)
    return folder / "edges.csv", folder / "series.csv"


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [
        ("gauss_newton", {"hidden": (32, 32), "trajectories": 5}),
        ("matching", {"hidden": (32, 32), "steps": 600}),
    ],
)
def test_a_directed_weighted_network_is_learned_from_two_files_and_forecast(
    files: tuple[Path, Path], tmp_path: Path, recipe: str, settings: dict[str, object]
) -> None:
    graph = graphs.read_edge_list(files[0], directed=True)
    series = data.read_series(files[1], graph)
    assert not series.unobserved
    part, trajectories = data.observed_part(series, graph)
    models, _ = neural_ode.train_models(
        [part], trajectories, recipe=recipe, settings=settings, seeds=1, labels=("mine",),
        root_seed=1,
    )  # fmt: skip
    assert models.ok.all()
    neural_ode.write_models(tmp_path / "mine.safetensors", models, {"system": "mine"})
    model = neural_ode.load(tmp_path / "mine.safetensors")
    start = pd.Series(np.random.default_rng(9).uniform(0, 2, 30), index=NODES)
    times = np.linspace(0, 3, 13)
    found = model.predict(graph, start, times)
    true = solve_ivp(
        velocity, (0, 3), start.to_numpy(), t_eval=times, args=(network(),), rtol=1e-8
    ).y.T
    error = np.abs(found[NODES].to_numpy() - true).mean()
    assert error < np.abs(true - true[0]).mean() / 10
    # The transposed network is another one: directions are used.
    turned = graphs.from_matrix(network().T, NODES)
    other = model.predict(turned, start, times)[NODES].to_numpy()
    assert np.abs(other - true).mean() > 5 * error
    pd.testing.assert_frame_equal(
        model.predict(graphs.to_networkx(graph), start, times)[NODES], found[NODES]
    )


def test_the_examples_of_the_page_on_series_run(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = "docs/own-series.md"
    text = (Path(__file__).parents[2] / document).read_text()
    examples = re.findall(r"```python\n(.*?)```", text, re.S)
    [first] = [place for place, x in enumerate(examples) if "read_series" in x]
    quick = {"hidden": (24, 24), "steps": 60, "warmup": 100, "knots": 24}
    monkeypatch.setattr(
        neural_ode, "train_ensemble", partial(neural_ode.train_ensemble, settings=quick)
    )
    made = priors.prior_of_system
    few = {"members": 12}
    monkeypatch.setattr(priors, "prior_of_system", lambda *x, **more: made(*x, **{**more, **few}))
    monkeypatch.chdir(files[0].parent)
    names: dict[str, Any] = {}
    for example in examples[first:]:
        exec(compile(example, document, "exec"), names)
    assert names["forecast"] is not None
    mean = names["errors"].groupby("method")["error"].mean()
    assert mean["neural ODEs"] < mean.drop("neural ODEs").min()


def test_the_mean_field_of_a_weighted_network_is_exact_where_all_nodes_are_alike() -> None:
    ring = np.roll(np.eye(12), 1, axis=1) * 1.5 + np.roll(np.eye(12), 3, axis=1) * 0.5
    graph = graphs.from_matrix(ring)
    field, times = dynamics.field("MM"), np.linspace(0, 1, 5)
    start = np.full((1, 12), 0.7)
    exact = dynamics.simulate(field, graph.adjacency(), start, times)
    np.testing.assert_allclose(
        mean_field_states(field, graph, start, times), exact.states, atol=1e-5
    )
    simple = graphs.build_graph(4, [(0, 1), (1, 2), (2, 3)])
    assert mean_field_of(simple).degrees.tolist() == [1, 2]
