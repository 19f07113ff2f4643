"""Ensembles of users' series: forecasts, bands, flags and files, on planted systems."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp

import nodeflow
from nodeflow import data, graphs, neural_ode
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode import observations
from nodeflow.neural_ode.estimate import Estimate, estimates
from nodeflow.neural_ode.settings import RecipeProblem
from nodeflow.tables import FileProblem

QUICK = {"hidden": (24, 24), "steps": 60, "warmup": 100, "knots": 24}
NAMES = tuple(f"gene_{k:02d}" for k in range(40))


def regulation(n: int = 40, seed: int = 5) -> np.ndarray:
    """A_ij, what j does to i: each gene is driven by one to five others, some are repressed."""
    rng = np.random.default_rng(seed)
    weights = np.zeros((n, n))
    for i in range(n):
        for j in rng.choice(np.delete(np.arange(n), i), rng.integers(1, 6), replace=False):
            weights[i, j] = rng.lognormal(0, 0.6) * (1 if rng.random() < 0.9 else -0.1)
    return weights


def solution(weights: np.ndarray, start: np.ndarray, times: np.ndarray) -> np.ndarray:
    def velocity(_: float, x: np.ndarray) -> np.ndarray:
        found: np.ndarray = 0.1 - x + weights @ (x**2 / (1 + x**2))
        return found

    ends = float(times[0]), float(times[-1])
    found: np.ndarray = solve_ivp(velocity, ends, start, t_eval=times, rtol=1e-8, atol=1e-10).y.T
    return found


def observed_runs(weights: np.ndarray, count: int, noise: float, seed: int) -> tuple[data.Run, ...]:
    """Runs at uneven times, of their own number and place in each run."""
    rng = np.random.default_rng(seed)
    runs = []
    for k in range(count):
        times = np.sort(np.r_[0, 5, rng.uniform(0, 5, rng.integers(35, 60))])
        states = solution(weights, rng.uniform(0, 2, len(weights)), times)
        runs.append(data.Run(f"r{k}", times, states + noise * rng.normal(size=states.shape)))
    return tuple(runs)


@pytest.fixture(scope="module")
def mine() -> tuple[Graph, tuple[data.Run, ...], neural_ode.Ensemble]:
    """The 40 named nodes of a weighted, directed network; five noisy runs at times of their own."""
    weights = regulation()
    graph = graphs.from_matrix(weights, NAMES)
    runs = observed_runs(weights, 6, 0.01, seed=1)
    series = data.Series(NAMES, runs[:5])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return (
            graph,
            runs,
            neural_ode.train_ensemble(graph, series, members=6, seed=3, settings=QUICK),
        )


def forecast(ensemble: neural_ode.Ensemble, graph: Graph, run: data.Run) -> pd.DataFrame:
    start = dict(zip(graph.labels, run.states[0], strict=True))
    return ensemble.predict(graph, start, run.times)


def test_forty_named_nodes_are_forecast_ten_times_better_than_standing_still(mine: Any) -> None:
    graph, runs, ensemble = mine
    table = forecast(ensemble, graph, runs[5])
    assert list(table) == [
        "time", "node", "mean", "lower_50", "upper_50", "lower_90", "upper_90", "trusted",
    ]  # fmt: skip
    assert table["node"][:40].tolist() == list(NAMES)
    mean = table["mean"].to_numpy().reshape(runs[5].states.shape)
    true = solution(regulation(), runs[5].states[0], runs[5].times)
    error, still = np.abs(mean - true).mean(), np.abs(true - true[0]).mean()
    assert error < still / 50
    assert ensemble.noise == pytest.approx(0.01, rel=0.1)
    others = data.BASELINES["network_autoregression"](data.Series(NAMES, runs[:5]), graph)
    assert error < np.abs(others(graph, true[0], runs[5].times) - true).mean() / 5
    assert table["trusted"].mean() > 0.95


def test_bands_cover_observations_of_new_runs_as_often_as_they_say(mine: Any) -> None:
    graph, _, ensemble = mine
    shares = {50: [], 90: []}  # type: dict[int, list[float]]
    for run in observed_runs(regulation(), 8, 0.01, seed=77):
        table, seen = forecast(ensemble, graph, run), run.states.ravel()
        later = (table["time"] > 0).to_numpy()
        for level, found in shares.items():
            inside = (table[f"lower_{level}"] <= seen) & (seen <= table[f"upper_{level}"])
            found.append(float(inside[later].mean()))
    assert 0.4 < np.mean(shares[50]) < 0.8
    assert np.mean(shares[90]) > 0.85
    assert np.mean(shares[90]) > np.mean(shares[50]) + 0.15


def test_another_network_larger_and_without_directions_is_forecast_and_flagged(mine: Any) -> None:
    _, _, ensemble = mine
    weights = regulation(120, seed=8)
    graph = graphs.from_matrix(weights)
    start, times = np.random.default_rng(4).uniform(0, 2, 120), np.linspace(0, 4, 9)
    table = ensemble.predict(graph, start, times)
    true = solution(weights, start, times)
    off = np.abs(table["mean"].to_numpy() - true.ravel())
    trusted = table["trusted"].to_numpy()
    assert off[trusted].mean() < 0.03 * np.abs(true - true[0]).mean()
    # Far beyond what was seen, nothing is trusted.
    far = ensemble.predict(graph, 40 + start, times)
    assert not far["trusted"].any()
    ring = graphs.build_graph(10, [(i, i + 1) for i in range(9)])
    assert len(ensemble.predict(ring, np.full(10, 0.5), times)) == 90


def test_functions_are_the_planted_ones_up_to_their_common_factor(mine: Any) -> None:
    _, _, ensemble = mine
    x = np.linspace(0.1, 4, 20)
    table = ensemble.functions(x).set_index("function")
    assert table["seen"].all()
    np.testing.assert_allclose(table.loc["f", "mean"], 0.1 - x, atol=0.15)
    np.testing.assert_allclose(table.loc["product", "mean"], x**2 / (1 + x**2), atol=0.1)
    assert (table["lower_90"] <= table["lower_50"]).all()
    grid = ensemble.functions().set_index("function")
    sizes = [np.sqrt(np.square(grid.loc[name, "mean"]).mean()) for name in ("h_ego", "h_alt")]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.01)
    assert grid.loc["h_alt", "mean"].mean() > 0


def test_a_file_gives_the_same_forecasts_to_the_last_bit(mine: Any, tmp_path: Path) -> None:
    graph, runs, ensemble = mine
    path = tmp_path / "mine.safetensors"
    neural_ode.save_ensemble(path, ensemble)
    again = nodeflow.load_ensemble(path)
    pd.testing.assert_frame_equal(
        forecast(again, graph, runs[5]), forecast(ensemble, graph, runs[5]), check_exact=True
    )
    pd.testing.assert_frame_equal(again.functions(), ensemble.functions(), check_exact=True)
    assert (again.seen, again.calibration, again.noise, again.notes) == (
        ensemble.seen, ensemble.calibration, ensemble.noise, ensemble.notes,
    )  # fmt: skip
    assert again.made["directed"] and again.made["weighted"] and again.made["runs"] == 5
    second = tmp_path / "again.safetensors"
    neural_ode.save_ensemble(second, again)
    assert second.read_bytes() == path.read_bytes()
    broken = bytearray(path.read_bytes())
    broken[len(broken) // 2] ^= 1
    path.write_bytes(broken)
    neural_ode.write_models(second, ensemble.models, {})
    for file, words in ((path, "damaged"), (second, "node models"), (tmp_path / "no", "missing")):
        with pytest.raises(FileProblem, match=words) as caught:
            nodeflow.load_ensemble(file)
        assert "\n" not in str(caught.value)


def test_times_of_forecasts_are_increasing_numbers(
    mine: tuple[Graph, tuple[data.Run, ...], neural_ode.Ensemble],
) -> None:
    graph, runs, ensemble = mine
    for times in ([0.0, 2.0, 1.0], [], pd.date_range("2026-01-01", periods=3)):
        with pytest.raises(neural_ode.ModelProblem, match=r"^Times ") as caught:
            ensemble.predict(graph, runs[5].states[0], times)
        assert "\n" not in str(caught.value)


def test_the_order_of_runs_and_nodes_changes_nothing() -> None:
    weights = regulation(20)
    names = [f"g{i}" for i in range(20)]
    runs = observed_runs(weights, 5, 0.0, seed=2)
    start, times = np.random.default_rng(3).uniform(0, 2, 20), np.linspace(0, 3, 5)
    settings = {**QUICK, "steps": 10, "warmup": 20}
    graph = graphs.from_matrix(weights, names)

    def trained(graph: Graph, runs: Any) -> pd.DataFrame:
        found = neural_ode.train_ensemble(graph, runs, members=3, seed=1, settings=settings)
        return found.predict(graph, dict(zip(names, start, strict=True)), times)

    plain = trained(graph, runs)
    pd.testing.assert_frame_equal(trained(graph, runs[::-1]), plain, check_exact=True)
    order = np.random.default_rng(0).permutation(20)
    turned = graphs.from_matrix(weights[np.ix_(order, order)], [names[i] for i in order])
    moved = [data.Run(x.name, x.times, x.states[:, order]) for x in runs]
    other = (
        trained(turned, moved)
        .set_index(["time", "node"])
        .loc[list(zip(plain["time"], plain["node"], strict=True))]
    )
    np.testing.assert_allclose(other["mean"], plain["mean"], atol=1e-3)


def test_runs_of_one_group_or_of_many_give_the_same_estimate() -> None:
    """Each run alone with its times, or all that share them at once: the data are the same."""
    weights = regulation(20)
    times = np.sort(np.r_[0, 4, np.random.default_rng(0).uniform(0, 4, 48)])
    states = np.stack(
        [solution(weights, np.random.default_rng(k).uniform(0, 2, 20), times) for k in range(4)]
    )
    settings: dict[str, Any] = {"knots": 16, "steps": 40, "ridge": 0.03}
    [together] = estimates([(times, states)], weights, **settings)
    [alone] = estimates([(times, x[None]) for x in states], weights, **settings)
    inside = slice(2, -4)
    for one, other in ((together, alone),):
        scale = np.abs(one.values[:, inside]).max()
        np.testing.assert_allclose(
            one.values[:, inside], other.values[:, inside], atol=0.02 * scale
        )


def test_large_graphs_are_estimated_as_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sparse matrices, basis functions made when needed, and an iterative solver: the same form."""
    weights = regulation(30)
    times = np.linspace(0, 4, 60)
    states = np.stack(
        [solution(weights, np.random.default_rng(k).uniform(0, 2, 30), times) for k in range(3)]
    )
    settings: dict[str, Any] = {"knots": 16, "steps": 30, "ridge": 0.03}
    [dense] = estimates([(times, states)], weights, **settings)
    matrix = graphs.from_matrix(weights).adjacency()

    def same(found: Estimate) -> None:
        np.testing.assert_allclose(found.values, dense.values, atol=1e-3)
        np.testing.assert_allclose(
            found.root @ found.root.T, dense.root @ dense.root.T, rtol=1e-3, atol=1e-3
        )

    same(*estimates([(times, states)], matrix, **settings))
    monkeypatch.setattr("nodeflow.neural_ode.estimated_from._KEPT", 0)
    same(*estimates([(times, states)], matrix, **settings))
    monkeypatch.setattr("nodeflow.neural_ode.jacobian._AT_ONCE", 30 * 7)
    same(*estimates([(times, states)], matrix, **settings))
    monkeypatch.setattr("nodeflow.neural_ode.estimated_from._ROWS", 1000)
    [some] = estimates([(times, states)], matrix, **settings)
    inside = slice(2, -4)
    np.testing.assert_allclose(some.values[:, inside], dense.values[:, inside], atol=0.05)


