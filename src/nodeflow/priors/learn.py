"""The functions of one system from few frames and a prior.

Unknown are the codes z of the functions in the prior, and the true initial states of each run. The
posterior mode is found by Gauss–Newton steps with damping (Levenberg–Marquardt) through integrated
trajectories, whose derivatives are integrated with them; the posterior is Gaussian around it
(Laplace's method). The size of the noise is estimated between rounds with the effective number of
parameters (MacKay 1992, Neural Comput. 4, 415), from a tenth of the states downwards, which takes
the likelihood in gradually.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.sparse import csr_array
from scipy.special import fdtrc

from nodeflow.data.gaps import observed_part
from nodeflow.data.limits import limits, same_strength
from nodeflow.data.series import Run, Series
from nodeflow.graphs.graph import Graph, from_networkx
from nodeflow.neural_ode.curves import Curves
from nodeflow.neural_ode.ensemble import Ensemble, data_facts, sorted_runs
from nodeflow.neural_ode.observations import Observations, observed
from nodeflow.neural_ode.seen import Seen
from nodeflow.neural_ode.trust import LEVELS, Calibration
from nodeflow.priors.gaussian import FEWEST_FRAMES, Prior
from nodeflow.priors.problem import PriorProblem
from nodeflow.seeds import numpy_generator
from nodeflow.threads import one_thread_if_small

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["learn", "posterior_mode"]

Array = NDArray[np.float64]
Matrix = Array | csr_array

_LARGEST = 1024
"""Observed nodes at most: each initial state is an unknown of its own."""

_STEPS = 48
"""Steps of the integration in the longest run at least, in shorter ones in proportion."""

_FAST = 0.5
"""Longest step, in relaxation times of the fastest node."""

_MOST_STEPS = 480
"""More are asked for by functions on the way to an answer, not by the answer."""

_ROUNDS, _TRIES = 15, 10
_SETTLED = 0.01
"""Relative change of the noise from which on rounds end."""

_FIRST_NOISE = 0.1
"""Of the states, in which the fit begins."""

_OTHER_RANGE = 3.0
"""Times the states of the prior's members from which frames are taken for another unit."""

_UNLIKELY = 1e-4
_MATERIAL = 3.0
"""An alarm is raised where what is left of the frames depends on the states with this probability
of chance, and is so many times larger than what the modes left out explain."""


@one_thread_if_small
def learn(
    prior: Prior,
    graph: nx.Graph[Any] | Graph,
    frames: Series | Sequence[Run],
    *,
    members: int,
    seed: int,
) -> Ensemble:
    """What frames say of the functions of one system; arguments are those of `Prior.learn`."""
    if members < 2:
        raise PriorProblem(f"members = {members}; a posterior is shown by at least two draws.")
    whole = graph if isinstance(graph, Graph) else from_networkx(graph, directed=True)
    series = sorted_runs(whole, frames)
    for run in series.runs:
        if len(run.times) < FEWEST_FRAMES:
            raise PriorProblem(
                f"Run {run.name} has a single time, and what changes is told by two; observe once "
                "more, or leave the run out."
            )
    part, trajectories = observed_part(series, whole)
    [data] = observed([part], trajectories)
    _check_frames(prior, data)
    fit = _Problem.of(prior, data).solved()
    alarm = _alarm(fit, prior)
    notes = (*(note.text for note in limits(whole, series)), *alarm)
    for note in notes:
        warnings.warn(note, UserWarning, stacklevel=4)  # past the method and the decorator
    low, high = prior.seen
    covered = ((low, high),)
    ones = (1.0,) * len(LEVELS)
    return Ensemble(
        Curves(prior.states, _draws(prior, fit, members, seed)),
        # Of an interaction that explains nothing no state is known.
        Seen(covered, (), ()) if alarm else Seen(covered, covered, covered),
        Calibration(LEVELS, ones, 0),
        fit.noise,
        same_strength(part),
        {
            "prior": dict(prior.made),
            "seed": seed,
            "evidence": fit.evidence,
            "misfit": fit.misfit,
            "alarm": list(alarm),
            **data_facts(part, data),
        },
        notes,
    )


