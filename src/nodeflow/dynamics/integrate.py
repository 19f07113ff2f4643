"""Integration of Barabási–Barzel systems on many graphs at once.

Dormand–Prince 5(4) with dense output; where the diagonal of the Jacobian is what limits its steps,
as at the hubs of SIS and MAK, a trajectory goes on with a method of order 4 that is implicit in
the diagonal (`kernels` has the details). Trajectories advance together as one block-diagonal
system, but each has its own time, method, step size and error control, so a result does not depend
on which other trajectories were integrated beside it, and a trajectory that fails ends alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from nodeflow.dynamics import kernels, neighbours
from nodeflow.dynamics.given import as_matrix, by_node, first_bad, increasing
from nodeflow.dynamics.runge_kutta import EXPLICIT
from nodeflow.dynamics.systems import Field
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.graph import Graph, check_graphs
from nodeflow.problems import Problem
from nodeflow.threads import one_thread_if_small

__all__ = ["IntegrationProblem", "Simulation", "check_tolerance", "simulate", "simulate_graphs"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_WORKING_SET = 8_192
"""Node states that advance together: enough to hide Python's overhead, few enough for the cache."""

_LOCAL, _POWER = 3.0, 1 / 5
"""Local errors are kept to the share `_LOCAL` · tolerance^`_POWER` of the tolerance: 1/2 at 10⁻⁴,
1/5 at 10⁻⁶. A method of order 5 makes steps in proportion to tolerance^(−1/5), and their errors add
up: so the states themselves, not the single steps, agree with the true ones within the tolerance.
"""

_REASONS = {
    kernels.UNDERFLOW: "the step size fell below what float64 resolves at t = {t:.6g}",
    kernels.NOT_FINITE: "states or velocities stopped being finite at t = {t:.6g}",
    kernels.TOO_MANY_STEPS: "more than {steps} steps were needed; it reached t = {t:.6g}",
}


class IntegrationProblem(Problem):
    """An integration cannot start with what was given."""


@dataclass(frozen=True)
class Simulation:
    """Trajectories on one graph from B initial states.

    Attributes:
        states: (B, T, n) float64; NaN at times that a failed trajectory did not reach.
        status: B times "ok" or "failed".
        reason: B texts: why it failed; empty if it did not.
        steps: (B,) how many steps were tried.
    """

    states: Floats
    status: tuple[str, ...]
    reason: tuple[str, ...]
    steps: Ints


@one_thread_if_small
def simulate(
    field: Field,
    adjacency: sp.csr_array,
    initial: ArrayLike,
    times: ArrayLike,
    *,
    rtol: float = 1e-6,
    atol: float = 1e-6,
    max_steps: int = 100_000,
) -> Simulation:
    """Integrate from several initial states on one graph.

    Args:
        field: the vector field.
        adjacency: (n, n) matrix A; entry (i, j) weighs what node j contributes to node i.
        initial: (B, n) initial states.
        times: (T,) increasing observation times; the first belongs to the initial states.
        rtol: relative tolerance, kept at every node (not as a mean over nodes, which would let
            hubs of a large graph miss it by far). Local errors are controlled, to a part of it
            that leaves room for their sum.
        atol: absolute tolerance.
        max_steps: a trajectory fails when it needs more steps than this, rejected ones included.

    Raises:
        IntegrationProblem: shapes, times or tolerances without sense, or initial states that are
            not finite, or named otherwise than the nodes, which are 0 … n − 1.
    """
    network = _Network.of_matrix(as_matrix(adjacency, IntegrationProblem))
    return _integrate(field, network, [initial], times, Tolerance(rtol, atol, max_steps))[0]


