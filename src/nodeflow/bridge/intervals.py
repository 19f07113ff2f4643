"""Intervals for comparisons of two sets of neural ODEs.

They are percentile bootstraps: the neural ODEs (or ensembles) of each set and the test graphs are
drawn again, test graphs jointly for both sides of a comparison, and trained neural ODEs that share
a training graph together with it (Davison and Hinkley 1997, §3.8). The zoo that generated ones come
from is not drawn again. A failed integration counts as an infinite error, which medians can bear.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nodeflow.judge.bootstrap import drawn_together

__all__ = [
    "Interval",
    "Scores",
    "difference_interval",
    "mean_interval",
    "ratio_interval",
    "selection_interval",
]

Array = np.ndarray
_DRAWS = 2000
_CHOSEN = 0.25


@dataclass(frozen=True)
class Scores:
    """Errors or scores of one set, and what must be drawn together.

    Attributes:
        values: (M, G) of M neural ODEs or ensembles on G test graphs.
        group: (M,) those of one number ≥ 0 share a training graph; −1 shares nothing.
    """

    values: Array
    group: Array

    @classmethod
    def independent(cls, values: Array) -> Scores:
        """Scores of which none share anything."""
        return cls(values, np.full(len(values), -1))

    @property
    def groups(self) -> list[Array]:
        """The places that are drawn together."""
        shared = [np.flatnonzero(self.group == g) for g in np.unique(self.group[self.group >= 0])]
        return [*shared, *np.flatnonzero(self.group < 0)[:, None]]

    def drawn(self, rng: np.random.Generator) -> Array:
        """Places (draws, …) of all draws; −1 where a draw holds fewer."""
        return drawn_together(self.groups, _DRAWS, rng)

    def at(self, places: Array, columns: Array) -> Array:
        """The values of every draw on some test graphs (draws, G) in a row; NaN where none is."""
        padded = np.vstack([self.values, np.full(self.values.shape[1], np.nan)])
        found: Array = padded[places[:, :, None], columns[:, None, :]].reshape(len(places), -1)
        return found


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % bootstrap interval.

    Attributes:
        estimate: of all data; NaN if it does not exist.
        low: lower end.
        high: upper end.
        n: training graphs, generated neural ODEs or ensembles on the smaller side.
        graphs: test graphs.
        draws: the statistic of every draw; NaN where it cannot be computed.
    """

    estimate: float
    low: float
    high: float
    n: int
    graphs: int
    draws: Array = field(repr=False, compare=False)

    @property
    def fault(self) -> str:
        """Why it is no finite interval, or none at all; empty if it is one."""
        if self.n < 2:
            return "one training graph, neural ODE or ensemble on a side: it cannot be drawn again"
        if self.graphs < 2:
            return f"{self.graphs} test graph: it cannot be drawn again"
        if not np.isfinite([self.estimate, self.low, self.high]).all():
            lost = 1 - np.isfinite(self.draws).mean()
            return f"most integrations of a set fail, in {lost:.0%} of the draws"
        return ""


def ratio_interval(a: Scores, b: Scores, rng: np.random.Generator) -> Interval:
    """Median error of one set over that of another.

    Args:
        a: errors, infinite where an integration failed.
        b: errors on the same graphs.
        rng: where the resampling comes from.
    """
    return _bootstrap(a, b, _ratio, rng)


