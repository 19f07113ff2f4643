"""Functions of a prior as pieces of polynomials, and trajectories with their derivatives.

Posteriors integrate thousands of them, so steps are compiled as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.sparse import csr_array

from nodeflow.compiled import njit
from nodeflow.priors.gaussian import Prior

__all__ = ["Functions"]

Array = NDArray[np.float64]
Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Functions:
    """Mean and modes as cubic pieces of √x.

    Attributes:
        mean: (4, K − 1, 3) coefficients, highest power first.
        modes: (4, K − 1, 3, p) those of the modes.
        width: of the pieces, in √x.
        largest: state where they end; beyond it functions are continued by lines.
    """

    mean: Array
    modes: Array
    width: float
    largest: float

    @classmethod
    def of(cls, prior: Prior) -> Functions:
        """Those of the modes that frames are asked for."""
        values = np.concatenate([prior.mean[None], prior.modes[: prior.kept]])
        roots = np.sqrt(prior.states)
        pieces = np.asarray(CubicSpline(roots, np.moveaxis(values, (2, 1, 0), (0, 1, 2))).c)
        return cls(
            np.ascontiguousarray(pieces[..., 0]),
            np.ascontiguousarray(pieces[..., 1:]),
            float(roots[1]),
            float(prior.states[-1]),
        )

    @property
    def count(self) -> int:
        """How many modes there are."""
        return int(self.modes.shape[-1])

    def pieces(self, codes: Array) -> Array:
        """(4, K − 1, 3) of the functions with some codes."""
        return np.asarray(self.mean + self.modes @ codes)

    def at(self, pieces: Array, x: Array) -> tuple[Array, Array]:
        """The functions and their derivatives at states (n,), both (n, 3)."""
        values, slopes = np.empty((len(x), 3)), np.empty((len(x), 3))
        _evaluate(pieces, self.width, self.largest, x, values, slopes)
        return values, slopes

    def advanced(
        self, pieces: Array, network: csr_array, x: Array, s: Array, h: float, steps: int
    ) -> tuple[Array, Array] | None:
        """States and their derivatives after Runge–Kutta steps of fourth order.

        Args:
            pieces: of the functions with their codes.
            network: (n, n) adjacency.
            x: (n,) states.
            s: (n, p + …) their derivatives by p codes and whatever else.
            h: length of a step.
            steps: how many.

        Returns:
            Both, in arrays of their own; None where a state is not finite.
        """
        states, slopes = x.copy(), s.copy()
        rows = network.indptr, network.indices, network.data
        if _advance(pieces, self.modes, self.width, self.largest, *rows, states, slopes, h, steps):
            return states, slopes
        return None


@njit(error_model="numpy")
def _place(x: float, width: float, largest: float, last: int) -> tuple[int, float, float, float]:
    """Piece of a state, √x within it, the derivative of √x, and how far beyond the last piece x is.

    √x is infinitely steep at 0; no further than a quarter of a piece from there.
    """
    root = np.sqrt(min(max(x, 0.0), largest))
    # What is no number any more stays none, in the first piece as in any.
    piece = min(int(root / width), last) if root == root else 0
    steep = 0.0 if x < 0.0 else 0.5 / max(root, width / 4)
    return piece, root - piece * width, steep, max(x - largest, 0.0)


@njit(error_model="numpy")
def _evaluate(
    pieces: Array, width: float, largest: float, x: Array, values: Array, slopes: Array
) -> None:
    for i in range(len(x)):
        at, u, steep, over = _place(x[i], width, largest, pieces.shape[1] - 1)
        for k in range(3):
            a, b, c, d = pieces[0, at, k], pieces[1, at, k], pieces[2, at, k], pieces[3, at, k]
            slopes[i, k] = ((3 * a * u + 2 * b) * u + c) * steep
            values[i, k] = ((a * u + b) * u + c) * u + d + over * slopes[i, k]


@njit(error_model="numpy")
def _send(
    modes: Array,
    width: float,
    largest: float,
    x: Array,
    s: Array,
    values: Array,
    slopes: Array,
    by_code: Array,
    sent: Array,
) -> None:
    """What nodes send, h_alt and its derivatives, and derivatives of f and h_ego by codes.

    More than eight parameters, because compiled code takes arrays one by one.
    """
    p, m = modes.shape[3], s.shape[1]
    for i in range(len(x)):
        at, u, steep, over = _place(x[i], width, largest, modes.shape[1] - 1)
        line = over * steep
        w0, w1 = u * u * u + line * 3 * u * u, u * u + line * 2 * u
        w2 = u + line
        sent[i, 0] = values[i, 2]
        for c in range(m):
            sent[i, 1 + c] = slopes[i, 2] * s[i, c]
        for k in range(3):
            for c in range(p):
                by = w0 * modes[0, at, k, c] + w1 * modes[1, at, k, c]
                by += w2 * modes[2, at, k, c] + modes[3, at, k, c]
                if k < 2:
                    by_code[i, k, c] = by
                else:
                    sent[i, 1 + c] += by


@njit(error_model="numpy")
def _receive(
    indptr: Ints,
    indices: Ints,
    weights: Array,
    values: Array,
    slopes: Array,
    by_code: Array,
    s: Array,
    sent: Array,
    received: Array,
    velocity: Array,
    change: Array,
) -> None:
    """Velocities, and those of the derivatives, from what neighbours send.

    More than eight parameters, because compiled code takes arrays one by one.
    """
    p, m = by_code.shape[2], s.shape[1]
    for i in range(len(s)):
        received[:] = 0.0
        for e in range(indptr[i], indptr[i + 1]):
            j, weight = indices[e], weights[e]
            for c in range(1 + m):
                received[c] += weight * sent[j, c]
        velocity[i] = values[i, 0] + values[i, 1] * received[0]
        own = slopes[i, 0] + slopes[i, 1] * received[0]
        for c in range(m):
            change[i, c] = own * s[i, c] + values[i, 1] * received[1 + c]
        for c in range(p):
            change[i, c] += by_code[i, 0, c] + received[0] * by_code[i, 1, c]


@njit(error_model="numpy")
def _advance(
    pieces: Array,
    modes: Array,
    width: float,
    largest: float,
    indptr: Ints,
    indices: Ints,
    weights: Array,
    x: Array,
    s: Array,
    h: float,
    steps: int,
) -> bool:
    """Take steps in place; returns whether all states stayed finite.

    More than eight parameters, because compiled code takes arrays one by one.
    """
    n, m = s.shape
    values, slopes, by_code = np.empty((n, 3)), np.empty((n, 3)), np.empty((n, 2, modes.shape[3]))
    sent, received = np.empty((n, 1 + m)), np.empty(1 + m)
    v, w = np.empty(n), np.empty((n, m))
    point, point_s, total, total_s = x.copy(), s.copy(), np.empty(n), np.empty((n, m))
    for _ in range(steps):
        for stage in range(4):
            _evaluate(pieces, width, largest, point, values, slopes)
            _send(modes, width, largest, point, point_s, values, slopes, by_code, sent)
            _receive(
                indptr, indices, weights, values, slopes, by_code, point_s, sent, received, v, w
            )
            share = 1.0 if stage in (0, 3) else 2.0
            ahead = h if stage == 2 else h / 2
            for i in range(n):
                before = 0.0 if stage == 0 else total[i]
                total[i] = before + share * v[i]
                point[i] = x[i] + (h / 6 * total[i] if stage == 3 else ahead * v[i])
                for c in range(m):
                    before = 0.0 if stage == 0 else total_s[i, c]
                    total_s[i, c] = before + share * w[i, c]
                    further = h / 6 * total_s[i, c] if stage == 3 else ahead * w[i, c]
                    point_s[i, c] = s[i, c] + further
        x[:], s[:] = point, point_s
        if not np.isfinite(x).all():
            return False
    return True