@one_thread_if_small
def simulate_graphs(
    field: Field,
    graphs: Sequence[Graph],
    initials: Sequence[ArrayLike],
    times: ArrayLike,
    *,
    rtol: float = 1e-6,
    atol: float = 1e-6,
    max_steps: int = 100_000,
) -> list[Simulation]:
    """Integrate on several graphs together.

    Args:
        field: the vector field.
        graphs: G graphs of any sizes.
        initials: G arrays (B_g, n_g) of initial states.
        times: as in `simulate`, like the arguments that follow.
        rtol: relative tolerance.
        atol: absolute tolerance.
        max_steps: limit of steps per trajectory.

    Returns:
        One simulation per graph: bit by bit what `simulate` returns for that graph alone, provided
        that the field's functions treat every element alike wherever it stands in an array.

    Raises:
        IntegrationProblem: as in `simulate`.
    """
    check_graphs(graphs)
    if len(graphs) != len(initials):
        raise IntegrationProblem(
            f"{len(graphs)} graphs came with initial states for {len(initials)}; "
            "give one array per graph."
        )
    if not graphs:
        return []
    network = _Network.of_graphs(graphs)
    return _integrate(field, network, initials, times, Tolerance(rtol, atol, max_steps))


def _integrate(
    field: Field,
    network: _Network,
    initials: Sequence[ArrayLike],
    times: ArrayLike,
    tolerance: Tolerance,
) -> list[Simulation]:
    check_tolerance(tolerance)
    when = increasing(times, "times", IntegrationProblem)
    sizes = np.diff(network.offset).tolist()
    states = [_checked_initial(x, n) for n, x in zip(sizes, initials, strict=True)]
    rtol, atol = tolerance.rtol, tolerance.atol
    share = min(_LOCAL * max(rtol, atol) ** _POWER, 1.0)
    local = replace(tolerance, rtol=share * rtol, atol=share * atol)
    block = _Block(field, network, states, when, local)
    with np.errstate(all="ignore"):
        block.run()
    return block.simulations()


@dataclass(frozen=True)
class _Network:
    """The graphs of a block, as `neighbours.velocity` wants them."""

    offset: Ints
    order: neighbours.Unsigned
    indptr: neighbours.Unsigned
    indices: neighbours.Unsigned
    weights: Floats

    @classmethod
    def of_matrix(cls, adjacency: sp.csr_array) -> _Network:
        """One graph, directed or weighted or not."""
        order = np.argsort(-np.diff(adjacency.indptr), kind="stable")
        rows = sp.csr_array(adjacency[order])
        weights = rows.data.astype(np.float64)
        return cls(
            offset=np.array([0, len(order)]),
            order=order.astype(np.uint32),
            indptr=rows.indptr.astype(np.uint32),
            indices=rows.indices.astype(np.uint32),
            weights=weights[:0] if (weights == 1.0).all() else weights,
        )

    @classmethod
    def of_graphs(cls, graphs: Sequence[Graph]) -> _Network:
        """What `of_matrix` makes of each adjacency matrix, side by side."""
        if any(graph.directed or graph.weights is not None for graph in graphs):
            return cls._of_matrices([graph.adjacency() for graph in graphs])
        offset = np.cumsum([0, *(graph.n for graph in graphs)])
        ends = np.cumsum([0, *(2 * len(graph.edges) for graph in graphs)])
        order, indptr = np.empty(offset[-1], np.uint32), np.empty(offset[-1] + 1, np.uint32)
        indices = np.empty(ends[-1], np.uint32)
        indptr[-1] = ends[-1]
        for graph, first, last, start in zip(
            graphs, offset[:-1], offset[1:], ends[:-1], strict=True
        ):
            neighbours.rows_by_degree(
                graph.edges, start, order[first:last], indptr[first:last], indices
            )
        return cls(offset, order, indptr, indices, np.empty(0))

    @classmethod
    def _of_matrices(cls, matrices: Sequence[sp.csr_array]) -> _Network:
        parts = [cls.of_matrix(matrix) for matrix in matrices]
        starts = np.cumsum([0, *(len(part.indices) for part in parts)])
        rows = [part.indptr[:-1] + start for part, start in zip(parts, starts[:-1], strict=True)]
        weights = [
            part.weights if len(part.weights) else np.ones(len(part.indices)) for part in parts
        ]
        return cls(
            np.cumsum([0, *(len(part.order) for part in parts)]),
            np.concatenate([part.order for part in parts]),
            np.concatenate([*rows, starts[-1:]]).astype(np.uint32),
            np.concatenate([part.indices for part in parts]),
            np.concatenate(weights),
        )


