"""Forecasts that users would try first, as beaten or not by a neural ODE.

Autoregressions of order one in continuous time, that is linear ODEs: observations may be uneven in
time, differ in their times between runs, and have gaps. Their parameters are those with the least
squares between observed states and forecasts from the first state of each run, as they are used
later (output error): noise does not bias them as it does regressions of differences on states.

- persistence: nothing changes;
- mean_field: dx_i/dt = a + b x_i + c s_i Σ_j r_j x_j / Σ_j r_j, where node i receives s_i in all,
  and node j gives r_j;
- network_autoregression: dx_i/dt = a + b x_i + c Σ_j A_ij x_j, a vector autoregression whose matrix
  is that of the network;
- autoregression: dx_i/dt = a_i + b_i x_i, every node by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm
from scipy.optimize import least_squares

from nodeflow.data.gaps import observed_part
from nodeflow.data.series import Series
from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.systems import Field
from nodeflow.graphs.graph import Graph

__all__ = ["BASELINES", "Forecast", "linear_field"]

Floats = NDArray[np.float64]

Forecast = Callable[[Graph, Floats, Floats], Floats]
"""States (T, n) on a graph from initial states (n,) at increasing times (T,), of which the first
belongs to them."""

_RATES = 200
"""Rates that are tried for every node before the best of them is refined."""

_REFINED = 40
"""Golden sections of that refinement."""

_STEPS = 30
"""Steps in a fit of the network's parameters."""

_DIFFERENCE = 1e-4
"""Of parameters, relative, for derivatives: well above the integrator's error."""

