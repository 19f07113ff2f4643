"""The questions that the bridge was built for, each answered by a number with its interval.

Intervals are percentile bootstraps: the neural ODEs (or ensembles) of each set and the test graphs
are drawn again, test graphs jointly for both sides of a comparison, and trained neural ODEs that
share a training graph together with it (Davison and Hinkley 1997, §3.8). The zoo that generated
ones come from is not drawn again. A failed integration counts as an infinite error, which medians
can bear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from nodeflow.seeds import numpy_generator

__all__ = [
    "Interval",
    "Scores",
    "answer_questions",
    "difference_interval",
    "ratio_interval",
    "selection_interval",
]

Array = np.ndarray
_DRAWS = 2000
_MARGIN = 1.1
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

    def groups(self) -> list[Array]:
        """The places that are drawn together."""
        shared = [np.flatnonzero(self.group == g) for g in np.unique(self.group[self.group >= 0])]
        return [*shared, *np.flatnonzero(self.group < 0)[:, None]]

    def draws(self, rng: np.random.Generator) -> Iterator[Array]:
        """Places of one draw after another, for ever."""
        groups = self.groups()
        while True:
            yield np.concatenate([groups[g] for g in rng.integers(len(groups), size=len(groups))])


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % bootstrap interval.

    Attributes:
        estimate: of all data; NaN if it does not exist.
        low: lower end.
        high: upper end.
        n: training graphs, generated neural ODEs or ensembles on the smaller side.
        graphs: test graphs.
        lost: share of the draws whose statistic is infinite or does not exist.
    """

    estimate: float
    low: float
    high: float
    n: int
    graphs: int
    lost: float

    @property
    def fault(self) -> str:
        """Why it is no finite interval, or none at all; empty if it is one."""
        if self.n < 2:
            return "one training graph, neural ODE or ensemble on a side: it cannot be drawn again"
        if self.graphs < 2:
            return f"{self.graphs} test graph: it cannot be drawn again"
        if not np.isfinite([self.estimate, self.low, self.high]).all():
            return f"most integrations of a set fail, in {self.lost:.0%} of the draws"
        return ""


def ratio_interval(a: Scores, b: Scores, rng: np.random.Generator) -> Interval:
    """Median error of one set over that of another.

    Args:
        a: errors, infinite where an integration failed.
        b: errors on the same graphs.
        rng: where the resampling comes from.
    """
    return _bootstrap(a, b, _ratio, rng)


def _ratio(a: Array, b: Array) -> float:
    """Median of `a` over that of `b`; NaN if most of both failed, which cannot be compared."""
    above, below = float(np.median(a)), float(np.median(b))
    return float("nan") if np.isinf(above) and np.isinf(below) else above / below


def difference_interval(a: Scores, b: Scores, rng: np.random.Generator) -> Interval:
    """Mean score of one set less that of another.

    Graphs on which no score of either set exists are left out, and so are single scores (NaN).
    """
    exists = ~np.isnan(np.concatenate([a.values, b.values])).all(axis=0)
    a, b = (replace(x, values=x.values[:, exists]) for x in (a, b))

    def difference(x: Array, y: Array) -> float:
        if np.isnan(x).all() or np.isnan(y).all():
            return float("nan")
        return float(np.nanmean(x) - np.nanmean(y))

    return _bootstrap(a, b, difference, rng)


def _bootstrap(
    a: Scores, b: Scores, statistic: Callable[[Array, Array], float], rng: np.random.Generator
) -> Interval:
    graphs = a.values.shape[1]
    drawn = []
    for x, y, _ in zip(a.draws(rng), b.draws(rng), range(_DRAWS), strict=False):
        columns = rng.integers(graphs, size=graphs)
        drawn.append(statistic(a.values[x][:, columns], b.values[y][:, columns]))
    return _interval(statistic(a.values, b.values), drawn, a, b)


def _interval(estimate: float, drawn: list[float], a: Scores, b: Scores) -> Interval:
    """The interval of draws; one that cannot be computed could lie on either side."""
    values = np.array(drawn)
    unknown = np.isnan(values)
    # The nearest draw, not a mean of two: one of them may be infinite.
    low = np.quantile(np.where(unknown, -np.inf, values), 0.025, method="nearest")
    high = np.quantile(np.where(unknown, np.inf, values), 0.975, method="nearest")
    return Interval(
        estimate,
        float(low),
        float(high),
        min(len(a.groups()), len(b.groups())),
        a.values.shape[1],
        float(1 - np.isfinite(values).mean()),
    )


