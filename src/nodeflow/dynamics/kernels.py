"""Compiled inner loops of the integrator.

State vectors lie flat: the m-th trajectory of those that advance together occupies
`start[m] : start[m + 1]`, and is trajectory `rows[m]` of all.

Every loop works on one trajectory at a time, in an order that depends on its size alone: no number
depends on which other trajectories are present.

A step is made by one of the two methods of `nodeflow.dynamics.runge_kutta`. No step is more than
`WIDER` times the time since the start: see there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nodeflow.compiled import njit
from nodeflow.dynamics.runge_kutta import (
    BETWEEN,
    DENSE,
    ERROR,
    EXPLICIT,
    FIRST_STEP_ERROR,
    GAMMA,
    IMPLICIT,
    STAGES,
)

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
    "solve_stage",
    "wants_diagonal",
]

RUNNING, DONE, UNDERFLOW, NOT_FINITE, TOO_MANY_STEPS = range(5)

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

# Step sizes follow the PI controller of Hairer and Wanner's DOPRI5: error^−(1/q − 0.75 β) with
# β = 0.04 for an error of order q = 5 and 4.
_SECOND = 0.04
_FIRST = np.array([1 / 5 - 0.75 * _SECOND, 1 / 4 - 0.75 * _SECOND])

_TILE = 512
_SLICE = 128

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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
            one = h[r] * STAGES[method[r], stage, 0]
            first = k[0, low:high]
            for i in range(len(to)):
                to[i] = state[i] + one * first[i]
            for s in range(1, stage, 2):  # two at a time, or the first of them twice
                other = min(s + 1, stage - 1)
                one = h[r] * STAGES[method[r], stage, s]
                two = h[r] * STAGES[method[r], stage, other] if other > s else 0.0
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
                weight = h[r] * BETWEEN[stage, s]
                slope = k[s, low:high]
                for i in range(len(slope)):
                    between[i] += weight * slope[i]
            share = h[r] * GAMMA
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
        error = _largest_error(low, high, h[r], ERROR[used], y, y_new, k, rtol, atol)
        finite = np.isfinite(error)
        scaled = max(error, 1e-10) ** _FIRST[used]
        passed = error <= 1.0
        if passed and t[r] == times[0]:
            rough = _largest_error(low, high, h[r], FIRST_STEP_ERROR, y, y_new, k, rtol, atol)
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
                observed_states = out[place[r] + seen * n : place[r] + observed[r] * n].reshape(
                    (-1, n)
                )
                _observe(shares, h[r], DENSE[used], low, y, k, observed_states)
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
