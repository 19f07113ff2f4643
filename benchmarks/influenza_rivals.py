"""What forecasts of influenza are compared with; each is fitted to training weeks alone.

All take counts (T, n) with weeks along the first axis and return expected counts at 1 … H weeks
after each origin, (origins, H, n), from what is known at the origin. Rivals that are fitted for one
week go on from their own expectations; those called direct are fitted for each horizon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse.csgraph import shortest_path

Floats = NDArray[np.float64]
WEEKS = 52
LAGS = 3


@dataclass(frozen=True)
class Flu:
    """Counts (T, n), population per 100,000 (n,), neighbourhood (n, n), and training weeks."""

    counts: Floats
    exposure: Floats
    neighbours: Floats
    train: int

    @property
    def rates(self) -> Floats:
        """Per 100,000."""
        return self.counts / self.exposure


def _lead(flu: Flu, origins: NDArray[np.int64], horizon: int) -> Floats:
    return np.empty((len(origins), horizon, flu.counts.shape[1]))


def persistence(flu: Flu, origins: NDArray[np.int64], horizon: int) -> Floats:
    """Next weeks are like this one."""
    found = _lead(flu, origins, horizon)
    found[:] = flu.counts[origins][:, None]
    return found


def seasonal_mean(flu: Flu, origins: NDArray[np.int64], horizon: int) -> Floats:
    """The mean of the same district and week of the year over the training years."""
    years = flu.counts[: flu.train].reshape(-1, WEEKS, flu.counts.shape[1]).mean(axis=0)
    found = _lead(flu, origins, horizon)
    for h in range(horizon):
        found[:, h] = years[(origins + h + 1) % WEEKS]
    return found


def _season(weeks: NDArray[np.int64], order: int) -> Floats:
    angle = 2 * np.pi * weeks / WEEKS
    waves = [f(k * angle) for k in range(1, order + 1) for f in (np.sin, np.cos)]
    return np.stack([np.ones_like(angle), *waves], axis=-1)


def _recursion(
    flu: Flu,
    origins: NDArray[np.int64],
    horizon: int,
    step: Callable[[Floats, NDArray[np.int64]], Floats],
    lags: int,
) -> Floats:
    """Go on from expectations; `step` maps the last rates (origins, lags, n), newest first."""
    past = np.stack([flu.rates[origins - k] for k in range(lags)], axis=1)
    found = _lead(flu, origins, horizon)
    for h in range(horizon):
        rates = np.maximum(step(past, origins + h + 1), 0)
        found[:, h] = rates * flu.exposure
        past = np.concatenate([rates[:, None], past[:, :-1]], axis=1)
    return found


def _lagged(flu: Flu, lags: int) -> tuple[NDArray[np.int64], Floats]:
    weeks = np.arange(lags, flu.train)
    return weeks, np.stack([flu.rates[weeks - k - 1] for k in range(lags)], axis=1)


def own_autoregression(flu: Flu, origins: NDArray[np.int64], horizon: int) -> Floats:
    """AR(2) of each district, by least squares."""
    weeks, past = _lagged(flu, 2)
    coefficients = []
    for i in range(flu.counts.shape[1]):
        table = np.column_stack([np.ones(len(weeks)), past[:, :, i]])
        coefficients.append(np.linalg.lstsq(table, flu.rates[weeks, i], rcond=None)[0])
    a = np.array(coefficients)

    def step(past: Floats, _: NDArray[np.int64]) -> Floats:
        return a[:, 0] + np.einsum("bli,il->bi", past, a[:, 1:])

    return _recursion(flu, origins, horizon, step, 2)


def _network_var(order: int) -> Callable[[Flu, NDArray[np.int64], int], Floats]:
    """One autoregression for all districts: own, neighbours' mean and global mean, three lags."""

    def predict(flu: Flu, origins: NDArray[np.int64], horizon: int) -> Floats:
        rows = flu.neighbours / flu.neighbours.sum(axis=1, keepdims=True)

        def table(past: Floats, weeks: NDArray[np.int64]) -> Floats:
            near, all_ = past @ rows.T, np.broadcast_to(past.mean(-1, keepdims=True), past.shape)
            season = _season(weeks, order)[:, :, None].repeat(past.shape[-1], axis=2)
            return np.concatenate([season, past, near, all_], axis=1).transpose(0, 2, 1)

        weeks, past = _lagged(flu, LAGS)
        given = table(past, weeks)
        known = flu.rates[weeks]
        a = np.linalg.lstsq(given.reshape(-1, given.shape[-1]), known.ravel(), rcond=None)[0]
        return _recursion(flu, origins, horizon, lambda x, weeks: table(x, weeks) @ a, LAGS)

    return predict


