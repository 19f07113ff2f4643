"""Fixed points of Barabási–Barzel systems, their residuals and their stability."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sl
from numpy.typing import ArrayLike, NDArray

from nodeflow.dynamics.given import as_matrix, by_node, first_bad
from nodeflow.dynamics.jacobian import Linearization, linearize, velocity
from nodeflow.dynamics.spectrum import Spectrum, SpectrumProblem, rightmost_eigenvalues
from nodeflow.dynamics.systems import Field
from nodeflow.problems import Problem
from nodeflow.threads import one_thread_if_small

__all__ = ["FixedPoint", "FixedPointProblem", "FixedPoints", "Search", "find_fixed_points"]

Floats = NDArray[np.float64]

_SMALLEST_STEP = 2.0**-30
_DECREASE = 1e-4
_SAME = 1e-4
"""Two states x and y are the same fixed point if |x_i − y_i| ≤ this (1 + |y_i|) at every node."""
_RESTART = 60


class FixedPointProblem(Problem):
    """A search for fixed points cannot start with what was given."""


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """One fixed point.

    Attributes:
        state: (n,) the state x* (of the start with the smallest residual).
        residual: largest |dx_i/dt| at x*.
        starts: indices of the starts that led here.
        spectrum: rightmost eigenvalues of the Jacobian; empty if they could not be computed.
        reason: why they could not; empty otherwise.
    """

    state: Floats
    residual: float
    starts: tuple[int, ...]
    spectrum: Spectrum
    reason: str

    @property
    def stable(self) -> bool | None:
        """Whether all eigenvalues have negative real parts; None if that is unknown."""
        whole = self.spectrum.whole
        return bool(whole[0].real < 0) if len(whole) else None


@dataclass(frozen=True, eq=False)
class Search:
    """What became of one start.

    Attributes:
        status: "ok" or "failed".
        reason: why it failed; empty if it did not.
        state: (n,) where it ended.
        residual: largest |dx_i/dt| there.
        iterations: number of Newton steps.
        point: index of the fixed point it reached, or −1.
    """

    status: str
    reason: str
    state: Floats
    residual: float
    iterations: int
    point: int


@dataclass(frozen=True, eq=False)
class FixedPoints:
    """All fixed points that were found, in the order of the first start that reached each.

    Attributes:
        points: distinct fixed points.
        searches: one for each start.
    """

    points: tuple[FixedPoint, ...]
    searches: tuple[Search, ...]


@one_thread_if_small
def find_fixed_points(
    field: Field,
    adjacency: sp.csr_array,
    starts: ArrayLike,
    *,
    domain: tuple[float, float] = (-math.inf, math.inf),
    tolerance: float = 1e-9,
    max_iterations: int = 50,
    eigenvalues: int = 6,
    near: Field | None = None,
) -> FixedPoints:
    """Newton's method with Armijo's line search from several starts.

    Several fixed points are reported side by side. The state after a long integration is a good
    start; other starts show whether the system has more than one fixed point.

    Args:
        field: the vector field.
        adjacency: (n, n) matrix A.
        starts: (S, n) states to start from.
        domain: Newton steps are cut off at these bounds. The systems' odd continuation has fixed
            points with negative states, which the domain of the system rules out.
        tolerance: a state is a fixed point if no |dx_i/dt| is larger.
        max_iterations: a search fails after so many Newton steps.
        eigenvalues: number of rightmost eigenvalues per fixed point.
        near: another field, close to this one and quicker to evaluate. Each search first goes where
            Newton's method takes it, and fails if that fails.

    Raises:
        FixedPointProblem: shapes that do not fit, or starts that are not finite.
    """
    matrix = as_matrix(adjacency, FixedPointProblem)
    given = by_node(starts, range(matrix.shape[0]), "Starts", FixedPointProblem)
    states = given.astype(np.float64, copy=False)
    if states.ndim != 2 or matrix.shape != (states.shape[1],) * 2:
        raise FixedPointProblem(
            f"Starts of shape {states.shape} do not fit an adjacency matrix of shape "
            f"{matrix.shape}; give (starts, nodes)."
        )
    bad = first_bad(states)
    if bad is not None:
        raise FixedPointProblem(
            f"Starts have to be finite, and number {bad[0]} is {states[bad]} at node {bad[1]}; "
            "leave out failed integrations."
        )

    def newton(by: Field, start: Floats) -> Search:
        return _newton(by, matrix, start, domain, tolerance, max_iterations)

    with np.errstate(all="ignore"):
        searches = [_search(newton, field, near, start) for start in states]
    points: list[FixedPoint] = []
    for members in _groups(searches):
        best = min((searches[start] for start in members), key=lambda search: search.residual)
        for start in members:
            searches[start] = replace(searches[start], point=len(points))
        points.append(_point(field, matrix, best, tuple(members), eigenvalues))
    return FixedPoints(tuple(points), tuple(searches))


def _search(
    newton: Callable[[Field, Floats], Search], field: Field, near: Field | None, start: Floats
) -> Search:
    """Newton's method by the field; if there is one near it, first by that."""
    if near is None:
        return newton(field, start)
    first = newton(near, start)
    if first.reason:
        return first
    then = newton(field, first.state)
    return replace(then, iterations=first.iterations + then.iterations)


