"""From trajectories to a law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from nodeflow.dynamics.store import Trajectory
from nodeflow.graphs.graph import Graph
from nodeflow.laws.along import Along, Grid, make_grid
from nodeflow.laws.atoms import Scale
from nodeflow.laws.data import Group, LawProblem, groups_of, noise_of, signed, size_of
from nodeflow.laws.form import FUNCTIONS, Form, Term, field_of
from nodeflow.laws.formulas import atom_of
from nodeflow.laws.law import EXACT, EXCESS, Law
from nodeflow.laws.limits import open_tails
from nodeflow.laws.refine import Fit, along_fit, fit, precision_for, trajectories_of
from nodeflow.laws.screen import (
    Basis,
    Candidate,
    Metric,
    climb,
    closest_polynomial,
    description,
    metric_along,
    metric_weak,
    polished,
    promising,
    ranked,
    search,
    simplest,
)
from nodeflow.laws.symbolic import available, proposed
from nodeflow.neural_ode.splines import smooth
from nodeflow.threads import one_thread_if_small

__all__ = ["discover"]

Array = NDArray[np.float64]

_STARTED, _ROUNDS, _REFINED, _SIMPLER = 2, 4, 8, 16

_POLYNOMIAL = (1, 2, 3, 0), (1, 2, 0), (1, 2, 0)
"""Degrees of the three functions of a law that is never steep: a reference where noise misleads."""

_CLEARLY = 3.0
"""Nats that a law has to gain on the reference for the search to be repeated along it."""

_EXCLUDED = 10.0
"""Nats by which the description of a law is too long for the law to be an alternative."""

_MARGIN = 3.0

_CHANCE, _SLIGHT = 4.0, 0.01
"""Correlation of residuals from one time to the next that is no sign of a wrong law: so many of its
standard errors, and so much in any case, for integrations err, too."""

_FOUND = 0.5
"""Weight of all laws that were found, where none explains the data: the rest is that of others."""

_BEYOND = 2
"""Times that symbolic regression is tried along the best law."""
_SCREENED_FIRST, _SCREENED = 320, 1024
"""States of nodes (trajectories times nodes) with which forms are searched, at most: in the weak
form, which only has to find a reference, and along its trajectories."""

_SMOOTH_ENOUGH = 2.0


@one_thread_if_small
def discover(
    graphs: Sequence[Graph],
    trajectories: Sequence[Trajectory],
    *,
    covariates: Sequence[Mapping[str, Any]] | None = None,
    noise: float | None = None,
    held_out: float = 0.125,
) -> Law:
    """The law behind trajectories: three formulas, with what else the data allow.

    docs/laws.md explains the method and how its families of formulas were chosen.

    Args:
        graphs: one or several graphs; weights and directions are used.
        trajectories: observed on them, noisy or not; of each its `graph` is the place in the list.
        covariates: for each graph, by name, a number for each node that terms of f may be
            multiplied by: an array in the order of the nodes, or a mapping or pandas Series by
            node.
        noise: standard deviation of independent noise on every state; by default it is found from
            the data.
        held_out: share of the trajectories of each graph that have no part in choosing the form,
            and on which it is checked; all take part in the final fit.

    Where no law of the families explains the data, formulas from symbolic regression are tried if
    pyoperon is installed (the extra `nodeflow[symbolic]`); `Law.hint` says so where it is not.

    Returns:
        The law of the shortest description. Where the data do not tell it from others, it is
        `undetermined` and says which these are.

    Raises:
        GraphProblem: `graphs` is no list of graphs.
        TrajectoryProblem: a trajectory does not fit its graph; the text says which.
        LawProblem: nothing can be learned from what was given (too few times, constant states, a
            regular graph, no edges, covariates that do not fit), or no law of these families can
            be integrated along the data.
    """
    whole = groups_of(graphs, trajectories, covariates)
    if noise is not None and not 0.0 <= noise < np.inf:
        raise LawProblem(f"noise = {noise} has to be a standard deviation, at least 0.")
    if not 0.0 <= held_out < 1.0:
        raise LawProblem(f"held_out = {held_out} has to be a share below 1.")
    found_noise = noise_of(whole) if noise is None else noise
    size = size_of(whole)
    sigma = max(found_noise, EXACT * size)
    kept = [group.only(slice(0, _kept(group, held_out))) for group in whole]
    negative = signed(whole, found_noise)
    discovery = _Discovery(kept, sigma, size, negative)
    fits = discovery.run()
    best = fits[0]
    check = _check(best, whole, kept, sigma, size)
    final = _Discovery(whole, discovery.sigma, size, negative)
    return _law(discovery.left(fits), final, sigma, check)


def _kept(group: Group, held_out: float) -> int:
    """How many trajectories choose the form: all of a few, else all but some."""
    count = len(group.states)
    return count if count < 4 else count - max(round(held_out * count), 1 if held_out > 0 else 0)


class _Discovery:
    """The search for the forms of the shortest description."""

    def __init__(self, groups: Sequence[Group], sigma: float, size: float, signed: bool) -> None:
        self.groups, self.sigma, self.size, self.signed = list(groups), sigma, size, signed
        self.count = sum(g.states.size for g in groups)
        self.free = sum(g.states[:, 0].size for g in groups)
        self.precision = precision_for(sigma, size)
        self.paths, self.models, self.grids = [], [], []
        for group in self.groups:
            grid, path, model = _smoothed(group, sigma)
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
            alongs = self._along(best)
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
            alongs = self._along(best)
            metric, count = self._metric(best, alongs)
            laws = proposed(metric, best.form, best.parameters, self.sigma)
            laws.append((best.form, best.parameters))
            found = ranked(polished(metric, laws), self.sigma, count)
            self._refine(promising(found, self.sigma, count, _REFINED), alongs, tried)
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
        found: list[Fit] = []
        shortest = search(metric, self.sigma, self.count)
        for some in (shortest, simplest(shortest, self.count)):
            started = 0
            for x in some[: 3 * _STARTED]:
                if started == _STARTED:
                    break
                if any(x.form == y.form for y in found):
                    continue
                result = self.fit(x.form, x.parameters, self.smoothed(x), better=found)
                if result is not None:
                    found.append(result)
                    started += 1
        if shortest[0].form.h_ego:
            # Forms that fit the noise of smoothed states can be steep and follow none well.
            x = closest_polynomial(metric, shortest[0], _POLYNOMIAL)
            result = self.fit(x.form, x.parameters, self.smoothed(x), better=found)
            found += [] if result is None else [result]
        if not found:
            raise LawProblem(
                "No law of the families that are searched follows these trajectories; give more "
                "observation times or more trajectories."
            )
        return self.sorted(found)[0]

    def smoothed(self, x: Candidate | Fit) -> list[Along]:
        """The smoothed states as references, with the Jacobian of a law."""
        return [
            Along.of(*parts, field_of(x.form, x.parameters, parts[0].covariates))
            for parts in zip(self.groups, self.grids, self.paths, self.models, strict=True)
        ]

    def _along(self, best: Fit) -> list[Along]:
        alongs = along_fit(best, self.groups, self.grids, self.precision)
        assert alongs is not None  # it was integrated at the observed times
        self.precision = precision_for(self.sigma, self.size).after(best)
        return alongs

    def _screened(self, best: Fit, alongs: list[Along], tried: Sequence[Fit]) -> list[Candidate]:
        """The best forms in the metric along the trajectories of a law.

        All families are searched along the first; then what was found is the start.
        """
        metric, count = self._metric(best, alongs)
        known = [(x.form, x.parameters) for x in (*tried[:_REFINED], best)]
        found = polished(metric, known)
        if not tried:
            found += search(metric, self.sigma, count)
        return promising(climb(metric, found, self.sigma, count), self.sigma, count, _REFINED)

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
                result = self.fit(x.form, x.parameters, alongs, better=list(tried.values()))
                if result is not None:
                    tried[x.form] = result

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
        return _without_idle(left)[:_REFINED]

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
                result = self.fit(form, parameters, alongs, parent.initials, better=[parent])
                if result is None:
                    continue
                tried[form] = result
                gained = 0.5 * (parent.loss - result.loss) / variance
                gained += description(parent.form, self.count) - description(form, self.count)
                if gained > -_MARGIN:
                    queue.insert(0, result)
        return self.sorted(list(tried.values()))


def simpler(x: Fit, variance: float, count: int) -> list[tuple[Form, Array]]:
    """Forms with a term less or an exponent rounded that the data may not tell from this one.

    Args:
        x: a fitted law.
        variance: of the noise.
        count: how many observations there are.
    """
    covariance = x.covariance(float(np.sqrt(variance)))
    errors = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    before = description(x.form, count)
    found = []
    for place, slot in enumerate(x.form.slots):
        term = getattr(x.form, slot.function)[slot.term]
        if slot.inner is None:
            form, kept = _without(x.form, slot.function, slot.term)
            cost = 0.5 * (x.parameters[place] / errors[place]) ** 2
            if cost < before - description(form, count) + _MARGIN:
                # What the others become when this one is 0, to first order.
                moved = x.parameters - covariance[:, place] * (
                    x.parameters[place] / max(covariance[place, place], 1e-300)
                )
                usable = np.isfinite(moved).all() and all(
                    s.inner is None or moved[i] > 0 for i, s in enumerate(x.form.slots)
                )
                found.append((form, (moved if usable else x.parameters)[kept]))
        elif atom_of(term.atom).inner[slot.inner].rounds:
            for value in _fractions(float(x.parameters[place]), float(errors[place])):
                change = value - x.parameters[place]
                moved = x.parameters + covariance[:, place] * (
                    change / max(covariance[place, place], 1e-300)
                )
                fixed = list(term.fixed)
                fixed[slot.inner] = value
                form = _with(x.form, slot.function, slot.term, replace(term, fixed=tuple(fixed)))
                found.append((form, np.delete(moved, place)))
    return found


def _fractions(value: float, error: float) -> list[float]:
    """The simplest fractions that an exponent may be."""
    found = []
    for denominator in (1, 2, 3, 4):
        nearest = Fraction(round(value * denominator), denominator)
        if nearest > 0 and abs(float(nearest) - value) < 5.0 * error and nearest not in found:
            found.append(nearest)
    return [float(x) for x in found[:2]]


def _without(form: Form, name: str, term: int) -> tuple[Form, list[int]]:
    """A form without a term, and the places of the parameters that are left.

    Without the last term of h_ego there is no interaction; that of h_alt has no coefficient.
    """
    terms = getattr(form, name)
    left = terms[:term] + terms[term + 1 :]
    if name == "h_ego" and not left:
        return Form(form.f, (), ()), list(range(form.pieces["f"].stop))
    kept = [
        i for i, slot in enumerate(form.slots) if not (slot.function == name and slot.term == term)
    ]
    return replace(form, **{name: left}), kept


def _with(form: Form, name: str, term: int, new: Term) -> Form:
    terms = getattr(form, name)
    return replace(form, **{name: (*terms[:term], new, *terms[term + 1 :])})


def _smoothed(group: Group, sigma: float) -> tuple[Grid, Array, Array]:
    """Pieces of time, and smoothed states at the grid's times and the observed ones."""
    found = smooth(group.times, group.states, group.times)
    if found.noise > _SMOOTH_ENOUGH * sigma:
        # Splines cannot follow what changes so fast; what little noise there is stays.
        grid = make_grid(group.times, group.states)
        return grid, CubicSpline(group.times, group.states, axis=1)(grid.at), group.states
    grid = make_grid(group.times, found.states)
    return grid, smooth(group.times, group.states, grid.at).states, found.states


