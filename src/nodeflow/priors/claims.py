"""What priors were to reach, and the questions about ensembles, each with a number and a verdict.

A statistic is that of all test systems of a family; its 95 % interval is a bootstrap over test
systems, each with all its graphs. A forecast that failed counts as infinitely wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.judge.bootstrap import INTERVAL
from nodeflow.judge.claims import verdict
from nodeflow.judge.trust_claims import FAILING
from nodeflow.priors.schemas import INSIDE, PRIOR_CLAIMS, STRANGER
from nodeflow.seeds import numpy_generator

__all__ = ["judge_priors"]

Columns = Mapping[str, NDArray[Any]]
Value = Callable[[Columns], float]

_DRAWS = 1000
_LARGEST, _HEAVY = 8192, 2.1
_ZERO_SHOT = {"MM": 0.006, "BD": 0.003}
_AT_MOST, _AT_LEAST = "at most", "at least"


def judge_priors(
    runs: pd.DataFrame,
    fits: pd.DataFrame,
    ensembles: pd.DataFrame,
    panel: pd.DataFrame,
    *,
    detail: list[float],
    studied: int,
    seed: int,
) -> pd.DataFrame:
    """All claims for all families: rows with the columns of `PRIOR_CLAIMS`.

    Args:
        runs: `COLLECTED_RUNS`.
        fits: `COLLECTED_FITS`.
        ensembles: `COLLECTED_ENSEMBLES`.
        panel: `COLLECTED_PANEL`.
        detail: N and γ of the graphs that claims are about.
        studied: frames of the claims on few frames.
        seed: the run's root seed.
    """
    rows: list[dict[str, Any]] = []
    asked = _Asked(runs, fits, ensembles, panel, detail, studied)
    for family in dict.fromkeys(runs["family"]):
        for x in asked.of(str(family)):
            rows.append(x.judged(str(family), seed))
    for x in asked.of_all():
        rows.append(x.judged("all", seed))
    return pd.DataFrame(rows, columns=list(PRIOR_CLAIMS.columns))


@dataclass(frozen=True)
class _Claim:
    """A statistic of rows that are drawn by test system.

    Attributes:
        claim: what is claimed.
        statistic: in words.
        value: of some rows.
        rows: with a column `trial`.
        wanted: at most or at least.
        bound: the number to reach.
    """

    claim: str
    statistic: str
    value: Value
    rows: pd.DataFrame
    wanted: str
    bound: float

    def judged(self, family: str, seed: int) -> dict[str, Any]:
        columns = {name: self.rows[name].to_numpy() for name in self.rows.columns}
        groups = list(self.rows.groupby("trial").indices.values())
        whole = self.value(columns) if groups else math.nan
        drawn = np.full(_DRAWS, math.nan)
        if len(groups) > 1:
            random = numpy_generator(seed, "prior claim", family, self.claim, self.statistic)
            for k, chosen in enumerate(random.integers(0, len(groups), (_DRAWS, len(groups)))):
                places = np.concatenate([groups[i] for i in chosen])
                drawn[k] = self.value({name: x[places] for name, x in columns.items()})
        # What is not known of all test systems is not judged by draws that leave some of them out.
        known = drawn[~np.isnan(drawn) & (not math.isnan(whole))]
        low, high = (
            np.quantile(known, INTERVAL, method="nearest") if len(known) else (math.nan, math.nan)
        )
        sign = -1.0 if self.wanted == _AT_MOST else 1.0
        least, most = sorted((sign * float(low), sign * float(high)))
        return {
            "claim": self.claim, "family": family, "statistic": self.statistic, "value": whole,
            "low": float(low), "high": float(high), "wanted": self.wanted, "bound": self.bound,
            "systems": len(groups), "verdict": verdict(least, most, sign * self.bound),
        }  # fmt: skip


def _median(column: str) -> Value:
    return lambda rows: float(np.median(rows[column]))


def _mean(column: str) -> Value:
    return lambda rows: float(np.mean(rows[column]))


def _ratio(above: str, below: str) -> Value:
    """Median of one column over that of another."""

    def value(rows: Columns) -> float:
        one, other = float(np.median(rows[above])), float(np.median(rows[below]))
        return one / other if math.isfinite(one) and other > 0 else math.nan

    return value


@dataclass(frozen=True)
class _Asked:
    runs: pd.DataFrame
    fits: pd.DataFrame
    ensembles: pd.DataFrame
    panel: pd.DataFrame
    detail: list[float]
    studied: int

    def of(self, family: str) -> Iterator[_Claim]:
        """The claims on one family."""
        mine = self.runs[self.runs["family"] == family]
        if mine.empty:
            return
        mine = mine.assign(relative=mine["relative"].mask(mine["status"] != "ok", np.inf))
        inside = mine[mine["where"] == INSIDE]
        yield from self._zero_shot(family, self._here(inside))
        yield from self._few(self._here(inside))
        yield from self._families(family)
        yield from self._failing(family, mine)
        yield from self._ensembles(family)
        yield from self._novelty(family)

    def of_all(self) -> Iterator[_Claim]:
        """The claims on all families, and on strangers."""
        strange = self.fits[self.fits["where"] == STRANGER]
        others = self.fits["candidate"] != self.fits["family"]
        left = self.fits[(self.fits["where"] == INSIDE) & others]
        for claim, none in (
            ("Strangers raise the alarm", strange),
            ("A family left out raises the alarm", left),
        ):
            for count, noise, rows in _by_frames(none):
                best = _best(rows)
                best = best.assign(
                    x=best["alarm"].astype(float), trial=best["family"] + best["trial"].astype(str)
                )
                yield _Claim(
                    claim, f"share, {count} frames, noise {noise:g}", _mean("x"), best,
                    _AT_LEAST, 0.95,
                )  # fmt: skip

    def _here(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows[(rows["N"] == self.detail[0]) & (rows["gamma"] == self.detail[1])]

    def _zero_shot(self, family: str, here: pd.DataFrame) -> Iterator[_Claim]:
        claim = "Unseen coefficients inside the ranges"
        table = _wide(here[here["noise"] == 0.0])
        for name in ("generated", "network"):
            if (name, 0) not in table:
                continue
            if family in _ZERO_SHOT:
                yield _Claim(
                    claim, f"median relative error, {name}", _median("x"),
                    _columns(table, x=(name, 0)), _AT_MOST, _ZERO_SHOT[family],
                )  # fmt: skip
            yield _Claim(
                claim, f"error of the nearest member over that of {name}", _ratio("x", "y"),
                _columns(table, x=("nearest member", 0), y=(name, 0)), _AT_LEAST, 9.0,
            )  # fmt: skip
        for name in ("flow over codes", "flow over weights", "flow over weights, one start"):
            if (name, 0) in table:
                yield _Claim(
                    "A regression is better than a flow", f"error of {name} over generated",
                    _ratio("x", "y"), _columns(table, x=(name, 0), y=("generated", 0)),
                    _AT_LEAST, 1.0,
                )  # fmt: skip

    def _few(self, here: pd.DataFrame) -> Iterator[_Claim]:
        noises = sorted(here.loc[here["method"] == "zoo", "noise"].unique())
        for noise in noises:
            table = _wide(here[here["noise"].isin([noise, 0.0])], only=noise)
            if ("zoo", self.studied) not in table:
                continue
            claim = f"{self.studied} frames, noise {noise:g}"
            bound = 0.001 if noise == 0.0 else 0.025
            for name in ("zoo", "network"):
                yield _Claim(
                    claim, f"median relative error, {name}", _median("x"),
                    _columns(table, x=(name, self.studied)), _AT_MOST, bound,
                )  # fmt: skip
            full = [int(x[1]) for x in table.columns if x[0] == "full data"]
            if noise == 0.0 and full:
                yield _Claim(
                    claim, "error over that with full data", _ratio("x", "y"),
                    _columns(table, x=("zoo", self.studied), y=("full data", full[0])),
                    _AT_MOST, 3.0,
                )  # fmt: skip
            for rival in ("no prior", "smooth prior", "true form", "law"):
                if (rival, self.studied) in table:
                    yield _Claim(
                        f"A zoo helps: {claim}", f"error of {rival} over zoo", _ratio("x", "y"),
                        _columns(table, x=(rival, self.studied), y=("zoo", self.studied)),
                        _AT_LEAST, 1.0,
                    )  # fmt: skip

    def _families(self, family: str) -> Iterator[_Claim]:
        mine = self.fits[(self.fits["family"] == family) & (self.fits["where"] == INSIDE)]
        own = mine[mine["candidate"] == family]
        for count, noise, rows in _by_frames(mine):
            if rows["candidate"].nunique() > 1:
                right = _best(rows).assign(x=lambda y: (y["candidate"] == family).astype(float))
                yield _Claim(
                    "The right family has the largest evidence",
                    f"share, {count} frames, noise {noise:g}", _mean("x"), right, _AT_LEAST, 0.95,
                )  # fmt: skip
        for _, noise, rows in _by_frames(own[own["frames"] == self.studied]):
            for wanted, bound in ((_AT_LEAST, 0.85), (_AT_MOST, 0.95)):
                yield _Claim(
                    "Bands of 90 % cover 85 to 95 %",
                    f"share {wanted} {bound:.0%}, {self.studied} frames, noise {noise:g}",
                    _mean("covered"), rows, wanted, bound,
                )  # fmt: skip
            alarmed = rows.assign(x=rows["alarm"].astype(float))
            yield _Claim(
                "The right family raises no alarm",
                f"share, {self.studied} frames, noise {noise:g}", _mean("x"), alarmed,
                _AT_MOST, 0.05,
            )  # fmt: skip

    def _failing(self, family: str, mine: pd.DataFrame) -> Iterator[_Claim]:
        there = mine[(mine["N"] == _LARGEST) & (mine["gamma"] == _HEAVY)]
        made = there[there["method"].isin(["generated", "network", "zoo"])]
        if len(made):
            failed = made.assign(
                x=(made["status"] != "ok").astype(float),
                trial=made["where"] + made["trial"].astype(str),
            )
            yield _Claim(
                "Integrations do not fail", f"share, N = {_LARGEST}, gamma = {_HEAVY}",
                _mean("x"), failed, _AT_MOST, 0.02 if family == "BD" else FAILING,
            )  # fmt: skip

    def _ensembles(self, family: str) -> Iterator[_Claim]:
        mine = self.ensembles[self.ensembles["family"] == family]
        kinds = mine[["method", "noise", "N"]].drop_duplicates()
        for method, noise, size in kinds.itertuples(index=False):
            rows = mine[(mine["method"] == method) & (mine["noise"] == noise) & (mine["N"] == size)]
            text = f"{method}, noise {noise:g}, N = {size}"
            yield _Claim(
                "An ensemble predicts better than one", f"error over that of one, {text}",
                _ratio("error", "error_one"), rows, _AT_MOST, 1.0,
            )  # fmt: skip
            yield _Claim(
                "An ensemble knows the nodes that go wrong", f"area under the curve, {text}",
                _mean("alarm"), rows, _AT_LEAST, 0.5,
            )  # fmt: skip
            chosen = rows.dropna(subset=["error_selected"])
            if len(chosen):
                yield _Claim(
                    "Selecting on smaller graphs helps", f"error over that of one, {text}",
                    _ratio("error_selected", "error_one"), chosen, _AT_MOST, 1.0,
                )  # fmt: skip

    def _novelty(self, family: str) -> Iterator[_Claim]:
        mine = self.panel[self.panel["family"] == family]
        for name in ("generated", "posterior"):
            rows = mine[mine["set"] == name].assign(trial=lambda x: x["index"])
            if len(rows):
                copied = rows.assign(x=(rows["ratio"] < 1 / 3).astype(float))
                yield _Claim(
                    "Generated neural ODEs are no replicas", f"share of replicas, {name}",
                    _mean("x"), copied, _AT_MOST, 0.05,
                )  # fmt: skip


def _by_frames(rows: pd.DataFrame) -> Iterator[tuple[int, float, pd.DataFrame]]:
    """Rows for each number of frames and each noise."""
    for count, noise in rows[["frames", "noise"]].drop_duplicates().itertuples(index=False):
        yield (
            int(count),
            float(noise),
            rows[(rows["frames"] == count) & (rows["noise"] == noise)],
        )


def _best(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each test system the candidate with the largest evidence."""
    keys = ["family", "where", "trial", "frames", "noise"]
    return rows.sort_values("evidence").groupby(keys, as_index=False).last()


def _wide(rows: pd.DataFrame, only: float | None = None) -> pd.DataFrame:
    """Relative errors by test system (median over graphs), a column for each method and frames."""
    if only is not None:
        rows = rows[(rows["noise"] == only) | (rows["method"] == "full data")]
    return rows.pivot_table(
        index="trial", columns=["method", "frames"], values="relative", aggfunc="median"
    )


def _columns(table: pd.DataFrame, **names: tuple[str, int]) -> pd.DataFrame:
    missing = pd.Series(math.nan, index=table.index)
    columns = {name: table.get(key, missing) for name, key in names.items()}
    return pd.DataFrame(columns).dropna().rename_axis("trial").reset_index()
