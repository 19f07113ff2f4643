"""The S¹ model: formulas and limits."""

import math
import random
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.integrate import quad

from nodeflow.graphs.s1 import (
    S1Problem,
    asymptotic_c,
    check_coordinates,
    check_model,
    draw_hidden_degrees,
    draw_positions,
    mean_over_ring,
)
from tests.unit.connection import (
    connection_probability,
    effective_distance,
    probability_at,
    ring_distance,
)


class _Spy(random.Random):
    """A random number that takes note of what it is compared with, which is p."""

    def __init__(self) -> None:
        super().__init__(5)
        self.seen: list[float] = []

    def random(self) -> Any:
        spy = self

        class Number(float):
            def __lt__(self, p: float) -> bool:
                spy.seen.append(p)
                return float(self) < p

        return Number(super().random())

    def uniform(self, a: float, b: float) -> float:
        return a + (b - a) * float(super().random())


@pytest.mark.parametrize("beta", [0.3, 0.9, 1.0, 1.1, 2.5, 6.0])
def test_probability_is_that_of_networkx(beta: float) -> None:
    kappas = {i: float(k) for i, k in enumerate(np.geomspace(2, 300, 40))}
    spy = _Spy()
    other = nx.geometric_soft_configuration_graph(beta=beta, kappas=kappas, seed=spy)
    mean = float(np.mean(list(kappas)))  # networkx averages the names of the nodes, not kappa
    ours = [
        connection_probability(
            ring_distance(
                other.nodes[u]["theta"] / (2 * math.pi), other.nodes[v]["theta"] / (2 * math.pi)
            ),
            kappas[u],
            kappas[v],
            n=40,
            beta=beta,
            c=asymptotic_c(40, beta, mean),
        )
        for u in range(40)
        for v in range(u)
    ]
    assert np.allclose(ours, spy.seen, rtol=1e-9)


@pytest.mark.parametrize("beta", [1.6, 2.1, 4.1])
def test_asymptotic_c_makes_the_expected_degree_kappa_on_an_endless_ring(beta: float) -> None:
    mean_degree, kappa, n = 10.0, 7.0, 10**9
    c = asymptotic_c(n, beta, mean_degree)
    # The hidden degrees of the others enter through their mean only: take all equal to it.
    total, _ = integrate.quad(
        lambda s: 2 * math.exp(s) / (1 + (math.exp(s) / (c * kappa * mean_degree)) ** beta),
        -20,
        math.log(n / 2),
        limit=500,
    )
    assert total == pytest.approx(kappa, rel=2e-5 if beta > 2 else 1e-3)


def test_asymptotic_c_in_the_hot_phase() -> None:
    n, beta, mean_degree, kappa = 10**6, 0.6, 10.0, 3.0
    c = asymptotic_c(n, beta, mean_degree)
    total, _ = integrate.quad(
        lambda y: 2 / (1 + y**beta / (c * kappa * mean_degree)), 0, n / 2, limit=500
    )
    assert total == pytest.approx(kappa, rel=1e-3)


@given(st.floats(1e-6, 0.5), st.floats(0.5, 1e4), st.floats(0.5, 1e4))
def test_cold_and_hot_formulas_meet_at_beta_one(d: float, k: float, other: float) -> None:
    def p(beta: float) -> float:
        return float(connection_probability(d, k, other, n=1000, beta=beta, c=0.01))

    assert p(1 - 1e-9) == pytest.approx(p(1.0), rel=1e-6)
    assert p(1 + 1e-9) == pytest.approx(p(1.0), rel=1e-6)