def _check(
    best: Fit, whole: Sequence[Group], kept: Sequence[Group], sigma: float, size: float
) -> float:
    """Root mean squared residual on held-out trajectories, from the best initial states."""
    total, count = 0.0, 0
    for group, used in zip(whole, kept, strict=True):
        rest = group.only(slice(len(used.states), None))
        if not len(rest.states):
            continue
        grid, path, model = _smoothed(rest, sigma)
        field = field_of(best.form, best.parameters, rest.covariates)
        along = Along.of(rest, grid, path, model, field)
        result = _only_initial(best, along, sigma, size)
        if result is None:
            return float("inf")
        total += result
        count += rest.states.size - rest.states[:, 0].size
    return float(np.sqrt(total / count) / sigma) if count else float("nan")


def _only_initial(best: Fit, along: Along, sigma: float, size: float) -> float | None:
    start, smallest = along.model[:, 0], None
    for _ in range(3):
        result = trajectories_of(
            best.form, best.parameters, along.group, start, along.group.times,
            precision_for(sigma, size),
        )  # fmt: skip
        if result is None:
            break
        states, _ = result
        loss = float(np.square(along.group.states - states).sum())
        smallest = loss if smallest is None else min(loss, smallest)
        start = start + along.initial_change(along.shares(along.residual(states))[..., 0])
    return smallest


