"""What networks cost, trained and generated: which jobs make how many of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nodeflow.plan.flows import Flows
from nodeflow.plan.paths import FLOW, METRICS, fill, job

__all__ = ["Costs"]


@dataclass(frozen=True)
class Costs:
    """The costs of networks.

    Attributes:
        flows: the flows over zoos; those of zoos that were trained elsewhere have no cost of
            training to be set beside.
    """

    flows: Flows

    @property
    def made(self) -> list[dict[str, Any]]:
        """Which jobs make how many networks, by zoo and by flow."""
        flows = self.flows
        known = [x for x in flows.all if flows.zoos.of(flows.zoo(x)).data]
        zoos = {flows.zoo(x): flows.zoos.of(flows.zoo(x)) for x in known}
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
                "name": f"{x['flow']}: {flows.of(x['flow']).method}, {x['weights']}, {x['width']}",
                "zoo": flows.zoo(x),
                "networks": flows.of(x["flow"]).sampling.count,
                "jobs": [["sample_flow", name] for name in fill(job(FLOW), [x])],
                "once": [["train_flow", name] for name in fill(job(FLOW), [x])],
            }
            for x in known
        ]
        return training + sampling