def test_a_reweighted_estimate_is_that_of_the_runs_that_count() -> None:
    """Weights of 0 and 1: one Gauss–Newton step away from all runs, and close to those alone."""
    weights = regulation(20)
    times = np.linspace(0, 4, 60)
    states = np.stack(
        [solution(weights, np.random.default_rng(k).uniform(0, 2, 20), times) for k in range(6)]
    )
    states += 0.01 * np.random.default_rng(1).normal(size=states.shape)
    settings: dict[str, Any] = {"knots": 12, "steps": 40, "ridge": 0.03}
    chosen = np.array([1.0, 1, 0, 1, 0, 0])[:, None]
    whole, ones, some = estimates(
        [(times, states)], weights, weights=[None, np.ones((6, 1)), chosen], **settings
    )
    [alone] = estimates([(times, states[[0, 1, 3]])], weights, **settings)
    x = whole.points[(whole.points > 0.2) & (whole.points < 3)]

    def functions(found: Estimate) -> np.ndarray:
        f, h_ego, h_alt = (np.interp(x, found.points, row) for row in found.values)
        return np.stack([f, h_ego * h_alt])

    def apart(one: Estimate, other: Estimate) -> float:
        return float(np.abs(functions(one) - functions(other)).mean())

    assert apart(some, alone) < 0.6 * apart(whole, alone)
    assert apart(ones, whole) < 0.5 * apart(some, whole)
    # Blocks of time that all count once are the runs that count once.
    [blocks] = estimates([(times, states)], weights, weights=[np.ones((6, 4))], **settings)
    assert apart(blocks, ones) < 1e-6


