"""The questions that the bridge was built for, each answered by a number with its interval.

Intervals are percentile bootstraps: neural ODEs (or ensembles) of each set and the test graphs are
drawn again, graphs jointly for both sides of a comparison. A failed integration counts as an
infinite error, which medians can bear.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nodeflow.seeds import numpy_generator

__all__ = ["Interval", "answer_questions", "ratio_interval", "selection_interval"]

Array = np.ndarray
_DRAWS = 2000
_MARGIN = 1.1
_CHOSEN = 0.25


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % bootstrap interval.

    Attributes:
        estimate: of all data.
        low: lower end.
        high: upper end.
        n: neural ODEs or ensembles on the smaller side.
        graphs: test graphs.
    """

    estimate: float
    low: float
    high: float
    n: int
    graphs: int


def ratio_interval(a: Array, b: Array, rng: np.random.Generator) -> Interval:
    """Median error of one set over that of another.

    Args:
        a: (M, G) errors, infinite where an integration failed.
        b: (K, G) errors on the same graphs.
        rng: where the resampling comes from.
    """
    return _bootstrap(a, b, _ratio, rng)


def _ratio(a: Array, b: Array) -> float:
    """Median of `a` over that of `b`; NaN if most of both failed, which cannot be compared."""
    above, below = float(np.median(a)), float(np.median(b))
    return float("nan") if np.isinf(above) and np.isinf(below) else above / below


def difference_interval(a: Array, b: Array, rng: np.random.Generator) -> Interval:
    """Mean score of one set less that of another; scores that do not exist are left out."""

    def difference(x: Array, y: Array) -> float:
        if np.isnan(x).all() or np.isnan(y).all():
            return float("nan")
        return float(np.nanmean(x) - np.nanmean(y))

    return _bootstrap(a, b, difference, rng)


def _bootstrap(
    a: Array, b: Array, statistic: Callable[[Array, Array], float], rng: np.random.Generator
) -> Interval:
    graphs = a.shape[1]
    drawn = []
    for _ in range(_DRAWS):
        columns = rng.integers(graphs, size=graphs)
        x = a[rng.integers(len(a), size=len(a))][:, columns]
        y = b[rng.integers(len(b), size=len(b))][:, columns]
        drawn.append(statistic(x, y))
    low, high = _ends(drawn)
    return Interval(statistic(a, b), low, high, min(len(a), len(b)), graphs)


def _ends(drawn: list[float]) -> tuple[float, float]:
    """Ends of the interval; a draw that cannot be computed could lie on either side."""
    values = np.array(drawn)
    unknown = np.isnan(values)
    # The nearest draw, not a mean of two: one of them may be infinite.
    low = np.quantile(np.where(unknown, -np.inf, values), 0.025, method="nearest")
    high = np.quantile(np.where(unknown, np.inf, values), 0.975, method="nearest")
    return float(low), float(high)


def selection_interval(
    chosen_by: Array, chosen: Array, against_by: Array | None, against: Array,
    rng: np.random.Generator,
) -> Interval:  # fmt: skip
    """Median error of the best quarter of one set over that of another set.

    Selection is repeated in every draw, by the median error on other graphs than those of the test.

    Args:
        chosen_by: (M, V) errors on the graphs of the selection.
        chosen: (M, G) errors of the same neural ODEs on the test graphs.
        against_by: (K, V) to select in the other set too; None takes all of it.
        against: (K, G) errors of the other set.
        rng: where the resampling comes from.
    """

    def statistic(x: Array, x_test: Array, y: Array | None, y_test: Array) -> float:
        mine = x_test[_best(x)]
        theirs = y_test if y is None else y_test[_best(y)]
        return _ratio(mine, theirs)

    drawn = []
    for _ in range(_DRAWS):
        columns = rng.integers(chosen.shape[1], size=chosen.shape[1])
        validation = rng.integers(chosen_by.shape[1], size=chosen_by.shape[1])
        rows = rng.integers(len(chosen), size=len(chosen))
        others = rng.integers(len(against), size=len(against))
        drawn.append(
            statistic(
                chosen_by[rows][:, validation],
                chosen[rows][:, columns],
                None if against_by is None else against_by[others][:, validation],
                against[others][:, columns],
            )
        )
    low, high = _ends(drawn)
    return Interval(
        statistic(chosen_by, chosen, against_by, against),
        low,
        high,
        min(len(chosen), len(against)),
        chosen.shape[1],
    )


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

    def add(
        self, question: str, statistic: str, found: Interval, yes: float, no: float, sign: int
    ) -> None:
        """Yes if the interval lies on the good side of `yes`, no if on the bad side of `no`.

        One neural ODE or ensemble cannot be drawn again differently: its interval answers nothing.
        """
        best, worst = (found.low, found.high) if sign < 0 else (found.high, found.low)
        answer = "open"
        if found.n < 2:
            answer = "open"
        elif sign * worst > sign * yes:
            answer = "yes"
        elif sign * best < sign * no:
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
            }
        )

    def ratio(self, question: str, statistic: str, a: Array, b: Array, margin: float = 1.0) -> None:
        """A ratio of errors: the smaller the better, `margin` is no difference."""
        if len(a) and len(b):
            found = ratio_interval(a, b, self.rng(statistic))
            self.add(question, statistic, found, margin, margin, -1)


def _errors(rows: pd.DataFrame, name: str, column: str = "mae", by: str = "index") -> Array:
    """Errors (M, G) of one set; infinite where there is none."""
    table = rows[rows["set"] == name].pivot(index=by, columns="graph", values=column)
    errors: Array = table.fillna(np.inf).to_numpy(dtype=float)
    return errors


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
        ("best trained", by["held-out"], on["held-out"]),
    ):
        statistic = f"error of best generated over {words}, {text}"
        found = selection_interval(
            by["generated"], on["generated"], theirs_by, theirs, asked.rng(statistic)
        )
        asked.add(SELECT, statistic, found, 1.0, 1.0, -1)


def _ensembles(asked: _Asked, rows: pd.DataFrame, place: str) -> None:
    for N, here in rows.groupby("N"):
        sizes = here["size"].unique()
        if len(sizes) < 2:
            continue
        one, many = min(sizes), max(sizes)
        sides = {
            "one trained": ("held-out", one),
            f"{many} trained": ("held-out", many),
        }
        mine = here[here["size"] == many]
        for words, (name, size) in sides.items():
            theirs = here[here["size"] == size]
            text = f"{many} generated against {words}, N = {N}, {place}"
            for column, what in (("mae", "error"), ("mae_hubs", "error at hubs")):
                asked.ratio(
                    PREDICTOR, f"{what} of {text}",
                    _errors(mine, "generated", column, "ensemble"),
                    _errors(theirs, name, column, "ensemble"),
                )  # fmt: skip
            for column, what in (("auc_errors", "worst twentieth"), ("auc_outside", "outside")):
                a = _scores(mine, "generated", column)
                b = _scores(theirs, name, column)
                if np.isnan(a).all() or np.isnan(b).all():
                    continue
                statistic = f"area under ROC ({what}) of {text}"
                found = difference_interval(a, b, asked.rng(statistic))
                asked.add(ALARM, statistic, found, 0.0, 0.0, 1)


def _scores(rows: pd.DataFrame, name: str, column: str) -> Array:
    """Scores of the ensembles of one set, (E, G); NaN where there is none."""
    table = rows[rows["set"] == name].pivot(index="ensemble", columns="graph", values=column)
    scores: Array = table.to_numpy(dtype=float)
    return scores
