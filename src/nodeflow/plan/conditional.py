"""Conditional flows: several zoos of one architecture learned together, their names as labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow import config
from nodeflow.plan.canonical import Canonical
from nodeflow.plan.flows import flow_rows, identity
from nodeflow.plan.paths import MEMBERS, Row, fill
from nodeflow.plan.zoos import Zoos

__all__ = ["Conditional"]


@dataclass(frozen=True)
class Conditional:
    """The conditional flows of a run.

    Attributes:
        settings: section `flow` of the configuration.
        judge: section `judge`, as it was written.
        canonical: the members that they learn.
    """

    settings: config.flow.Flows
    judge: Mapping[str, Any]
    canonical: Canonical

    @property
    def names(self) -> list[str]:
        """The conditional flows of the run: those to use over several zoos that are all there."""
        several = [x for x in self.settings.use if self.of(x).zoos]
        return [x for x in several if {*self.of(x).zoos} <= {*self.zoos.names}]

    @cached_property
    def all(self) -> list[dict[str, Any]]:
        """Rows of flow, weights, width: all conditional flows."""
        return flow_rows(self.names, self.settings.flows)

    def of(self, flow: str) -> config.flow.Flow:
        """The settings of a conditional flow."""
        return self.settings.flows[flow]

    @property
    def zoos(self) -> Zoos:
        """The zoos of the run."""
        return self.canonical.zoos

    def labels(self, row: Row) -> list[str]:
        """The zoos that a conditional flow learns; their names are its labels."""
        return list(self.of(row["flow"]).zoos)

    def members(self, row: Row) -> list[str]:
        """The blocks of all zoos of a conditional flow, one zoo after the other."""
        return [path for rows in self._blocks(row) for path in fill(MEMBERS, rows)]

    def folders(self, row: Row) -> dict[str, str | None]:
        """The folder of each zoo's data set."""
        return {zoo: self.zoos.folder({"zoo": zoo}) for zoo in self.labels(row)}

    def downloads(self, row: Row) -> list[str]:
        """The notes of all downloaded data sets of a conditional flow's zoos."""
        return self.zoos.data.downloads(self._tasks(row).values())

    def params(self, row: Row) -> dict[str, Any]:
        """What a conditional flow is made with."""
        settings = [self.zoos.of(zoo) for zoo in self.labels(row)]
        return {
            **self._learned(row),
            "zoos": self.labels(row),
            "members": [x.members for x in settings],
            "tasks": [x.data for x in settings],
            "trainings": [x.dump("training")["training"] for x in settings],
            "changes": self.of(row["flow"]).dump("settings")["settings"],
            "from": [[self.canonical.params(x) for x in rows] for rows in self._blocks(row)],
        }

    def sample_params(self, row: Row) -> dict[str, Any]:
        """What the samples of a conditional flow are made with."""
        settings = self.of(row["flow"])
        return {
            **settings.sampling.dump(),
            "guidance": [float(x) for x in settings.guidance],
            **identity(row),
            "labels": self.labels(row),
            "device": self.zoos.device,
            "seed": self.zoos.seed,
            "from": self.params(row),
        }

    def judgement_params(self, row: Row) -> dict[str, Any]:
        """What the judgement of a conditional flow's samples is made with."""
        names = ("controls", "candidates", "calibration")
        return {
            **self._learned(row),
            "tests": self._tasks(row),
            "settings": {name: self.judge[name] for name in names},
            **self.canonical.settings.dump("matching"),
            "from": self.sample_params(row),
        }

    def _learned(self, row: Row) -> dict[str, Any]:
        """What a conditional flow has learned, as all that follows from it knows it."""
        return {
            **identity(row),
            "method": self.of(row["flow"]).method,
            "data": ", ".join(self._tasks(row).values()),
            "architecture": self.zoos.architecture(self.labels(row)[0]),
            "device": self.zoos.device,
            "seed": self.zoos.seed,
        }

    def _tasks(self, row: Row) -> dict[str, str]:
        return {zoo: self.zoos.of(zoo).data for zoo in self.labels(row)}

    def _blocks(self, row: Row) -> list[list[dict[str, Any]]]:
        return [self.canonical.blocks(zoo, row["weights"]) for zoo in self.labels(row)]
