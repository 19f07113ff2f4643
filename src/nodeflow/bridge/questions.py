"""The questions that the bridge was built for, each answered by a number with its interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from nodeflow.bridge.intervals import (
    Interval,
    Scores,
    difference_interval,
    mean_interval,
    ratio_interval,
    selection_interval,
)
from nodeflow.seeds import numpy_generator

__all__ = ["answer_questions"]

_MARGIN = 1.1

MATCH = "Do generated neural ODEs match trained ones?"
COPY = "Are generated neural ODEs better than copies with as much noise?"
PREDICTOR = "Is an ensemble of generated neural ODEs a better predictor?"
ALARM = "Is an ensemble of generated neural ODEs a better alarm at the nodes that go wrong?"
UNSEEN = "Does conditioning on unseen β and γ work?"
SELECT = "Does selecting on held-out large graphs extend size generalization?"


def answer_questions(runs: pd.DataFrame, ensembles: pd.DataFrame, root_seed: int) -> pd.DataFrame:
    """All questions for all zoos and systems: rows with the columns of `BRIDGE_QUESTIONS`.

    Each is asked for every β and γ of training; where there are several, also for all of them
    together, those that were learned and those that were not apart.

    Args:
        runs: columns of `BRIDGE_RUNS`.
        ensembles: columns of `BRIDGE_ENSEMBLES`.
        root_seed: the run's root seed.
    """
    found: list[_Answer] = []
    home = runs[_at_home(runs)]
    for (zoo, system), own in home.groupby(["zoo", "system"], sort=False):
        together = ensembles[(ensembles["zoo"] == zoo) & (ensembles["system"] == system)]
        together = together[_at_home(together)]
        of_system: list[_Answer] = []
        keys = ["unseen", "trained_beta", "trained_gamma", "N"]
        cells = own[keys].drop_duplicates().sort_values(keys)
        for unseen, beta, gamma, N in cells.itertuples(index=False, name=None):
            rows = own[(own[keys] == [unseen, beta, gamma, N]).all(axis=1)]
            place = _Place(str(zoo), str(system), int(N), float(beta), float(gamma), bool(unseen))
            asked = _Asked(place, root_seed, of_system)
            _matches(asked, rows)
            if unseen:
                _conditions(asked, rows)
                continue
            here = (together["trained_beta"] == beta) & (together["trained_gamma"] == gamma)
            _ensembles(asked, together[here & (together["N"] == N)])
            smaller = own[(own["trained_beta"] == beta) & (own["trained_gamma"] == gamma)]
            smaller = smaller[smaller["N"] < N]
            if len(smaller) and own["N"].max() == N:
                _selects(asked, smaller[smaller["N"] == smaller["N"].max()], rows)
        found += of_system + _over_cells(of_system)
    return pd.DataFrame([answer.row() for answer in found])


def _at_home(table: pd.DataFrame) -> pd.Series:
    """Rows whose test graphs have the β and γ of training."""
    return (table["beta"] == table["trained_beta"]) & (table["gamma"] == table["trained_gamma"])


@dataclass(frozen=True)
class _Place:
    """Where a question is asked; β and γ are NaN for all of a zoo together."""

    zoo: str
    system: str
    N: int
    beta: float
    gamma: float
    unseen: bool


@dataclass(frozen=True)
class _Answer:
    """A question with its interval, and the value of no difference.

    Attributes:
        question: what is asked.
        statistic: what answers it.
        place: where.
        found: its interval.
        limit: no difference.
        ratio: a ratio of errors, the smaller the better; else a difference of scores.
        cells: how many β and γ it is the mean of.
    """

    question: str
    statistic: str
    place: _Place
    found: Interval
    limit: float
    ratio: bool
    cells: int = 1

    def answer(self) -> str:
        """Yes if the interval lies on the good side of the limit, no if on the bad one.

        An interval that is infinite on one side only may still answer.
        """
        found, sign = self.found, -1 if self.ratio else 1
        best, worst = (found.low, found.high) if self.ratio else (found.high, found.low)
        if min(found.n, found.graphs) >= 2 and not np.isnan(found.estimate):
            if sign * worst > sign * self.limit:
                return "yes"
            if sign * best < sign * self.limit:
                return "no"
        return "not answerable" if found.fault else "open"

    def row(self) -> dict[str, object]:
        """The row of the table."""
        return {
            "question": self.question,
            **vars(self.place),
            "cells": self.cells,
            "statistic": self.statistic,
            "estimate": self.found.estimate,
            "low": self.found.low,
            "high": self.found.high,
            "no_difference": self.limit,
            "n": self.found.n,
            "graphs": self.found.graphs,
            "answer": self.answer(),
            "reason": self.found.fault,
        }


def _over_cells(answers: list[_Answer]) -> list[_Answer]:
    """Each question over all β and γ of a zoo and system, where there are several."""
    same: dict[tuple[object, ...], list[_Answer]] = {}
    for x in answers:
        key = (x.question, x.statistic, x.place.N, x.place.unseen)
        same.setdefault(key, []).append(x)
    return [
        replace(
            first,
            place=replace(first.place, beta=np.nan, gamma=np.nan),
            found=mean_interval([first.found, *(x.found for x in more)], geometric=first.ratio),
            cells=1 + len(more),
        )
        for first, *more in same.values()
        if more
    ]


@dataclass(frozen=True)
class _Asked:
    """Where the answers to questions at one place are collected."""

    place: _Place
    root_seed: int
    answers: list[_Answer]

    def rng(self, statistic: str) -> np.random.Generator:
        labels = (*vars(self.place).values(), statistic)
        return numpy_generator(self.root_seed, "bridge question", *labels)

    def ratio(
        self, question: str, statistic: str, a: Scores, b: Scores, limit: float = 1.0
    ) -> None:
        """A ratio of errors: the smaller the better."""
        if len(a.values) and len(b.values):
            found = ratio_interval(a, b, self.rng(statistic))
            self.answers.append(_Answer(question, statistic, self.place, found, limit, True))

    def difference(self, question: str, statistic: str, a: Scores, b: Scores) -> None:
        """A difference of scores: the larger the better; without scores nothing is asked."""
        if not (np.isnan(a.values).all() or np.isnan(b.values).all()):
            found = difference_interval(a, b, self.rng(statistic))
            self.answers.append(_Answer(question, statistic, self.place, found, 0.0, False))


def _errors(rows: pd.DataFrame, name: str, column: str = "mae") -> Scores:
    """Errors of the neural ODEs of one set; infinite where there is none."""
    own = rows[rows["set"] == name]
    table = own.pivot(index="index", columns="graph", values=column).fillna(np.inf)
    group = own.groupby("index")["trained_graph"].first()
    return Scores(table.to_numpy(dtype=float), group.to_numpy())


def _of_ensembles(rows: pd.DataFrame, name: str, column: str, missing: float) -> Scores:
    """Scores of the ensembles of one set."""
    table = rows[rows["set"] == name].pivot(index="ensemble", columns="graph", values=column)
    return Scores.independent(table.fillna(missing).to_numpy(dtype=float))


def _matches(asked: _Asked, rows: pd.DataFrame) -> None:
    trained, made = _errors(rows, "held-out"), _errors(rows, "generated")
    asked.ratio(MATCH, "error of generated over trained", made, trained, _MARGIN)
    asked.ratio(
        MATCH, "error at hubs of generated over trained", _errors(rows, "generated", "mae_hubs"),
        _errors(rows, "held-out", "mae_hubs"), _MARGIN,
    )  # fmt: skip
    if "noise matched" in set(rows["set"]):
        copies = _errors(rows, "noise matched")
        asked.ratio(COPY, "error of generated over noise matched", made, copies)


def _conditions(asked: _Asked, rows: pd.DataFrame) -> None:
    made = _errors(rows, "generated")
    for other, words in (
        ("generated elsewhere", "generated for other β and γ"),
        ("trained elsewhere", "trained at other β and γ"),
    ):
        asked.ratio(UNSEEN, f"error of generated over {words}", made, _errors(rows, other))


def _selects(asked: _Asked, validation: pd.DataFrame, test: pd.DataFrame) -> None:
    if test["graph"].nunique() < 2:
        return
    by, on = (
        {name: _errors(rows, name) for name in ("generated", "held-out")}
        for rows in (validation, test)
    )
    chosen = f", chosen at N = {validation['N'].iloc[0]}"
    for words, theirs_by, theirs in (
        ("all generated", None, on["generated"]),
        ("all trained", None, on["held-out"]),
        ("best trained", by["held-out"], on["held-out"]),
    ):
        statistic = f"error of best generated over {words}{chosen}"
        found = selection_interval(
            by["generated"], on["generated"], theirs_by, theirs, asked.rng(statistic)
        )
        asked.answers.append(_Answer(SELECT, statistic, asked.place, found, 1.0, True))


def _ensembles(asked: _Asked, rows: pd.DataFrame) -> None:
    """The largest generated ensembles against trained ones of every size.

    A neural ODE takes longer to train than to generate, so a smaller trained ensemble is the one of
    equal cost.
    """
    sizes = sorted(rows["size"].unique())
    if len(sizes) < 2:
        return
    many = sizes[-1]
    mine = rows[rows["size"] == many]
    for size in sizes:
        theirs = rows[rows["size"] == size]
        text = f"{many} generated against {'one' if size == 1 else size} trained"
        for column, what in (("mae", "error"), ("mae_hubs", "error at hubs")):
            a = _of_ensembles(mine, "generated", column, np.inf)
            b = _of_ensembles(theirs, "held-out", column, np.inf)
            asked.ratio(PREDICTOR, f"{what} of {text}", a, b)
        for column, what in (("auc_errors", "worst twentieth"), ("auc_outside", "outside")):
            a = _of_ensembles(mine, "generated", column, np.nan)
            b = _of_ensembles(theirs, "held-out", column, np.nan)
            asked.difference(ALARM, f"area under ROC ({what}) of {text}", a, b)