class _Block:
    """All trajectories of one call, numbered in the order of graphs and initial states.

    Those that advance together (`active`) lie packed in `y` (states), `slope` (velocities) and
    `diagonal` (of the Jacobian); when some have ended, the rest move up and waiting ones join.
    """

    def __init__(
        self,
        field: Field,
        network: _Network,
        initials: list[Floats],
        times: Floats,
        local: Tolerance,
    ) -> None:
        self.field, self.network, self.times = field, network, times
        self.counts = [len(x) for x in initials]
        self.rtol, self.atol, self.max_steps = local.rtol, local.atol, local.max_steps
        self.initial = [state for states in initials for state in states]
        self.graph = np.repeat(np.arange(len(initials)), self.counts)
        self.size = np.diff(network.offset)[self.graph]
        self.place = np.cumsum([0, *(self.size * len(times))])
        self.out = np.empty(self.place[-1])
        count = len(self.graph)
        self.t = np.full(count, times[0])
        self.h = np.zeros(count)
        self.last_error = np.full(count, 1e-4)
        self.method = np.full(count, EXPLICIT)
        self.rejected = np.zeros(count, np.bool_)
        self.steps = np.zeros(count, np.int64)
        self.observed = np.ones(count, np.int64)
        self.status = np.full(count, kernels.RUNNING)

    def run(self) -> None:
        """Bring every trajectory to its end."""
        for row, state in enumerate(self.initial):
            self.out[self.place[row] : self.place[row] + len(state)] = state
        if len(self.times) == 1:
            self.status[:] = kernels.DONE
            return
        active, waiting = np.empty(0, np.int64), np.arange(len(self.graph))
        y, slope, diagonal = np.empty(0), np.empty(0), np.empty(0)
        while len(active) or len(waiting):
            room = _WORKING_SET - len(y)
            count = int(np.searchsorted(np.cumsum(self.size[waiting]), room, side="right"))
            joining, waiting = np.split(waiting, [count if len(active) else max(count, 1)])
            if len(joining):
                y_joining = np.concatenate([self.initial[row] for row in joining])
                slope = np.concatenate([slope, self._begin(joining, y_joining)])
                diagonal = np.concatenate([diagonal, np.zeros_like(y_joining)])
                y = np.concatenate([y, y_joining])
                active = np.concatenate([active, joining])
            self._advance(active, y, slope, diagonal)
            running = self.status[active] == kernels.RUNNING
            nodes = np.repeat(running, self.size[active])
            active, y, slope, diagonal = active[running], y[nodes], slope[nodes], diagonal[nodes]

    def simulations(self) -> list[Simulation]:
        """The results, graph by graph."""
        for row in np.flatnonzero(self.status != kernels.DONE):
            self.out[
                self.place[row] + self.observed[row] * self.size[row] : self.place[row + 1]
            ] = np.nan
        reasons = [
            "" if code == kernels.DONE else _REASONS[code].format(t=t, steps=self.max_steps)
            for code, t in zip(self.status.tolist(), self.t.tolist(), strict=True)
        ]
        status = ["failed" if reason else "ok" for reason in reasons]
        results = []
        first = 0
        for count, n in zip(self.counts, np.diff(self.network.offset), strict=True):
            last = first + count
            states = self.out[self.place[first] : self.place[last]]
            results.append(
                Simulation(
                    states=states.reshape(count, len(self.times), n),
                    status=tuple(status[first:last]),
                    reason=tuple(reasons[first:last]),
                    steps=self.steps[first:last],
                )
            )
            first = last
        return results

    def _advance(self, active: Ints, y: Floats, slope: Floats, diagonal: Floats) -> None:
        """Take steps, in place, until a trajectory ends."""
        start = self._start(active)
        k = np.empty((7, len(y)))
        k[0] = slope
        point, received = np.empty_like(y), np.empty_like(y)
        end = self.times[-1]
        ended = False
        while not ended:
            for stage in range(1, 7):
                kernels.combine_stages(active, start, self.h, self.method, stage, y, k, point)
                self._velocity(active, start, point, received, k[stage])
                if stage < 6:
                    kernels.solve_stage(active, start, self.h, self.method, stage, diagonal, k)
            if kernels.wants_diagonal(active, self.t, self.h, self.method, end):
                diagonal_new = self.field.df(point) + self.field.dh_ego(point) * received
            else:
                diagonal_new = diagonal
            ended = kernels.finish_step(
                active, start, self.rtol, self.atol, self.max_steps, self.times, y, point, k,
                diagonal, diagonal_new, self.method, self.t, self.h, self.last_error,
                self.rejected, self.steps, self.observed, self.status, self.place, self.out,
            )  # fmt: skip
        slope[:] = k[0]

    def _begin(self, rows: Ints, y: Floats) -> Floats:
        """Choose the first step sizes; returns the velocities at `y`."""
        start = self._start(rows)
        k = np.empty((2, len(y)))
        slope: Floats = k[0]
        point, received = np.empty_like(y), np.empty_like(y)
        span = self.times[-1] - self.times[0]
        self._velocity(rows, start, y, received, slope)
        kernels.first_guess(rows, start, y, k, self.rtol, self.atol, span, self.h)
        kernels.combine_stages(rows, start, 5.0 * self.h, self.method, 1, y, k, point)
        self._velocity(rows, start, point, received, k[1])
        kernels.first_step(rows, start, y, k, self.rtol, self.atol, span, self.h)
        return slope

    def _velocity(self, rows: Ints, start: Ints, x: Floats, received: Floats, out: Floats) -> None:
        net = self.network
        f, h_ego, h_alt = (
            np.ascontiguousarray(values, dtype=np.float64) for values in self.field.values(x)
        )
        neighbours.velocity(
            self.graph[rows], start, net.offset, net.order, net.indptr, net.indices, net.weights,
            f, h_ego, h_alt, received, out,
        )  # fmt: skip

    def _start(self, rows: Ints) -> Ints:
        return np.cumsum([0, *self.size[rows]])


