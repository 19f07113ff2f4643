"""Forecasters: planted systems are recovered; what must not matter does not; bad input is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.integrate import solve_ivp

from nodeflow import graphs, neural_ode
from nodeflow.data import Run, Series
from nodeflow.neural_ode.forced.field import (
    EVERYWHERE,
    Learned,
    forced_velocity,
    initial_forced_parameters,
)
from nodeflow.neural_ode.forced.inputs import read_inputs
from nodeflow.neural_ode.forced.rollout import Velocity, rollout
from nodeflow.neural_ode.forced.start import Latest, filtered_start, initial_filter
from nodeflow.neural_ode.likelihoods import poisson_deviance

PERIOD = 20.0
N = 12
FAST: dict[str, Any] = {"models": 1, "steps": 30, "hidden": (8,), "validation": 0.0}
LEARNING: dict[str, Any] = {**FAST, "steps": 150, "horizon": 2, "batch": 16, "learning_rate": 2e-2}


def network(seed: int = 3) -> graphs.Graph:
    """Directed and weighted, each node with at least one that acts on it."""
    rng = np.random.default_rng(seed)
    drawn = nx.gnp_random_graph(N, 0.25, seed=seed, directed=True)
    edges = {*drawn.edges, *((i, (i + 1) % N) for i in range(N))}
    pairs = np.array(sorted(edges))
    names = [f"place {k}" for k in range(N)]
    return graphs.build_graph(
        N, pairs, weights=rng.lognormal(size=len(pairs)), directed=True, names=names
    )


def planted(graph: graphs.Graph, times: np.ndarray, size: float = 1.0) -> np.ndarray:
    """dx/dt = −½ x + s(t) + ¼ (1 + s) Σ_j Â_ij x_j²/(1 + x_j²), with a season s."""
    matrix = graphs.normalized_adjacency(graph, "row").toarray()

    def velocity(t: float, x: np.ndarray) -> np.ndarray:
        s = 0.5 + 0.4 * np.sin(2 * np.pi * t / PERIOD)
        found: np.ndarray = -0.5 * x + s + 0.25 * (1 + s) * (matrix @ (x**2 / (1 + x**2)))
        return found

    start = np.random.default_rng(1).uniform(0, 3, N)
    return size * solve_ivp(velocity, (0, times[-1]), start, t_eval=times, rtol=1e-8).y.T


def series(states: np.ndarray, times: np.ndarray, graph: graphs.Graph) -> Series:
    return Series(graph.labels, (Run("0", times, states),))


# --- the vector field and its integration --------------------------------------------------------


def test_rollouts_are_what_an_independent_integrator_finds() -> None:
    graph, rng = network(), np.random.default_rng(0)
    matrix = graphs.normalized_adjacency(graph, "symmetric").toarray()
    table = pd.DataFrame({"time": [-1.0, 2.0, 9.0], "policy": [0.0, 1.0, -1.0]})
    inputs = read_inputs(table, [7.0], 2)
    covariates = torch.from_numpy(rng.normal(size=(N, 2)))
    p = initial_forced_parameters(
        [torch.Generator().manual_seed(k) for k in range(2)],
        hidden=(6, 5), inputs=inputs.width, covariates=2, scale=2.0, dtype=torch.float64,
    )  # fmt: skip
    start = torch.from_numpy(rng.normal(size=(2, 3, N)))
    times = torch.tensor([[0.0, 0.7, 2.0], [1.0, 1.5, 3.5], [2.0, 2.1, 2.2]], dtype=torch.float64)

    def net(name: str, r: int, features: np.ndarray) -> np.ndarray:
        lam, alpha = 1.0507009873554805, 1.6732632423543772
        for layer in range(3):
            w, b = (p[f"{name}.{layer}.{x}"][r].numpy() for x in ("weight", "bias"))
            features = features @ w.T + b
            if layer < 2:
                features = lam * np.where(features > 0, features, alpha * np.expm1(features))
        return features[:, 0]

    def velocity(t: float, x: np.ndarray, r: int) -> np.ndarray:
        angle = 2 * np.pi * t / 7.0
        policy = np.interp(t, table.time, table.policy)
        s = [policy, np.sin(angle), np.cos(angle), np.sin(2 * angle), np.cos(2 * angle)]
        rows = np.column_stack([x, np.tile(s, (N, 1)), covariates.numpy()])
        onto = matrix @ net("h_alt", r, x[:, None])
        found: np.ndarray = net("f", r, rows) + net("h_ego", r, rows) * onto
        return found

    errors = []
    for substeps in (10, 20):
        found = rollout(
            lambda x, t: forced_velocity(p, torch.from_numpy(matrix), x, inputs(t), covariates),
            start, times, substeps=substeps,
        )  # fmt: skip
        off = 0.0
        for r in range(2):
            for b, when in enumerate(times.numpy()):
                exact = solve_ivp(
                    velocity, when[[0, -1]], start[r, b], args=(r,), t_eval=when[1:],
                    rtol=1e-8, atol=1e-8, max_step=0.1,
                )  # fmt: skip
                off = max(off, float(np.abs(found[r, b].numpy() - exact.y.T).max()))
        errors.append(off)
    assert errors[0] < 2e-2
    assert errors[1] < errors[0] / 3  # of order two


TIMES = torch.tensor([[0.0, 1.0, 3.0]], dtype=torch.float64)


def untrained(learned: Learned = EVERYWHERE) -> Velocity:
    """The vector field of an untrained model without inputs and covariates."""
    p = initial_forced_parameters(
        [torch.Generator().manual_seed(0)],
        hidden=(4,), inputs=0, covariates=0, scale=1.0, dtype=torch.float64,
    )  # fmt: skip
    nothing = torch.zeros(N, 0, dtype=torch.float64)
    matrix = torch.from_numpy(graphs.normalized_adjacency(network(), "row").toarray())
    return lambda x, t: forced_velocity(p, matrix, x, t.new_zeros(1, 0), nothing, learned)


def test_time_is_in_the_unit_that_is_said() -> None:
    start = torch.rand(1, 1, N, dtype=torch.float64)
    a = rollout(untrained(), start, TIMES, substeps=3)
    b = rollout(untrained(), start, 7 * TIMES, substeps=3, unit=7.0)
    torch.testing.assert_close(a, b)


def test_beyond_the_states_seen_functions_keep_their_values() -> None:
    velocity = untrained(Learned(-1.0, 1.0))
    start = torch.full((1, 1, N), 9.0, dtype=torch.float64)
    slope = untrained()(torch.ones_like(start), TIMES[:, 0])
    found = rollout(velocity, start, TIMES, substeps=2)
    torch.testing.assert_close(found[:, :, 0], start + slope)
    torch.testing.assert_close(found[:, :, 1], start + 3 * slope)


def test_above_the_states_seen_relative_rates_may_keep_their_values() -> None:
    velocity, now = untrained(Learned(0.0, 2.0, proportional=True)), TIMES[:, 0]
    high = torch.full((1, 1, N), 2.0, dtype=torch.float64)
    torch.testing.assert_close(velocity(7 * high, now), 7 * velocity(high, now))
    inside = 2 * torch.rand(1, 1, N, dtype=torch.float64)
    torch.testing.assert_close(velocity(inside, now), untrained()(inside, now), rtol=0, atol=0)


# --- starts --------------------------------------------------------------------------------------


def latest(values: Any, ages: Any) -> Latest:
    array = torch.tensor(values, dtype=torch.float64)
    known = torch.isfinite(array).double()
    return Latest(torch.nan_to_num(array), known, torch.tensor(ages, dtype=torch.float64))


def test_a_start_is_a_weighted_mean_of_what_was_observed_lately() -> None:
    nan = np.nan
    given = latest([[[4.0, nan, nan], [2.0, 8.0, nan]]], [[0.0, 1.0]])
    neighbours = torch.tensor([[0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=torch.float64)
    p = initial_filter(1, 2, torch.float64)
    forget = np.log1p(np.exp(2.5))
    share = 1 / (1 + np.exp(2.5))
    own = (4 + 2 * np.exp(-forget)) / (1 + np.exp(-forget))
    found = filtered_start(p, given, neighbours)[0, 0].numpy()
    np.testing.assert_allclose(found[0], (1 - share) * own + share * 8)
    np.testing.assert_allclose(found[1], (1 - share) * 8 + share * own)
    # The third has neither observations nor neighbours: the weighted mean of all.
    weights = np.array([1, np.exp(-forget), np.exp(-forget)])
    np.testing.assert_allclose(found[2], weights @ [4, 2, 8] / weights.sum())


def test_a_start_of_one_observation_is_that_observation() -> None:
    given = latest([[[4.0, 1.0, 3.0]]], [[0.0]])
    p = {**initial_filter(2, 1, torch.float64), "spread": torch.zeros(2, 1)}
    found = filtered_start(p, given, torch.ones(3, 3, dtype=torch.float64) / 3)
    np.testing.assert_array_equal(found.numpy(), np.tile([4.0, 1.0, 3.0], (2, 1, 1)))


# --- planted systems -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def forced() -> tuple[graphs.Graph, np.ndarray, np.ndarray]:
    graph, times = network(), np.arange(0.0, 160.0, 1.0)
    states = planted(graph, times)
    return graph, times, states + 0.01 * np.random.default_rng(2).normal(size=states.shape)


def error(table: pd.DataFrame, column: str = "mean") -> float:
    return float((table[column] - table["observed"]).abs().mean())


def test_a_forced_system_is_recovered_and_its_season_is_why(
    forced: tuple[graphs.Graph, np.ndarray, np.ndarray],
) -> None:
    graph, times, states = forced
    past, whole = (series(states[:k], times[:k], graph) for k in (120, 160))
    settings = {**LEARNING, "lags": 1}
    errors = {}
    for name, periods in {"season": (PERIOD,), "none": ()}.items():
        made = neural_ode.train_forecaster(
            graph, past, neural_ode.ForecasterSettings(periods=periods, harmonics=1, **settings)
        )
        table = made.backtest(whole, 4, first=119)
        errors[name] = error(table[table.lead == 4])
    still = np.abs(states[123:160] - states[119:156]).mean()
    assert errors["season"] < still / 10
    assert errors["season"] < errors["none"] / 4


def test_a_column_of_a_file_is_as_good_as_the_season_it_holds(
    forced: tuple[graphs.Graph, np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    graph, times, states = forced
    fine = np.arange(0.0, 165.0, 0.25)
    table = pd.DataFrame({"time": fine, "warmth": 20 + 9 * np.sin(2 * np.pi * fine / PERIOD)})
    table.to_csv(tmp_path / "inputs.csv", index=False)
    settings = {**LEARNING, "lags": 1}
    made = neural_ode.train_forecaster(
        graph, series(states[:120], times[:120], graph), neural_ode.ForecasterSettings(**settings),
        inputs=tmp_path / "inputs.csv",
    )  # fmt: skip
    found = made.backtest(series(states, times, graph), 4, first=119)
    assert error(found[found.lead == 4]) < np.abs(states[123:160] - states[119:156]).mean() / 10
    ahead = made.predict(series(states, times, graph), [160.0, 161.5, 164.0])
    assert ahead["trusted"].all()
    hot = table.assign(warmth=60.0)
    assert not made.predict(series(states, times, graph), [160.5], inputs=hot)["trusted"].any()
    with pytest.raises(
        neural_ode.ForecasterProblem, match=r"known at times 0 … 164.75, and they are"
    ):
        made.predict(series(states, times, graph), [165.0])
    neural_ode.save_forecaster(tmp_path / "made.safetensors", made)
    again = neural_ode.load_forecaster(tmp_path / "made.safetensors")
    pd.testing.assert_frame_equal(
        again.predict(series(states, times, graph), [160.0, 161.5, 164.0]), ahead
    )
    pd.testing.assert_frame_equal(again.history, made.history)


@pytest.fixture(scope="module")
def counts(
    forced: tuple[graphs.Graph, np.ndarray, np.ndarray],
) -> tuple[graphs.Graph, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Counts with the planted rates where exposure is 1 to 20, and what is expected."""
    graph, times, _ = forced
    exposure = np.random.default_rng(4).uniform(1, 20, N)
    expected = planted(graph, times) * exposure
    return (
        graph,
        times,
        np.random.default_rng(5).poisson(expected).astype(float),
        exposure,
        expected,
    )