def _newton(
    field: Field,
    adjacency: sp.csr_array,
    start: Floats,
    domain: tuple[float, float],
    tolerance: float,
    max_iterations: int,
) -> Search:
    x = np.clip(start, *domain)
    v = velocity(field, adjacency, x)
    reason = "" if np.isfinite(v).all() else "the velocity is not finite at the start"
    iterations = 0
    while not reason and not np.abs(v).max() <= tolerance:
        if iterations == max_iterations:
            reason = f"no convergence in {max_iterations} Newton steps"
            break
        iterations += 1
        direction = _newton_direction(linearize(field, adjacency, x), v)
        if direction is None:
            reason = "the Jacobian is singular or not finite"
            break
        step = 1.0
        norm = np.linalg.norm(v)
        while True:
            x_new = np.clip(x + step * direction, *domain)
            v_new = velocity(field, adjacency, x_new)
            if np.linalg.norm(v_new) <= (1.0 - _DECREASE * step) * norm:
                x, v = x_new, v_new
                break
            step /= 2
            if step < _SMALLEST_STEP:
                reason = "no step along Newton's direction reduces the velocity"
                break
    return Search(
        status="failed" if reason else "ok",
        reason=reason,
        state=x,
        residual=float(np.abs(v).max()),
        iterations=iterations,
        point=-1,
    )


def _newton_direction(at: Linearization, v: Floats) -> Floats | None:
    """Solution of J direction = −v, or None.

    At fixed points the diagonal usually dominates, and GMRES with a diagonal preconditioner needs
    tens of products. Where it does not, a sparse LU factorization helps.
    """
    matrix = at.matrix()
    if not np.isfinite(matrix.data).all():
        return None
    diagonal = np.where(at.d == 0, 1.0, at.d)
    scaled = sp.csr_array(sp.diags_array(1.0 / diagonal) @ matrix)
    solution, failed = sl.gmres(scaled, -v / diagonal, rtol=1e-8, restart=_RESTART, maxiter=3)
    if failed:
        try:
            factors = sl.splu(
                sp.csc_array(matrix), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}
            )
        except RuntimeError:  # exactly singular
            return None
        solution = factors.solve(-v)
    return solution if np.isfinite(solution).all() else None


def _groups(searches: list[Search]) -> list[list[int]]:
    """Indices of the searches that reached the same state, by the first of each."""
    groups: list[list[int]] = []
    for start, search in enumerate(searches):
        if search.status != "ok":
            continue
        x = search.state
        for members in groups:
            y = searches[members[0]].state
            if (np.abs(x - y) <= _SAME * (1.0 + np.abs(y))).all():
                members.append(start)
                break
        else:
            groups.append([start])
    return groups


def _point(
    field: Field, adjacency: sp.csr_array, search: Search, starts: tuple[int, ...], count: int
) -> FixedPoint:
    reason = ""
    spectrum = Spectrum(np.empty(0, np.complex128), np.empty(0, np.complex128))
    try:
        spectrum = rightmost_eigenvalues(linearize(field, adjacency, search.state), count)
    except SpectrumProblem as problem:
        reason = str(problem)
    return FixedPoint(search.state, search.residual, starts, spectrum, reason)
