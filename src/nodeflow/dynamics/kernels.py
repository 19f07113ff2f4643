"""Compiled inner loops of the integrator.

State vectors lie flat: the m-th trajectory of those that advance together occupies
`start[m] : start[m + 1]`, and is trajectory `rows[m]` of all. Its graph g has the rows
`offset[g] : offset[g + 1]` of the concatenated CSR arrays; nodes are numbered within their graph.
So any set of trajectories on any set of graphs is one block-diagonal system, without building the
block matrix anew when a trajectory ends.

Every loop works on one trajectory at a time, in an order that depends on its size alone: no number
depends on which other trajectories are present.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DONE",
    "NOT_FINITE",
    "RUNNING",
    "TOO_MANY_STEPS",
    "UNDERFLOW",
    "combine_stages",
    "finish_step",
    "first_guess",
    "first_step",
    "velocity",
]

RUNNING, DONE, UNDERFLOW, NOT_FINITE, TOO_MANY_STEPS = range(5)

# Dormand and Prince 1980, RK5(4)7M; dense output of order 4 by Shampine 1986, as in scipy's RK45.
_A = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1 / 5, 0, 0, 0, 0, 0],
        [3 / 40, 9 / 40, 0, 0, 0, 0],
        [44 / 45, -56 / 15, 32 / 9, 0, 0, 0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0],
        [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ]
)
_E = np.array([-71 / 57600, 0, 71 / 16695, -71 / 1920, 17253 / 339200, -22 / 525, 1 / 40])
_P = np.array(
    [
        [1, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432],
        [0, 0, 0, 0],
        [0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799],
        [0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072],
        [0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632],
        [0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844],
        [0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423],
    ]
)
_TILE = 512

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Unsigned = NDArray[np.uint32]  # spares numba the check for negative indices: twice as fast


@numba.njit(cache=True, error_model="numpy")
def velocity(
    graph: Ints,
    start: Ints,
    offset: Ints,
    order: Unsigned,
    indptr: Unsigned,
    indices: Unsigned,
    weights: Floats,
    f: Floats,
    h_ego: Floats,
    h_alt: Floats,
    out: Floats,
) -> None:
    """out_i = f_i + h_ego_i Σ_j A_ij h_alt_j, from the three functions' values at all nodes.

    Nodes are visited by falling degree (`order`; `indptr` follows it): loops of equal length in a
    row spare the processor half of the time. Empty `weights` stand for ones.
    """
    weighted = len(weights) > 0
    for m in range(len(graph)):
        low, high = start[m], start[m + 1]
        first = offset[graph[m]]
        self_part, ego, alter, to = f[low:high], h_ego[low:high], h_alt[low:high], out[low:high]
        for position in range(first, first + high - low):
            p = indptr[position]
            end = indptr[position + 1]
            even = 0.0
            odd = 0.0
            if weighted:
                while p + 1 < end:
                    even += weights[p] * alter[indices[p]]
                    odd += weights[p + 1] * alter[indices[p + 1]]
                    p += 2
                if p < end:
                    even += weights[p] * alter[indices[p]]
            else:
                while p + 1 < end:
                    even += alter[indices[p]]
                    odd += alter[indices[p + 1]]
                    p += 2
                if p < end:
                    even += alter[indices[p]]
            i = order[position]
            to[i] = self_part[i] + ego[i] * (even + odd)


@numba.njit(cache=True, error_model="numpy")
def combine_stages(
    rows: Ints, start: Ints, h: Floats, stage: int, y: Floats, k: Floats, out: Floats
) -> None:
    """State at which stage `stage` (1 … 6) evaluates the field; that of stage 6 ends the step."""
    for m in range(len(rows)):
        r = rows[m]
        for low in range(start[m], start[m + 1], _TILE):
            high = min(low + _TILE, start[m + 1])
            out[low:high] = y[low:high]
            for s in range(stage):
                weight = h[r] * _A[stage, s]
                if weight != 0.0:
                    for i in range(low, high):
                        out[i] += weight * k[s, i]


@numba.njit(cache=True, error_model="numpy")
def _largest(values: Floats, y: Floats, rtol: float, atol: float) -> float:
    """Largest of the values in units of the tolerance at its node; inf if one is not finite."""
    worst = 0.0
    for i in range(len(values)):
        size = abs(values[i]) / (atol + rtol * abs(y[i]))
        if not size <= worst:
            worst = size if np.isfinite(size) else np.inf
    return worst


@numba.njit(cache=True, error_model="numpy")
def _largest_error(
    low: int, high: int, h: float, y: Floats, y_new: Floats, k: Floats, rtol: float, atol: float
) -> float:
    """Largest local error of the nodes low … high − 1 in units of its tolerance; inf if not finite.

    The maximum, not a mean: a mean over thousands of nodes lets the few hubs, whose states are
    hardest to follow, miss the tolerance by the square root of that number.
    """
    worst = 0.0
    for i in range(low, high):
        error = (
            _E[0] * k[0, i]
            + _E[2] * k[2, i]
            + _E[3] * k[3, i]
            + _E[4] * k[4, i]
            + _E[5] * k[5, i]
            + _E[6] * k[6, i]
        )
        size = abs(h * error) / (atol + rtol * max(abs(y[i]), abs(y_new[i])))
        if not size <= worst:
            worst = size
        if not np.isfinite(y_new[i]) or np.isnan(size):
            return np.inf
    return worst


@numba.njit(cache=True, error_model="numpy")
def first_guess(
    rows: Ints,
    start: Ints,
    y: Floats,
    k: Floats,
    rtol: float,
    atol: float,
    span: float,
    h: Floats,
) -> None:
    """A first small step per trajectory (Hairer, Nørsett and Wanner 1993, II.4), into `h`."""
    for m in range(len(rows)):
        r = rows[m]
        low, high = start[m], start[m + 1]
        size = _largest(y[low:high], y[low:high], rtol, atol)
        slope = _largest(k[0, low:high], y[low:high], rtol, atol)
        guess = 1e-6 * span if size < 1e-5 or slope < 1e-5 else 0.01 * size / slope
        h[r] = min(guess, span)


@numba.njit(cache=True, error_model="numpy")
def first_step(
    rows: Ints,
    start: Ints,
    y: Floats,
    k: Floats,
    rtol: float,
    atol: float,
    span: float,
    h: Floats,
) -> None:
    """Turn the guesses in `h` into first steps, with the field after such a step in `k[1]`."""
    for m in range(len(rows)):
        r = rows[m]
        low, high = start[m], start[m + 1]
        slope = _largest(k[0, low:high], y[low:high], rtol, atol)
        bend = _largest(k[1, low:high] - k[0, low:high], y[low:high], rtol, atol) / h[r]
        largest = max(slope, bend)
        step = max(1e-6 * span, h[r] * 1e-3) if largest <= 1e-15 else (0.01 / largest) ** 0.2
        h[r] = min(100 * h[r], step, span)


@numba.njit(cache=True, error_model="numpy")
def finish_step(
    rows: Ints,
    start: Ints,
    rtol: float,
    atol: float,
    max_steps: int,
    times: Floats,
    y: Floats,
    y_new: Floats,
    k: Floats,
    t: Floats,
    h: Floats,
    last_error: Floats,
    rejected: NDArray[np.bool_],
    steps: Ints,
    observed: Ints,
    status: Ints,
    place: Ints,
    out: Floats,
) -> bool:
    """Accept or reject each trajectory's step, write what it observed, choose the next step size.

    Steps follow the PI controller of Hairer and Wanner's DOPRI5. `y`, `k[0]` and the arrays from
    `t` on change in place.

    Returns:
        Whether a trajectory has ended.
    """
    end = times[-1]
    smallest = 1e-15 * max(abs(times[0]), abs(end))
    ended = False
    weights = np.empty(7)
    for m in range(len(rows)):
        r = rows[m]
        low, high = start[m], start[m + 1]
        n = high - low
        steps[r] += 1
        error = _largest_error(low, high, h[r], y, y_new, k, rtol, atol)
        finite = np.isfinite(error)
        scaled = max(error, 1e-10) ** 0.17
        if finite and error <= 1.0:
            t_new = t[r] + h[r]
            if t_new >= end - 10 * smallest:
                t_new = end
            while observed[r] < len(times) and times[observed[r]] <= t_new:
                u = (times[observed[r]] - t[r]) / h[r]
                for s in range(7):
                    weights[s] = (
                        h[r] * u * (_P[s, 0] + u * (_P[s, 1] + u * (_P[s, 2] + u * _P[s, 3])))
                    )
                here = place[r] + observed[r] * n
                for i in range(n):
                    out[here + i] = (
                        y[low + i]
                        + weights[0] * k[0, low + i]
                        + weights[2] * k[2, low + i]
                        + weights[3] * k[3, low + i]
                        + weights[4] * k[4, low + i]
                        + weights[5] * k[5, low + i]
                        + weights[6] * k[6, low + i]
                    )
                observed[r] += 1
            y[low:high] = y_new[low:high]
            k[0, low:high] = k[6, low:high]
            t[r] = t_new
            factor = 0.9 * last_error[r] ** 0.04 / scaled
            factor = min(max(factor, 0.2), 1.0 if rejected[r] else 10.0)
            last_error[r] = max(error, 1e-4)
            rejected[r] = False
        else:
            factor = max(0.9 / scaled, 0.2) if finite else 0.2
            rejected[r] = True
        h[r] = min(h[r] * factor, end - t[r])
        if t[r] == end:
            status[r] = DONE
        elif not h[r] > smallest:
            status[r] = UNDERFLOW if finite else NOT_FINITE
        elif steps[r] >= max_steps:
            status[r] = TOO_MANY_STEPS
        ended = ended or status[r] != RUNNING
    return ended
