"""What training data cover, and flags of what is outside of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nodeflow.graphs.graph import Graph
from nodeflow.problems import Problem

__all__ = ["Floats", "Seen", "TrustProblem", "flags"]

Floats = NDArray[np.float64]

Bools = NDArray[np.bool_]

Intervals = tuple[tuple[float, float], ...]

TRIM = 1e-3
"""Share of the states at either end that does not count as seen: outliers of noisy data."""

MARGIN = 0.02
"""Distance from the states seen in training, in their ranges, up to which nothing is flagged."""


class TrustProblem(Problem):
    """Predictions, truths or levels of which no bands or flags can be made."""


@dataclass(frozen=True)
class Seen:
    """States at which training data determine the three functions of a neural ODE.

    Each is a union of closed intervals, rising and apart; empty if there was nothing to learn from.

    Attributes:
        f: states of all nodes.
        h_ego: states of the nodes that others act on.
        h_alt: states of the nodes that act on others.
    """

    f: Intervals
    h_ego: Intervals
    h_alt: Intervals

    @classmethod
    def of(
        cls, states: ArrayLike, graph: Graph, *, trim: float = TRIM, margin: float = MARGIN
    ) -> Seen:
        """What states on a graph cover.

        The share `trim` of the states is left out at either end: single extreme states are evidence
        of little. The others are covered with all that lies between them, but for gaps wider than
        twice `margin` times their range, in whose middle a state is farther from them than that.

        Args:
            states: of the training data, shape (…, n), in any order of runs and times; NaN where
                nothing was observed.
            graph: that they were observed on.
            trim: share of states, below a half.
            margin: in ranges of the states, as in `flags`.

        Raises:
            TrustProblem: the last axis is not that of the graph's nodes.
        """
        given = np.asarray(states, dtype=np.float64)
        if given.ndim < 1 or given.shape[-1] != graph.n:
            raise TrustProblem(
                f"States of shape {given.shape} do not fit a graph of {graph.n} nodes; the last "
                "axis has to be that of the nodes."
            )
        by_node = given.reshape(-1, graph.n)
        matrix = graph.adjacency()
        receives = np.diff(matrix.indptr) > 0
        acts = np.bincount(matrix.indices, minlength=graph.n) > 0
        every = _covered(by_node, trim, margin)
        ego = every if receives.all() else _covered(by_node[:, receives], trim, margin)
        same = np.array_equal(acts, receives)
        return cls(every, ego, ego if same else _covered(by_node[:, acts], trim, margin))

    @classmethod
    def shared(cls, several: Sequence[Seen]) -> Seen:
        """What the training data of all models of an ensemble cover.

        The mean of an ensemble rests on extrapolation as soon as one of its models extrapolates.

        Raises:
            TrustProblem: there are none.
        """
        if not several:
            raise TrustProblem("No model, nothing seen; give what at least one has seen.")
        shared = several[0]
        for other in several[1:]:
            shared = cls(
                _both(shared.f, other.f),
                _both(shared.h_ego, other.h_ego),
                _both(shared.h_alt, other.h_alt),
            )
        return shared

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: lists of pairs by name."""
        return {name: [list(pair) for pair in pairs] for name, pairs in asdict(self).items()}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Seen:
        """What `to_dict` made.

        Raises:
            TrustProblem: it is something else.
        """
        try:
            f, h_ego, h_alt = (
                tuple((float(low), float(high)) for low, high in given[name])
                for name in ("f", "h_ego", "h_alt")
            )
        except (KeyError, TypeError, ValueError) as error:
            raise TrustProblem(
                "What training covered is three lists of pairs of numbers, f, h_ego and h_alt; "
                "write it with Seen.to_dict."
            ) from error
        return cls(f, h_ego, h_alt)


def _covered(states: Floats, trim: float, margin: float) -> Intervals:
    """Intervals that hold all states but the outermost."""
    known = np.sort(states[np.isfinite(states)])
    left_out = int(trim * len(known))
    known = known[left_out : len(known) - left_out]
    if not len(known):
        return ()
    gaps = np.flatnonzero(np.diff(known) > 2 * margin * (known[-1] - known[0]))
    lows, highs = known[[0, *(gaps + 1)]], known[[*gaps, -1]]
    return tuple(zip(lows.tolist(), highs.tolist(), strict=True))


def _both(some: Intervals, others: Intervals) -> Intervals:
    """The intersection."""
    pairs = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return tuple(sorted((low, high) for low, high in pairs if low <= high))


def _beyond(states: Floats, intervals: Intervals) -> Floats:
    """Distances from the intervals in their range; infinite for what is nowhere near any state."""
    if not intervals:
        return np.full(states.shape, np.inf)
    lows, highs = np.array(intervals).T
    place = np.searchsorted(lows, states, side="right")
    with np.errstate(divide="ignore", invalid="ignore"):
        above = states - np.concatenate([[-np.inf], highs])[place]
        below = np.concatenate([lows, [np.inf]])[place] - states
        distance = np.clip(np.minimum(above, below), 0.0, None)
        beyond = np.where(distance > 0, distance / (highs[-1] - lows[0]), 0.0)
    return np.where(np.isfinite(states), beyond, np.inf)


def flags(states: ArrayLike, seen: Seen, graph: Graph, *, margin: float = MARGIN) -> Bools:
    """Where a forecast rests on extrapolation.

    A smooth function goes on a little beyond the states at which it was learned, and is off the
    more the farther it has to go. So a node is flagged from the first time at which

    * its own state is farther than `margin` from those at which f was learned or, for a node that
      others act on, h_ego; or
    * its neighbours' states are so far from those at which h_alt was learned, on average over the
      neighbours with their weights |A_ij|, as h_alt enters as a sum with these weights. One
      neighbour that is far outside therefore matters to a node that has few, and many that are just
      outside matter to any.

    Distances are in ranges of the states seen. A flag stays: a state that went wrong does not
    become right by coming back among states that were seen. For the same reason a neighbour counts
    with the largest distance that it has had so far. Neighbours of neighbours do not count; what
    goes wrong there arrives through states that were seen.

    Flags are made of predictions alone. They do not say that a forecast is wrong, as functions may
    be extrapolated well, nor that one without them is right: errors within the range are what bands
    are for.

    Args:
        states: predicted, shape (…, T, n), times rising; of an ensemble its mean. A state that is
            not finite counts as infinitely far.
        seen: what training covered.
        graph: that the states are predicted on.
        margin: in ranges of the states seen, not negative.

    Returns:
        Shape (…, T, n).

    Raises:
        TrustProblem: the states do not fit the graph.
    """
    given = np.asarray(states, dtype=np.float64)
    if given.ndim < 2 or given.shape[-1] != graph.n:
        raise TrustProblem(
            f"States of shape {given.shape} do not fit a graph of {graph.n} nodes; give one row a "
            "time and one column a node."
        )
    weights = abs(graph.adjacency())
    received = np.asarray(weights.sum(axis=1))
    farthest = np.maximum.accumulate(_beyond(given, seen.h_alt), axis=-2)
    total = np.asarray(weights @ farthest.reshape(-1, graph.n).T).T.reshape(given.shape)
    extrapolated = _beyond(given, seen.f) > margin
    extrapolated |= (_beyond(given, seen.h_ego) > margin) & (received > 0)
    extrapolated |= total > margin * received
    kept: Bools = np.maximum.accumulate(extrapolated, axis=-2)
    return kept
