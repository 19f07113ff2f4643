"""Functions of a prior as pieces of polynomials, and velocities with their derivatives.

Posteriors evaluate them thousands of times, so what is done at each node is compiled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.sparse import csr_array

from nodeflow.compiled import njit
from nodeflow.priors.gaussian import Prior

__all__ = ["Functions", "Matrix"]

Array = NDArray[np.float64]
Matrix = Array | csr_array


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

    def velocity(self, pieces: Array, adjacency: Matrix, x: Array, s: Array) -> tuple[Array, Array]:
        """Velocities (n,), and those of the derivatives of states by p codes and whatever else.

        Args:
            pieces: of the functions with their codes.
            adjacency: (n, n).
            x: (n,) states.
            s: (n, p + …) their derivatives.
        """
        n, p = len(x), self.count
        values, slopes, by_code = np.empty((n, 3)), np.empty((n, 3)), np.empty((n, 2, p))
        sent, change = np.empty((n, 1 + s.shape[1])), np.empty_like(s)
        _evaluate(pieces, self.width, self.largest, x, values, slopes)
        _send(self.modes, self.width, self.largest, x, s, values, slopes, by_code, sent)
        received = adjacency @ sent
        _receive(values, slopes, by_code, s, received, change)
        return values[:, 0] + values[:, 1] * received[:, 0], change


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
        for c in range(p):
            for k in range(2):
                by_code[i, k, c] = (
                    w0 * modes[0, at, k, c]
                    + w1 * modes[1, at, k, c]
                    + w2 * modes[2, at, k, c]
                    + modes[3, at, k, c]
                )
            sent[i, 1 + c] += (
                w0 * modes[0, at, 2, c]
                + w1 * modes[1, at, 2, c]
                + w2 * modes[2, at, 2, c]
                + modes[3, at, 2, c]
            )


@njit(error_model="numpy")
def _receive(
    values: Array, slopes: Array, by_code: Array, s: Array, received: Array, change: Array
) -> None:
    """Velocities of the derivatives, from what neighbours sent."""
    p = by_code.shape[2]
    for i in range(len(s)):
        own = slopes[i, 0] + slopes[i, 1] * received[i, 0]
        for c in range(s.shape[1]):
            change[i, c] = own * s[i, c] + values[i, 1] * received[i, 1 + c]
        for c in range(p):
            change[i, c] += by_code[i, 0, c] + received[i, 0] * by_code[i, 1, c]