def selection_interval(
    chosen_by: Array, chosen: Scores, against_by: Array | None, against: Scores,
    rng: np.random.Generator,
) -> Interval:  # fmt: skip
    """Median error of the best quarter of one set over that of another set.

    Selection is repeated in every draw, by the median error on other graphs than those of the test.

    Args:
        chosen_by: (M, V) errors on the graphs of the selection.
        chosen: errors of the same neural ODEs on the test graphs.
        against_by: (K, V) to select in the other set too; None takes all of it.
        against: errors of the other set.
        rng: where the resampling comes from.
    """

    def statistic(x: Array, x_test: Array, y: Array | None, y_test: Array) -> float:
        mine = x_test[_best(x)]
        theirs = y_test if y is None else y_test[_best(y)]
        return _ratio(mine, theirs)

    drawn = []
    draws = zip(chosen.draws(rng), against.draws(rng), range(_DRAWS), strict=False)
    for rows, others, _ in draws:
        columns = rng.integers(chosen.values.shape[1], size=chosen.values.shape[1])
        validation = rng.integers(chosen_by.shape[1], size=chosen_by.shape[1])
        drawn.append(
            statistic(
                chosen_by[rows][:, validation],
                chosen.values[rows][:, columns],
                None if against_by is None else against_by[others][:, validation],
                against.values[others][:, columns],
            )
        )
    estimate = statistic(chosen_by, chosen.values, against_by, against.values)
    return _interval(estimate, drawn, chosen, against)


def _best(errors: Array) -> Array:
    count = max(1, round(_CHOSEN * len(errors)))
    best: Array = np.argsort(np.median(errors, axis=1), kind="stable")[:count]
    return best


# --- the questions --------------------------------------------------------------------------------

MATCH = "Do generated neural ODEs match trained ones?"
COPY = "Are generated neural ODEs better than copies with as much noise?"
PREDICTOR = "Is an ensemble of generated neural ODEs a better predictor?"
ALARM = "Is an ensemble of generated neural ODEs a better alarm at the nodes that go wrong?"
UNSEEN = "Does conditioning on unseen β and γ work?"
SELECT = "Does selecting on held-out large graphs extend size generalization?"


def answer_questions(runs: pd.DataFrame, ensembles: pd.DataFrame, root_seed: int) -> pd.DataFrame:
    """All questions for all zoos and systems: rows with the columns of `BRIDGE_QUESTIONS`.

    Args:
        runs: columns of `BRIDGE_RUNS`.
        ensembles: columns of `BRIDGE_ENSEMBLES`.
        root_seed: the run's root seed.
    """
    rows: list[dict[str, object]] = []
    for (zoo, system), own in runs.groupby(["zoo", "system"], sort=False):
        together = ensembles[(ensembles["zoo"] == zoo) & (ensembles["system"] == system)]
        asked = _Asked(str(zoo), str(system), root_seed, rows)
        home = own[(own["beta"] == own["trained_beta"]) & (own["gamma"] == own["trained_gamma"])]
        for unseen, at in home.groupby("unseen", sort=True):
            for (beta, gamma), cell in at.groupby(["trained_beta", "trained_gamma"]):
                place = f"β = {beta:g}, γ = {gamma:g}"
                _matches(asked, cell, place)
                if unseen:
                    _conditions(asked, cell, place)
                    continue
                _selects(asked, cell, place)
                here = (together["trained_beta"] == beta) & (together["trained_gamma"] == gamma)
                here &= (together["beta"] == beta) & (together["gamma"] == gamma)
                _ensembles(asked, together[here], place)
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _Asked:
    zoo: str
    system: str
    root_seed: int
    rows: list[dict[str, object]]

    def rng(self, statistic: str) -> np.random.Generator:
        return numpy_generator(self.root_seed, "bridge question", self.zoo, self.system, statistic)

    def add(self, question: str, statistic: str, found: Interval, limit: float, sign: int) -> None:
        """Yes if the interval lies on the good side of `limit`, no if on the bad one.

        An interval that is infinite on one side only may still answer.
        """
        best, worst = (found.low, found.high) if sign < 0 else (found.high, found.low)
        answer = "not answerable" if found.fault else "open"
        if min(found.n, found.graphs) >= 2 and not np.isnan(found.estimate):
            if sign * worst > sign * limit:
                answer = "yes"
            elif sign * best < sign * limit:
                answer = "no"
        self.rows.append(
            {
                "question": question,
                "zoo": self.zoo,
                "system": self.system,
                "statistic": statistic,
                "estimate": found.estimate,
                "low": found.low,
                "high": found.high,
                "n": found.n,
                "graphs": found.graphs,
                "answer": answer,
                "reason": found.fault,
            }
        )

    def ratio(
        self, question: str, statistic: str, a: Scores, b: Scores, margin: float = 1.0
    ) -> None:
        """A ratio of errors: the smaller the better, `margin` is no difference."""
        if len(a.values) and len(b.values):
            found = ratio_interval(a, b, self.rng(statistic))
            self.add(question, statistic, found, margin, -1)


