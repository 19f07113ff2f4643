"""What a table of a run is; `nodeflow.plan.tables` lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from nodeflow.plan import paths
from nodeflow.plan.paths import fill, narrow

if TYPE_CHECKING:
    from nodeflow.plan import Plan

__all__ = ["Table"]


@dataclass(frozen=True)
class Table:
    """A table of all that a run has of something.

    Attributes:
        name: of its file, and of its rule `collect_NAME` unless `job` is given.
        schema: "module:SCHEMA" in nodeflow: a `Gathered`, unless `read` or a rule of its own makes
            the table.
        parts: pattern of the files that it gathers; empty where a rule of its own makes it.
        rows: what there is a part for, e.g. "flows.all" of the plan. A run without any does not
            have the table.
        job: tables of the same job are gathered by one rule, `collect_JOB`.
        read: "module:function" in nodeflow that makes the table of the parts, where they are no
            tables themselves.
        each: whether there is one of every row, in the place of its part, and nothing is gathered.
        facts: values that the file's parameters have, where they tell it from another.
        costs: whether it says what the run cost, and so waits for all the others.
    """

    name: str
    schema: str
    parts: str = ""
    rows: str = ""
    job: str = ""
    read: str = ""
    each: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    costs: bool = False

    @property
    def path(self) -> str:
        """Its file, or the pattern of those of all rows."""
        return self.parts if self.each else narrow(paths.TABLE, table=self.name)

    @property
    def entries(self) -> list[str]:
        """What it names of nodeflow, as "module:name"."""
        return [self.schema, *([self.read] if self.read else [])]

    @property
    def params(self) -> dict[str, str]:
        """What it is gathered with, by name."""
        return {"schema": self.schema, "read": self.read}

    def in_run(self, plan: Plan) -> bool:
        """Whether a run has it."""
        return not self.rows or bool(attrgetter(self.rows)(plan))

    def files(self, plan: Plan) -> list[str]:
        """The files that it gathers, or that it is where there is one of every row."""
        return fill(self.parts, attrgetter(self.rows)(plan))

    def wanted(self, plan: Plan) -> list[str]:
        """Its file in a run, or its files; none where the run does not have it."""
        return [] if not self.in_run(plan) else self.files(plan) if self.each else [self.path]