_GOLDEN = (np.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class _Runs:
    """Times from each run's start, (T,), and states (T, n), on the observed part of a network."""

    graph: Graph
    runs: Sequence[tuple[Floats, Floats]]

    @classmethod
    def of(cls, training: Series, graph: Graph) -> _Runs:
        part, trajectories = observed_part(training, graph)
        return cls(
            part, [(x.times - x.times[0], x.states.astype(np.float64)) for x in trajectories]
        )

    @property
    def duration(self) -> float:
        return max(float(times[-1]) for times, _ in self.runs)


def _persistence(training: Series, graph: Graph) -> Forecast:
    def forecast(graph: Graph, initial: Floats, times: Floats) -> Floats:
        return np.tile(initial, (len(times), 1))

    return forecast


def _network_autoregression(training: Series, graph: Graph) -> Forecast:
    data = _Runs.of(training, graph)
    matrix = data.graph.adjacency()
    return _fitted(_follow_network, lambda x: np.asarray((matrix @ x.T).T), data)


def _follow_network(parameters: Floats, graph: Graph, initial: Floats, times: Floats) -> Floats:
    if len(times) == 1:
        return initial[None]
    simulation = simulate(
        linear_field(*parameters), graph.adjacency(), initial[None], times, rtol=1e-8, atol=1e-8
    )
    return np.asarray(simulation.states[0])


def linear_field(a: float, b: float, c: float) -> Field:
    """dx_i/dt = a + b x_i + c Σ_j A_ij x_j as a vector field."""
    return Field(
        f=lambda x: a + b * x,
        h_ego=np.ones_like,
        h_alt=lambda x: c * x,
        df=lambda x: np.full_like(x, b),
        dh_ego=np.zeros_like,
        dh_alt=lambda x: np.full_like(x, c),
    )


def _mean_field(training: Series, graph: Graph) -> Forecast:
    data = _Runs.of(training, graph)
    received, share = _degrees(data.graph)
    return _fitted(_follow_mean_field, lambda x: np.outer(x @ share, received), data)


def _follow_mean_field(parameters: Floats, graph: Graph, initial: Floats, times: Floats) -> Floats:
    """From the mean m with dm/dt = a + (b + c S) m, S = Σ_j r_j s_j / Σ_j r_j, which drives all."""
    a, b, c = parameters
    received, share = _degrees(graph)
    mean = float(share @ initial)
    # Of the vector (y, m, u, 1): what one unit received adds to a node, the mean, what a adds.
    system = np.array([[b, 1, 0, 0], [0, b + c * (share @ received), 0, a], [0, 0, b, 1], [0] * 4])
    propagated = expm(system * (times - times[0])[:, None, None])
    driven = mean * propagated[:, 0, 1] + propagated[:, 0, 3]
    alone = np.exp(b * (times - times[0]))[:, None] * initial
    return np.asarray(alone + a * propagated[:, 2, 3, None] + c * driven[:, None] * received)


def _degrees(graph: Graph) -> tuple[Floats, Floats]:
    """What each node receives in all, s, and its share of what all give, r / Σ r."""
    matrix = graph.adjacency()
    given = np.asarray(matrix.sum(axis=0), dtype=np.float64)
    total = given.sum()
    share = given / total if total else np.zeros_like(given)
    return np.asarray(matrix.sum(axis=1), dtype=np.float64), share


def _fitted(
    follow: Callable[[Floats, Graph, Floats, Floats], Floats],
    received: Callable[[Floats], Floats],
    data: _Runs,
) -> Forecast:
    """A forecast with parameters a, b and c, fitted to all runs by least squares.

    Args:
        follow: the forecast for given parameters.
        received: what states (T, n) make nodes receive, of which there are c in the velocity.
        data: what to fit to.
    """
    size = np.sqrt(np.mean([np.square(x).mean() for _, x in data.runs])) or 1.0
    typical = max(float(abs(data.graph.adjacency()).sum(axis=1).mean()), 1e-12)
    scale = np.array([size, 1.0, 1.0 / typical]) / data.duration

    def residuals(given: Floats) -> Floats:
        with np.errstate(all="ignore"):
            off = [
                (follow(given * scale, data.graph, x[0], times) - x).ravel()
                for times, x in data.runs
            ]
        limit = 1e3 * size  # a forecast that explodes is as bad as can be
        return np.clip(np.nan_to_num(np.concatenate(off), nan=limit), -limit, limit)

    starts = [np.zeros(3), _slopes(data, received) / scale]
    start = min(starts, key=lambda x: float(np.square(residuals(x)).sum()))
    best = least_squares(residuals, start, x_scale="jac", diff_step=[_DIFFERENCE], max_nfev=_STEPS)
    parameters = best.x * scale

    def forecast(graph: Graph, initial: Floats, times: Floats) -> Floats:
        return follow(parameters, graph, initial, times)

    return forecast


def _slopes(data: _Runs, received: Callable[[Floats], Floats]) -> Floats:
    """a, b and c by linear regression of differences in time, to start from."""
    left, right = [], []
    for times, x in data.runs:
        step = np.diff(times)[:, None]
        middle = [np.ones_like(x[1:]), (x[1:] + x[:-1]) / 2, received((x[1:] + x[:-1]) / 2)]
        left.append(np.stack([(step * y).ravel() for y in middle], axis=1))
        right.append(np.diff(x, axis=0).ravel())
    solution, *_ = np.linalg.lstsq(np.concatenate(left), np.concatenate(right), rcond=None)
    return np.asarray(solution)


def _autoregression(training: Series, graph: Graph) -> Forecast:
    data = _Runs.of(training, graph)
    shortest = min(float(np.diff(times).min()) for times, _ in data.runs)
    fast = np.geomspace(0.05 / data.duration, 5.0 / shortest, _RATES)
    rates = np.concatenate([-fast[::-1], [0.0], fast[fast < 3.0 / data.duration]])
    losses = np.stack([_level(data, np.full(data.graph.n, rate))[1] for rate in rates])
    best = losses.argmin(axis=0)
    low, high = rates[np.maximum(best - 1, 0)], rates[np.minimum(best + 1, len(rates) - 1)]
    for _ in range(_REFINED):
        inner, outer = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        left = _level(data, inner)[1] < _level(data, outer)[1]
        low, high = np.where(left, low, inner), np.where(left, outer, high)
    rate = (low + high) / 2
    level, _ = _level(data, rate)
    node = {name: i for i, name in enumerate(data.graph.labels)}

    def forecast(graph: Graph, initial: Floats, times: Floats) -> Floats:
        column = np.array([node.get(name, -1) for name in graph.labels])
        a, b = (np.where(column < 0, 0.0, x[column]) for x in (level, rate))
        now = (times - times[0])[:, None]
        return np.asarray(np.exp(b * now) * initial + a * _driven(b, now))

    return forecast


def _level(data: _Runs, rate: Floats) -> tuple[Floats, Floats]:
    """For rates b_i, the best a_i and the sum of squares that is left, both (n,)."""
    cross, square, total = np.zeros((3, data.graph.n))
    parts = []
    with np.errstate(all="ignore"):
        for times, x in data.runs:
            now = times[:, None]
            left, drive = x - np.exp(rate * now) * x[0], _driven(rate, now)
            cross += (drive * left).sum(axis=0)
            square += np.square(drive).sum(axis=0)
            parts.append((left, drive))
        level = np.divide(cross, square, out=np.zeros_like(cross), where=square > 0)
        for left, drive in parts:
            total += np.square(left - level * drive).sum(axis=0)
    return level, np.where(np.isfinite(total), total, np.inf)


def _driven(rate: Floats, time: Floats) -> Floats:
    """(e^{bt} − 1) / b, and t for b = 0."""
    zero = rate == 0
    safe = np.where(zero, 1.0, rate)
    return np.where(zero, time, np.expm1(safe * time) / safe)


BASELINES: Mapping[str, Callable[[Series, Graph], Forecast]] = MappingProxyType(
    {
        "persistence": _persistence,
        "mean_field": _mean_field,
        "network_autoregression": _network_autoregression,
        "autoregression": _autoregression,
    }
)
"""Baselines by name: each is fitted to training series on a graph and returns a `Forecast`.

A network's parameters hold on other graphs, too; nodes that an autoregression has not seen stand
still. Fitting raises a `SeriesProblem` where `observed_part` does."""