def test_a_single_run_is_resampled_by_blocks_of_time() -> None:
    weights = regulation(20)
    graph = graphs.from_matrix(weights)
    [run] = observed_runs(weights, 1, 0.005, seed=5)
    ensemble = neural_ode.train_ensemble(graph, [run], members=4, settings=QUICK)
    assert ensemble.calibration.runs > 0
    start, times = np.random.default_rng(1).uniform(0, 2, 20), np.linspace(0, 4, 9)
    true = solution(weights, start, times)
    found = ensemble.predict(graph, start, times)
    mean = found["mean"].to_numpy().reshape(true.shape)
    assert np.abs(mean - true).mean() < np.abs(true - true[0]).mean() / 10


def ring(n: int = 16) -> np.ndarray:
    return np.asarray(0.7 * (np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), -1, axis=1)))


@pytest.mark.parametrize(
    ("weights", "words"),
    [(ring(), r"receives the same in all, 1\.4"), (np.zeros((16, 16)), "has no edges")],
)
def test_where_the_interaction_cannot_be_told_forecasts_there_are_right_and_that_is_said(
    weights: np.ndarray, words: str
) -> None:
    graph = graphs.from_matrix(weights)
    runs = observed_runs(weights, 5, 0.002, seed=6)
    with pytest.warns(UserWarning, match=words):
        ensemble = neural_ode.train_ensemble(graph, runs, members=3, settings=QUICK)
    [note] = ensemble.notes
    assert "\n" not in note
    start, times = np.random.default_rng(1).uniform(0.2, 1.8, 16), np.linspace(0, 4, 9)
    true = solution(weights, start, times)
    found = ensemble.predict(graph, start, times)
    mean = found["mean"].to_numpy().reshape(true.shape)
    assert np.abs(mean - true).mean() < np.abs(true - true[0]).mean() / 20
    assert found["trusted"].mean() > 0.9
    # Another strength is not to be trusted: what was learned may be off by a constant there.
    other = ensemble.predict(graphs.from_matrix(3 * ring()), start, times)
    assert not other["trusted"].any()
    if not weights.any():
        x = np.linspace(0.3, 1.5, 9)
        f = ensemble.functions(x).query("function == 'f'")["mean"]
        np.testing.assert_allclose(f, 0.1 - x, atol=0.03)