def _without_idle(ordered: Sequence[Fit]) -> list[Fit]:
    """Laws by length of description, without those that only add to a shorter one."""
    found: list[Fit] = []
    for x in ordered:
        if not any(_extends(x.form, y.form) for y in found):
            found.append(x)
    return found


def _extends(form: Form, other: Form) -> bool:
    """Whether a form has all terms of another one, perhaps with exponents free."""
    return all(
        any(
            (mine.atom, mine.by) == (term.atom, term.by)
            and all(m is None or m == t for m, t in zip(mine.fixed, term.fixed, strict=True))
            for mine in getattr(form, name)
        )
        for name in FUNCTIONS
        for term in getattr(other, name)
    )


def _with_tails(
    ordered: list[Fit], lengths: Array, everything: _Discovery, alongs: list[Along]
) -> tuple[list[Fit], Array]:
    """Laws with those beside them that differ from the first one only far from the states seen.

    Their parameter for that is open, so it costs less than one that the data determine. The law of
    the shortest description stays the first.
    """
    best = ordered[0]
    variance = everything.cautious(ordered)
    found = dict(zip((x.form for x in ordered), zip(ordered, lengths, strict=True), strict=True))
    tails = open_tails(
        best, everything.scale, everything.signed, variance,
        lambda form, parameters, loss: everything.fit(
            form, parameters, alongs, best.initials, limit=loss
        ),
    )  # fmt: skip
    for x, nats in tails:
        length = lengths[0] + max(0.5 * (x.loss - best.loss) / variance + nats, 0.0)
        if x.form not in found or found[x.form][1] > length:
            found[x.form] = x, length
    kept = sorted(found.values(), key=lambda one: one[1])
    kept.sort(key=lambda one: one[0] is not best)
    return [x for x, _ in kept], np.array([length for _, length in kept])