def posterior_mode(prior: Prior, graph: Graph, frames: Sequence[Run]) -> Array:
    """The codes (kept,) that frames make the most likely; raises as `Prior.learn`."""
    part, trajectories = observed_part(sorted_runs(graph, frames), graph)
    [data] = observed([part], trajectories)
    _check_frames(prior, data)
    return _Problem.of(prior, data).solved().codes


def _check_frames(prior: Prior, data: Observations) -> None:
    n = data.adjacency.shape[0]
    if n > _LARGEST:
        raise PriorProblem(
            f"The frames are of {n} nodes, and a prior learns from up to {_LARGEST}; give the "
            "series of fewer nodes, whose functions are those of all."
        )
    low, high = data.range
    size = math.sqrt(float(np.mean([np.square(x).mean() for _, x in data.groups])))
    if low < -size / 2:
        raise PriorProblem(
            f"The frames have states down to {low:.4g}, and the prior is of states from 0; give "
            "them as differences from their smallest possible value, as its members were."
        )
    if high > _OTHER_RANGE * prior.states[-1]:
        raise PriorProblem(
            f"The frames have states up to {high:.4g}, and the members of the prior only up to "
            f"{prior.states[-1]:.4g}; give both in the same unit, or take another prior."
        )
    if all((x == x[:, :1]).all() for _, x in data.groups):
        raise PriorProblem("No state ever changes in the frames, so there is nothing to learn.")


