"""Compiled inner loops of the integrator.

State vectors lie flat: the m-th trajectory of those that advance together occupies
`start[m] : start[m + 1]`, and is trajectory `rows[m]` of all. Its graph g has the rows
`offset[g] : offset[g + 1]` of the concatenated CSR arrays; nodes are numbered within their graph.
So any set of trajectories on any set of graphs is one block-diagonal system, without building the
block matrix anew when a trajectory ends.

Every loop works on one trajectory at a time, in an order that depends on its size alone: no number
depends on which other trajectories are present.

A step is made by one of two methods, both of which evaluate the field at six points: stages
1 … 5, and the new state, whose velocity starts the next step.

- EXPLICIT: Dormand and Prince 1980, RK5(4)7M, with dense output of order 4 by Shampine 1986. The
  first step also has to pass an embedded formula of order 3, and no step is more than `WIDER` times
  the time since the start: see there.
- IMPLICIT: Kennedy and Carpenter, Appl. Numer. Math. 44, 139 (2003), ARK4(3)6L[2]SA. With d the
  diagonal of the Jacobian at the start of the step, d·x is integrated by the implicit method of
  the pair and all the rest by the explicit one. Each node then has a linear equation of its own, so
  a stage costs hardly more than an explicit one, and hubs, whose d is −(degree), do not limit the
  step. The order of the pair does not depend on what d is. Dense output: cubic Hermite.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nodeflow.compiled import njit

__all__ = [
    "DONE",
    "EXPLICIT",
    "IMPLICIT",
    "NOT_FINITE",
    "RUNNING",
    "TOO_MANY_STEPS",
    "UNDERFLOW",
    "combine_stages",
    "finish_step",
    "first_guess",
    "first_step",
    "rows_by_degree",
    "solve_stage",
    "velocity",
    "wants_diagonal",
]

RUNNING, DONE, UNDERFLOW, NOT_FINITE, TOO_MANY_STEPS = range(5)
EXPLICIT, IMPLICIT = range(2)

STIFF = 2.5
"""h · max(−d) above which the next steps are implicit: DOPRI5 becomes unstable at 3.3."""

WORTH = 20.0
"""Number of steps still ahead, at the present size, from which on stiffness is looked for."""

WIDER = 2.0
"""Longest step, in units of the time since the start.

The fields need not be smooth where a trajectory starts: the birth of BD is √x, and initial states
come near 0. There the estimate of Dormand and Prince is too small by chance: by a factor of 37 for
the first step along dx/dt = √t, and of 2.5 for a step from t to 3 t. The estimate of order 3 is 3.6
times too large for the first step, and the steps that follow grow from there.
"""

_DOPRI = np.array(
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
_DOPRI_ERROR = np.array([-71 / 57600, 0, 71 / 16695, -71 / 1920, 17253 / 339200, -22 / 525, 1 / 40])
_DOPRI_START = np.array(
    [
        35 / 384 + 1 / 18,
        0,
        500 / 1113 - 50 / 63,
        125 / 192,
        -2187 / 6784,
        11 / 84,
        -11 / 42,
    ]
)
_DOPRI_DENSE = np.array(
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

_ARK_WEIGHTS = np.array([82889 / 524892, 0, 15625 / 83664, 69875 / 102672, -2260 / 8211, 1 / 4])
_ARK_EMBEDDED = np.array(
    [
        4586570599 / 29645900160,
        0,
        178811875 / 945068544,
        814220225 / 1159782912,
        -3700637 / 11593932,
        61727 / 225920,
    ]
)
_ARK_EXPLICIT = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1 / 2, 0, 0, 0, 0, 0],
        [13861 / 62500, 6889 / 62500, 0, 0, 0, 0],
        [
            -116923316275 / 2393684061468,
            -2731218467317 / 15368042101831,
            9408046702089 / 11113171139209,
            0,
            0,
            0,
        ],
        [
            -451086348788 / 2902428689909,
            -2682348792572 / 7519795681897,
            12662868775082 / 11960479115383,
            3355817975965 / 11060851509271,
            0,
            0,
        ],
        [
            647845179188 / 3216320057751,
            73281519250 / 8382639484533,
            552539513391 / 3454668386233,
            3354512671639 / 8306763924573,
            4040 / 17871,
            0,
        ],
    ]
)
_ARK_IMPLICIT = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1 / 4, 1 / 4, 0, 0, 0, 0],
        [8611 / 62500, -1743 / 31250, 1 / 4, 0, 0, 0],
        [5012029 / 34652500, -654441 / 2922500, 174375 / 388108, 1 / 4, 0, 0],
        [
            15267082809 / 155376265600,
            -71443401 / 120774400,
            730878875 / 902184768,
            2285395 / 8070912,
            1 / 4,
            0,
        ],
        _ARK_WEIGHTS,
    ]
)
_GAMMA = 1 / 4


def _hermite(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Dense output from the two ends of a step and the slopes there, in powers of θ = 1 … 4.

    x(θ) = x + (3θ² − 2θ³)(x_new − x) + h (θ − 2θ² + θ³) k_0 + h (θ³ − θ²) k_5. The implicit slope
    of the last stage stands for the one at the new state: where an exact slope at a stiff node
    multiplies the error of its state by d, that one does not.
    """
    dense = np.zeros((7, 4))
    dense[:6] = np.outer(weights, [0, 3, -2, 0])
    dense[0] += [1, -2, 1, 0]
    dense[5] += [0, -1, 1, 0]
    return dense


