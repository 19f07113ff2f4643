"""The search for the forms of the shortest description, from a first law to those that are left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from nodeflow.laws.along import Along, Grid, make_grid
from nodeflow.laws.atoms import Scale
from nodeflow.laws.basis import Basis
from nodeflow.laws.candidates import Candidate, description, promising, ranked, simplest
from nodeflow.laws.data import Group, LawProblem
from nodeflow.laws.form import Form, field_of
from nodeflow.laws.law import EXACT, EXCESS
from nodeflow.laws.metric import Metric, metric_along, metric_weak
from nodeflow.laws.polish import climb, closest_polynomial, polished
from nodeflow.laws.refine import Fit, along_fit, fit, precision_for
from nodeflow.laws.search import search
from nodeflow.laws.simpler import MARGIN, simpler, without_idle
from nodeflow.laws.symbolic import available, proposed
from nodeflow.neural_ode.splines import smooth

__all__ = ["Discovery", "smoothed"]

Array = NDArray[np.float64]

_STARTED, _ROUNDS, _REFINED, _SIMPLER = 2, 4, 8, 16

_POLYNOMIAL = (1, 2, 3, 0), (1, 2, 0), (1, 2, 0)
"""Degrees of the three functions of a law that is never steep: a reference where noise misleads."""

_CLEARLY = 3.0
"""Nats that a law has to gain on the reference for the search to be repeated along it."""

_EXCLUDED = 10.0
"""Nats by which the description of a law is too long for the law to be an alternative."""

_CHANCE, _SLIGHT = 4.0, 0.01
"""Correlation of residuals from one time to the next that is no sign of a wrong law: so many of its
standard errors, and so much in any case, for integrations err, too."""

_BEYOND = 2
"""Times that symbolic regression is tried along the best law."""

_SCREENED_FIRST, _SCREENED = 320, 1024
"""States of nodes (trajectories times nodes) with which forms are searched, at most: in the weak
form, which only has to find a reference, and along its trajectories."""

_SMOOTH_ENOUGH = 2.0


class Discovery:
    """The search for the forms of the shortest description."""

    def __init__(self, groups: Sequence[Group], sigma: float, size: float, signed: bool) -> None:
        self.groups, self.sigma, self.size, self.signed = list(groups), sigma, size, signed
        self.count = sum(g.states.size for g in groups)
        self.free = sum(g.states[:, 0].size for g in groups)
        self.precision = precision_for(sigma, size)
        self.paths, self.models, self.grids = [], [], []
        for group in self.groups:
            grid, path, model = smoothed(group, sigma)
            if not signed:
                path, model = np.maximum(path, 0.0), np.maximum(model, 0.0)
            self.grids.append(grid)
            self.paths.append(path)
            self.models.append(model)
        self.scale = Scale.of(self._states(), sigma)

    def _states(self) -> Array:
        return np.concatenate([p.ravel() for p in self.paths])

    @cached_property
    def basis(self) -> Basis:
        """Functions of these states."""
        names = tuple(self.groups[0].covariates)
        return Basis.of(self._states(), self.scale, self.signed, names)

    def _some(self, states: int) -> list[slice]:
        """Trajectories of each group that have about so many states together."""
        share = states // len(self.groups)
        return [slice(0, max(1, share // g.states.shape[2])) for g in self.groups]

    def run(self) -> list[Fit]:
        """The fits by length of description."""
        best = self._first()
        tried = {best.form: best}
        for number in range(_ROUNDS):
            sigma = float(np.sqrt(self.variance([best])))
            if sigma < 0.9 * self.sigma:
                # There is less noise than differences in time make believe: fit more closely.
                self.sigma = sigma
                tried = {form: replace(x, converged=False) for form, x in tried.items()}
            alongs = self.along(best)
            known = self.sorted(list(tried.values())) if number else []
            again = self.fit(best.form, best.parameters, alongs, best.initials)
            tried[best.form] = best = again or best
            self._refine(self._screened(best, alongs, known), alongs, tried)
            ordered = self._simplified(alongs, tried)
            gained = self.length(best, ordered) - self.length(ordered[0], ordered)
            if ordered[0].form == best.form or gained < _CLEARLY:
                break
            best = ordered[0]
        return ordered if self._explains(ordered[0]) else self._beyond(ordered, tried)

    def _explains(self, x: Fit) -> bool:
        return self.variance([x]) <= EXCESS**2 * self.sigma**2 and self.lasting(x) <= 1.0

    def lasting(self, x: Fit) -> float:
        """How much more of what a law leaves lasts from one time to the next than noise shows.

        The correlation of its residuals at neighbouring times, which needs no estimate of the
        noise, in units of what chance leaves of it.
        """
        chance = max(_CHANCE / np.sqrt(self.count), _SLIGHT)
        return float(self._lasts(x) / self.variance([x]) / chance)

    def _lasts(self, x: Fit) -> float:
        """The part of the variance that a law leaves that lasts, beyond what exact states have."""
        products = 0.0
        for group, states in zip(self.groups, x.states, strict=True):
            left = group.states - states
            products += float((left[:, 1:] * left[:, :-1]).sum())
        exact = (EXCESS * EXACT * self.size) ** 2
        return max(products / max(self.count - self.free, 1) - exact, 0.0)

    def _beyond(self, ordered: list[Fit], tried: dict[Form, Fit]) -> list[Fit]:
        """With formulas from symbolic regression along the best law, where that is installed."""
        for _ in range(_BEYOND if available() else 0):
            best = ordered[0]
            alongs = self.along(best)
            metric, count = self._metric(best, alongs)
            laws = proposed(metric, best.form, best.parameters, self.sigma)
            laws.append((best.form, best.parameters))
            candidates = ranked(polished(metric, laws), self.sigma, count)
            self._refine(promising(candidates, self.sigma, count, _REFINED), alongs, tried)
            ordered = self._simplified(alongs, tried)
            if self.length(best, ordered) - self.length(ordered[0], ordered) < _CLEARLY:
                break
        return ordered

    def _first(self) -> Fit:
        """A first law, from the weak form."""
        metric = metric_weak(
            self.groups, self.grids,
            [p[s] for p, s in zip(self.paths, self._some(_SCREENED_FIRST), strict=True)],
            self.basis, self.sigma,
        )  # fmt: skip
        followed: list[Fit] = []
        shortest = search(metric, self.sigma, self.count)
        for some in (shortest, simplest(shortest, self.count)):
            started = 0
            for x in some[: 3 * _STARTED]:
                if started == _STARTED:
                    break
                if any(x.form == y.form for y in followed):
                    continue
                fitted = self.fit(x.form, x.parameters, self.smoothed(x), better=followed)
                if fitted is not None:
                    followed.append(fitted)
                    started += 1
        if shortest[0].form.h_ego:
            # Forms that fit the noise of smoothed states can be steep and follow none well.
            x = closest_polynomial(metric, shortest[0], _POLYNOMIAL)
            fitted = self.fit(x.form, x.parameters, self.smoothed(x), better=followed)
            followed += [] if fitted is None else [fitted]
        if not followed:
            raise LawProblem(
                "No law of the families that are searched follows these trajectories; give more "
                "observation times or more trajectories."
            )
        return self.sorted(followed)[0]

    def smoothed(self, x: Candidate | Fit) -> list[Along]:
        """The smoothed states as references, with the Jacobian of a law."""
        return [
            Along.of(*parts, field_of(x.form, x.parameters, parts[0].covariates))
            for parts in zip(self.groups, self.grids, self.paths, self.models, strict=True)
        ]

    def along(self, best: Fit) -> list[Along]:
        """The trajectories of a law as references."""
        alongs = along_fit(best, self.groups, self.grids, self.precision)
        assert alongs is not None  # it was integrated at the observed times
        self.precision = precision_for(self.sigma, self.size, best)
        return alongs

    def _screened(self, best: Fit, alongs: list[Along], tried: Sequence[Fit]) -> list[Candidate]:
        """The best forms in the metric along the trajectories of a law.

        All families are searched along the first; then what was found is the start.
        """
        metric, count = self._metric(best, alongs)
        known = [(x.form, x.parameters) for x in (*tried[:_REFINED], best)]
        candidates = polished(metric, known)
        if not tried:
            candidates += search(metric, self.sigma, count)
        return promising(climb(metric, candidates, self.sigma, count), self.sigma, count, _REFINED)

    def _metric(self, best: Fit, alongs: list[Along]) -> tuple[Metric, int]:
        """That along the trajectories of a law, and how many observations it is of."""
        some = [x.only(s) for x, s in zip(alongs, self._some(_SCREENED), strict=True)]
        metric = metric_along(some, self.basis, best.form, best.parameters, self.sigma)
        return metric, sum(x.group.states.size for x in some)

    def _refine(
        self, screened: Sequence[Candidate], alongs: list[Along], tried: dict[Form, Fit]
    ) -> None:
        """Fit forms through trajectories unless that has been done to the end."""
        for x in screened:
            if x.form not in tried or not tried[x.form].converged:
                fitted = self.fit(x.form, x.parameters, alongs, better=list(tried.values()))
                if fitted is not None:
                    tried[x.form] = fitted

    def fit(
        self, form: Form, parameters: Array, alongs: Sequence[Along],
        initials: Sequence[Array] | None = None, *, better: Sequence[Fit] = (),
        limit: float = np.inf,
    ) -> Fit | None:  # fmt: skip
        """Fit a law through its trajectories; in vain if its length is far from the shortest.

        Args:
            form: of the law.
            parameters: to start from.
            alongs: reference trajectories.
            initials: initial states to start from; by default those of the references.
            better: laws to whose lengths that of this one is compared.
            limit: a loss that is too large in any case.
        """
        if better:
            shortest = min(self._length(x, better) for x in better)
            nats = shortest + 3.0 * _EXCLUDED - description(form, self.count)
            limit = 2.0 * self.variance(better) * nats
        return fit(
            form, parameters, alongs, noise=self.sigma, scale=self.scale,
            precision=self.precision, initials=initials, limit=limit,
        )  # fmt: skip

    def variance(self, fits: Sequence[Fit]) -> float:
        """Of the noise, from the best fit."""
        smallest = min(x.loss for x in fits)
        return max((EXACT * self.size) ** 2, smallest / max(self.count - self.free, 1))

    def cautious(self, fits: Sequence[Fit]) -> float:
        """The same where the best fit leaves more than noise.

        What it leaves then lasts: all times of a node tell as much of it as one.
        """
        best = min(fits, key=lambda x: x.loss)
        variance = self.variance([best])
        if self._explains(best):
            return variance
        times = self.count / self.free
        lasts = max(variance - self.sigma**2, self._lasts(best))
        return max(variance - lasts, 0.0) + lasts * times

    def _length(self, x: Fit, fits: Sequence[Fit]) -> float:
        return 0.5 * x.loss / self.variance(fits) + description(x.form, self.count)

    def length(self, x: Fit, fits: Sequence[Fit]) -> float:
        """Nats that describe the data with a law, where these fits are the best there are."""
        return 0.5 * x.loss / self.cautious(fits) + description(x.form, self.count)

    def sorted(self, fits: Sequence[Fit]) -> list[Fit]:
        """By length of description."""
        return sorted(fits, key=lambda x: self.length(x, fits))

    def left(self, fits: Sequence[Fit]) -> list[Fit]:
        """The laws, by length of description, that the data may not exclude."""
        shortest = self.length(fits[0], fits)
        left = [x for x in fits if self.length(x, fits) < shortest + _EXCLUDED]
        return without_idle(left)[:_REFINED]

    def _simplified(self, alongs: list[Along], tried: dict[Form, Fit]) -> list[Fit]:
        """With terms dropped and exponents rounded wherever that shortens the description."""
        ordered = self.sorted(list(tried.values()))
        shortest = self.length(ordered[0], ordered)
        queue = [x for x in ordered if self.length(x, ordered) < shortest + 2 * _EXCLUDED]
        variance = self.cautious(ordered)
        left = _SIMPLER
        while queue and left:
            parent = queue.pop(0)
            for form, parameters in simpler(parent, variance, self.count):
                if not left or (form in tried and tried[form].converged):
                    continue
                left -= 1
                fitted = self.fit(form, parameters, alongs, parent.initials, better=[parent])
                if fitted is None:
                    continue
                tried[form] = fitted
                gained = 0.5 * (parent.loss - fitted.loss) / variance
                gained += description(parent.form, self.count) - description(form, self.count)
                if gained > -MARGIN:
                    queue.insert(0, fitted)
        return self.sorted(list(tried.values()))


def smoothed(group: Group, sigma: float) -> tuple[Grid, Array, Array]:
    """Pieces of time, and smoothed states at the grid's times and the observed ones."""
    splines = smooth(group.times, group.states, group.times)
    if splines.noise > _SMOOTH_ENOUGH * sigma:
        # Splines cannot follow what changes so fast; what little noise there is stays.
        grid = make_grid(group.times, group.states)
        return grid, CubicSpline(group.times, group.states, axis=1)(grid.at), group.states
    grid = make_grid(group.times, splines.states)
    return grid, smooth(group.times, group.states, grid.at).states, splines.states