def _draws(prior: Prior, fit: _Fit, members: int, seed: int) -> Array:
    """Functions (members, 3, K) in pairs around the mode; modes left out as in the prior."""
    generator = numpy_generator(seed, "posterior")
    kept, left = prior.modes[: prior.kept], prior.modes[prior.kept :]
    normal = generator.standard_normal(((members + 1) // 2, len(prior.modes)))
    root = np.linalg.cholesky(np.linalg.inv(fit.precision))
    apart = np.tensordot(normal[:, : prior.kept] @ root.T, kept, 1)
    apart += np.tensordot(normal[:, prior.kept :], left, 1)
    mode = prior.mean + np.tensordot(fit.codes, kept, 1)
    pairs = np.stack([mode + apart, mode - apart], axis=1)
    return np.asarray(pairs.reshape(-1, *mode.shape)[:members])


def _alarm(fit: _Fit, prior: Prior) -> tuple[str, ...]:
    if math.isnan(fit.misfit):
        return ("The frames are too few to say whether the prior fits them.",)
    if fit.misfit > _UNLIKELY or fit.noise < _MATERIAL * prior.error * fit.size:
        return ()
    return (
        f"No function of the prior explains the frames: what is left, {fit.noise:.3g} or "
        f"{fit.noise / fit.size:.2g} of the states, depends on the states of nodes and their "
        "neighbours, as noise does not. Do not trust its forecasts; take a prior of other systems, "
        "or observe more and train without one.",
    )


@dataclass(frozen=True, eq=False)
class _Run:
    """Frames of one run: times (K,), states (K, n)."""

    times: Array
    states: Array


@dataclass(frozen=True, eq=False)
class _Point:
    """Unknowns, and trajectories with their derivatives there.

    Attributes:
        codes: (p,).
        starts: for each run, (n,).
        square: residual sum of squares.
        parts: for each run the derivatives of its states by codes, (K n, p), and by initial states,
            (K n, n), and the residuals (K n,).
        paths: for each run its states (K, n).
    """

    codes: Array
    starts: tuple[Array, ...]
    square: float
    parts: tuple[tuple[Array, Array, Array], ...]
    paths: tuple[Array, ...]


@dataclass(frozen=True, eq=False)
class _Fit:
    """The posterior.

    Attributes:
        codes: (p,) its mode.
        precision: (p, p) with the initial states integrated out.
        noise: standard deviation of the observations around the trajectories.
        size: root mean square of the observations.
        evidence: logarithm of the probability density of the frames, but for a constant.
        misfit: probability that noise depends on the states as what is left of the frames does;
            NaN if they are too few to tell.
    """

    codes: Array
    precision: Array
    noise: float
    size: float
    evidence: float
    misfit: float


@dataclass(frozen=True, eq=False)
class _Problem:
    """Frames, network, and the functions as pieces of polynomials of √x.

    Attributes:
        runs: the frames.
        adjacency: (n, n).
        functions: mean and modes.
        size: root mean square of the states.
        floor: smallest noise: what the modes left out explain.
    """

    runs: tuple[_Run, ...]
    adjacency: Matrix
    functions: _Functions
    size: float
    floor: float

    @classmethod
    def of(cls, prior: Prior, data: Observations) -> _Problem:
        runs = tuple(
            _Run(times, states.astype(np.float64))
            for times, several in data.groups
            for states in several
        )
        size = math.sqrt(np.concatenate([x.states.ravel() ** 2 for x in runs]).mean())
        matrix = data.adjacency.astype(np.float64)
        floor = max(prior.error, 1e-5) * size
        return cls(runs, matrix, _Functions.of(prior), size, floor)

    @property
    def _later(self) -> int:
        """Number of observations less that of initial states."""
        return sum(x.states.size - x.states.shape[1] for x in self.runs)

    def solved(self) -> _Fit:
        """The posterior, after rounds of steps between which the noise is estimated."""
        noise = _FIRST_NOISE * self.size
        codes = np.zeros(self.functions.modes)
        point = self._at(codes, tuple(np.maximum(x.states[0], 0.0) for x in self.runs))
        if point is None:
            raise PriorProblem(
                "The mean of the prior cannot be integrated through the times of the frames; give "
                "times and states in the units of its members, or take another prior."
            )
        for _ in range(_ROUNDS):
            point, ended = self._improved(point, noise)
            before = noise
            noise = self._noise(point, noise)
            if ended and abs(noise - before) < _SETTLED * before:
                break
        return self._posterior(point, noise)

    def _at(self, codes: Array, starts: tuple[Array, ...]) -> _Point | None:
        """Trajectories at a point; None where a trajectory cannot be integrated."""
        square, parts, paths = 0.0, [], []
        with np.errstate(all="ignore"):
            for run, start in zip(self.runs, starts, strict=True):
                path = self._integrated(run, codes, start)
                if path is None:
                    return None
                states, slopes = path
                left = (run.states - states).ravel()
                flat = slopes.reshape(left.size, -1)
                parts.append((flat[:, : len(codes)], flat[:, len(codes) :], left))
                paths.append(states)
                square += float(left @ left)
        return _Point(codes, starts, square, tuple(parts), tuple(paths))

    def _integrated(self, run: _Run, codes: Array, start: Array) -> tuple[Array, Array] | None:
        """States (K, n) and their derivatives by all unknowns of the run, (K, n, p + n)."""
        p, n = len(codes), len(start)
        pieces = self.functions.pieces @ np.append(1.0, codes)
        x, s = start, np.concatenate([np.zeros((n, p)), np.eye(n)], axis=1)
        states, slopes = [x], [s]
        for length, steps in self._steps(run, pieces):
            h = length / steps
            for _ in range(steps):
                v1, w1 = self._velocity(pieces, x, s)
                v2, w2 = self._velocity(pieces, x + h / 2 * v1, s + h / 2 * w1)
                v3, w3 = self._velocity(pieces, x + h / 2 * v2, s + h / 2 * w2)
                v4, w4 = self._velocity(pieces, x + h * v3, s + h * w3)
                x = x + h / 6 * (v1 + 2 * v2 + 2 * v3 + v4)
                s = s + h / 6 * (w1 + 2 * w2 + 2 * w3 + w4)
                if not np.isfinite(x).all():
                    return None
            states.append(x)
            slopes.append(s)
        found = np.stack(states), np.stack(slopes)
        return found if np.isfinite(found[1]).all() else None

    def _steps(self, run: _Run, pieces: Array) -> Iterator[tuple[float, int]]:
        """For each time between frames, its length and the number of steps through it."""
        # Near 0 functions of √x are steep, but not for long.
        states = np.maximum(run.states.T, self.functions.width**2)
        values, slopes, _ = self.functions.at(pieces, states)
        received = self.adjacency @ values[..., 2]
        rate = float(np.abs(slopes[..., 0] + slopes[..., 1] * received).max())
        duration = max(x.times[-1] - x.times[0] for x in self.runs)
        longest = min(duration / _STEPS, _FAST / max(rate, 1e-300))
        longest = max(longest, duration / _MOST_STEPS)
        for length in np.diff(run.times):
            yield float(length), math.ceil(length / longest * (1 - 1e-9))

    def _velocity(self, pieces: Array, x: Array, s: Array) -> tuple[Array, Array]:
        """Velocities (n,), and those of the derivatives (n, p + n)."""
        values, slopes, by_code = self.functions.at(pieces, x)
        f, ego, alter = values.T
        df, dego, dalter = slopes.T
        p = by_code.shape[-1]
        received = self.adjacency @ alter
        arriving = dalter[:, None] * s
        arriving[:, :p] += by_code[:, 2]
        change = (df + dego * received)[:, None] * s + ego[:, None] * (self.adjacency @ arriving)
        change[:, :p] += by_code[:, 0] + received[:, None] * by_code[:, 1]
        return f + ego * received, change

    def _improved(self, point: _Point, noise: float) -> tuple[_Point, bool]:
        """Levenberg–Marquardt steps at one size of the noise, and whether more would be in vain.

        States are not negative, nor are initial ones, where noise would have them so.
        """
        damping = 1e-3
        loss = float(point.square / noise**2 + point.codes @ point.codes)
        for _ in range(_TRIES):
            step, starts = self._step(point, noise, damping)
            codes = point.codes + step
            moved = zip(point.starts, starts, strict=True)
            trial = self._at(codes, tuple(np.maximum(a + b, 0.0) for a, b in moved))
            new = math.inf if trial is None else trial.square / noise**2 + codes @ codes
            if trial is None or not new < loss:
                damping = max(10 * damping, 1e-3)
                continue
            gain, loss, point, damping = loss - float(new), float(new), trial, damping / 10
            if gain < 1e-3 * (1 + 1e-3 * loss):
                return point, True
        return point, False

    def _step(self, point: _Point, noise: float, damping: float) -> tuple[Array, list[Array]]:
        p = len(point.codes)
        matrix, right = np.eye(p), -point.codes.copy()
        solved = []
        for start, (by_code, by_start, left) in zip(point.starts, point.parts, strict=True):
            # Where an initial state is 0 and would be less, it stays.
            free = (start > 0) | (by_start.T @ left > 0)
            by_start = by_start * free
            inner = by_start.T @ by_start / noise**2 + np.diag(np.where(free, 0.0, 1.0))
            inner += np.diag(damping * np.diag(inner))
            across = by_start.T @ by_code / noise**2
            pull = by_start.T @ left / noise**2
            found = np.linalg.solve(inner, np.column_stack([across, pull]))
            outer = by_code.T @ by_code / noise**2
            matrix += outer + np.diag(damping * np.diag(outer)) - across.T @ found[:, :p]
            right += by_code.T @ left / noise**2 - across.T @ found[:, p]
            solved.append(found)
        step = np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
        return step, [x[:, p] - x[:, :p] @ step for x in solved]

    def _reduced(self, point: _Point, extra: Sequence[Array] = ()) -> tuple[Array, Array]:
        """What initial states cannot do of derivatives by codes and of further columns.

        Returns:
            Products of these columns with each other, and with the residuals.
        """
        found = []
        for k, (by_code, by_start, left) in enumerate(point.parts):
            columns = [by_code, *extra[k : k + 1], left]
            both = np.column_stack(columns)
            basis, _ = np.linalg.qr(by_start)
            both -= basis @ (basis.T @ both)
            found.append(both[:, :-1].T @ both)
        products = np.sum(found, axis=0)
        return products[:, :-1], products[:, -1]

    def _freedom(self, point: _Point, noise: float) -> float:
        """Observations less the effective number of unknowns."""
        form, _ = self._reduced(point)
        eigenvalues = np.clip(np.linalg.eigvalsh((form + form.T) / 2), 0.0, None) / noise**2
        return float(self._later - (eigenvalues / (1 + eigenvalues)).sum())

    def _noise(self, point: _Point, noise: float) -> float:
        freedom = max(self._freedom(point, noise), 1.0)
        return max(math.sqrt(point.square / freedom), self.floor)

    def _posterior(self, point: _Point, noise: float) -> _Fit:
        form, _ = self._reduced(point)
        precision = (form + form.T) / (2 * noise**2) + np.eye(len(point.codes))
        known = sum(
            float(np.linalg.slogdet(by_start.T @ by_start)[1]) for _, by_start, _ in point.parts
        )
        evidence = (
            -0.5 * point.square / noise**2
            - self._later * math.log(noise)
            - 0.5 * float(point.codes @ point.codes)
            - 0.5 * known
            - 0.5 * float(np.linalg.slogdet(precision)[1])
        )
        misfit = self._misfit(point, noise)
        return _Fit(point.codes, precision, noise, self.size, evidence, misfit)

    def _misfit(self, point: _Point, noise: float) -> float:
        """Probability of chance, by an F test of what is left against the states of nodes.

        Its columns are the states of nodes, what they receive of them, and their squares and
        product, constant and growing in time, less what the unknowns can do: a score test.
        """
        extra = []
        for run, path in zip(self.runs, point.paths, strict=True):
            received = (self.adjacency @ path.T).T
            received = received / max(float(np.abs(received).max()), 1e-300)
            own = path / max(float(np.abs(path).max()), 1e-300)
            forms = [np.ones_like(own), own, received, own**2, own * received, received**2]
            time = (run.times - run.times[0]) / (run.times[-1] - run.times[0])
            columns = [form * at[:, None] for form in forms for at in (np.ones_like(time), time)]
            extra.append(np.stack([x.ravel() for x in columns], axis=1))
        p = len(point.codes)
        form, right = self._reduced(point, extra)
        inner = form[:p, :p] + noise**2 * np.eye(p)
        solved = np.linalg.solve(inner, np.column_stack([form[:p, p:], right[:p]]))
        score = right[p:] - form[p:, :p] @ solved[:, -1]
        left = form[p:, p:] - form[p:, :p] @ solved[:, :-1]
        eigenvalues, vectors = np.linalg.eigh((left + left.T) / 2)
        clear = eigenvalues > 1e-8 * max(float(np.trace(form[p:, p:])), 1e-300)
        explained = float(np.sum((vectors.T @ score)[clear] ** 2 / eigenvalues[clear]))
        rank = int(clear.sum())
        freedom = self._freedom(point, noise) - rank
        if rank == 0 or freedom < 1:
            return math.nan
        rest = max(point.square - explained, 1e-300)
        return float(fdtrc(rank, freedom, (explained / rank) / (rest / freedom)))


@dataclass(frozen=True, eq=False)
class _Functions:
    """Mean and modes as cubic pieces of √x.

    Attributes:
        pieces: (4, K − 1, 3, 1 + p) coefficients, highest power first.
        width: of the pieces, in √x.
        largest: state where they end; beyond it functions are continued by lines.
    """

    pieces: Array
    width: float
    largest: float

    @classmethod
    def of(cls, prior: Prior) -> _Functions:
        values = np.concatenate([prior.mean[None], prior.modes[: prior.kept]])
        roots = np.sqrt(prior.states)
        pieces = np.asarray(CubicSpline(roots, np.moveaxis(values, (2, 1, 0), (0, 1, 2))).c)
        return cls(pieces, float(roots[1]), float(prior.states[-1]))

    @property
    def modes(self) -> int:
        """How many modes there are."""
        return int(self.pieces.shape[-1]) - 1

    def at(self, pieces: Array, x: Array) -> tuple[Array, Array, Array]:
        """The functions, and their derivatives by the states and by the codes.

        Args:
            pieces: (4, K − 1, 3) of the functions with their codes.
            x: states of any shape.

        Returns:
            Shapes (*x.shape, 3) twice, and (*x.shape, 3, p).
        """
        root = np.sqrt(np.clip(x, 0.0, self.largest))
        # What is no number any more stays none, in the first piece as in any.
        piece = np.minimum(np.nan_to_num(root) // self.width, self.pieces.shape[1] - 1)
        piece = piece.astype(np.int64)
        u = root - piece * self.width
        powers = np.stack([u**3, u**2, u, np.ones_like(u)])
        steep = np.where(x < 0, 0.0, 0.5 / np.maximum(root, self.width / 4))
        by_root = np.stack([3 * u**2, 2 * u, np.ones_like(u), np.zeros_like(u)]) * steep
        over = np.maximum(x - self.largest, 0.0)
        weights = powers + over * by_root
        values = np.einsum("c...,c...f->...f", weights, pieces[:, piece])
        slopes = np.einsum("c...,c...f->...f", by_root, pieces[:, piece])
        by_code = np.einsum("c...,c...fp->...fp", weights, self.pieces[:, piece, :, 1:])
        return values, slopes, by_code