def _endemic_epidemic(
    order: int, *, gravity: bool, direct: bool
) -> Callable[[Flu, NDArray[np.int64], int], Floats]:
    """Held, Höhle and Hofmann's model (Stat. Model. 5, 187, 2005).

    y_it is Poisson with the mean λ(t) y_i,t−1 + φ(t) Σ_j w_ji y_j,t−1 + e_i ν(t), all of them
    exponentials of harmonics, ν also with a trend. With gravity, φ is multiplied by a power of
    the population of i, and w_ji falls as a power of the distance in steps over districts
    (Meyer, Held, Ann. Appl. Stat. 8, 1612, 2014).
    """

    def predict(flu: Flu, origins: NDArray[np.int64], horizon: int) -> Floats:
        counts = torch.from_numpy(flu.counts.copy())
        people = torch.from_numpy(flu.exposure / flu.exposure.mean())
        steps = torch.from_numpy(shortest_path(flu.neighbours, unweighted=True))
        near = torch.from_numpy(flu.neighbours / flu.neighbours.sum(axis=1, keepdims=True))
        one = 1 + 2 * order

        def mean(p: torch.Tensor, past: torch.Tensor, weeks: NDArray[np.int64]) -> torch.Tensor:
            season = torch.from_numpy(_season(weeks, order))
            own, other, ever = (season @ p[k * one : (k + 1) * one] for k in range(3))
            ever = ever + p[3 * one] * torch.from_numpy(weeks / flu.train - 0.5)
            flow, weights = torch.ones_like(people), near
            if gravity:
                flow = people ** p[3 * one + 1]
                far = torch.where(
                    steps > 0, torch.clamp(steps, min=1) ** -torch.exp(p[3 * one + 2]), 0.0
                )
                weights = far / far.sum(dim=1, keepdim=True)
            near_by = (past @ weights) * flow
            return (
                torch.exp(own)[:, None] * past
                + torch.exp(other)[:, None] * near_by
                + torch.exp(ever)[:, None] * people
            )

        def fit(lead: int) -> torch.Tensor:
            weeks = np.arange(lead, flu.train)
            past, now = counts[weeks - lead], counts[weeks]

            def value(x: Floats) -> tuple[float, Floats]:
                p = torch.from_numpy(x.copy()).requires_grad_()
                mu = mean(p, past, weeks) + 1e-9
                loss = (mu - torch.xlogy(now, mu)).mean()
                (slope,) = torch.autograd.grad(loss, p)
                return float(loss.detach()), slope.numpy()

            start = np.zeros(3 * one + 1 + 2 * gravity)
            start[[0, one, 2 * one]] = -1.0, -1.0, -2.0
            return torch.from_numpy(
                minimize(value, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000}).x
            )

        found = _lead(flu, origins, horizon)
        first, past = fit(1), counts[origins]
        for h in range(horizon):
            if direct:
                found[:, h] = mean(fit(h + 1), counts[origins], origins + h + 1).numpy()
            else:
                past = mean(first, past, origins + h + 1)
                found[:, h] = past.numpy()
        return found

    return predict


RIVALS: Mapping[str, Callable[[Flu, NDArray[np.int64], int], Floats]] = {
    "persistence": persistence,
    "seasonal mean": seasonal_mean,
    "AR(2) per district": own_autoregression,
    "network VAR": _network_var(0),
    "network VAR with season": _network_var(2),
    "endemic–epidemic, 10 parameters": _endemic_epidemic(1, gravity=False, direct=False),
    "endemic–epidemic, 18 parameters": _endemic_epidemic(2, gravity=True, direct=False),
    "endemic–epidemic, 10 parameters, direct": _endemic_epidemic(1, gravity=False, direct=True),
    "endemic–epidemic, 18 parameters, direct": _endemic_epidemic(2, gravity=True, direct=True),
}
"""Rivals by what they are called in the table."""
