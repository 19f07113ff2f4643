"""Velocity and Jacobian of a Barabási–Barzel system at a given state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from nodeflow.dynamics.systems import Field

__all__ = ["Linearization", "linearize", "velocity"]

Floats = NDArray[np.float64]


def velocity(field: Field, adjacency: sp.csr_array, x: Floats) -> Floats:
    """dx/dt at state x, shape (n,)."""
    f, h_ego, h_alt = field.values(x)
    slopes: Floats = f + h_ego * (adjacency @ h_alt)
    return slopes


@dataclass(frozen=True, eq=False)
class Linearization:
    """The Jacobian J = diag(d) + diag(s) A diag(t) of a system at one state.

    Attributes:
        state: (n,) the state x.
        adjacency: (n, n) matrix A.
        d: (n,) f′(x_i) + h_ego′(x_i) Σ_k A_ik h_alt(x_k).
        s: (n,) h_ego(x_i).
        t: (n,) h_alt′(x_j).
    """

    state: Floats
    adjacency: sp.csr_array
    d: Floats
    s: Floats
    t: Floats

    def interaction(self) -> sp.csr_array:
        """The part diag(s) A diag(t) of the Jacobian."""
        a = self.adjacency
        rows = np.repeat(np.arange(a.shape[0]), np.diff(a.indptr))
        values = self.s[rows] * a.data * self.t[a.indices]
        return sp.csr_array((values, a.indices, a.indptr), shape=a.shape)

    def matrix(self) -> sp.csr_array:
        """The Jacobian as a sparse matrix."""
        return sp.csr_array(sp.diags_array(self.d) + self.interaction())

    def restricted(self, nodes: NDArray[np.integer]) -> Linearization:
        """Rows and columns of some nodes, given by their indices."""
        adjacency = sp.csr_array(self.adjacency[nodes][:, nodes])
        return Linearization(
            self.state[nodes], adjacency, self.d[nodes], self.s[nodes], self.t[nodes]
        )


def linearize(field: Field, adjacency: sp.csr_array, x: Floats) -> Linearization:
    """The Jacobian of a system at state x, shape (n,)."""
    d = field.df(x) + field.dh_ego(x) * (adjacency @ field.h_alt(x))
    return Linearization(x, adjacency, d, field.h_ego(x), field.dh_alt(x))
