"""Laws fitted through integrated trajectories: parameters and initial states by Gauss–Newton steps.

Residuals are those of integrated trajectories of the law itself. Their derivatives are taken along
the reference trajectories (`along`), which are close by: steps then converge as fast, and cost a
fraction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nodeflow.dynamics.integrate import simulate
from nodeflow.dynamics.systems import Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.laws.along import Along, Grid
from nodeflow.laws.atoms import Scale
from nodeflow.laws.data import Group
from nodeflow.laws.form import Form, field_of

__all__ = ["Fit", "along_fit", "columns_of", "fit", "precision_for", "trajectories_of"]

Array = NDArray[np.float64]

_STEPS, _HALVINGS = 6, 4
_LITTLE = 0.1
"""Steps end where the loss should fall by less than so many variances of the noise."""

_FAR = 10.0
"""Times the largest state seen: beyond it no trajectory of a law that fits can be."""

_FIRST_STEPS, _MORE_STEPS = 1_000, 3
"""Steps of integration before anything is known of the law, and times the steps of one that fits: a
law that needs more is exploding."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A law with the initial states that go with it.

    Attributes:
        form: its form.
        parameters: (P,).
        initials: for each group, (M, n).
        states: for each group, (M, T, n) at the observed times.
        loss: sum of squared residuals.
        steps: of the integration, the most of any trajectory.
        converged: further steps would not lower the loss.
        normal: (P, P): loss / 2 by parameters, second derivatives, initial states eliminated.
    """

    form: Form
    parameters: Array
    initials: tuple[Array, ...]
    states: tuple[Array, ...]
    loss: float
    steps: int
    converged: bool
    normal: Array

    def covariance(self, noise: float) -> Array:
        """Of the parameters, (P, P), where observations have this noise."""
        scale = np.sqrt(np.maximum(np.diag(self.normal), 1e-300))
        inverse = np.linalg.pinv(self.normal / np.outer(scale, scale), hermitian=True, rcond=1e-13)
        return np.asarray(noise**2 * inverse / np.outer(scale, scale))


def precision_for(noise: float, size: float, fitted: Fit | None = None) -> Tolerance:
    """Errors of integration well below the noise; steps that suit laws close to one that fits."""
    relative = float(np.clip(0.02 * noise / size, 1e-8, 1e-4))
    steps = _FIRST_STEPS if fitted is None else _MORE_STEPS * fitted.steps + 50
    return Tolerance(relative, relative * size, steps)


def trajectories_of(
    form: Form, parameters: Array, group: Group, initial: Array, times: Array, precision: Tolerance
) -> tuple[Array, int] | None:
    """States (M, T, n) of a law and steps it took; None where it cannot be integrated."""
    if not np.isfinite(initial).all():
        return None
    limit = _FAR * float(np.abs(group.states).max())
    simulated = simulate(
        _bounded(field_of(form, parameters, group.covariates), limit),
        group.adjacency, initial, times,
        **asdict(precision),
    )  # fmt: skip
    return None if any(simulated.reason) else (simulated.states, int(simulated.steps.max()))


def _bounded(field: Field, limit: float) -> Field:
    """A field that is no number once a state is beyond a limit: what explodes ends at once."""

    def f(x: Array) -> Array:
        if not np.abs(x).max() <= limit:
            return np.full_like(x, np.nan)
        return field.f(x)

    return replace(field, f=f)


def along_fit(
    fitted: Fit, groups: Sequence[Group], grids: Sequence[Grid], precision: Tolerance
) -> list[Along] | None:
    """Reference trajectories of a fitted law; None where it cannot be integrated."""
    alongs = []
    for group, grid, initial in zip(groups, grids, fitted.initials, strict=True):
        times = np.union1d(grid.at, group.times)
        solved = trajectories_of(fitted.form, fitted.parameters, group, initial, times, precision)
        if solved is None:
            return None
        states, _ = solved
        path = states[:, np.searchsorted(times, grid.at)]
        model = states[:, np.searchsorted(times, group.times)]
        field = field_of(fitted.form, fitted.parameters, group.covariates)
        alongs.append(Along.of(group, grid, path, model, field))
    return alongs


def columns_of(form: Form, parameters: Array, along: Along) -> Array:
    """Derivatives of the velocity by the parameters along a path, (M, Q, n, P)."""
    x = along.path
    _, own = form.by_parameters("f", parameters, x, along.group.covariates)
    ego, by_ego = form.by_parameters("h_ego", parameters, x)
    alt, by_alt = form.by_parameters("h_alt", parameters, x)
    parts = [own]
    if by_ego.shape[-1]:
        parts.append(along.received(alt)[..., None] * by_ego)
    parts += [(ego * along.received(column))[..., None] for column in np.moveaxis(by_alt, -1, 0)]
    return np.concatenate(parts, -1)


def fit(
    form: Form,
    parameters: Array,
    alongs: Sequence[Along],
    *,
    noise: float,
    scale: Scale,
    precision: Tolerance,
    steps: int = _STEPS,
    initials: Sequence[Array] | None = None,
    limit: float = np.inf,
) -> Fit | None:
    """Fit a law through its trajectories.

    More than eight parameters, because a step needs the law, its references and how precise they
    are; the last three are rarely given.

    None where it cannot be integrated from the start, or is given up.

    Args:
        form: of the law.
        parameters: (P,) to start from.
        alongs: reference trajectories with observations.
        noise: standard deviation of the observations.
        scale: sizes of the states.
        precision: of the integration.
        steps: at most so many.
        initials: initial states to start from; by default those of the references.
        limit: a loss above which a law is of no interest: on its way to more it is given up.
    """
    low, high = form.bounds(scale)
    p = np.clip(parameters, low, high)
    start = [x.model[:, 0] for x in alongs] if initials is None else list(initials)
    now = _integrated(form, p, alongs, start, precision)
    if now is None:
        return None
    for step in range(steps + 1):
        direction = _Direction.of(form, p, alongs, now.states)
        converged = direction.gain < _LITTLE * noise**2
        if converged or step == steps:
            break
        if step and now.loss - direction.gain > limit:
            return None
        share = 1.0
        for _ in range(_HALVINGS):
            q = np.clip(p + share * direction.change, low, high)
            moved = direction.initials(alongs, start, q - p, share)
            trial = _integrated(form, q, alongs, moved, precision)
            if trial is not None and trial.loss < now.loss:
                break
            share *= 0.3
        else:
            break
        p, start, now = q, moved, trial
    return Fit(form, p, tuple(start), now.states, now.loss, now.steps, converged, direction.normal)


@dataclass(frozen=True, eq=False)
class _Integrated:
    states: tuple[Array, ...]
    loss: float
    steps: int


def _integrated(
    form: Form, p: Array, alongs: Sequence[Along], start: Sequence[Array], precision: Tolerance
) -> _Integrated | None:
    """Trajectories of a law with the sum of its squared residuals."""
    states, loss, steps = [], 0.0, 0
    for along, initial in zip(alongs, start, strict=True):
        solved = trajectories_of(form, p, along.group, initial, along.group.times, precision)
        if solved is None:
            return None
        states.append(solved[0])
        loss += float(np.square(along.group.states - solved[0]).sum())
        steps = max(steps, solved[1])
    return _Integrated(tuple(states), loss, steps)


@dataclass(frozen=True, eq=False)
class _Direction:
    """A Gauss–Newton step.

    Attributes:
        shares: by group, what initial states can do of the responses to the parameters, and of
            the residuals, (M, n, P + 1).
        normal: (P, P), initial states eliminated.
        change: (P,) of the parameters.
        gain: by how much the loss should fall, initial states included.
    """

    shares: list[Array]
    normal: Array
    change: Array
    gain: float

    @classmethod
    def of(
        cls, form: Form, p: Array, alongs: Sequence[Along], states: Sequence[Array]
    ) -> _Direction:
        """From the residuals of these trajectories."""
        shares, gain = [], 0.0
        normal, gradient = np.zeros((len(p), len(p))), np.zeros(len(p))
        for along, x in zip(alongs, states, strict=True):
            rows = np.concatenate(
                [along.responses(along.integrals(columns_of(form, p, along))), along.residual(x)],
                -1,
            )
            own = along.shares(rows)
            left = along.without(rows, own)
            normal += left[:, :-1].T @ left[:, :-1]
            gradient += left[:, :-1].T @ left[:, -1]
            gain += float(np.square(own[..., -1]).sum())
            shares.append(own)
        unit = np.sqrt(np.maximum(np.diag(normal), 1e-300))
        scaled = normal / np.outer(unit, unit)
        change = np.linalg.lstsq(scaled, gradient / unit, rcond=1e-13)[0] / unit
        return cls(shares, normal, change, gain + float(gradient @ change))

    def initials(
        self, alongs: Sequence[Along], start: Sequence[Array], change: Array, share: float
    ) -> list[Array]:
        """Initial states after a change of the parameters, `share` of the way."""
        return [
            x + along.initial_change(share * own[..., -1] - own[..., :-1] @ change)
            for x, along, own in zip(start, alongs, self.shares, strict=True)
        ]