# By method, with one more row or column for the new state and its velocity.
_A = np.stack([_DOPRI, np.vstack([_ARK_EXPLICIT, _ARK_WEIGHTS])])
_ERROR = np.stack([_DOPRI_ERROR, np.append(_ARK_WEIGHTS - _ARK_EMBEDDED, 0.0)])
_DENSE = np.stack([_DOPRI_DENSE, _hermite(_ARK_WEIGHTS)])
_BETWEEN = _ARK_IMPLICIT - _ARK_EXPLICIT

# Step sizes follow the PI controller of Hairer and Wanner's DOPRI5: error^−(1/q − 0.75 β) with
# β = 0.04 for an error of order q = 5 and 4.
_SECOND = 0.04
_FIRST = np.array([1 / 5 - 0.75 * _SECOND, 1 / 4 - 0.75 * _SECOND])

_TILE = 512
_SLICE = 128

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Unsigned = NDArray[np.uint32]  # spares numba the check for negative indices: twice as fast


@njit(error_model="numpy")
def rows_by_degree(
    edges: NDArray[np.int32], first: int, order: Unsigned, indptr: Unsigned, indices: Unsigned
) -> None:
    """Rows of a graph's adjacency matrix in the order that `velocity` visits them.

    Args:
        edges: shape (M, 2), u < v, sorted.
        first: where the graph's entries start in `indices`.
        order: shape (n,), becomes the nodes by falling degree.
        indptr: shape (n,), becomes where the rows of these nodes start.
        indices: neighbours by row, each row sorted.
    """
    n = len(order)
    degrees = np.zeros(n, np.int64)
    for e in range(len(edges)):
        degrees[edges[e, 0]] += 1
        degrees[edges[e, 1]] += 1
    next_row = np.zeros(degrees.max() + 2, np.int64)
    for i in range(n):
        next_row[degrees[i]] += 1
    total = 0
    for k in range(len(next_row) - 1, -1, -1):
        count = next_row[k]
        next_row[k] = total
        total += count
    for i in range(n):
        order[next_row[degrees[i]]] = i
        next_row[degrees[i]] += 1
    write = np.empty(n, np.int64)
    p = first
    for position in range(n):
        i = order[position]
        indptr[position] = p
        write[i] = p
        p += degrees[i]
    for e in range(len(edges)):
        u = edges[e, 0]
        v = edges[e, 1]
        indices[write[u]] = v
        write[u] += 1
        indices[write[v]] = u
        write[v] += 1


@njit(error_model="numpy")
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
    received: Floats,
    out: Floats,
) -> None:
    """out_i = f_i + h_ego_i received_i, received_i = Σ_j A_ij h_alt_j, from the functions' values.

    More than eight parameters, because compiled code takes arrays one by one.

    Nodes are visited by falling degree (`order`; `indptr` follows it): loops of equal length in a
    row spare the processor half of the time. Empty `weights` stand for ones.
    """
    weighted = len(weights) > 0
    for m in range(len(graph)):
        low, high = start[m], start[m + 1]
        first = offset[graph[m]]
        self_part, ego, alter = f[low:high], h_ego[low:high], h_alt[low:high]
        total, to = received[low:high], out[low:high]
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
            total[i] = even + odd
            to[i] = self_part[i] + ego[i] * total[i]


