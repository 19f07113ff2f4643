"""Flows over the weights of zoos: training, samples, and what these are judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from nodeflow import config
from nodeflow.flow.methods import METHODS, looks
from nodeflow.plan.canonical import Canonical
from nodeflow.plan.paths import MEMBERS, Row, fill
from nodeflow.plan.zoos import Zoos

__all__ = ["Flows"]


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
        """The flows of the run: those to use whose zoos are all there."""
        return [x for x in self.settings.use if {*self.of(x).learns} <= {*self.zoos.names}]

    @cached_property
    def all(self) -> list[dict[str, Any]]:
        """Rows of flow, alignment, capacity: all flows over one zoo."""
        return [x for x in self._rows if self.of(x["flow"]).zoo]

    @cached_property
    def conditional(self) -> list[dict[str, Any]]:
        """Rows of flow, alignment, capacity: flows over several zoos, whose names are labels."""
        return [x for x in self._rows if self.of(x["flow"]).zoos]

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"flow": flow, "alignment": alignment, "capacity": capacity}
            for flow in self.names
            for alignment, capacity in product(self.of(flow).alignment, self.of(flow).capacities)
        ]

    @cached_property
    def solvers(self) -> list[dict[str, Any]]:
        """Rows of flow, alignment, capacity: flows that are sampled in several ways."""
        return [x for x in self.all if x["flow"] in self.settings.solvers.flows]

    @cached_property
    def distances(self) -> list[dict[str, Any]]:
        """Rows of flow, alignment, capacity: flows that are compared at the same distances."""
        return [x for x in self.judged if x["flow"] in self.settings.distances.flows]

    @property
    def methods(self) -> dict[str, str]:
        """What each method of the run is, to follow its name in a sentence."""
        return {name: METHODS[name].about for name in sorted(self.looks)}

    @property
    def looks(self) -> dict[str, Any]:
        """How figures show networks of each method of the run."""
        return looks(self.of(flow).method for flow in self.names)

    @property
    def zoos(self) -> Zoos:
        """The zoos of the run."""
        return self.canonical.zoos

    def of(self, flow: str) -> config.flow.Flow:
        """The settings of a flow."""
        return self.settings.flows[flow]

    def learns(self, row: Row) -> list[str]:
        """Names of the zoos that a flow learns."""
        return list(self.of(row["flow"]).learns)

    def zoo(self, row: Row) -> str:
        """Name of the first zoo that a flow learns, the only one of most."""
        return self.learns(row)[0]

    def datasets(self, row: Row) -> list[str]:
        """Name of the data set of each zoo; of zoos from elsewhere the name of the zoo."""
        return [self.zoos.of(zoo).data or zoo for zoo in self.learns(row)]

    def sources(self, row: Row) -> list[Any]:
        """What networks of each zoo are judged on; see `Zoos.source`."""
        return [self.zoos.source(zoo) for zoo in self.learns(row)]

    def data_files(self, row: Row) -> list[str]:
        """Notes of data sets to be downloaded, and the user's modules and data."""
        sources = [path for zoo in self.learns(row) for path in self.zoos.sources({"zoo": zoo})]
        return [*self.downloads(row), *dict.fromkeys(sources)]

    @cached_property
    def judged(self) -> list[dict[str, Any]]:
        """Rows of flow, alignment, capacity: flows over one zoo with items to judge on."""
        return [x for x in self.all if self.zoos.of(self.zoo(x)).items is not None]

    def members(self, row: Row) -> list[str]:
        """The blocks of members that a flow learns, and is judged beside: zoo after zoo."""
        return [path for rows in self.blocks(row) for path in fill(MEMBERS, rows)]

    def blocks(self, row: Row) -> list[list[dict[str, Any]]]:
        """Rows of zoo, alignment, block, for each zoo that a flow learns."""
        return [self.canonical.blocks(zoo, row["alignment"]) for zoo in self.learns(row)]

    def streamed_members(self, row: Row) -> list[str]:
        """The blocks that networks of a flow are decoded with, if its codec streams the zoo."""
        return self.members(row) if self.of(row["flow"]).streams else []

    def folders(self, row: Row) -> list[str | None]:
        """The folder of the data set of each zoo."""
        return [self.zoos.folder({"zoo": zoo}) for zoo in self.learns(row)]

    def downloads(self, row: Row) -> list[str]:
        """The notes of the data sets of a flow's zoos that are to be downloaded."""
        zoos = map(self.zoos.of, self.learns(row))
        return self.zoos.data.downloads([x.data for x in zoos if x.data is not None])

    def learned(self, row: Row) -> dict[str, Any]:
        """What a flow has learned, as all that follows from it knows it."""
        return {
            **_identity(row),
            "zoos": self.learns(row),
            "members": [self.zoos.of(zoo).learned for zoo in self.learns(row)],
            "datasets": self.sources(row),
            "data": ", ".join(self.datasets(row)),
            "architecture": self.zoos.architecture(self.zoo(row)),
            "method": self.of(row["flow"]).method,
            "device": self.zoos.device,
            "seed": self.zoos.seed,
        }

    def params(self, row: Row) -> dict[str, Any]:
        """What a flow is made with."""
        zoos = map(self.zoos.of, self.learns(row))
        return {
            **self.learned(row),
            "trainings": [x.dump("training")["training"] if x.data else None for x in zoos],
            "changes": self.of(row["flow"]).dump("settings")["settings"],
            "from": [[self.canonical.params(x) for x in rows] for rows in self.blocks(row)],
        }

    def sample_params(self, row: Row) -> dict[str, Any]:
        """What the samples of a flow are made with."""
        settings = self.of(row["flow"])
        return {
            **settings.sampling.dump(),
            **_identity(row),
            "labels": list(settings.zoos or ()),
            "guidance": [float(x) for x in settings.guidance or ()],
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

    def distance_params(self, row: Row) -> dict[str, Any]:
        """What the judgement of a flow's samples at the same distances is made with."""
        distances = self.settings.distances.dump("factors", "networks")
        return {**self.judgement_params(row), "distances": distances}

    def solver_params(self, row: Row) -> dict[str, Any]:
        """What the comparison of ways to sample a flow is made with."""
        return {
            **self.learned(row),
            "settings": self.settings.solvers.dump("count", "samplings"),
            "calibration": self.judge["calibration"],
            "from": self.params(row),
        }

    def other_methods(self, row: Row) -> list[str]:
        """Files of the library that define the methods that a flow is not of."""
        return [f"flow/methods/{x}.py" for x in METHODS if x != self.of(row["flow"]).method]


def _identity(row: Row) -> dict[str, Any]:
    """What tells the flows of a run apart."""
    return {"flow": row["flow"], "alignment": row["alignment"], "capacity": int(row["capacity"])}