def test_counts_are_forecast_almost_as_well_as_their_noise_allows(
    counts: tuple[graphs.Graph, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    graph, times, y, exposure, expected = counts
    settings = neural_ode.ForecasterSettings(**LEARNING, periods=(PERIOD,), harmonics=1)
    made = neural_ode.train_forecaster(
        graph, series(y[:120], times[:120], graph), settings, exposure=exposure
    )
    assert made.likelihood.name == "poisson"
    found = made.backtest(series(y, times, graph), 4, first=119)
    last = found[found.lead == 4]
    observed, truth = y[123:160].ravel(), expected[123:160].ravel()
    np.testing.assert_array_equal(last["observed"], observed)
    best = poisson_deviance(observed, truth).mean()
    still = poisson_deviance(observed, y[119:156].ravel(), floor=0.5).mean()
    own = poisson_deviance(observed, last["mean"].to_numpy()).mean()
    assert own - best < (still - best) / 8
    inside = ((found.observed >= found.lower_90) & (found.observed <= found.upper_90)).mean()
    assert 0.86 < inside < 0.98


def test_a_negative_binomial_finds_the_spread_of_counts(
    counts: tuple[graphs.Graph, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    graph, times, _, exposure, expected = counts
    rng = np.random.default_rng(6)
    y = rng.poisson(expected * rng.gamma(4.0, 1 / 4.0, expected.shape)).astype(float)
    shared: dict[str, Any] = {**LEARNING, "periods": (PERIOD,)}
    inside = {}
    for likelihood in ("negative_binomial", "poisson"):
        made = neural_ode.train_forecaster(
            graph, series(y[:120], times[:120], graph),
            neural_ode.ForecasterSettings(likelihood=likelihood, **shared), exposure=exposure,
        )  # fmt: skip
        found = made.backtest(series(y, times, graph), 4, first=119)
        inside[likelihood] = (
            (found.observed >= found.lower_90) & (found.observed <= found.upper_90)
        ).mean()
        if likelihood == "negative_binomial":
            np.testing.assert_allclose(
                torch.exp(made.parameters["spread"]).mean(), 1 / 4, rtol=0.25
            )
    assert 0.86 < inside["negative_binomial"] < 0.96
    assert inside["poisson"] < 0.8


def test_covariates_carry_what_differs_between_nodes() -> None:
    graph, times = network(), np.arange(0.0, 60.0, 0.5)
    rng = np.random.default_rng(7)
    level = rng.uniform(-1, 1, N)
    start = rng.uniform(-2, 2, (3, 1, N))
    runs = level + (start - level) * np.exp(-0.3 * times[None, :, None])
    given = Series(graph.labels, tuple(Run(str(k), times, x) for k, x in enumerate(runs[:2])))
    held = Series(graph.labels, (Run("2", times, runs[2]),))
    table = pd.DataFrame({"level": level}, index=list(graph.labels))
    settings = neural_ode.ForecasterSettings(**{**LEARNING, "horizon": 4}, lags=1)
    with_, without = (
        neural_ode.train_forecaster(graph, given, settings, covariates=x)
        for x in (table.iloc[::-1], None)
    )
    assert error(with_.backtest(held, 8)) < error(without.backtest(held, 8)) / 3


# --- what must not matter, and what must ---------------------------------------------------------


def short(graph: graphs.Graph, y: np.ndarray, times: np.ndarray, **more: Any) -> pd.DataFrame:
    settings = neural_ode.ForecasterSettings(
        **{**FAST, "periods": (more.pop("period", PERIOD),), "precision": "double"}
    )
    made = neural_ode.train_forecaster(graph, series(y[:50], times[:50], graph), settings, **more)
    return made.backtest(series(y[:60], times[:60], graph), 3, first=times[49])


def test_the_unit_of_exposure_does_not_matter(
    counts: tuple[graphs.Graph, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    graph, times, y, exposure, _ = counts
    one, other = (short(graph, y, times, exposure=k * exposure) for k in (1, 1024))
    pd.testing.assert_frame_equal(one, other)


def test_the_unit_of_time_does_not_matter(
    counts: tuple[graphs.Graph, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    graph, times, y, exposure, _ = counts
    one = short(graph, y, times, exposure=exposure)
    other = short(graph, y, 4 * times, exposure=exposure, period=4 * PERIOD)
    pd.testing.assert_series_equal(one["mean"], other["mean"])


def test_the_order_of_nodes_does_not_matter(
    counts: tuple[graphs.Graph, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    graph, times, y, exposure, _ = counts
    order = np.random.default_rng(8).permutation(N)
    one = short(graph, y, times, exposure=exposure).set_index(["origin", "lead", "node"])
    other = short(graph.subgraph(order), y[:, order], times, exposure=exposure[order])
    other = other.set_index(["origin", "lead", "node"]).loc[one.index]
    np.testing.assert_allclose(one["mean"], other["mean"], rtol=1e-6)


def test_a_seed_gives_the_same_numbers_and_another_seed_others(
    counts: tuple[graphs.Graph, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    graph, times, y, exposure, _ = counts
    a, b, c = (short(graph, y, times, exposure=exposure, seed=k) for k in (1, 1, 2))
    pd.testing.assert_frame_equal(a, b)
    assert not np.allclose(a["mean"], c["mean"], rtol=1e-4)


def test_predict_is_the_backtest_at_the_last_time(
    counts: tuple[graphs.Graph, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    graph, times, y, exposure, _ = counts
    settings = neural_ode.ForecasterSettings(**FAST, periods=(PERIOD,))
    made = neural_ode.train_forecaster(graph, series(y, times, graph), settings, exposure=exposure)
    table = made.backtest(series(y, times, graph), 3, first=156.0)
    ahead = made.predict(series(y[:157], times[:157], graph), times[157:160])
    names = ["time", "node", "mean", "median", "lower_50", "upper_50", "lower_90", "upper_90"]
    assert [*ahead] == [*names, "trusted"]
    pd.testing.assert_frame_equal(ahead, table[[*names, "trusted"]])
    quantiles = ahead[["lower_90", "lower_50", "median", "upper_50", "upper_90"]].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_missing_values_and_uneven_times_are_taken_as_they_are(
    forced: tuple[graphs.Graph, np.ndarray, np.ndarray],
) -> None:
    graph, times, states = forced
    rng = np.random.default_rng(9)
    kept = np.sort(rng.choice(np.arange(120), 90, replace=False))
    holes = np.where(rng.random((90, N)) < 0.2, np.nan, states[kept])
    holes[:, 3] = np.nan
    settings = neural_ode.ForecasterSettings(**LEARNING, periods=(PERIOD,), harmonics=1)
    made = neural_ode.train_forecaster(graph, series(holes, times[kept], graph), settings)
    whole = states.copy()
    whole[:, 3] = np.nan
    table = made.backtest(series(whole, times, graph), 4, first=119)
    assert np.isfinite(table["mean"]).all()
    assert not table.loc[table.node == "place 3", "trusted"].any()
    seen = table[(table.lead == 4) & (table.node != "place 3")]
    assert error(seen) < np.abs(states[123:160] - states[119:156]).mean() / 4


def test_the_number_of_steps_is_chosen_on_the_last_origins(
    counts: tuple[graphs.Graph, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    graph, times, y, exposure, _ = counts
    settings = neural_ode.ForecasterSettings(**{**FAST, "validation": 0.3})
    made = neural_ode.train_forecaster(graph, series(y, times, graph), settings, exposure=exposure)
    history = made.history
    choice = history[history.phase == "choice"].groupby("step")["validation_loss"].mean()
    assert history[history.phase == "final"]["step"].max() == choice.idxmin()


def test_a_forecaster_goes_to_another_network(
    counts: tuple[graphs.Graph, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    graph, times, y, exposure, _ = counts
    made = neural_ode.train_forecaster(
        graph, series(y, times, graph), neural_ode.ForecasterSettings(**FAST), exposure=exposure
    )
    twice = nx.disjoint_union(*[graphs.to_networkx(graph)] * 2)
    double = graphs.from_networkx(twice, directed=True)
    moved = made.on(double, exposure=np.tile(exposure, 2))
    both = Series(double.labels, (Run("0", times, np.tile(y, 2)),))
    ahead = moved.predict(both, [160.0, 161.0])
    own = made.predict(series(y, times, graph), [160.0, 161.0])
    half = ahead["mean"].to_numpy().reshape(2, 2, N)
    np.testing.assert_allclose(half[:, 0], half[:, 1], rtol=1e-5)
    np.testing.assert_allclose(half[:, 0].ravel(), own["mean"], rtol=1e-5)
    with pytest.raises(neural_ode.ForecasterProblem, match="was trained with the covariates none"):
        made.on(graph, covariates=pd.DataFrame({"people": exposure}))


# --- bad input -----------------------------------------------------------------------------------

BAD: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "negative counts": (
        lambda: {"y": -np.ones((30, N)), "likelihood": "poisson"},
        "The likelihood poisson is that of counts, and -1 is observed",
    ),
    "log of negative states": (
        lambda: {"y": np.random.default_rng(0).normal(size=(30, N)), "scale": "log"},
        "The scale log needs observations that are not negative",
    ),
    "proportional logarithms": (
        lambda: {"y": np.ones((30, N)), "scale": "log", "beyond": "proportional"},
        "Functions grow in proportion to rates of counts alone, and the scale is log",
    ),
    "no change": (lambda: {"y": np.ones((30, N))}, "Every observation has the rate 1"),
    "too short": (
        lambda: {"y": np.arange(3 * N).reshape(3, N), "horizon": 4},
        "The longest run has 3 times, and rollouts over a horizon of 4 need 5; lower horizon to 2",
    ),
    "too short to validate": (
        lambda: {"y": np.arange(6 * N).reshape(6, N), "validation": 0.5, "horizon": 4},
        "The runs have 2 origins of rollouts, too few to set a share of 0.5 apart",
    ),
    "exposure": (
        lambda: {"exposure": np.arange(N)},
        "The exposure of node 'place 0' is 0; exposures are positive",
    ),
    "covariates of other nodes": (
        lambda: {"covariates": pd.DataFrame({"people": [1.0]}, index=["place 99"])},
        "Covariates lack node 'place 0'",
    ),
    "a covariate that is missing": (
        lambda: {"covariates": pd.DataFrame({"people": [1.0] * (N - 1) + [np.nan]})},
        "Covariate people of node 'place 11' is nan",
    ),
    "covariates without a table": (
        lambda: {"covariates": np.ones(N)},
        "Covariates are a pandas table with a row for each node, not a ndarray",
    ),
    "inputs without time": (
        lambda: {"inputs": pd.DataFrame({"week": [0, 1], "heat": [1, 2]})},
        "The table of inputs has the columns week, heat; give time and a column",
    ),
    "inputs that end early": (
        lambda: {"inputs": pd.DataFrame({"time": [0, 10], "heat": [1, 2]})},
        "The inputs heat are known at times 0 … 10, and they are needed at 0 … 29",
    ),
    "inputs backwards": (
        lambda: {"inputs": pd.DataFrame({"time": [0, 40, 30], "heat": [1, 2, 3]})},
        "The table of inputs has the time 30 after 40; sort it by time",
    ),
    "an input that is missing": (
        lambda: {"inputs": pd.DataFrame({"time": [0, 40], "heat": [1, "warm"]})},
        "The table of inputs, row 2, column heat: 'warm' is no finite number",
    ),
    "a file that is not there": (
        lambda: {"inputs": "nowhere.csv"},
        "nowhere.csv cannot be read as a table of inputs",
    ),
    "a setting": (
        lambda: {"likelihood": "binomial"},
        "likelihood",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(case: str) -> None:
    given, text = BAD[case][0](), BAD[case][1]
    graph = network()
    y = given.pop("y", np.random.default_rng(1).poisson(3.0, (30, N))).astype(float)
    data = {k: given.pop(k) for k in ("exposure", "inputs", "covariates") if k in given}
    with pytest.raises(neural_ode.ForecasterProblem) as caught:
        settings = neural_ode.ForecasterSettings(**{**FAST, **given})
        neural_ode.train_forecaster(
            graph, series(y, np.arange(len(y)) * 1.0, graph), settings, **data
        )
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_forecast_of_the_past_or_of_other_nodes_is_refused(
    counts: tuple[graphs.Graph, np.ndarray, np.ndarray, np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    graph, times, y, _, _ = counts
    known = series(y, times, graph)
    made = neural_ode.train_forecaster(graph, known, neural_ode.ForecasterSettings(**FAST))
    with pytest.raises(neural_ode.ForecasterProblem, match="after the last one of the series, 159"):
        made.predict(known, [150.0])
    with pytest.raises(neural_ode.ForecasterProblem, match=r"2 runs.*goes on from one"):
        made.predict(Series(known.nodes, known.runs * 2), [170.0])
    with pytest.raises(
        neural_ode.ForecasterProblem, match="read for 11 nodes and the network has 12"
    ):
        made.predict(Series(known.nodes[:11], known.runs), [170.0])
    with pytest.raises(neural_ode.ForecasterProblem, match="Node 0 of the series is 'place 11'"):
        made.predict(Series(known.nodes[::-1], known.runs), [170.0])
    with pytest.raises(
        neural_ode.ForecasterProblem, match="No time from 158 on has 4 times after it"
    ):
        made.backtest(known, 4, first=158)
