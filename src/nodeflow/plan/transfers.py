"""Transfer of generated networks to changed tasks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeflow import config
from nodeflow.datasets.registry import can_be_read, task_data
from nodeflow.plan.data import Data
from nodeflow.plan.flows import Flows
from nodeflow.plan.paths import Row

__all__ = ["Transfers"]


@dataclass(frozen=True)
class Transfers:
    """The transfers of a run.

    Attributes:
        settings: section `flow.transfer` of the configuration.
        flows: the flows whose samples are transferred.
    """

    settings: config.flow.Transfer
    flows: Flows

    @cached_property
    def all(self) -> list[dict[str, Any]]:
        """Rows of flow, alignment, capacity: the flows with a task that their networks can read."""
        return [x for x in self.flows.all if x["flow"] in self.settings.flows and self.tasks(x)]

    def tasks(self, row: Row) -> dict[str, str]:
        """Tasks that networks of a flow can read and whose data are there: name → data set."""
        (dataset,) = self.flows.datasets(row)
        named = {task: task_data(task, dataset) for task in self.settings.tasks}
        return {
            task: data
            for task, data in named.items()
            if (data != dataset or task == "same")
            and can_be_read(data, dataset)
            and self._data.is_there(data)
        }

    def folders(self, row: Row) -> dict[str, str | None]:
        """The folder of each task's data set."""
        return {task: self._data.folder(data) for task, data in self.tasks(row).items()}

    def downloads(self, row: Row) -> list[str]:
        """The notes of all data sets that a transfer needs and that are to be downloaded."""
        return self._data.downloads([*self.flows.datasets(row), *self.tasks(row).values()])

    def params(self, row: Row) -> dict[str, Any]:
        """What the transfer of a flow's samples is made with."""
        written = self.settings.dump()
        return {
            **self.flows.learned(row),
            **self.flows.zoos.of(self.flows.zoo(row)).dump("training"),
            "tasks": self.tasks(row),
            "settings": {x: written[x] for x in written if x not in ("flows", "tasks")},
            "calibration": self.flows.judge["calibration"],
            "from": self.flows.sample_params(row),
        }

    @property
    def _data(self) -> Data:
        return self.flows.zoos.data
