"""What functions are estimated from: smooth runs, what splines are along them, and equations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nodeflow.neural_ode.interpolation import place_knots
from nodeflow.neural_ode.splines import Splines, smooth

__all__ = ["Array", "SlopeRows", "SmoothData"]

Array = NDArray[np.float64]

Matrix = Array | csr_array

_KEPT = 2**24
"""Largest number of values of basis functions that are kept, not computed when they are needed."""

_ROWS = 2**17
"""States at which slopes are fitted, at most."""


@dataclass(frozen=True)
class _Basis:
    """Basis functions at states, their derivatives, and their sums over neighbours, (…, n, P)."""

    phi: Array
    dphi: Array
    psi: Array

    @classmethod
    def at(cls, splines: Splines, adjacency: Matrix, x: Array) -> _Basis:
        phi = splines.basis(x)
        return cls(phi, splines.slopes(x), _received(adjacency, phi))

    def part(self, runs: slice, time: int) -> _Basis:
        return _Basis(self.phi[runs, time], self.dphi[runs, time], self.psi[runs, time])


@dataclass(frozen=True)
class SlopeRows:
    """Basis functions, their sums over neighbours, and slopes, wherever slopes are fitted."""

    phi: Array
    psi: Array
    slope: Array

    def interaction(self, coefficients: Array) -> tuple[Array, Array]:
        """h_ego, and the sum of h_alt over neighbours."""
        _, ego, alter = coefficients.reshape(3, -1)
        return self.phi @ ego, self.psi @ alter

    def residual(self, coefficients: Array) -> Array:
        """Velocity minus observed slope."""
        h_ego, received = self.interaction(coefficients)
        return self.phi @ coefficients[: self.phi.shape[-1]] + h_ego * received - self.slope

    def forcing(self, h_ego: Array, received: Array) -> Array:
        """Derivative of the velocity by the coefficients, (…, 3P)."""
        ego, alter = received[..., None] * self.phi, h_ego[..., None] * self.psi
        return np.concatenate([self.phi, ego, alter], -1)


@dataclass(frozen=True)
class SmoothData:
    """Observed states and what the basis functions are along them.

    Arrays have the axes trajectory m, time q, node i, basis function p.

    Attributes:
        splines: of the three functions.
        adjacency: of the graph.
        step: (M,) time steps of the error equation.
        weight: (M,) how much a run counts: its number of times over the mean of all runs.
        x: (M, Q, n) smooth states.
        slope: (M, Q, n) their slopes.
        state_noise: what is left of the noise in them.
        slope_noise: likewise.
        basis: at all states, if that is not too much.
    """

    splines: Splines
    adjacency: Matrix
    step: Array
    weight: Array
    x: Array
    slope: Array
    state_noise: float
    slope_noise: float
    basis: _Basis | None

    @classmethod
    def of(
        cls,
        groups: Sequence[tuple[Array, NDArray[np.floating]]],
        adjacency: Matrix,
        steps: int,
        knots: int,
    ) -> SmoothData:
        """Smooth every run, and evaluate the splines along them."""
        ats = [np.linspace(times[0], times[-1], steps + 1) for times, _ in groups]
        smoothed = [smooth(times, x, at) for (times, x), at in zip(groups, ats, strict=True)]
        runs = [len(x) for _, x in groups]
        counts = np.repeat([float(len(times)) for times, _ in groups], runs)
        states = np.concatenate([x.states for x in smoothed])
        splines = Splines.on(place_knots(states, knots + 1))
        share = [math.sqrt(count / sum(runs)) for count in runs]
        kept = states.size * splines.count <= _KEPT
        return cls(
            splines=splines,
            adjacency=adjacency,
            step=np.repeat([float(at[1] - at[0]) for at in ats], runs),
            weight=counts / counts.mean(),
            x=states,
            slope=np.concatenate([x.slopes for x in smoothed]),
            state_noise=math.hypot(
                *(a * x.state_noise for a, x in zip(share, smoothed, strict=True))
            ),
            slope_noise=math.hypot(
                *(a * x.slope_noise for a, x in zip(share, smoothed, strict=True))
            ),
            basis=_Basis.at(splines, adjacency, states) if kept else None,
        )

    @property
    def blocks(self) -> list[slice]:
        """Runs whose errors are followed together: all on small graphs, each alone on large."""
        count = len(self.x)
        if isinstance(self.adjacency, np.ndarray):
            return [slice(0, count)]
        return [slice(m, m + 1) for m in range(count)]

    def basis_at(self, runs: slice, time: int) -> _Basis:
        """The basis functions at the states of some runs at one time."""
        if self.basis is not None:
            return self.basis.part(runs, time)
        return _Basis.at(self.splines, self.adjacency, self.x[runs, time])

    @cached_property
    def all_rows(self) -> SlopeRows:
        """Where the slopes of the functions themselves are fitted."""
        return self.rows(self.splines, 1)

    def rows(self, splines: Splines, every: int) -> SlopeRows:
        """Where slopes are fitted: at every so many-th time, of large data at some of the nodes."""
        x, slope = self.x[:, ::every], self.slope[:, ::every]
        apart = -(-x.size // _ROWS)
        if apart == 1:
            if splines is self.splines and self.basis is not None and every == 1:
                return SlopeRows(self.basis.phi, self.basis.psi, slope)
            phi = splines.basis(x)
            return SlopeRows(phi, _received(self.adjacency, phi), slope)
        parts = []
        for q in range(x.shape[1]):
            nodes = slice(q % apart, None, apart)
            phi = splines.basis(x[:, q])
            psi = _received(self.adjacency[nodes], phi)
            parts.append((phi[:, nodes], psi, slope[:, q, nodes, None]))
        flat = [
            np.concatenate([x.reshape(-1, x.shape[-1]) for x in y])
            for y in zip(*parts, strict=True)
        ]
        return SlopeRows(flat[0], flat[1], flat[2][:, 0])


def _received(adjacency: Matrix, values: Array) -> Array:
    """Sums over neighbours of values (…, n, P)."""
    if isinstance(adjacency, np.ndarray):
        return np.asarray(np.matmul(adjacency, values))
    flat = values.reshape(-1, *values.shape[-2:])
    received = np.stack([adjacency @ x for x in flat])
    return received.reshape(*values.shape[:-2], *received.shape[-2:])