@given(
    st.floats(0, 0.5), st.floats(0.5, 1e4), st.floats(0.5, 1e4), st.sampled_from([0.2, 1, 1.5, 4])
)
def test_probability_depends_on_the_effective_distance_alone(
    d: float, k: float, other: float, beta: float
) -> None:
    p = connection_probability(d, k, other, n=500, beta=beta, c=0.03)
    chi = effective_distance(d, k, other, n=500, beta=beta)
    assert 0 <= p <= 1
    assert probability_at(chi, beta=beta, c=0.03) == pytest.approx(float(p), rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("beta", [0.1, 0.6, 0.9999999, 1.0, 1.1, 2.0, 4.1])
def test_the_mean_over_the_ring_is_the_integral(beta: float) -> None:
    log_z = np.linspace(-20.0, 40.0, 25)
    for value, t in zip(mean_over_ring(log_z, beta), log_z, strict=True):
        # y = exp(−s) spreads out what happens near 0.
        integral, _ = quad(
            lambda s, t=t: np.exp(-s) / (1 + np.exp(t - beta * s)),
            0, 400, limit=1000, epsabs=0, epsrel=1e-9, points=[1, 10, max(t / beta, 0) % 399 + 0.5],
        )  # fmt: skip
        assert value == pytest.approx(integral, rel=1e-6)


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_ring_distance_is_a_metric_on_the_circle(x: float, y: float) -> None:
    d = float(ring_distance(x, y))
    assert 0 <= d <= 0.5
    assert d == float(ring_distance(y, x))
    chord = abs(np.exp(2j * np.pi * x) - np.exp(2j * np.pi * y)) / 2
    assert math.sin(math.pi * d) == pytest.approx(chord, abs=1e-12)


@pytest.mark.parametrize("gamma", [2.1, 3.0, 3.9])
def test_hidden_degrees_follow_their_law(gamma: float) -> None:
    kappa = draw_hidden_degrees(20_000, gamma, 10.0, np.random.default_rng(1))
    least = 10.0 * (gamma - 2) / (gamma - 1)
    law = stats.pareto(gamma - 1, scale=least)
    assert law.mean() == pytest.approx(10.0)
    assert stats.kstest(kappa, law.cdf).pvalue > 0.01
    assert stats.kstest(kappa, stats.pareto(gamma - 0.7, scale=least).cdf).pvalue < 1e-6


def test_positions_are_uniform() -> None:
    x = draw_positions(20_000, np.random.default_rng(2))
    assert stats.kstest(x, "uniform").pvalue > 0.01


@pytest.mark.parametrize(
    ("n", "beta", "gamma", "mean_degree", "text"),
    [
        (64, 0.0, 3.0, 10, "beta"),
        (64, -1.0, 3.0, 10, "beta"),
        (64, math.nan, 3.0, 10, "beta"),
        (64, math.inf, 3.0, 10, "beta"),
        (64, 2.0, 2.0, 10, "gamma"),
        (64, 2.0, 1.5, 10, "gamma"),
        (64, 2.0, math.inf, 10, "gamma"),
        (64, 2.0, 3.0, 63, "mean degree"),
        (64, 2.0, 3.0, 64, "mean degree"),
        (64, 2.0, 3.0, 0, "mean degree"),
        (64, 2.0, 3.0, math.nan, "mean degree"),
        (1, 2.0, 3.0, 0.5, "at least 2 nodes"),
    ],
)
def test_parameters_outside_the_model_are_refused(
    n: int, beta: float, gamma: float, mean_degree: float, text: str
) -> None:
    with pytest.raises(S1Problem, match=text):
        check_model(n, beta, gamma, mean_degree)


@pytest.mark.parametrize(
    ("kappa", "x"),
    [
        ([1, np.nan, 1], [0, 0.1, 0.2]),
        ([1, np.inf, 1], [0, 0.1, 0.2]),
        ([1, 0, 1], [0, 0.1, 0.2]),
        ([1, -2, 1], [0, 0.1, 0.2]),
        ([1, 1, 1], [0, 1.0, 0.2]),
        ([1, 1, 1], [0, np.nan, 0.2]),
        ([1, 1, 1], [0, 0.1]),
        ([1], [0]),
    ],
)
def test_coordinates_outside_the_model_are_refused(kappa: list[float], x: list[float]) -> None:
    with pytest.raises(S1Problem):
        check_coordinates(np.array(kappa, dtype=float), np.array(x, dtype=float))