@njit(error_model="numpy")
def combine_stages(
    rows: Ints,
    start: Ints,
    h: Floats,
    method: Ints,
    stage: int,
    y: Floats,
    k: Floats,
    out: Floats,
) -> None:
    """State at which stage `stage` (1 … 6) evaluates the field; that of stage 6 ends the step."""
    for m in range(len(rows)):
        r = rows[m]
        for low in range(start[m], start[m + 1], _TILE):
            high = min(low + _TILE, start[m + 1])
            state, to = y[low:high], out[low:high]
            one = h[r] * _A[method[r], stage, 0]
            first = k[0, low:high]
            for i in range(len(to)):
                to[i] = state[i] + one * first[i]
            for s in range(1, stage, 2):  # two at a time, or the first of them twice
                other = min(s + 1, stage - 1)
                one = h[r] * _A[method[r], stage, s]
                two = h[r] * _A[method[r], stage, other] if other > s else 0.0
                first, second = k[s, low:high], k[other, low:high]
                for i in range(len(to)):
                    to[i] += one * first[i] + two * second[i]


@njit(error_model="numpy")
def solve_stage(
    rows: Ints, start: Ints, h: Floats, method: Ints, stage: int, diagonal: Floats, k: Floats
) -> None:
    """Turn the velocities `k[stage]` of stages 1 … 5 into slopes; explicit steps stay as they are.

    With z the implicit state of the stage and e the explicit one, where the field was evaluated,
    the slope is k = F(e) + d (z − e), and z − e = h Σ_s (a^I_s − a^E_s) k_s + h γ k.
    """
    for m in range(len(rows)):
        r = rows[m]
        if method[r] == EXPLICIT:
            continue
        for low in range(start[m], start[m + 1], _TILE):
            high = min(low + _TILE, start[m + 1])
            between = np.zeros(_TILE)
            for s in range(stage):
                weight = h[r] * _BETWEEN[stage, s]
                slope = k[s, low:high]
                for i in range(len(slope)):
                    between[i] += weight * slope[i]
            share = h[r] * _GAMMA
            d, slope = diagonal[low:high], k[stage, low:high]
            for i in range(len(slope)):
                slope[i] = (slope[i] + d[i] * between[i]) / (1.0 - share * d[i])


@njit(error_model="numpy")
def wants_diagonal(rows: Ints, t: Floats, h: Floats, method: Ints, end: float) -> bool:
    """Whether a trajectory needs the Jacobian's diagonal at the end of its step."""
    for m in range(len(rows)):
        r = rows[m]
        if method[r] == IMPLICIT or end - t[r] > WORTH * h[r]:
            return True
    return False


@njit(error_model="numpy")
def _largest(values: Floats, y: Floats, rtol: float, atol: float) -> float:
    """Largest of the values in units of the tolerance at its node; inf if one is not finite."""
    worst = 0.0
    for i in range(len(values)):
        size = abs(values[i]) / (atol + rtol * abs(y[i]))
        if not size <= worst:
            worst = size if np.isfinite(size) else np.inf
    return worst


@njit(error_model="numpy")
def _largest_error(
    low: int,
    high: int,
    h: float,
    weights: Floats,
    y: Floats,
    y_new: Floats,
    k: Floats,
    rtol: float,
    atol: float,
) -> float:
    """Largest local error of the nodes low … high − 1 in units of its tolerance; inf if not finite.

    More than eight parameters, because compiled code takes arrays one by one.

    The maximum, not a mean: a mean over thousands of nodes lets the few hubs, whose states are
    hardest to follow, miss the tolerance by the square root of that number.
    """
    worst = 0.0
    for first in range(low, high, _TILE):
        last = min(first + _TILE, high)
        error = np.zeros(_TILE)
        for s in range(7):
            weight = weights[s]
            if weight != 0.0:
                slope = k[s, first:last]
                for i in range(len(slope)):
                    error[i] += weight * slope[i]
        old, new = y[first:last], y_new[first:last]
        for i in range(len(old)):
            scale = atol + rtol * max(abs(old[i]), abs(new[i]))
            error[i] = abs(h * error[i]) / scale + 0.0 * new[i]  # not a number unless all is finite
        for i in range(len(old)):
            if not error[i] <= worst:
                if np.isnan(error[i]):
                    return np.inf
                worst = error[i]
    return worst