def _ratio(a: Array, b: Array) -> Array:
    """Medians of the rows of `a` over those of `b`; NaN where most of both failed."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: Array = _medians(a) / _medians(b)
    return ratios


def _medians(rows: Array) -> Array:
    """Median of each row but for its NaN; infinite where most of it is."""
    count = np.sum(~np.isnan(rows), axis=1)
    in_order = np.sort(rows, axis=1)  # NaN last
    lower, upper = (
        np.take_along_axis(in_order, at[:, None], axis=1)[:, 0]
        for at in ((count - 1) // 2, count // 2)
    )
    medians: Array = (lower + upper) / 2
    return medians


def difference_interval(a: Scores, b: Scores, rng: np.random.Generator) -> Interval:
    """Mean score of one set less that of another.

    Graphs on which no score of either set exists are left out, and so are single scores (NaN).
    """
    exists = ~np.isnan(np.concatenate([a.values, b.values])).all(axis=0)
    a, b = (replace(x, values=x.values[:, exists]) for x in (a, b))
    return _bootstrap(a, b, lambda x, y: _means(x) - _means(y), rng)


def _means(rows: Array) -> Array:
    """Mean of each row but for its NaN; NaN where there is nothing else."""
    with np.errstate(invalid="ignore"):
        means: Array = np.nansum(rows, axis=1) / np.sum(~np.isnan(rows), axis=1)
    return means


def _bootstrap(
    a: Scores, b: Scores, statistic: Callable[[Array, Array], Array], rng: np.random.Generator
) -> Interval:
    graphs = a.values.shape[1]
    columns = rng.integers(graphs, size=(_DRAWS, graphs))
    draws = statistic(a.at(a.drawn(rng), columns), b.at(b.drawn(rng), columns))
    [estimate] = statistic(a.values.reshape(1, -1), b.values.reshape(1, -1))
    return _interval(float(estimate), draws, _smaller(a, b), graphs)


def mean_interval(parts: Sequence[Interval], *, geometric: bool) -> Interval:
    """The mean of independent comparisons, geometric for ratios; n and graphs are the smallest."""
    stacked = np.array([[x.estimate, *x.draws] for x in parts])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.exp(np.log(stacked).mean(0)) if geometric else stacked.mean(0)
    n, graphs = min(x.n for x in parts), min(x.graphs for x in parts)
    return _interval(float(mean[0]), mean[1:], n, graphs)


def _interval(estimate: float, draws: Array, n: int, graphs: int) -> Interval:
    """The interval of draws; one that cannot be computed could lie on either side."""
    unknown = np.isnan(draws)
    # The nearest draw, not a mean of two: one of them may be infinite.
    low = np.quantile(np.where(unknown, -np.inf, draws), 0.025, method="nearest")
    high = np.quantile(np.where(unknown, np.inf, draws), 0.975, method="nearest")
    return Interval(estimate, float(low), float(high), n, graphs, draws)


def _smaller(a: Scores, b: Scores) -> int:
    """How many groups the smaller of two sets has."""
    return min(len(a.groups), len(b.groups))


def selection_interval(
    chosen_by: Scores, chosen: Scores, against_by: Scores | None, against: Scores,
    rng: np.random.Generator,
) -> Interval:  # fmt: skip
    """Median error of the best quarter of one set over that of another set.

    Selection is repeated in every draw, by the median error on other graphs than those of the test.

    Args:
        chosen_by: errors on the graphs of the selection.
        chosen: errors of the same neural ODEs on the test graphs.
        against_by: to select in the other set too; None takes all of it.
        against: errors of the other set; of the same, it is drawn again together with it.
        rng: where the resampling comes from.
    """
    graphs = chosen.values.shape[1]

    def statistic(mine: Array, theirs: Array, validation: Array, columns: Array) -> Array:
        a, b = chosen.at(mine, columns), against.at(theirs, columns)
        a = np.where(np.repeat(_best(chosen_by, mine, validation), graphs, axis=1), a, np.nan)
        if against_by is not None:
            best = _best(against_by, theirs, validation)
            b = np.where(np.repeat(best, graphs, axis=1), b, np.nan)
        return _ratio(a, b)

    def graphs_of(scores: Scores) -> Array:
        own = scores.values.shape[1]
        return rng.integers(own, size=(_DRAWS, own))

    mine = chosen.drawn(rng)
    theirs = mine if against is chosen else against.drawn(rng)
    draws = statistic(mine, theirs, graphs_of(chosen_by), graphs_of(chosen))
    [estimate] = statistic(
        *(np.arange(len(x.values))[None] for x in (chosen, against)),
        *(np.arange(x.values.shape[1])[None] for x in (chosen_by, chosen)),
    )
    return _interval(float(estimate), draws, _smaller(chosen, against), graphs)


def _best(scores: Scores, places: Array, columns: Array) -> Array:
    """Which places (draws, …) of every draw are in its quarter with the lowest median errors."""
    graphs = columns.shape[1]
    medians = _medians(scores.at(places, columns).reshape(-1, graphs)).reshape(places.shape)
    count = np.maximum(1, np.rint(_CHOSEN * (places >= 0).sum(axis=1)))
    rank = np.argsort(np.argsort(medians, axis=1, kind="stable"), axis=1)
    best: Array = rank < count[:, None]
    return best
