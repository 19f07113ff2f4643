"""Where frames place a system in a prior: the mode of the posterior, and the Gaussian around it.

Unknown are the codes z of the functions in the prior, and the true initial states of each run. The
mode is found by Gauss–Newton steps with damping (Levenberg–Marquardt) through integrated
trajectories, whose derivatives are integrated with them; the posterior is Gaussian around it
(Laplace's method). The size of the noise is estimated between rounds with the effective number of
parameters (MacKay 1992, Neural Comput. 4, 415), from a tenth of the states downwards, which takes
the likelihood in gradually.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import fdtrc

from nodeflow.neural_ode.observations import Observations
from nodeflow.priors.gaussian import Prior
from nodeflow.priors.pieces import Functions
from nodeflow.priors.problem import PriorProblem

__all__ = ["Posterior", "Search"]

Array = NDArray[np.float64]

_STEPS = 48
"""Steps of the integration in the longest run at least, in shorter ones in proportion."""

_FAST = 0.5
"""Longest step, in relaxation times of the fastest node."""

_MOST_STEPS = 480
"""More are asked for by functions on the way to an answer, not by the answer."""

_WILD = 1e8
"""Derivatives of states, in units of the states, from which a trajectory is given up as one that is
not finite."""

_ROUNDS, _TRIES = 15, 10
_PAIR_ROUNDS = 3

_IDLE = 0.1
"""Gain of a round, twice that of the logarithm of the posterior, below which more are in vain."""

_SETTLED = 0.01
"""Relative change of the noise from which on rounds end."""

_FIRST_NOISE = 0.1
"""Of the states, in which the fit begins."""

_PATIENCE = 5
"""Rounds after which more than that is left by a prior that explains nothing, and more are in vain:
another family's fits are the slowest of all, and no answer waits at their end."""


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
class Posterior:
    """The posterior.

    Attributes:
        codes: (p,) its mode.
        starts: for each run its initial states (n,) there.
        precision: (p, p) with the initial states integrated out.
        noise: standard deviation of the observations around the trajectories.
        size: root mean square of the observations.
        evidence: logarithm of the probability density of the frames, but for a constant.
        misfit: probability that noise depends on the states as what is left of the frames does;
            NaN if they are too few to tell.
    """

    codes: Array
    starts: tuple[Array, ...]
    precision: Array
    noise: float
    size: float
    evidence: float
    misfit: float