def _law(left: list[Fit], everything: _Discovery, sigma: float, check: float) -> Law:
    """Fit what is left on all trajectories, and weigh it."""
    whole = everything.groups
    alongs = None
    for x in left:
        result = everything.fit(x.form, x.parameters, everything.smoothed(x))
        if result is not None:
            alongs = everything._along(result)
            break
    if alongs is None:
        raise LawProblem("The law that was found cannot be integrated along all trajectories.")
    final = [everything.fit(x.form, x.parameters, alongs) for x in left]
    ordered = _without_idle(everything.sorted([x for x in final if x is not None]))
    lengths = np.array([everything.length(x, ordered) for x in ordered])
    ordered, lengths = _with_tails(ordered, lengths, everything, alongs)
    weights = np.exp(lengths[0] - lengths)
    weights /= weights.sum()
    noise = float(np.sqrt(everything.variance(ordered)))
    excess = float(np.sqrt(ordered[0].loss / max(everything.count - everything.free, 1)) / sigma)
    lasting = everything.lasting(ordered[0])
    seen = (
        min(float(g.states.min()) for g in whole), max(float(g.states.max()) for g in whole)
    )  # fmt: skip
    ordered_lengths = zip(ordered, weights, lengths, strict=True)
    laws = [
        Law(
            x.form, x.parameters, x.covariance(float(np.sqrt(everything.cautious(ordered)))), noise,
            seen, float(weight), float(length), excess, lasting,
            check if place == 0 else float("nan"),
        )
        for place, (x, weight, length) in enumerate(ordered_lengths)
    ]  # fmt: skip
    if not laws[0].explains:
        laws = [replace(law, weight=_FOUND * law.weight) for law in laws]
    return laws[0].with_alternatives(tuple(law for law in laws[1:] if law.weight >= 1e-3))
