"""Likelihoods against scipy and torch.distributions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch.distributions import NegativeBinomial, Normal, Poisson

from nodeflow.neural_ode.likelihoods import LIKELIHOODS, mixture_quantiles, poisson_deviance

MEANS = st.floats(1e-3, 1e3)
SPREADS = st.floats(1e-2, 1e2)


def distribution(
    name: str, mean: torch.Tensor, spread: torch.Tensor
) -> torch.distributions.Distribution:
    if name == "gaussian":
        return Normal(mean, spread)
    if name == "poisson":
        return Poisson(mean)
    return NegativeBinomial(1 / spread, probs=mean * spread / (1 + mean * spread))


@given(st.sampled_from(sorted(LIKELIHOODS)), st.integers(0, 400), MEANS, SPREADS)
def test_gradients_are_those_of_torch_distributions(
    name: str, count: int, mean: float, spread: float
) -> None:
    y = torch.tensor(float(count), dtype=torch.float64)
    slopes = []
    for own in (True, False):
        m, s = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (mean, spread))
        known = distribution(name, m, s)
        loss = LIKELIHOODS[name].loss(y, m, s) if own else -known.log_prob(y)
        found = torch.autograd.grad(loss, (m, s), allow_unused=True)
        slopes.append([0.0 if x is None else float(x) for x in found])
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-6, atol=1e-7)


def frozen(name: str, mean: float, spread: float) -> stats.distributions.rv_frozen:
    if name == "gaussian":
        return stats.norm(mean, spread)
    if name == "poisson":
        return stats.poisson(mean)
    return stats.nbinom(1 / spread, 1 / (1 + mean * spread))


@given(st.sampled_from(sorted(LIKELIHOODS)), st.integers(-1, 400), MEANS, SPREADS)
def test_probabilities_are_those_of_scipy(
    name: str, count: int, mean: float, spread: float
) -> None:
    own = LIKELIHOODS[name].cdf(*(np.array(x, dtype=np.float64) for x in (count, mean, spread)))
    np.testing.assert_allclose(own, frozen(name, mean, spread).cdf(count), rtol=1e-8, atol=1e-12)


@given(st.sampled_from(sorted(LIKELIHOODS)), MEANS, SPREADS, st.sampled_from([0.05, 0.5, 0.95]))
def test_quantiles_of_one_model_are_those_of_scipy(
    name: str, mean: float, spread: float, share: float
) -> None:
    likelihood = LIKELIHOODS[name]
    own = mixture_quantiles(likelihood, np.array([[mean]]), np.array([[spread]]), share)[0]
    theirs = frozen(name, mean, spread).ppf(share)
    if likelihood.counts:  # rounding at a jump of the distribution may move it by one
        below = frozen(name, mean, spread).cdf([own, own - 1])
        assert below[0] >= share - 1e-9 and below[1] <= share + 1e-9
    else:
        np.testing.assert_allclose(own, theirs, atol=1e-6 * spread)


def test_quantiles_of_a_mixture_are_those_of_draws_from_all_models() -> None:
    rng = np.random.default_rng(0)
    means = np.array([[1.0], [30.0]])
    drawn = np.sort(rng.poisson(means, (2, 200_000)).ravel())
    for share in (0.25, 0.4, 0.6, 0.95):
        found = mixture_quantiles(LIKELIHOODS["poisson"], means, np.ones((2, 1)), share)
        assert found[0] == drawn[int(share * len(drawn))]


def test_a_small_spread_is_almost_poisson() -> None:
    y, m = torch.arange(20.0, dtype=torch.float64), torch.tensor(4.0, dtype=torch.float64)
    tight = LIKELIHOODS["negative_binomial"].loss(y, m, torch.tensor(1e-6, dtype=torch.float64))
    known = stats.poisson(4.0).logpmf(y.numpy()) - stats.poisson(5.0).logpmf(y.numpy())
    other = LIKELIHOODS["negative_binomial"].loss(
        y, torch.tensor(5.0, dtype=torch.float64), torch.tensor(1e-6, dtype=torch.float64)
    )
    np.testing.assert_allclose((other - tight).numpy(), known, atol=1e-4)


def test_deviance_is_zero_at_the_observation_alone() -> None:
    y = np.array([0.0, 3.0])
    assert poisson_deviance(y, y).tolist() == [0, 0]
    loss = stats.poisson(3).logpmf(3) - stats.poisson(2).logpmf(3)
    assert poisson_deviance(y, np.array([1.0, 2.0])) == pytest.approx([2, 2 * loss])
    assert poisson_deviance(y[1:], np.zeros(1), floor=0.02)[0] < 40
