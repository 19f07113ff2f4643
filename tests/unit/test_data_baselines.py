"""Baselines are exact where they are the truth; splits cut; errors are those of a plain loop."""

import numpy as np
import pytest
from scipy.linalg import expm

from nodeflow import data, graphs

N = 12
RNG = np.random.default_rng(0)
WEIGHTS = np.where(RNG.random((N, N)) < 0.3, RNG.normal(0.3, 1, (N, N)), 0) * (1 - np.eye(N))
NAMES = [f"v{i}" for i in range(N)]
GRAPH = graphs.from_matrix(WEIGHTS, NAMES)
RECEIVED, GIVEN = WEIGHTS.sum(axis=1), WEIGHTS.sum(axis=0)
EYE = np.eye(N)

PLANTED = {
    "persistence": (0 * EYE, np.zeros(N)),
    "autoregression": (-np.diag(RNG.uniform(0.1, 3, N)), RNG.normal(size=N)),
    "network_autoregression": (0.2 * WEIGHTS - 1.2 * EYE, np.full(N, 0.3)),
    "mean_field": (0.2 * np.outer(RECEIVED, GIVEN) / GIVEN.sum() - 1.2 * EYE, np.full(N, 0.3)),
}


def solution(name: str, start: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Of dx/dt = M x + a, by the matrix exponential."""
    matrix, level = PLANTED[name]
    whole = np.block([[matrix, level[:, None]], [np.zeros((1, N + 1))]])
    return np.stack([(expm(whole * t) @ np.append(start, 1))[:N] for t in times])


def series(name: str, noise: float = 0.0) -> data.Series:
    """Four runs at uneven times of their own, with gaps in one node."""
    rng = np.random.default_rng(1)
    runs = []
    for k in range(4):
        times = 5 + np.sort(np.r_[0, rng.uniform(0, 4, 25 + k)])
        states = solution(name, rng.normal(size=N), times - 5)
        runs.append(data.Run(f"r{k}", times, states + noise * rng.normal(size=states.shape)))
    return data.Series(tuple(NAMES), tuple(runs))


@pytest.mark.parametrize("name", PLANTED)
def test_a_baseline_is_exact_where_it_is_the_truth(name: str) -> None:
    start, times = np.random.default_rng(9).normal(size=N), np.linspace(2, 5, 7)
    true = solution(name, start, times - 2)
    errors = {
        other: np.abs(fit(series(name), GRAPH)(GRAPH, start, times) - true).max()
        for other, fit in data.BASELINES.items()
    }
    assert errors[name] < 1e-5
    if name != "persistence":
        assert min(error for other, error in errors.items() if other != name) > 1e-2


@pytest.mark.parametrize("name", ["autoregression", "network_autoregression", "mean_field"])
def test_noise_on_states_does_not_bias_rates(name: str) -> None:
    """With regressions of differences it would: the rates would come out several times too fast."""
    start, times = np.random.default_rng(9).normal(size=N), np.linspace(0, 3, 7)
    true = solution(name, start, times)
    found = data.BASELINES[name](series(name, 0.05), GRAPH)(GRAPH, start, times)
    assert np.abs(found - true).mean() < 0.03


def test_names_decide_what_autoregressions_say_of_another_graph() -> None:
    forecast = data.BASELINES["autoregression"](series("autoregression"), GRAPH)
    start, times = np.arange(1.0, N + 1), np.linspace(0, 1, 3)
    turned = graphs.from_matrix(WEIGHTS[::-1, ::-1], NAMES[::-1])
    np.testing.assert_array_equal(
        forecast(turned, start[::-1], times)[:, ::-1], forecast(GRAPH, start, times)
    )
    others = graphs.from_matrix(WEIGHTS, [f"new{i}" for i in range(N)])
    np.testing.assert_array_equal(forecast(others, start, times), np.tile(start, (3, 1)))


def test_a_gap_is_no_observation_and_starts_may_differ_in_time() -> None:
    whole, start = series("network_autoregression"), np.ones(N)
    times = np.linspace(0, 3, 7)
    moved = data.Series(
        whole.nodes,
        tuple(data.Run(x.name, x.times + 7 * k, x.states) for k, x in enumerate(whole.runs)),
    )
    one, other = (data.BASELINES["network_autoregression"](x, GRAPH) for x in (whole, moved))
    np.testing.assert_allclose(one(GRAPH, start, times), other(GRAPH, start, times), atol=1e-6)
    for run in whole.runs:
        run.states[4:6, 2] = np.nan
    gaps = data.BASELINES["network_autoregression"](whole, GRAPH)
    true = solution("network_autoregression", start, times)
    assert np.abs(gaps(GRAPH, start, times) - true).max() < 0.02


def test_runs_and_times_are_held_out_and_nothing_is_lost() -> None:
    whole = series("autoregression")
    early, late = data.split_runs(whole, ["r2"])
    assert [run.name for run in late.runs] == ["r2"]
    assert [run.name for run in early.runs] == ["r0", "r1", "r3"]
    turned = data.Series(whole.nodes, whole.runs[::-1])
    drawn = [{run.name for run in data.split_runs(x, 0.5, seed=3)[1].runs} for x in (whole, turned)]
    assert drawn[0] == drawn[1] and len(drawn[0]) == 2
    early, late = data.split_time(whole, 0.25)
    for run, first, last in zip(whole.runs, early.runs, late.runs, strict=True):
        assert first.times[-1] == last.times[0]
        np.testing.assert_array_equal(np.r_[first.times, last.times[1:]], run.times)
        np.testing.assert_array_equal(np.r_[first.states, last.states[1:]], run.states)
        assert last.times[1] > run.times[-1] - 0.25 * np.ptp(run.times)


@pytest.mark.parametrize(
    ("split", "words"),
    [
        (lambda x: data.split_runs(x, ["r9"]), "no run 'r9' to hold out"),
        (lambda x: data.split_runs(x, ["r0", "r1", "r2", "r3"]), "split_time"),
        (lambda x: data.split_runs(x, 2), "share of runs"),
        (lambda x: data.split_time(x, 0), "share of time"),
        (lambda x: data.split_time(x, 0.9999), "too few times"),
    ],
)
def test_splits_that_leave_nothing_are_one_sentence(split: object, words: str) -> None:
    with pytest.raises(data.SeriesProblem, match=words) as caught:
        split(series("persistence"))  # type: ignore[operator]
    assert "\n" not in str(caught.value)


def test_errors_are_those_of_a_plain_loop() -> None:
    held_out = series("autoregression")
    held_out.runs[1].states[3, 5] = np.nan
    forecasts = {"zero": [np.zeros_like(run.states) for run in held_out.runs]}
    table = data.forecast_errors(GRAPH, held_out, forecasts)
    rows = [
        ("zero", run.name, NAMES[i], GRAPH.degrees[i], run.times[t] - run.times[0], abs(x))
        for run in held_out.runs
        for t in range(1, len(run.times))
        for i in range(N)
        if np.isfinite(x := run.states[t, i])
    ]
    found = table[["method", "run", "node", "degree", "lead", "error"]]
    assert [tuple(row) for row in found.itertuples(index=False)] == rows
    with pytest.raises(data.SeriesProblem, match="1 forecasts of 4 runs"):
        data.forecast_errors(GRAPH, held_out, {"short": forecasts["zero"][:1]})
