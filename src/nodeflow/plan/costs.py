"""What networks cost, trained and generated: which jobs make how many of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nodeflow.plan.flows import Flows
from nodeflow.plan.paths import FLOW, METRICS, Row, fill, job

__all__ = ["Costs"]

_COMPARED = 16
"""Members that are trained for fewer epochs as well."""


@dataclass(frozen=True)
class Costs:
    """The costs of networks.

    Attributes:
        flows: the flows over zoos; those of zoos that were trained elsewhere have no cost of
            training to be set beside.
    """

    flows: Flows

    @property
    def _known(self) -> list[dict[str, Any]]:
        """Rows of flow, alignment, capacity: flows over zoos that are trained here."""
        flows = self.flows
        return [x for x in flows.all if flows.zoos.of(flows.zoo(x)).data]

    @property
    def zoos(self) -> list[dict[str, Any]]:
        """Rows of zoo: those of these flows."""
        return [{"zoo": zoo} for zoo in dict.fromkeys(map(self.flows.zoo, self._known))]

    def shorter(self, row: Row) -> dict[str, Any]:
        """What members of a zoo are trained for fewer epochs with."""
        zoos, zoo = self.flows.zoos, row["zoo"]
        settings = zoos.of(zoo)
        return {
            "zoo": zoo,
            "count": min(_COMPARED, settings.learned + settings.kept_back),
            **settings.dump("data", "training"),
            "architecture": zoos.architecture(zoo),
            "device": zoos.device,
            "seed": zoos.seed,
        }

    @property
    def made(self) -> list[dict[str, Any]]:
        """Which jobs make how many networks, by zoo and by flow."""
        flows = self.flows
        zoos = {row["zoo"]: flows.zoos.of(row["zoo"]) for row in self.zoos}
        training = [
            {
                "name": "training",
                "zoo": zoo,
                "networks": settings.learned + settings.kept_back,
                "jobs": [["train_zoo", x] for x in fill(job(METRICS), flows.zoos.blocks(zoo))],
            }
            for zoo, settings in zoos.items()
        ]
        sampling = [
            {
                **x,
                "name": f"{x['flow']}: {flows.of(x['flow']).method}, "
                f"{x['alignment']}, {x['capacity']}",
                "zoo": flows.zoo(x),
                "networks": flows.of(x["flow"]).sampling.count,
                "jobs": [["sample_flow", name] for name in fill(job(FLOW), [x])],
                "once": [["train_flow", name] for name in fill(job(FLOW), [x])],
            }
            for x in self._known
        ]
        return training + sampling
