"""Flows over the weights of zoos, by method, and what is done with what they generate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Le, MinLen
from pydantic import Field, create_model
from pydantic_core import PydanticCustomError

from nodeflow.config.section import Changes, Name, Names, Section, key, known
from nodeflow.config.zoo import Data, Zoo
from nodeflow.datasets import VIEWS, DataProblem, form
from nodeflow.datasets.door import can_be_read, task_data
from nodeflow.flow.settings import (
    DIFFUSION_STEPS,
    METHODS,
    DescentSettings,
    FlowSettings,
    Width,
    settings_of,
)
from nodeflow.settings.fields import Count, NonNegative, OneOf, Some, Text, Whole, fault

__all__ = ["ConditionalFlow", "Flow", "Flows", "Sampling"]

_STEPS = "its steps from noise to network"
_COUNT = "networks to generate; of a conditional flow, for each label and scale"
_WEIGHTS = OneOf(("aligned", "raw"))


class Sampling(Section):
    """A way to sample."""

    solver: Annotated[str, OneOf(("euler", "heun", "rk4"))] = key("integrator of the flow")
    steps: Count = key(_STEPS)


class Integrated(Section):
    """Sampling by integration of the flow."""

    count: Count = key(_COUNT)
    solver: Annotated[str, OneOf(("euler", "heun", "rk4", "dopri5"))] = key(
        "integrator of the flow; dopri5 chooses its own steps"
    )
    steps: Count = key(_STEPS)


class Ancestral(Section):
    """Sampling of a diffusion, level by level."""

    count: Count = key(_COUNT)
    solver: Literal["ddpm"] = key("ancestral sampling")
    steps: Annotated[Whole, Ge(DIFFUSION_STEPS), Le(DIFFUSION_STEPS)] = key("all noise levels")


class Descending(Section):
    """Sampling by a descent."""

    count: Count = key(_COUNT)
    solver: Literal["euler"] = key("a descent has no other")
    steps: Count = key("those of the descent, its evaluations")


class AnyFlow(Section):
    """What flows of all methods have in common."""

    weights: Some[Annotated[str, _WEIGHTS]] = key(
        "canonicalized members (each zoo for itself), members as trained, or both"
    )
    widths: Some[Width] = key(
        "hidden widths of the velocity field, or probes of a descent (for each label); one flow a "
        "width"
    )
    method: str
    settings: Mapping[str, Any]
    sampling: Any

    def built(self) -> list[FlowSettings | DescentSettings]:
        """The settings of the flow of each width."""
        return [settings_of(self.method, self.settings, width) for width in self.widths]

    @property
    def streams(self) -> bool:
        """Whether the zoo is never in memory as a whole."""
        first = self.built()[0]
        return isinstance(first, FlowSettings) and first.codec.kind == "span"

    def faults(self) -> Iterator[PydanticCustomError]:
        """What a descent cannot do."""
        first = self.built()[0]
        if not isinstance(first, DescentSettings):
            return
        if self.weights != ("raw",):
            yield fault(
                "weights",
                f"is {list(self.weights)}; a descent pairs members with their initializations and "
                "needs [raw].",
            )
        if self.sampling.steps != first.evaluations:
            yield fault(
                "sampling.steps",
                f"is {self.sampling.steps}; a descent takes the steps that it learned, "
                f"{first.evaluations} ({{here}}.settings.evaluations).",
            )

    def misfits(self, where: str, name: str, zoo: Zoo) -> Iterator[PydanticCustomError]:
        """What a flow cannot learn of a zoo, whose name stands at a key."""
        if zoo.form[1] == 1:
            yield fault(
                where,
                f"names {name}, whose networks predict a number; generated networks are judged as "
                "classifiers.",
            )
        if self.method == "descent" and zoo.network.kind not in _DESCENDED:
            yield fault(
                where,
                f"names {name}, whose networks have running statistics or read texts; a descent "
                "learns neither, so choose method codes or paper.",
            )


_DESCENDED = ("mlp", "vit", "vit_small_192")
"""Kinds of networks without running statistics that read numbers."""


class FlowOfOne(AnyFlow):
    """A flow over one zoo."""

    zoo: Text = key("the zoo to learn, a key of zoo.zoos")


class FlowOfSeveral(AnyFlow):
    """A conditional flow."""

    zoos: Annotated[Names, MinLen(2)] = key(
        "zoos of one architecture to learn together; each one's name is a label"
    )
    guidance: Some[NonNegative] = key(
        "guidance scales to sample with: 0 ignores the label, 1 follows it, more exaggerates it"
    )

    def faults(self) -> Iterator[PydanticCustomError]:
        """As of all flows; and members of several zoos are in memory."""
        yield from super().faults()
        if self.streams:
            yield fault(
                "settings.codec.kind",
                "is span; a conditional flow holds its zoos in memory, so choose pca or raw.",
            )


_FIXED = (
    "method", "velocity", "process", "final_learning_rate", "betas", "fixed_source_bank",
    "keep_best_batch",
)  # fmt: skip
_DIFFUSION = (*_FIXED, "source_std", "path_noise", "coupling")
_METHODS: Mapping[str, tuple[Any, tuple[str, ...], type[Section]]] = {
    "descent": (DescentSettings(), ("method", "probes", "fresh"), Descending),
    "codes": (METHODS["codes"], _FIXED, Integrated),
    "ddpm": (METHODS["ddpm"], _DIFFUSION, Ancestral),
    "paper": (METHODS["paper"], _FIXED, Integrated),
}
"""Of each method its settings, those that are no keys, and how it is sampled."""


def _by_method(base: type[AnyFlow], without: tuple[str, ...] = ()) -> Any:
    """Flows of all methods, told apart by it."""
    flows = []
    for method, (start, fixed, sampling) in _METHODS.items():
        changes = Annotated[Mapping[str, Any], Changes(start, fixed + without)]
        fields: dict[str, Any] = {
            "method": (
                Literal[method],
                key(
                    "descent goes from initializations along a learned descent; codes is flow "
                    "matching on codes; ddpm is diffusion on codes; paper is that of "
                    "arXiv:2601.05052"
                ),
            ),
            "settings": (changes, key("changes to the method")),
            "sampling": (sampling, ...),
        }
        flows.append(create_model(f"{base.__name__}_{method}", __base__=base, **fields))
    return Annotated[reduce(or_, flows), Field(discriminator="method")]


if TYPE_CHECKING:
    Flow = FlowOfOne
    ConditionalFlow = FlowOfSeveral
else:
    Flow = _by_method(FlowOfOne, ("label_dropout",))
    ConditionalFlow = _by_method(FlowOfSeveral)


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


class Conditionals(Section):
    """Flows over several zoos."""

    use: Names = key(
        "names of the conditional flows to train; it is left out if one of its zoos is not there"
    )
    flows: dict[Name, ConditionalFlow]

    def faults(self) -> Iterator[PydanticCustomError]:
        """Names that are not defined."""
        yield from known("use", self.use, self.flows)


class Flows(Section):
    """All flows."""

    use: Some[Text] = key("names of the flows to train; one whose zoo is not there is left out")
    flows: Annotated[dict[Name, Flow], MinLen(1)]
    transfer: Transfer
    solvers: Solvers
    conditional: Conditionals

    def faults(self) -> Iterator[PydanticCustomError]:
        """Names that are not defined, and flows that take their own steps alone."""
        yield from known("use", self.use, self.flows)
        yield from known("transfer.flows", self.transfer.flows, self.flows)
        yield from known("solvers.flows", self.solvers.flows, self.flows)
        for name in self.solvers.flows:
            if self.flows[name].method in ("descent", "ddpm"):
                yield fault(
                    "solvers.flows",
                    f"names {name}, of method {self.flows[name].method}, whose steps are those "
                    "that it learned.",
                )
            if self.flows[name].streams:
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
            yield from known(f"{where}.zoo", [flow.zoo], zoos)
            yield from flow.misfits(f"{where}.zoo", flow.zoo, zoos[flow.zoo])
            span = min(zoos[flow.zoo].members - 1, zoos[flow.zoo].parameters)
            yield from _ranks(f"{where}.settings", flow, span)
        for name in self.use:
            zoo = self.flows[name].zoo
            if zoo not in used:
                yield fault(
                    "flow.use",
                    f"names {name}, which needs the zoo {zoo}; add that zoo to zoo.use or take the "
                    "flow out.",
                )
            if zoos[zoo].members < soup:
                yield fault(
                    "judge.soup",
                    f"is {soup}, but the zoo {zoo} of the flow {name} has {zoos[zoo].members} "
                    "members; make the soup smaller or add members.",
                )
        for name in self.transfer.flows:
            own = zoos[self.flows[name].zoo].data
            if not any(can_be_read(task_data(task, own), own) for task in self.transfer.tasks):
                yield fault(
                    "flow.transfer.tasks",
                    f"is {list(self.transfer.tasks)}; networks of the flow {name}, which read "
                    f"items of {own}, can read none of these tasks.",
                )
        for name, several in self.conditional.flows.items():
            where = f"flow.conditional.flows.{name}"
            yield from known(f"{where}.zoos", several.zoos, zoos)
            networks = []
            for zoo in several.zoos:
                if name in self.conditional.use and zoo not in used:
                    yield fault(f"{where}.zoos", f"names {zoo}; add that zoo to zoo.use.")
                yield from several.misfits(f"{where}.zoos", zoo, zoos[zoo])
                shape, classes = zoos[zoo].form
                networks.append((math.prod(shape), classes, zoos[zoo].network))
            members = sum(zoos[zoo].members for zoo in several.zoos)
            span = min(members - 1, zoos[several.zoos[0]].parameters)
            yield from _ranks(f"{where}.settings", several, span)
            if any(network != networks[0] for network in networks[1:]):
                yield fault(
                    f"{where}.zoos",
                    f"is {list(several.zoos)}, whose networks differ; a conditional flow learns "
                    "zoos of one architecture.",
                )


def _ranks(where: str, flow: AnyFlow, span: int) -> Iterator[PydanticCustomError]:
    """More codes than members span."""
    first = flow.built()[0]
    rank = first.codec.rank if isinstance(first, FlowSettings) else None
    if rank is not None and rank > span:
        yield fault(
            f"{where}.codec.rank",
            f"is {rank}, but the members span at most {span} directions; choose a smaller rank, or "
            "more members.",
        )
