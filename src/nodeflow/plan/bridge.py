"""Zoos of neural ODEs, flows over them, and tests of the neural ODEs that these generate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow import config
from nodeflow.grid import Cell
from nodeflow.plan.cells import rows
from nodeflow.plan.dynamics import SHARED, TOLERANCE, Dynamics
from nodeflow.plan.paths import Row

__all__ = ["Bridge"]


@dataclass(frozen=True)
class Bridge:
    """The zoos of neural ODEs of a run. `nodes` names one of them.

    Attributes:
        settings: section `bridge` of the configuration.
        judge: section `judge`, as it was written.
        matching: `canonical.matching`, likewise.
        device: of the run.
        dynamics: the trajectories that neural ODEs are tested on.
    """

    settings: config.bridge.Bridge
    judge: Mapping[str, Any]
    matching: Mapping[str, Any]
    device: str
    dynamics: Dynamics

    @cached_property
    def all(self) -> list[dict[str, str]]:
        """Rows of nodes, system: all zoos of neural ODEs."""
        return [x for nodes in self.settings.use for x in self.systems({"nodes": nodes})]

    def of(self, nodes: str) -> config.bridge.NodeZoo:
        """The settings of a zoo of neural ODEs."""
        return self.settings.zoos[nodes]

    def systems(self, row: Row) -> list[dict[str, str]]:
        """Rows of nodes, system: those of one zoo."""
        nodes = row["nodes"]
        return [{"nodes": nodes, "system": system} for system in self.of(nodes).systems]

    def cells(self, nodes: str, kind: str) -> list[list[float]]:
        """β and γ of a zoo's "cells", which the flow learns, or of its "unseen" ones."""
        return [list(cell.pair) for cell in getattr(self.of(nodes), kind)]

    def tests(self, row: Row) -> list[dict[str, Any]]:
        """Rows of system, role, N, beta, gamma: what a zoo and a system are tested on.

        A zoo's own β and γ at all sizes, and its structure cells.
        """
        zoo, tests = self.of(row["nodes"]), self.of(row["nodes"]).tests
        own = {Cell(N, *x.pair) for x in (*zoo.cells, *zoo.unseen) for N in tests.sizes}
        structure = {Cell(tests.detail_size, *x.pair) for x in tests.structure}
        return rows(sorted(own | structure), role="test", system=row["system"])

    def params(self, row: Row) -> dict[str, Any]:
        """What the neural ODEs of a zoo and a system are made with."""
        nodes, system = row["nodes"], row["system"]
        zoo, graphs, dynamics = self.of(nodes), self.dynamics.graphs, self.dynamics.settings
        return {
            "nodes": nodes,
            "system": system,
            "parameters": dynamics.parameters_of(system),
            "cells": self.cells(nodes, "cells") + self.cells(nodes, "unseen"),
            "graphs": zoo.graphs,
            "seeds": zoo.seeds,
            "data": {
                "size": graphs.cells.training_size,
                **graphs.settings.dump("mean_degree"),
                **self.settings.data.dump(),
                **dynamics.dump(*SHARED, *TOLERANCE),
            },
            **self.settings.dump("training"),
            "device": self.device,
            "seed": graphs.seed,
        }

    def flow_params(self, row: Row) -> dict[str, Any]:
        """What the flow over a zoo of neural ODEs, and its samples, are made with."""
        nodes, zoo = row["nodes"], self.of(row["nodes"])
        written = self.settings.dump("training", "functions", "flow", "sampling")
        return {
            "nodes": nodes,
            "learned_graphs": zoo.graphs - zoo.held_out,
            "cells": self.cells(nodes, "cells"),
            "unseen": self.cells(nodes, "unseen"),
            "matching": self.matching,
            "functions": {**written["functions"], "scale": written["training"]["scale"]},
            "changes": written["flow"],
            "samples": zoo.samples,
            "sampling": written["sampling"],
            "device": self.device,
            "seed": self.dynamics.graphs.seed,
            "from": [self.params(x) for x in self.systems(row)],
        }

    def judgement_params(self, row: Row) -> dict[str, Any]:
        """What the judgement of a zoo's samples on a system is made with."""
        nodes, system, dynamics = row["nodes"], row["system"], self.dynamics.settings
        tests = self.of(nodes).tests.dump()
        return {
            "zoo": nodes,
            "system": system,
            "parameters": dynamics.parameters_of(system),
            "tests": {x: tests[x] for x in tests if x not in ("sizes", "structure")},
            "controls": {name: self.judge[name] for name in ("noise_scales", "soup", "controls")},
            "tolerance": dynamics.dump(*TOLERANCE),
            "seed": self.dynamics.graphs.seed,
            "from": self.flow_params(row),
            "truth": [self.dynamics.params(x) for x in self.tests(row)],
        }

    def answer_params(self) -> dict[str, Any]:
        """What the answers to the questions about generated neural ODEs are made with."""
        return {"seed": self.dynamics.graphs.seed}
