"""Flows over the weights of a zoo: training, samples, and what these are judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow import config
from nodeflow.plan.canonical import Canonical
from nodeflow.plan.paths import FLOW, MEMBERS, METRICS, Row, fill, job
from nodeflow.plan.zoos import Zoos

__all__ = ["Flows", "flow_rows", "identity"]

_NAME = "{flow}: {method}, {weights}, {width}"


@dataclass(frozen=True)
class Flows:
    """The flows of a run.

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
        """The flows over one zoo of the run: those to use whose zoo is there."""
        return [x for x in self.settings.use if self.of(x).zoo in self.zoos.names]

    @cached_property
    def all(self) -> list[dict[str, Any]]:
        """Rows of flow, weights, width: all flows."""
        return flow_rows(self.names, self.settings.flows)

    @cached_property
    def solvers(self) -> list[dict[str, Any]]:
        """Rows of flow, weights, width: flows that are sampled in several ways."""
        return [x for x in self.all if x["flow"] in self.settings.solvers.flows]

    def of(self, flow: str) -> config.flow.Flow:
        """The settings of a flow."""
        return self.settings.flows[flow]

    @property
    def zoos(self) -> Zoos:
        """The zoos of the run."""
        return self.canonical.zoos

    def zoo(self, row: Row) -> str:
        """Name of the zoo that a flow learns."""
        return self.of(row["flow"]).zoo

    def data(self, row: Row) -> str:
        """Name of the data set of that zoo."""
        return self.zoos.of(self.zoo(row)).data

    def members(self, row: Row) -> list[str]:
        """The blocks of members that a flow learns, and is judged beside."""
        return fill(MEMBERS, self.canonical.blocks(self.zoo(row), row["weights"]))

    def streamed_members(self, row: Row) -> list[str]:
        """The blocks that networks of a flow are decoded with, if its codec streams the zoo."""
        return self.members(row) if self.of(row["flow"]).streams else []

    def folder(self, row: Row) -> str | None:
        """The folder of the data set of a flow's zoo."""
        return self.zoos.folder({"zoo": self.zoo(row)})

    def downloads(self, row: Row) -> list[str]:
        """The note of the data set of a flow's zoo, if it is to be downloaded."""
        return self.zoos.downloads({"zoo": self.zoo(row)})

    def learned(self, row: Row) -> dict[str, Any]:
        """What a flow has learned, as all that follows from it knows it."""
        zoo = self.zoo(row)
        return {
            **identity(row),
            "zoo": zoo,
            "members": self.zoos.of(zoo).members,
            "data": self.data(row),
            "architecture": self.zoos.architecture(zoo),
            "method": self.of(row["flow"]).method,
            "device": self.zoos.device,
            "seed": self.zoos.seed,
        }

    def params(self, row: Row) -> dict[str, Any]:
        """What a flow is made with."""
        zoo, settings = self.zoo(row), self.of(row["flow"])
        return {
            **self.learned(row),
            **self.zoos.of(zoo).dump("training"),
            "changes": settings.dump("settings")["settings"],
            "from": [self.canonical.params(x) for x in self.canonical.blocks(zoo, row["weights"])],
        }

    def sample_params(self, row: Row) -> dict[str, Any]:
        """What the samples of a flow are made with."""
        return {
            **self.of(row["flow"]).sampling.dump(),
            **identity(row),
            "device": self.zoos.device,
            "seed": self.zoos.seed,
            "from": self.params(row),
        }

    def judgement_params(self, row: Row) -> dict[str, Any]:
        """What the judgement of a flow's samples is made with."""
        return {
            **self.learned(row),
            "settings": self.judge,
            **self.canonical.settings.dump("matching"),
            "from": self.sample_params(row),
        }

    def solver_params(self, row: Row) -> dict[str, Any]:
        """What the comparison of ways to sample a flow is made with."""
        return {
            **self.learned(row),
            "settings": self.settings.solvers.dump("count", "samplings"),
            "calibration": self.judge["calibration"],
            "from": self.params(row),
        }

    def made(self) -> list[dict[str, Any]]:
        """Which jobs make how many networks, by zoo and by flow."""
        zoos = {self.of(flow).zoo: self.zoos.of(self.of(flow).zoo) for flow in self.names}
        training = [
            {
                "name": "training",
                "zoo": zoo,
                "networks": settings.members + settings.held_out,
                "jobs": [["train_zoo", x] for x in fill(job(METRICS), self.zoos.blocks(zoo))],
            }
            for zoo, settings in zoos.items()
        ]
        sampling = [
            {
                "name": _NAME.format(**x, method=self.of(x["flow"]).method),
                "zoo": self.zoo(x),
                "networks": self.of(x["flow"]).sampling.count,
                "jobs": [["sample_flow", name] for name in fill(job(FLOW), [x])],
                "once": [["train_flow", name] for name in fill(job(FLOW), [x])],
            }
            for x in self.all
        ]
        return training + sampling


def identity(row: Row) -> dict[str, Any]:
    """What tells the flows of a run apart."""
    return {"flow": row["flow"], "weights": row["weights"], "width": int(row["width"])}


def flow_rows(names: list[str], flows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of flow, weights, width for some flows and their settings."""
    return [
        {"flow": flow, "weights": weights, "width": width}
        for flow in names
        for weights in flows[flow].weights
        for width in flows[flow].widths
    ]