def check_tolerance(tolerance: Tolerance) -> None:
    """Check tolerances and the limit of steps.

    Raises:
        IntegrationProblem: a value that is not usable.
    """
    rtol, atol, max_steps = tolerance.rtol, tolerance.atol, tolerance.max_steps
    if not 0 < rtol < 1:
        raise IntegrationProblem(f"rtol = {rtol} has to lie between 0 and 1.")
    if not 0 < atol < math.inf:  # in the unit of the states, which may be large
        raise IntegrationProblem(f"atol = {atol} has to be positive and finite.")
    if max_steps < 1:
        raise IntegrationProblem(f"max_steps = {max_steps} has to be at least 1.")


def _checked_initial(initial: ArrayLike, n: int) -> Floats:
    given = by_node(initial, range(n), "Initial states", IntegrationProblem)
    states = given.astype(np.float64, copy=False)
    if states.ndim != 2 or states.shape[1] != n:
        raise IntegrationProblem(
            f"Initial states of shape {states.shape} do not fit a graph of {n} nodes; "
            f"give an array of shape (trajectories, {n})."
        )
    bad = first_bad(states)
    if bad is not None:
        raise IntegrationProblem(
            f"Initial states have to be finite numbers; that of node {bad[1]} is {states[bad]} in "
            f"number {bad[0]}."
        )
    return states
