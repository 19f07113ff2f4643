"""A Gaussian over the three functions of related systems, by expectation maximization.

Each member, an estimate of the functions of one system, knows them only at states that it has seen
and there only as well as its data determine them, which its own quadratic form says. So functions
are missing data, and the mean and covariance of all functions at common states are found by EM
(Dempster, Laird and Rubin 1977, J. R. Stat. Soc. B 39, 1; for curves seen in part: James, Hastie
and Sugar 2000, Biometrika 87, 587). Members that saw hubs teach the others how functions go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from nodeflow.data.series import Run, Series
from nodeflow.dynamics.systems import Field
from nodeflow.graphs.graph import Graph
from nodeflow.neural_ode.curves import Curves, beyond
from nodeflow.neural_ode.estimate import Estimate
from nodeflow.priors.problem import PriorProblem
from nodeflow.threads import one_thread_if_small

if TYPE_CHECKING:
    import networkx as nx

    from nodeflow.neural_ode.ensemble import Ensemble

__all__ = [
    "FEWEST_FRAMES",
    "FEWEST_MEMBERS",
    "Prior",
    "continued",
    "fit_prior",
    "modes_of",
    "smooth_kernel",
]

Array = NDArray[np.float64]

FEWEST_FRAMES = 2
"""Times that a run needs to be learned from with a prior."""

_STATES = 48
"""Common states, equally spaced in √x."""

_ITERATIONS = 25

FEWEST_MEMBERS = 10
"""Members of a prior at least: with fewer there is hardly a covariance."""

_LEFT = 3e-4
"""Trajectory error, relative to the states, that modes left out may cause together."""

_MOST = 24
"""Modes that frames are asked for at most."""

_WINDOW = 20
"""States in the range that all members have seen, where the gauge is fixed."""

_ANCHOR = 1e6
"""Precision of the mean of h_ego there. Forms are flat along (h_ego, −h_alt) to any distance, where
the true symmetry c h_ego, h_alt / c is curved: without it EM runs away."""

_SMOOTH = 1e-4
"""Variance, in units of the functions, of the smooth functions that any covariance allows."""

_LENGTH = 0.2
"""Their length, in the range of √x."""

_COMMON = 0.1
"""Share of the members that have to have seen a state for it to count as seen."""


@dataclass(frozen=True, eq=False)
class Prior:
    """A Gaussian over f, h_ego and h_alt: mean + Σ_k z_k mode_k with standard normal z.

    h_ego has the root mean square 1 over the states that all members have seen.

    Attributes:
        states: (K,) equally spaced in √x, from 0, in the unit of the members.
        mean: (3, K) f, h_ego and h_alt.
        modes: (3K, 3, K) in the order of the trajectory errors that they cause.
        kept: how many of them frames are asked for; the others stay as they are in the prior.
        error: root mean squared trajectory error that the others cause, relative to the states.
        seen: states that a tenth of the members, or more, have seen.
        metric: (3K, 3K) quadratic form of the squared trajectory error that an error of the
            functions causes, relative to the states: the mean over the members.
        made: what the members were.
    """

    states: Array
    mean: Array
    modes: Array
    kept: int
    error: float
    seen: tuple[float, float]
    metric: Array
    made: Mapping[str, Any]

    @property
    def shared(self) -> tuple[float, float]:
        """Smallest and largest state that all members have seen."""
        low, high = map(float, self.made["shared"])
        return low, high

    def at(self, codes: Array) -> Curves:
        """The functions of codes (R, kept); modes left out have their mean."""
        values = self.mean + np.tensordot(codes, self.modes[: self.kept], 1)
        return Curves(self.states, values)

    def codes(self, members: Sequence[Estimate]) -> tuple[Array, Array]:
        """Codes (M, kept) of members, as each of them and the prior say together, and variances."""
        window = np.linspace(*self.shared, _WINDOW)
        modes, mean = self.modes[: self.kept].reshape(self.kept, -1), self.mean.ravel()
        codes, variances = [], []
        for member in members:
            said = _spoken(_gauged(member, window), self.states, np.ones(len(mean)), window)
            covariance = np.linalg.inv(np.eye(self.kept) + modes @ said.precision @ modes.T)
            codes.append(covariance @ (modes @ (said.pull - said.precision @ mean)))
            variances.append(np.diag(covariance))
        return np.stack(codes), np.stack(variances)

    def gauged(self, field: Field, states: Array) -> Array:
        """f, h_ego and h_alt of any vector field at some states, in the gauge of the prior."""
        window = np.linspace(*self.shared, _WINDOW)
        size = float(np.sqrt(np.square(field.h_ego(window)).mean())) or 1.0
        size = -size if field.h_alt(window).mean() < 0 else size
        return np.stack([field.f(states), field.h_ego(states) / size, size * field.h_alt(states)])

    @property
    def importance(self) -> Array:
        """(kept,) trajectory error, relative to the states, that a code of 1 causes."""
        modes = self.modes[: self.kept].reshape(self.kept, -1)
        squares = np.einsum("ki,ij,kj->k", modes, self.metric, modes)
        return np.asarray(np.sqrt(np.clip(squares, 0.0, None)))

    def learn(
        self,
        graph: nx.Graph[Any] | Graph,
        frames: Series | Sequence[Run],
        *,
        members: int = 32,
        seed: int = 1,
    ) -> Ensemble:
        """What frames say of the functions of one system; see `nodeflow.priors.learn`.

        Args:
            graph: the network, with up to 1,024 observed nodes.
            frames: of one run or more, at two times or more each, uneven ones too.
            members: draws from the posterior, at least 2; in pairs around its mode.
            seed: all random numbers follow from it.

        Returns:
            The draws as an ensemble; `predict`, `save_ensemble` and `nodeflow.load_ensemble` are
            those of trained ones. `made["evidence"]` compares priors on the same frames: the one
            with the largest fits best.

        Raises:
            SeriesProblem: the frames do not fit the network.
            PriorProblem: a single frame, states of another range, or too many nodes.

        Warns:
            UserWarning: each of the ensemble's `notes`, one of them if the prior does not fit.
        """
        from nodeflow.priors.learn import learn

        return learn(self, graph, frames, members=members, seed=seed)


@one_thread_if_small
def fit_prior(members: Sequence[Estimate], made: Mapping[str, Any] | None = None) -> Prior:
    """Fit a Gaussian over functions.

    Args:
        members: at least 10, of systems with other coefficients, on any graphs; estimated with
            `ridge=0`, as `estimate_member` does, for a ridge is no data.
        made: what the file of the prior should say of them.

    Raises:
        PriorProblem: too few members, states below 0, or none that all members have seen.
    """
    _check_members(members)
    low = max(float(x.points[0]) for x in members)
    high = min(float(x.points[-1]) for x in members)
    largest = max(float(x.points[-1]) for x in members)
    states = np.square(np.linspace(0.0, np.sqrt(largest), _STATES))
    window = np.linspace(max(low, 0.0), high, _WINDOW)
    gauged = [_gauged(x, window) for x in members]
    start = np.stack([continued(x, states) for x in gauged])
    unit = np.median(np.abs(start), axis=0)
    unit = np.maximum(unit, 0.01 * unit.max(axis=1, keepdims=True))
    unit = np.where(unit > 0, unit, 1.0).ravel()
    spoken = [_spoken(x, states, unit, window) for x in gauged]
    mean, covariance = _expectation_maximization(
        spoken, start.reshape(len(start), -1) / unit, states
    )
    metric = np.mean([x.metric for x in spoken], axis=0)
    modes, kept, error = modes_of(covariance, metric)
    shape = (3, len(states))
    return Prior(
        states,
        (unit * mean).reshape(shape),
        (unit[:, None] * modes).T.reshape(-1, *shape),
        kept,
        error,
        _seen_by_many(members),
        metric / np.outer(unit, unit),
        {**(made or {}), "members": len(members), "shared": [float(low), float(high)]},
    )


def _check_members(members: Sequence[Estimate]) -> None:
    if len(members) < FEWEST_MEMBERS:
        raise PriorProblem(
            f"{len(members)} members are too few for a prior; give at least {FEWEST_MEMBERS}, and "
            "rather a hundred."
        )
    for k, member in enumerate(members):
        if not (np.isfinite(member.values).all() and np.isfinite(member.root).all()):
            raise PriorProblem(f"Member {k} is not finite; leave it out.")
        reach = float(member.points[-1] - member.points[0])
        if member.points[0] < -0.01 * reach:
            raise PriorProblem(
                f"Member {k} has states down to {member.points[0]:.4g}, and priors are of states "
                "from 0; give what it is above its smallest possible value."
            )
    low, high = max(x.points[0] for x in members), min(x.points[-1] for x in members)
    if not low < high:
        raise PriorProblem(
            f"There is no state that all members have seen: one begins at {low:.4g}, another ends "
            f"at {high:.4g}; leave out those apart from the others, or give runs from lower states."
        )


def _seen_by_many(members: Sequence[Estimate]) -> tuple[float, float]:
    lows = np.sort([max(float(x.points[0]), 0.0) for x in members])
    highs = np.sort([float(x.points[-1]) for x in members])[::-1]
    place = int(np.ceil(_COMMON * len(members))) - 1
    return float(lows[place]), float(highs[place])


def _to(given: Array, wanted: Array) -> Array:
    """Cubic interpolation in √x, (wanted, given)."""
    roots = np.sqrt(np.clip(given, 0.0, None))
    spline = CubicSpline(roots, np.eye(len(given)))
    return np.asarray(spline(np.clip(np.sqrt(np.clip(wanted, 0.0, None)), roots[0], roots[-1])))


def _gauged(member: Estimate, window: Array) -> Estimate:
    """With h_ego of root mean square 1, and h_alt of positive mean, in the shared window."""
    _, h_ego, h_alt = member.values @ _distinct(member, window).T
    size = float(np.sqrt(np.square(h_ego).mean()))
    size = (size or 1.0) * (-1.0 if h_alt.mean() < 0 else 1.0)
    factors = np.array([1.0, 1.0 / size, size])
    count = len(member.points)
    return Estimate(
        member.points,
        member.values * factors[:, None],
        member.root / np.repeat(factors, count)[:, None],
        member.floor,
        member.size,
    )


def _distinct(member: Estimate, wanted: Array) -> Array:
    """As `_to`, from the points of a member, of which several may be below 0."""
    later = max(int((member.points <= 0).sum()) - 1, 0)
    found = np.zeros((len(wanted), len(member.points)))
    found[:, later:] = _to(member.points[later:], wanted)
    return found


def continued(member: Estimate, states: Array) -> Array:
    """The functions of a member at any states, (3, K).

    Args:
        member: an estimate.
        states: (K,) rising, not negative. They go on as `neural_ode.curves.beyond` has it where
            the member has seen none.
    """
    inside = member.values @ _distinct(member, states).T
    first, last = max(float(member.points[0]), 0.0), float(member.points[-1])
    at = states[(states >= first) & (states <= last)]
    at = at if len(at) >= 3 else np.linspace(first, last, 3)
    for function, values in zip(inside, member.values @ _distinct(member, at).T, strict=True):
        under, over = states < at[0], states > at[-1]
        function[under] = beyond(at, values, below=True).at(states[under])
        function[over] = beyond(at, values).at(states[over])
    return np.asarray(inside)


@dataclass(frozen=True, eq=False)
class _Spoken:
    """What one member says about the functions at the common states, in their units.

    Attributes:
        precision: (3K, 3K).
        pull: (3K,) precision times what it says.
        metric: (3K, 3K) squared trajectory error relative to the states.
    """

    precision: Array
    pull: Array
    metric: Array


def _spoken(member: Estimate, states: Array, unit: Array, window: Array) -> _Spoken:
    to_points = np.kron(np.eye(3), _to(states, member.points)) * unit
    through = member.root.T @ to_points
    weight = max(4 * member.floor, 1e-4 * member.size) ** -2
    form = through.T @ through
    anchor = np.zeros(len(unit))
    ego = slice(len(states), 2 * len(states))
    anchor[ego] = _to(states, window).mean(axis=0) * unit[ego]
    told = float((member.values[1] @ _distinct(member, window).T).mean())
    pull = through.T @ (member.root.T @ member.values.ravel())
    return _Spoken(
        weight * form + _ANCHOR * np.outer(anchor, anchor),
        weight * pull + _ANCHOR * told * anchor,
        form / member.size**2,
    )


def smooth_kernel(states: Array) -> Array:
    """(3K, 3K) correlations of three independent smooth functions: Matérn, ν = 5/2, in √x."""
    roots = np.sqrt(states)
    distance = np.sqrt(5) * np.abs(roots[:, None] - roots) / (_LENGTH * roots[-1])
    kernel = (1 + distance + distance**2 / 3) * np.exp(-distance)
    return np.asarray(np.kron(np.eye(3), kernel + 1e-6 * np.eye(len(states))))


def _expectation_maximization(
    spoken: Sequence[_Spoken], start: Array, states: Array
) -> tuple[Array, Array]:
    smooth = _SMOOTH * smooth_kernel(states)
    mean = np.median(start, axis=0)
    apart = np.abs(start - mean)
    limit = 4 * np.median(apart, axis=0)
    clipped = np.clip(start - mean, -limit, limit)
    covariance = clipped.T @ clipped / len(start) + smooth
    for _ in range(_ITERATIONS):
        inverse = np.linalg.inv(covariance)
        drawn = inverse @ mean
        posteriors = [np.linalg.inv(inverse + x.precision) for x in spoken]
        codes = np.stack([c @ (x.pull + drawn) for c, x in zip(posteriors, spoken, strict=True)])
        mean = codes.mean(axis=0)
        deviations = codes - mean
        covariance = deviations.T @ deviations / len(codes) + np.mean(posteriors, axis=0)
        covariance = (covariance + covariance.T) / 2 + smooth / len(codes)
    return mean, covariance


def modes_of(covariance: Array, metric: Array, most: int = _MOST) -> tuple[Array, int, float]:
    """Columns whose sum of squares is a covariance, by the error that they cause, descending.

    Args:
        covariance: (3K, 3K).
        metric: as that of a prior.
        most: modes to keep at most.

    Returns:
        (3K, 3K) the columns; how many to keep, and the error that the others cause.
    """
    eigenvalues, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.clip(eigenvalues, 0.0, None))
    squares, turn = np.linalg.eigh(root.T @ metric @ root)
    squares, turn = np.clip(squares[::-1], 0.0, None), turn[:, ::-1]
    left = np.sqrt(np.append(np.cumsum(squares[::-1])[::-1], 0.0))
    kept = int(min(np.flatnonzero(left < _LEFT)[0], most))
    kept = max(kept, 1)
    modes = root @ turn
    # Eigenvectors have no sign of their own; the largest part of a mode is positive.
    signs = np.sign(modes[np.abs(modes).argmax(axis=0), np.arange(modes.shape[1])])
    return modes * signs, kept, float(left[kept])
