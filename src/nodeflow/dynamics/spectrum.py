"""Rightmost eigenvalues of large sparse Jacobians: whether a fixed point is stable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sl
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from nodeflow.dynamics.jacobian import Linearization
from nodeflow.problems import Problem
from nodeflow.seeds import numpy_generator

__all__ = ["Spectrum", "SpectrumProblem", "rightmost_eigenvalues"]

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

_DENSE = 128
"""Up to this size a dense spectrum is faster."""

_FACTORED = 2048
"""Up to this size a factorization is faster than iterations; beyond it soon fills up."""

_TOLERANCE = 1e-6
"""Relative error of an eigenvalue's distance from the shift, which is close to the eigenvalues."""


class SpectrumProblem(Problem):
    """Eigenvalues could not be computed."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The rightmost eigenvalues of a Jacobian, each group by falling real part.

    Attributes:
        whole: those of the whole graph; there, isolated nodes and small components often come
            first.
        giant: those of its largest component.
    """

    whole: Complex
    giant: Complex


def rightmost_eigenvalues(at: Linearization, count: int = 6) -> Spectrum:
    """The eigenvalues of a Jacobian with the largest real parts.

    The spectrum is the union of those of the components. A large component is solved by ARPACK in
    shift-invert mode. Its shift is an upper bound of all real parts (Gershgorin's theorem with
    weights), close by at fixed points where the weights are the states; the shifted matrix is then
    diagonally dominant in these weights, so that it can be factorized without pivoting and, where
    that would fill up, Krylov methods with a diagonal preconditioner solve it. Of eigenvalues that
    are equal, some may be missing.

    If h_ego(x_i) h_alt′(x_i) has the same sign at all nodes and A is symmetric, then the Jacobian
    is similar to the symmetric matrix diag(d) ± w A w with w = √|h_ego h_alt′|: its spectrum is
    real and computed as such. Otherwise the eigenvalues returned are the nearest to the bound,
    which are the rightmost unless imaginary parts are large.

    Args:
        at: the Jacobian.
        count: how many; fewer come back where there are fewer nodes.

    Raises:
        SpectrumProblem: the Jacobian is not finite, or an iteration did not converge.
    """
    if not all(np.isfinite(part).all() for part in (at.d, at.s, at.t)):
        raise SpectrumProblem("The Jacobian is not finite at this state; it has no spectrum.")
    _, label = connected_components(at.adjacency, directed=False)
    sizes = np.bincount(label)
    giant = int(sizes.argmax())
    giants = _component(at.restricted(np.flatnonzero(label == giant)), count)
    others = [at.d[(sizes[label] == 1) & (label != giant)].astype(np.complex128)]
    for component in np.flatnonzero(sizes > 1):
        if component != giant:
            others.append(_component(at.restricted(np.flatnonzero(label == component)), count))
    return Spectrum(_rightmost(np.concatenate([giants, *others]), count), giants)


def _rightmost(values: Complex, count: int) -> Complex:
    return values[np.lexsort((values.imag, -values.real))][:count]


def _component(at: Linearization, count: int) -> Complex:
    """Rightmost eigenvalues of one connected component."""
    symmetric = _symmetric_interaction(at)
    interaction = at.interaction() if symmetric is None else symmetric
    n = len(at.d)
    if n <= max(_DENSE, 3 * count):
        dense = np.diag(at.d) + interaction.toarray()
        values = np.linalg.eigvals(dense) if symmetric is None else np.linalg.eigvalsh(dense)
        return _rightmost(values.astype(np.complex128), count)
    bound = _upper_bound(at, interaction)
    shift = bound + 1e-3 * max(abs(bound), 1e-3)
    matrix = sp.csr_array(sp.diags_array(at.d) + interaction)
    inverse = _shifted_inverse(at.d - shift, interaction, symmetric is not None)
    start = numpy_generator(0, "arpack start", n).standard_normal(n)
    try:
        values = (sl.eigs if symmetric is None else sl.eigsh)(
            matrix,
            k=count,
            sigma=shift,
            OPinv=inverse,
            v0=start,
            tol=_TOLERANCE,
            return_eigenvectors=False,
        )
    except sl.ArpackError as error:
        raise SpectrumProblem(f"ARPACK found no eigenvalues: {error}") from error
    return _rightmost(np.asarray(values, dtype=np.complex128), count)


def _symmetric_interaction(at: Linearization) -> sp.csr_array | None:
    """The symmetric matrix that the interaction part is similar to, where there is one."""
    product = at.s * at.t
    if not ((product >= 0).all() or (product <= 0).all()):
        return None
    if sp.csr_array(at.adjacency - at.adjacency.T).count_nonzero():
        return None
    root = np.sqrt(np.abs(product))
    sign = 1.0 if (product >= 0).all() else -1.0
    return Linearization(at.state, at.adjacency, at.d, sign * root, root).interaction()


def _upper_bound(at: Linearization, interaction: sp.csr_array) -> float:
    """A number that no real part of an eigenvalue exceeds.

    For positive weights p every eigenvalue lies in a disc around some d_i with the radius
    Σ_j |J_ij| p_j / p_i. The Jacobian and a matrix similar to it give different discs.
    """
    weights = [np.ones_like(at.state)]
    if (at.state != 0).all():
        weights.append(np.abs(at.state))
    return min(
        float((at.d + abs(matrix) @ p / p).max())
        for matrix in (interaction, at.interaction())
        for p in weights
    )


def _shifted_inverse(
    diagonal: Floats, interaction: sp.csr_array, symmetric: bool
) -> sl.LinearOperator:
    """The inverse of diag(diagonal) + interaction, whose diagonal dominates."""
    n = len(diagonal)
    if n <= _FACTORED:
        factors = sl.splu(
            sp.csc_array(sp.diags_array(diagonal) + interaction),
            permc_spec="MMD_AT_PLUS_A",
            options={"SymmetricMode": True},
        )
        return sl.LinearOperator((n, n), matvec=factors.solve, dtype=np.float64)
    # The sign makes a symmetric matrix positive definite, as conjugate gradients want it.
    matrix = sp.csr_array(-sp.diags_array(diagonal) - interaction)
    precondition = sp.diags_array(-1.0 / diagonal)
    solve = sl.cg if symmetric else sl.gmres

    def inverse(right: Floats) -> Floats:
        solution, failed = solve(
            matrix, right.ravel(), rtol=_TOLERANCE / 100, maxiter=5000, M=precondition
        )
        if failed:
            raise SpectrumProblem("A linear system with the Jacobian did not converge.")
        return -solution

    return sl.LinearOperator((n, n), matvec=inverse, dtype=np.float64)