def _errors(rows: pd.DataFrame, name: str, column: str = "mae") -> Scores:
    """Errors of the neural ODEs of one set; infinite where there is none."""
    own = rows[rows["set"] == name]
    table = own.pivot(index="index", columns="graph", values=column).fillna(np.inf)
    group = own.groupby("index")["trained_graph"].first()
    return Scores(table.to_numpy(dtype=float), group.to_numpy())


def _of_ensembles(rows: pd.DataFrame, name: str, column: str) -> Scores:
    """Scores of the ensembles of one set, NaN where there is none."""
    table = rows[rows["set"] == name].pivot(index="ensemble", columns="graph", values=column)
    return Scores.independent(table.to_numpy(dtype=float))


def _matches(asked: _Asked, cell: pd.DataFrame, place: str) -> None:
    for N, rows in cell.groupby("N"):
        trained, made = _errors(rows, "held-out"), _errors(rows, "generated")
        asked.ratio(MATCH, f"error of generated over trained, N = {N}, {place}", made, trained,
                    _MARGIN)  # fmt: skip
        asked.ratio(
            MATCH, f"the same at hubs, N = {N}, {place}", _errors(rows, "generated", "mae_hubs"),
            _errors(rows, "held-out", "mae_hubs"), _MARGIN,
        )  # fmt: skip
        if "noise matched" in set(rows["set"]):
            asked.ratio(COPY, f"error of generated over noise matched, N = {N}, {place}", made,
                        _errors(rows, "noise matched"))  # fmt: skip


def _conditions(asked: _Asked, cell: pd.DataFrame, place: str) -> None:
    for N, rows in cell.groupby("N"):
        made = _errors(rows, "generated")
        for other, words in (
            ("generated elsewhere", "generated for other β and γ"),
            ("trained elsewhere", "trained at other β and γ"),
        ):
            asked.ratio(UNSEEN, f"error of generated over {words}, N = {N}, {place}", made,
                        _errors(rows, other))  # fmt: skip


def _selects(asked: _Asked, cell: pd.DataFrame, place: str) -> None:
    sizes = sorted(cell["N"].unique())
    if len(sizes) < 2 or cell["graph"].nunique() < 2:
        return
    validation = cell[cell["N"] == sizes[-2]]
    test = cell[cell["N"] == sizes[-1]]
    by, on = (
        {name: _errors(rows, name) for name in ("generated", "held-out")}
        for rows in (validation, test)
    )
    text = f"chosen at N = {sizes[-2]}, tested at N = {sizes[-1]}, {place}"
    for words, theirs_by, theirs in (
        ("all generated", None, on["generated"]),
        ("all trained", None, on["held-out"]),
        ("best trained", by["held-out"].values, on["held-out"]),
    ):
        statistic = f"error of best generated over {words}, {text}"
        found = selection_interval(
            by["generated"].values, on["generated"], theirs_by, theirs, asked.rng(statistic)
        )
        asked.add(SELECT, statistic, found, 1.0, -1)


def _ensembles(asked: _Asked, rows: pd.DataFrame, place: str) -> None:
    """The largest generated ensembles against trained ones of every size.

    A neural ODE takes longer to train than to generate, so a smaller trained ensemble is the one of
    equal cost.
    """
    for N, here in rows.groupby("N"):
        sizes = sorted(here["size"].unique())
        many = sizes[-1]
        mine = here[here["size"] == many]
        for size in sizes if len(sizes) > 1 else []:
            theirs = here[here["size"] == size]
            words = "one" if size == 1 else size
            text = f"{many} generated against {words} trained, N = {N}, {place}"
            for column, what in (("mae", "error"), ("mae_hubs", "error at hubs")):
                a, b = (
                    _of_ensembles(mine, "generated", column),
                    _of_ensembles(theirs, "held-out", column),
                )
                asked.ratio(PREDICTOR, f"{what} of {text}", _failing(a), _failing(b))
            for column, what in (("auc_errors", "worst twentieth"), ("auc_outside", "outside")):
                a, b = (
                    _of_ensembles(mine, "generated", column),
                    _of_ensembles(theirs, "held-out", column),
                )
                if np.isnan(a.values).all() or np.isnan(b.values).all():
                    continue
                statistic = f"area under ROC ({what}) of {text}"
                found = difference_interval(a, b, asked.rng(statistic))
                asked.add(ALARM, statistic, found, 0.0, 1)


def _failing(errors: Scores) -> Scores:
    """Errors that do not exist as infinite ones."""
    return replace(errors, values=np.where(np.isnan(errors.values), np.inf, errors.values))