@dataclass(frozen=True, eq=False)
class Search:
    """Frames, network, and the functions as pieces of polynomials of √x.

    Attributes:
        runs: the frames.
        network: (n, n) adjacency.
        functions: mean and modes.
        size: root mean square of the states.
        floor: smallest noise: what the modes left out explain.
        duration: of the longest run.
    """

    runs: tuple[_Run, ...]
    network: csr_array
    functions: Functions
    size: float
    floor: float
    duration: float

    @classmethod
    def of(cls, prior: Prior, data: Observations) -> Search:
        """What is sought in observations of one graph."""
        runs = tuple(
            _Run(times, states.astype(np.float64))
            for times, several in data.groups
            for states in several
        )
        size = math.sqrt(np.concatenate([x.states.ravel() ** 2 for x in runs]).mean())
        network: csr_array = csr_array(data.adjacency.astype(np.float64))
        floor = max(prior.error, 1e-5) * size
        duration = max(float(x.times[-1] - x.times[0]) for x in runs)
        return cls(runs, network, Functions.of(prior), size, floor, duration)

    @property
    def _later(self) -> int:
        """Number of observations less that of initial states."""
        return sum(x.states.size - x.states.shape[1] for x in self.runs)

    def solved(self, before: Posterior | None = None) -> Posterior:
        """The posterior, after rounds of steps between which the noise is estimated.

        Args:
            before: where initial states and noise are sought from; else from the first frames, and
                from a tenth of the states downwards, with codes that lead from each frame to the
                next.
        """
        none, first = np.zeros(self.functions.count), _FIRST_NOISE * self.size
        if before is not None:
            return self._posterior(*self._sought(none, before.starts, before.noise))
        pairs = self._pairs()
        if len(pairs.runs) == len(self.runs):
            return self._posterior(*self._sought(none, self._first, first))
        nearby, _ = pairs._sought(none, pairs._first, first, _PAIR_ROUNDS)
        start = none if self._at(nearby.codes, self._first) is None else nearby.codes
        return self._posterior(*self._sought(start, self._first, first))

    def _pairs(self) -> Search:
        """The same with each two frames in a row as a run of their own.

        Errors of functions grow along trajectories, in systems of two states that are nearly
        stable so much that no step leads from the mean of the prior to the mode. From one frame to
        the next they do not (multiple shooting: Bock 1981, Springer Ser. Chem. Phys. 18, 102).
        """
        return replace(
            self,
            runs=tuple(
                _Run(run.times[k : k + 2], run.states[k : k + 2])
                for run in self.runs
                for k in range(len(run.times) - 1)
            ),
        )

    @property
    def _first(self) -> tuple[Array, ...]:
        """The first frame of each run."""
        return tuple(np.maximum(x.states[0], 0.0) for x in self.runs)

    def _sought(
        self, codes: Array, starts: tuple[Array, ...], noise: float, rounds: int = _ROUNDS
    ) -> tuple[_Point, float]:
        """The mode and the noise, from some codes, initial states and noise on."""
        point = self._at(codes, starts)
        if point is None:
            raise PriorProblem(
                "The mean of the prior cannot be integrated through the times of the frames; give "
                "times and states in the units of its members, or take another prior."
            )
        noise = min(noise, max(math.sqrt(point.square / self._later), self.floor))
        for number in range(1, rounds + 1):
            point, ended = self._improved(point, noise)
            last, noise = noise, self._noise(point, noise)
            if ended and abs(noise - last) < _SETTLED * last:
                break
            if number >= _PATIENCE and noise > _FIRST_NOISE * self.size:
                break
        return point, noise

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
        pieces = self.functions.pieces(codes)
        x, s = start, np.concatenate([np.zeros((n, p)), np.eye(n)], axis=1)
        states, slopes = [x], [s]
        for length, steps in self._steps(run, pieces):
            found = self.functions.advanced(pieces, self.network, x, s, length / steps, steps)
            if found is None:
                return None
            x, s = found
            states.append(x)
            slopes.append(s)
        path = np.stack(states), np.stack(slopes)
        return path if np.abs(path[1]).max() < _WILD * max(self.size, 1.0) else None

    def _steps(self, run: _Run, pieces: Array) -> Iterator[tuple[float, int]]:
        """For each time between frames, its length and the number of steps through it."""
        # Near 0 functions of √x are steep, but not for long.
        states = np.maximum(run.states.T, self.functions.width**2)
        values, slopes = self.functions.at(pieces, states.ravel())
        received = self.network @ values[:, 2].reshape(states.shape)
        rate = float(np.abs(slopes[:, 0] + slopes[:, 1] * received.ravel()).max())
        longest = min(self.duration / _STEPS, _FAST / max(rate, 1e-300))
        longest = max(longest, self.duration / _MOST_STEPS)
        for length in np.diff(run.times):
            yield float(length), math.ceil(length / longest * (1 - 1e-9))

    def _improved(self, point: _Point, noise: float) -> tuple[_Point, bool]:
        """Levenberg–Marquardt steps at one size of the noise, and whether more would be in vain.

        States are not negative, nor are initial ones, where noise would have them so.
        """
        damping = 1e-3
        loss = float(point.square / noise**2 + point.codes @ point.codes)
        before = loss
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
        return point, before - loss < _IDLE * (1 + 1e-3 * loss)

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

    def _posterior(self, point: _Point, noise: float) -> Posterior:
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
        return Posterior(point.codes, point.starts, precision, noise, self.size, evidence, misfit)

    def _misfit(self, point: _Point, noise: float) -> float:
        """Probability of chance, by an F test of what is left against the states of nodes.

        Its columns are the states of nodes, what they receive of them, and their squares and
        product, constant and growing in time, less what the unknowns can do: a score test.
        """
        extra = []
        for run, path in zip(self.runs, point.paths, strict=True):
            received = (self.network @ path.T).T
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