@njit(error_model="numpy")
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


@njit(error_model="numpy")
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


@njit(error_model="numpy")
def _observe(
    u: Floats, h: float, dense: Floats, low: int, y: Floats, k: Floats, out: Floats
) -> None:
    """States of the nodes from `low` on at the shares `u` of the step, into `out`, (times, nodes).

    A tile of nodes stays in the innermost cache for all times: what is left is to write.
    """
    n = out.shape[1]
    one, two, three, four = np.empty((4, _SLICE))
    for first in range(0, n, _SLICE):
        last = min(first + _SLICE, n)
        state = y[low + first : low + last]
        one[:] = two[:] = three[:] = four[:] = 0.0
        for s in range(7):
            if dense[s].any():
                slope = k[s, low + first : low + last]
                a, b, c, d = h * dense[s]
                for i in range(len(slope)):
                    one[i] += a * slope[i]
                    two[i] += b * slope[i]
                    three[i] += c * slope[i]
                    four[i] += d * slope[i]
        for j in range(len(u)):
            x = u[j]
            target = out[j, first:last]
            for i in range(len(target)):
                target[i] = state[i] + x * (one[i] + x * (two[i] + x * (three[i] + x * four[i])))


@njit(error_model="numpy")
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
    diagonal: Floats,
    diagonal_new: Floats,
    method: Ints,
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
    """Accept or reject each trajectory's step, write what it observed, choose the next step.

    More than eight parameters, because compiled code takes arrays one by one.

    `y`, `k[0]`, `diagonal` and the arrays from `method` on change in place. `diagonal_new`, that of
    the Jacobian at `y_new`, is used only where `wants_diagonal` says so.

    Returns:
        Whether a trajectory has ended.
    """
    end = times[-1]
    smallest = 1e-15 * max(abs(times[0]), abs(end))
    ended = False
    for m in range(len(rows)):
        r = rows[m]
        low, high = start[m], start[m + 1]
        n = high - low
        used = method[r]
        steps[r] += 1
        error = _largest_error(low, high, h[r], _ERROR[used], y, y_new, k, rtol, atol)
        finite = np.isfinite(error)
        scaled = max(error, 1e-10) ** _FIRST[used]
        passed = error <= 1.0
        if passed and t[r] == times[0]:
            rough = _largest_error(low, high, h[r], _DOPRI_START, y, y_new, k, rtol, atol)
            if rough > 1.0:
                passed = False
                scaled = rough ** (1 / 4)
        if passed:
            if used == IMPLICIT or end - t[r] > WORTH * h[r]:
                stiffest = 0.0
                for i in range(low, high):
                    # Growth is left to the explicit method, for which it is not stiff.
                    d = diagonal_new[i]
                    diagonal[i] = d if d < 0.0 and np.isfinite(d) else 0.0
                    stiffest = max(stiffest, -diagonal[i])
                if h[r] * stiffest > STIFF:
                    method[r] = IMPLICIT
            t_new = t[r] + h[r]
            if t_new >= end - 10 * smallest:
                t_new = end
            seen = observed[r]
            while observed[r] < len(times) and times[observed[r]] <= t_new:
                observed[r] += 1
            if observed[r] > seen:
                shares = (times[seen : observed[r]] - t[r]) / h[r]
                here = out[place[r] + seen * n : place[r] + observed[r] * n].reshape((-1, n))
                _observe(shares, h[r], _DENSE[used], low, y, k, here)
            y[low:high] = y_new[low:high]
            k[0, low:high] = k[6, low:high]
            t[r] = t_new
            factor = 0.9 * last_error[r] ** _SECOND / scaled
            factor = min(max(factor, 0.2), 1.0 if rejected[r] else 10.0)
            last_error[r] = max(error, 1e-4)
            rejected[r] = False
        else:
            factor = max(0.9 / scaled, 0.2) if finite else 0.2
            rejected[r] = True
        h[r] = min(h[r] * factor, end - t[r])
        if t[r] > times[0]:
            h[r] = min(h[r], WIDER * (t[r] - times[0]))
        if t[r] == end:
            status[r] = DONE
        elif not h[r] > smallest:
            status[r] = UNDERFLOW if finite else NOT_FINITE
        elif steps[r] >= max_steps:
            status[r] = TOO_MANY_STEPS
        ended = ended or status[r] != RUNNING
    return ended
