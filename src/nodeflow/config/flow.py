"""Flows over the weights of zoos, by method, and what is done with what they generate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Le, MinLen
from pydantic import Field, create_model
from pydantic_core import PydanticCustomError

from nodeflow.config.section import Name, Names, Section, either, key, known
from nodeflow.config.zoo import Data, Zoo
from nodeflow.datasets import VIEWS, VOCABULARIES, DataProblem, form
from nodeflow.datasets.registry import can_be_read, task_data
from nodeflow.flow.method import Method
from nodeflow.flow.methods import METHODS
from nodeflow.flow.settings import DIFFUSION_STEPS, INTEGRATORS, SOLVERS, Width
from nodeflow.settings.fields import (
    Count,
    Keys,
    NonNegative,
    OneOf,
    Positive,
    Some,
    Text,
    Unique,
    Whole,
    fault,
)

__all__ = ["AnyFlow", "Flow", "Flows", "Sampling"]


class Sampling(Section):
    """A way to sample."""

    solver: Annotated[str, OneOf(INTEGRATORS)] = key("integrator of the flow")
    steps: Count = key("its steps from noise to network")


class Samples(Section):
    """What is sampled of a flow."""

    count: Count = key("networks to generate; of several zoos, for each label and scale")
    solver: Annotated[str, OneOf(SOLVERS)] = key(
        "integrator of the flow; of a descent euler, of a diffusion ddpm"
    )
    steps: Count = key(
        "its steps from noise to network; of a descent its evaluations, of a diffusion all "
        f"{DIFFUSION_STEPS} noise levels"
    )


class AnyFlow(Section):
    """What flows of all methods have in common."""

    zoo: Text = key("the zoo to learn, a key of zoo.zoos", default=None)
    zoos: Annotated[Names, MinLen(2)] = key(
        "instead of zoo: several of one architecture to learn together; each one's name is a label",
        default=None,
    )
    guidance: Some[NonNegative] = key(
        "with zoos: guidance scales to sample with; 0 ignores the label, 1 follows it, more "
        "exaggerates it",
        default=None,
    )
    alignment: Some[Annotated[str, OneOf(("aligned", "raw"))]] = key(
        "canonicalized members (each zoo for itself), members as trained, or both"
    )
    capacities: Some[Width] = key(
        "hidden widths of the velocity field, or numbers of probes of a descent (for each label); "
        "one flow for each"
    )
    method: str
    settings: Any
    sampling: Samples

    @property
    def learns(self) -> tuple[str, ...]:
        """Names of the zoos."""
        return self.zoos or (self.zoo,)

    @property
    def by(self) -> Method:
        """The method."""
        return METHODS[self.method]

    @property
    def streams(self) -> bool:
        """Whether the zoo is never in memory as a whole."""
        return self.by.streams(self.settings)

    def faults(self) -> Iterator[PydanticCustomError]:
        """What no method, and what this one cannot do."""
        yield from either(self, "zoo", "zoos")
        given = self.model_fields_set
        if ("guidance" in given) != ("zoos" in given):
            yield fault("guidance", "and zoos belong together; a flow over one zoo has neither.")
        if self.zoo and "label_dropout" in self.dump("settings")["settings"]:
            yield fault("settings.label_dropout", "is for several zoos, whose names are labels.")
        if self.zoos and self.streams:
            yield fault(
                "settings.codec.kind",
                "is span; a flow over several zoos holds them in memory, so choose pca or raw.",
            )
        if self.sampling.solver not in self.by.solvers:
            yield fault(
                "sampling.solver",
                f'is "{self.sampling.solver}", with method {self.method} allowed: '
                f"{', '.join(self.by.solvers)}.",
            )
        learned = self.by.steps(self.settings)
        if learned is not None and self.sampling.steps != learned:
            yield fault(
                "sampling.steps",
                f"is {self.sampling.steps}; a {self.method} takes the steps that it learned, "
                f"{learned} (of a descent {{here}}.settings.evaluations).",
            )
        if not {*self.alignment} <= {*self.by.alignments}:
            yield fault(
                "alignment",
                f"is {list(self.alignment)}; a {self.method} pairs members with their "
                f"initializations and needs [{', '.join(self.by.alignments)}].",
            )

    def misfits(self, where: str, zoos: Mapping[str, Zoo]) -> Iterator[PydanticCustomError]:
        """What a flow cannot learn of its zoos, which all are there."""
        at = f"{where}.zoos" if self.zoos else f"{where}.zoo"
        for name in self.learns:
            if zoos[name].checkpoints is not None:
                if self.by.starts:
                    yield fault(
                        at,
                        f"names {name}, whose networks were trained elsewhere; a {self.method} "
                        "pairs each member with the initialization that it started from, which "
                        "checkpoints do not hold, so choose method codes or paper.",
                    )
                if self.zoos and zoos[name].items is None:
                    yield fault(
                        at,
                        f"names {name}, whose checkpoints come without data; networks of several "
                        "zoos are judged on the items of each, so give it data.",
                    )
                continue
            if zoos[name].form[1] == 1:
                yield fault(
                    at,
                    f"names {name}, whose networks predict a number; generated networks are judged "
                    "as classifiers.",
                )
            if zoos[name].data in VOCABULARIES:
                unfit = self.by.unfit_for_texts(self.settings)
                if unfit is not None:
                    yield fault(f"{where}.settings.{unfit[0]}", unfit[1])
        learned = [zoos[name] for name in self.learns]
        if any(zoo.reads != learned[0].reads for zoo in learned):
            yield fault(
                at,
                f"is {list(self.learns)}, whose networks differ; a flow learns zoos of one "
                "architecture together.",
            )
        span = min(sum(zoo.learned for zoo in learned) - 1, learned[0].parameters)
        rank = self.by.rank(self.settings)
        if rank is not None and rank > span:
            yield fault(
                f"{where}.settings.codec.rank",
                f"is {rank}, but the members span at most {span} directions; choose a smaller "
                "rank, or more members.",
            )


def _by_method() -> Any:
    """Flows of all methods, told apart by it."""
    text = "; ".join(f"{name} {method.about}" for name, method in METHODS.items())
    flows = []
    for name, method in METHODS.items():
        start = method.settings
        keys = Keys(method.fixed | {"method"}, start)
        fields: dict[str, Any] = {
            "method": (Literal[name], key(text)),
            "settings": (Annotated[type(start), keys], key("changes to the method")),
        }
        flows.append(create_model(f"Flow_{name}", __base__=AnyFlow, **fields))
    return Annotated[reduce(or_, flows), Field(discriminator="method")]


if TYPE_CHECKING:
    Flow = AnyFlow
else:
    Flow = _by_method()


class Transfer(Section):
    """Generated networks trained on changed tasks."""

    flows: Names = key("flows whose networks are trained on changed tasks")
    tasks: Some[Data] = key(
        "same; inverted (1 - x), rotated (images by 90 degrees) or 8x8 (averaged): the own "
        "items so seen; or another data set, as for zoo.zoos.*.data. Each flow's networks "
        "learn those whose items have their shape and are there"
    )
    epochs: Some[Annotated[Whole, Ge(0), Le(10**9)]] = key(
        "passes over the changed items after which networks are tested"
    )
    networks: Count = key("networks of each set")

    def faults(self) -> Iterator[PydanticCustomError]:
        """Tasks that no data set is."""
        for task in self.tasks:
            try:
                form(task if task != "same" and task not in VIEWS else "digits")
            except DataProblem as problem:
                yield fault(
                    "tasks",
                    f"names {task}; a task is same, {', '.join(VIEWS)}, or a data set. {problem}",
                )


class Solvers(Section):
    """One flow sampled in several ways."""

    flows: Names = key("flows to sample in several ways")
    count: Count = key("networks to generate each way")
    samplings: Some[Sampling] = key("ways to sample")


class Distances(Section):
    """Networks of flows and controls at the same distances from the zoo."""

    flows: Names = key("flows whose networks are compared with controls at the same distances")
    factors: Unique[Positive] = key(
        "distances to the nearest member that networks are moved to, over the median distance of a "
        "member to its nearest"
    )
    networks: Count = key("networks of each set, at each distance")


class Flows(Section):
    """All flows."""

    use: Some[Text] = key("names of the flows to train; one whose zoo is not there is left out")
    flows: Annotated[dict[Name, Flow], MinLen(1)]
    transfer: Transfer
    solvers: Solvers
    distances: Distances

    def faults(self) -> Iterator[PydanticCustomError]:
        """Names that are not defined, and flows that take their own steps alone."""
        alone = {name: flow for name, flow in self.flows.items() if flow.zoo}
        yield from known("use", self.use, self.flows)
        yield from known("transfer.flows", self.transfer.flows, alone)
        yield from known("solvers.flows", self.solvers.flows, alone)
        yield from known("distances.flows", self.distances.flows, alone)
        if not any(name in alone for name in self.use):
            yield fault("use", "names flows over several zoos alone; name one over one zoo too.")
        for name in self.solvers.flows:
            if alone[name].by.steps(alone[name].settings) is not None:
                yield fault(
                    "solvers.flows",
                    f"names {name}, of method {alone[name].method}, whose steps are those that it "
                    "learned.",
                )
            if alone[name].streams:
                yield fault(
                    "solvers.flows",
                    f"names {name}, whose codec is span; solvers are compared in memory, so choose "
                    "a flow with codec pca or raw.",
                )

    def misfits(
        self, zoos: Mapping[str, Zoo], used: Mapping[str, Zoo], soup: int
    ) -> Iterator[PydanticCustomError]:
        """What does not fit the zoos.

        Args:
            zoos: all of them by name.
            used: those that are trained.
            soup: members that a control needs.
        """
        for name, flow in self.flows.items():
            where = f"flow.flows.{name}"
            yield from known(f"{where}.zoos" if flow.zoos else f"{where}.zoo", flow.learns, zoos)
            yield from flow.misfits(where, zoos)
        for name in self.use:
            for zoo in self.flows[name].learns:
                if zoo not in used:
                    yield fault(
                        "flow.use",
                        f"names {name}, which needs the zoo {zoo}; add that zoo to zoo.use or take "
                        "the flow out.",
                    )
                if self.flows[name].zoo and zoos[zoo].learned < soup:
                    yield fault(
                        "judge.soup",
                        f"is {soup}, but the zoo {zoo} of the flow {name} has "
                        f"{zoos[zoo].learned} members; make the soup smaller or add members.",
                    )
        for where, named in (
            ("transfer.flows", self.transfer.flows),
            ("solvers.flows", self.solvers.flows),
        ):
            for name in named:
                if zoos[self.flows[name].zoo].checkpoints is not None:
                    yield fault(
                        f"flow.{where}",
                        f"names {name}, whose zoo was trained elsewhere; name flows over zoos that "
                        "are trained here.",
                    )
        for name in self.distances.flows:
            if zoos[self.flows[name].zoo].items is None:
                yield fault(
                    "flow.distances.flows",
                    f"names {name}, whose checkpoints come without data; networks are compared by "
                    "what they do on items, so give the zoo data.",
                )
        for name in self.transfer.flows:
            own = zoos[self.flows[name].zoo].data
            if not any(can_be_read(task_data(task, own), own) for task in self.transfer.tasks):
                yield fault(
                    "flow.transfer.tasks",
                    f"is {list(self.transfer.tasks)}; networks of the flow {name}, which read "
                    f"items of {own}, can read none of these tasks.",
                )