def test_what_cannot_be_learned_from_is_one_sentence() -> None:
    weights = regulation(20)
    graph = graphs.from_matrix(weights)
    times = np.linspace(0, 3, 30)
    states = solution(weights, np.ones(20), times)
    few, still = states[:5], np.ones_like(states)
    for given, words in (
        ([data.Run("a", times[:5], few)], "Run a has 5 times .*needs at least 7"),
        ([data.Run("a", times, states), data.Run("b", times[:5], few)], "Run b has 5 times"),
        ([data.Run("a", times, still)], "no state .* ever changes"),
    ):
        with pytest.raises(RecipeProblem, match=words) as caught:
            neural_ode.train_ensemble(graph, given, settings=QUICK)
        assert "\n" not in str(caught.value)
    with pytest.raises(neural_ode.ModelProblem, match="at least two"):
        neural_ode.train_ensemble(graph, [data.Run("a", times, states)], members=1)
    with pytest.raises(data.SeriesProblem, match="Two runs are called 'a'"):
        neural_ode.train_ensemble(graph, [data.Run("a", times, states)] * 2)
    for nothing, words in (
        ([], "no runs"),
        ([data.Run("a", times, np.nan * states)], "no values"),
        ("runs.csv", "data.read_series returns.* not a str"),
    ):
        with pytest.raises(data.SeriesProblem, match=words):
            neural_ode.train_ensemble(graph, nothing)  # type: ignore[arg-type]


@pytest.mark.parametrize("recipe", ["matching", "paper"])
def test_other_recipes_train_ensembles_too(recipe: str) -> None:
    weights = regulation(16)
    graph = graphs.from_matrix(weights)
    times = np.linspace(0, 3, 40)
    runs = [
        data.Run(
            str(k), times, solution(weights, np.random.default_rng(k).uniform(0, 2, 16), times)
        )
        for k in range(5)
    ]
    settings: dict[str, Any] = {
        "matching": {"hidden": (16, 16), "steps": 300},
        "paper": {"hidden": (8, 8), "steps": 60, "batch": 4, "learning_rate": 0.1, "snapshots": 0},
    }[recipe]
    ensemble = neural_ode.train_ensemble(graph, runs, members=3, recipe=recipe, settings=settings)
    start = np.random.default_rng(9).uniform(0, 2, 16)
    true = solution(weights, start, times)
    mean = ensemble.predict(graph, start, times)["mean"].to_numpy().reshape(true.shape)
    assert np.abs(mean - true).mean() < np.abs(true - true[0]).mean() / 2


def test_a_graph_counts_as_large_from_its_nodes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observations, "LARGEST_DENSE", 8)
    weights = regulation(16)
    runs = observed_runs(weights, 5, 0.0, seed=2)
    graph = graphs.from_matrix(weights)
    sparse = neural_ode.train_ensemble(graph, runs, members=2, settings=QUICK)
    monkeypatch.setattr(observations, "LARGEST_DENSE", 16)
    dense = neural_ode.train_ensemble(graph, runs, members=2, settings=QUICK)
    start, times = np.random.default_rng(1).uniform(0, 2, 16), np.linspace(0, 3, 5)
    one, other = (x.predict(graph, start, times)["mean"] for x in (sparse, dense))
    np.testing.assert_allclose(one, other, atol=5e-3)
