"""What a figure of a run is; `nodeflow.plan.figures` lists them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nodeflow.plan import paths
from nodeflow.plan.paths import fill, narrow
from nodeflow.plan.tables import table

if TYPE_CHECKING:
    from nodeflow.plan import Plan

__all__ = ["QUESTIONS", "Figure", "Question"]


@dataclass(frozen=True)
class Question:
    """A category of the report.

    Attributes:
        text: as the report shows it, numbered.
        research: neural_ode, flow or priors: the research question that it belongs to; own
            for data of the user's own, cost for what the run cost.
    """

    text: str
    research: str


QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {
        "own": Question("0 How far can your own data be forecast?", "own"),
        "graphs": Question("1 Are the graphs those of the model?", "neural_ode"),
        "systems": Question("2 How do the systems behave on them?", "neural_ode"),
        "learn": Question("3 Do neural ODEs learn the systems?", "neural_ode"),
        "generalize": Question("4 When do neural ODEs generalize?", "neural_ode"),
        "fail": Question("5 Why do they fail, can one tell, and do laws?", "neural_ode"),
        "alike": Question("6 Are trained networks alike?", "flow"),
        "generate": Question("7 Can a flow generate networks that work and are new?", "flow"),
        "priors": Question("8 Can neural ODEs of new systems be generated?", "priors"),
        "cost": Question("9 What did the run cost?", "cost"),
    }
)
"""All categories, in their order."""


def _none(_: Plan) -> Mapping[str, Any]:
    return {}


def _always(_: Plan) -> bool:
    return True


@dataclass(frozen=True)
class Figure:
    """A figure: a pure function of tables.

    Attributes:
        name: of its files, of its rule `draw_NAME`, and of its caption.
        question: one of `QUESTIONS`.
        title: as the report shows it.
        module: of `nodeflow.figures`, with its function `draw_NAME`, whose arguments are the tables
            and the settings.
        tables: the argument that each table is handed as.
        settings: its other arguments.
        when: whether a run has it; it also needs rows for all of its tables.
        pattern: of its files. If one of its tables is there of every row, so is the figure, and the
            pattern has the wildcards of these rows.
    """

    name: str
    question: str
    title: str
    module: str
    tables: Mapping[str, str]
    settings: Callable[[Plan], Mapping[str, Any]] = _none
    when: Callable[[Plan], bool] = _always
    pattern: str = paths.FIGURE

    @property
    def draw(self) -> str:
        """Its function in nodeflow, as "module:name"."""
        return f"figures.{self.module}:draw_{self.name}"

    @property
    def entries(self) -> list[str]:
        """What it names of nodeflow, as "module:name": its function, and its tables' schemas."""
        return [self.draw, *(table(name).schema for name in self.tables.values())]

    @property
    def files(self) -> dict[str, str]:
        """The files that it is drawn from."""
        return {argument: table(name).path for argument, name in self.tables.items()}

    @property
    def pictures(self) -> list[str]:
        """Its own files, or the patterns of those of all rows."""
        return [narrow(self.pattern, figure=self.name, kind=kind) for kind in ("png", "pdf")]

    @property
    def labels(self) -> dict[str, str]:
        """What the report calls it."""
        names = re.findall(r"{(\w+)}", self.pictures[0])
        return {"figure": self.title, **{name: f"{{{name}}}" for name in names}}

    def in_run(self, plan: Plan) -> bool:
        """Whether a run has it."""
        return self.when(plan) and all(table(name).in_run(plan) for name in self.tables.values())

    def wanted(self, plan: Plan) -> list[str]:
        """Its files in a run; none where the run does not have it."""
        if not self.in_run(plan):
            return []
        rows = next((x.rows for x in map(table, self.tables.values()) if x.each), "")
        filled = attrgetter(rows)(plan) if rows else [{}]
        return [path for pattern in self.pictures for path in fill(pattern, filled)]

    def params(self, plan: Plan) -> dict[str, Any]:
        """What it is drawn with, by name."""
        tables = {
            argument: {"schema": table(name).schema, "facts": dict(table(name).facts)}
            for argument, name in self.tables.items()
        }
        return {
            "draw": self.draw,
            "tables": tables,
            "settings": dict(self.settings(plan)),
        }
