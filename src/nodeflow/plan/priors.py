"""Priors: zoos of families, what they know, and test systems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow import config
from nodeflow.grid import Cell
from nodeflow.plan.cells import rows
from nodeflow.plan.dynamics import TOLERANCE
from nodeflow.plan.graphs import Graphs
from nodeflow.plan.paths import Row

__all__ = ["Priors"]

_TESTED = (
    "frames",
    "noise",
    "compared",
    "studied",
    "draws",
    "members",
    "laws",
    "removed",
    "horizon",
)


@dataclass(frozen=True)
class Priors:
    """The priors of a run. `family` names one of them, or a stranger.

    Attributes:
        settings: section `priors` of the configuration.
        judge: section `judge`, as it was written.
        matching: `canonical.matching`, likewise.
        tolerance: of the integration of true systems, with initial and horizon.
        device: of the run.
        graphs: the graphs of the run.
    """

    settings: config.priors.Priors
    judge: Mapping[str, Any]
    matching: Mapping[str, Any]
    tolerance: Mapping[str, Any]
    device: str
    graphs: Graphs

    @cached_property
    def families(self) -> list[dict[str, str]]:
        """Rows of family: those that a zoo is trained of."""
        return [{"family": name} for name in self.settings.use]

    @cached_property
    def all(self) -> list[dict[str, str]]:
        """Rows of family: the same, and the strangers whose test systems are tried with them."""
        of_none = self.settings.strangers if self.settings.tests.strangers else {}
        return [*self.families, *({"family": name} for name in of_none)]

    @cached_property
    def tests(self) -> list[dict[str, Any]]:
        """Rows of role, N, beta, gamma: the test graphs."""
        tests, beta = self.settings.tests, float(self.settings.graph.beta)
        cells = {Cell(N, beta, float(gamma)) for N in tests.sizes for gamma in tests.gamma}
        return rows(sorted(cells), role="test")

    def params(self, row: Row) -> dict[str, Any]:
        """What the zoo of a family is made with."""
        return {
            "family": row["family"],
            "ranges": self._ranges(row["family"]),
            "members": self.settings.members,
            "observing": self._observing,
            **self.settings.dump("training"),
            "device": self.device,
            "seed": self.graphs.seed,
        }

    def prior_params(self, row: Row) -> dict[str, Any]:
        """What the prior of a family is made with."""
        return {"family": row["family"], "from": self.params(row)}

    def trial_params(self, row: Row) -> dict[str, Any]:
        """What the tables of a family's or of a stranger's test systems are made with."""
        family, tests = row["family"], self.settings.tests
        stranger = self.settings.strangers.get(family)
        counts = {"stranger": tests.strangers} if stranger else tests.dump("inside", "outside")
        return {
            "family": family,
            "terms": stranger.dump() if stranger else {},
            "ranges": {name: self._ranges(name) for name in self.settings.families},
            "counts": counts,
            "asked": tests.dump(*_TESTED),
            "graphs": tests.graphs,
            "detail": [tests.detail_size, float(self.settings.graph.gamma)],
            "noise_matched": self.judge["controls"],
            "matching": self.matching,
            **self.settings.dump("flow", "sampling"),
            "tolerance": {name: self.tolerance[name] for name in TOLERANCE},
            "from": [self.prior_params(x) for x in self.families],
            "on": [self.graphs.parts(x)["nodes"] for x in self.tests],
            "seed": self.graphs.seed,
        }

    def claim_params(self) -> dict[str, Any]:
        """What the claims on priors are judged with."""
        tests = self.settings.tests
        return {
            "detail": [tests.detail_size, float(self.settings.graph.gamma)],
            "studied": tests.studied,
            "seed": self.graphs.seed,
        }

    def _ranges(self, family: str) -> dict[str, list[float]]:
        return {x: list(pair) for x, pair in self.settings.families[family].items()}

    @property
    def _observing(self) -> dict[str, Any]:
        graph = self.settings.graph
        return {
            "nodes": graph.size,
            "beta": float(graph.beta),
            "gamma": float(graph.gamma),
            **self.graphs.settings.dump("mean_degree"),
            **self.settings.data.dump(),
            **{x: self.tolerance[x] for x in ("initial", "horizon")},
        }
