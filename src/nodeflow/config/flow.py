"""Flows over the weights of zoos, by method, and what is done with what they generate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, MinLen
from pydantic import Field
from pydantic_core import PydanticCustomError

from nodeflow.config.section import Changes, Name, Names, Section, known
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
from nodeflow.settings import Count, NonNegative, OneOf, Unique, Whole, fault, meaning

__all__ = ["Conditional", "Flow", "Flows"]

_FIXED = (
    "method", "velocity", "process", "final_learning_rate", "betas", "fixed_source_bank",
    "keep_best_batch",
)  # fmt: skip
_DIFFUSION = (*_FIXED, "source_std", "path_noise", "coupling")
_DESCENT = ("method", "probes", "fresh")
_PLAIN = ("label_dropout",)

_COUNT = meaning("networks to generate; of a conditional flow, for each label and scale")
_STEPS = meaning("its steps from noise to network")
_CHANGES = meaning("changes to the method")


class Integrated(Section):
    """Sampling by integration of the flow."""

    count: Annotated[Count, _COUNT]
    solver: Annotated[
        str, OneOf(("euler", "heun", "rk4", "dopri5")), meaning("integrator of the flow")
    ]
    steps: Annotated[Count, _STEPS]


class Ancestral(Section):
    """Sampling of a diffusion, level by level."""

    count: Annotated[Count, _COUNT]
    solver: Annotated[Literal["ddpm"], meaning("ancestral sampling")]
    steps: Annotated[Whole, Ge(DIFFUSION_STEPS), Le(DIFFUSION_STEPS), meaning("all noise levels")]


class Descending(Section):
    """Sampling by a descent."""

    count: Annotated[Count, _COUNT]
    solver: Annotated[Literal["euler"], meaning("a descent has no other")]
    steps: Annotated[Count, meaning("those of the descent, its evaluations")]


class _Flow(Section):
    """What flows of all methods have in common."""

    weights: Annotated[
        Unique[Annotated[str, OneOf(("aligned", "raw"))]],
        MinLen(1),
        meaning("canonicalized members (each zoo for itself), members as trained, or both"),
    ]
    widths: Annotated[
        Unique[Width],
        MinLen(1),
        meaning(
            "hidden widths of the velocity field, or probes of a descent (for each label), one flow "
            "each"
        ),
    ]
    method: Any
    settings: Any
    sampling: Any

    def built(self) -> list[FlowSettings | DescentSettings]:
        """The settings of the flow of each width."""
        return [settings_of(self.method, self.settings, width) for width in self.widths]

    @property
    def codec(self) -> str:
        """How networks become codes; "" for a descent, which has none."""
        first = self.built()[0]
        return first.codec.kind if isinstance(first, FlowSettings) else ""

    def faults(self) -> Iterator[PydanticCustomError]:
        """What a descent cannot do."""
        if self.method != "descent":
            return
        if self.weights != ("raw",):
            yield fault(
                "weights",
                f"is {list(self.weights)}; a descent pairs members with their initializations and "
                "needs [raw].",
            )
        first = self.built()[0]
        assert isinstance(first, DescentSettings)
        if self.sampling.steps != first.evaluations:
            yield fault(
                "sampling.steps",
                f"is {self.sampling.steps}; a descent takes the steps that it learned, "
                f"{first.evaluations} ({{here}}.settings.evaluations).",
            )


class _Of(_Flow):
    zoo: Annotated[str, meaning("the zoo to learn, a key of zoo.zoos")]


class _OfSeveral(_Flow):
    zoos: Annotated[
        Names,
        MinLen(2),
        meaning("zoos of one architecture to learn together; each one's name is a label"),
    ]
    guidance: Annotated[
        Unique[NonNegative],
        MinLen(1),
        meaning(
            "guidance scales to sample with: 0 ignores the label, 1 follows it, more exaggerates it"
        ),
    ]

    def faults(self) -> Iterator[PydanticCustomError]:
        """As of all flows; and members of several zoos are in memory."""
        yield from super().faults()
        if self.codec == "span":
            yield fault(
                "settings.codec.kind",
                "is span; a conditional flow holds its zoos in memory, so choose pca or raw.",
            )


_METHOD = meaning(
    "descent goes from initializations along a learned descent; codes is flow matching on codes; "
    "ddpm is diffusion on codes; paper is that of arXiv:2601.05052"
)
Written = Mapping[str, Any]


class CodesFlow(_Of):
    """Flow matching on codes."""

    method: Annotated[Literal["codes"], _METHOD]
    settings: Annotated[Written, Changes(METHODS["codes"], _FIXED + _PLAIN), _CHANGES]
    sampling: Integrated


class PaperFlow(_Of):
    """The method of the paper."""

    method: Annotated[Literal["paper"], _METHOD]
    settings: Annotated[Written, Changes(METHODS["paper"], _FIXED + _PLAIN), _CHANGES]
    sampling: Integrated


class DdpmFlow(_Of):
    """Diffusion on codes."""

    method: Annotated[Literal["ddpm"], _METHOD]
    settings: Annotated[Written, Changes(METHODS["ddpm"], _DIFFUSION + _PLAIN), _CHANGES]
    sampling: Ancestral


class DescentFlow(_Of):
    """A learned descent."""

    method: Annotated[Literal["descent"], _METHOD]
    settings: Annotated[Written, Changes(DescentSettings(), _DESCENT + _PLAIN), _CHANGES]
    sampling: Descending


class ConditionalCodes(_OfSeveral):
    """Flow matching on codes of several zoos."""

    method: Annotated[Literal["codes"], _METHOD]
    settings: Annotated[Written, Changes(METHODS["codes"], _FIXED), _CHANGES]
    sampling: Integrated


class ConditionalPaper(_OfSeveral):
    """The method of the paper on several zoos."""

    method: Annotated[Literal["paper"], _METHOD]
    settings: Annotated[Written, Changes(METHODS["paper"], _FIXED), _CHANGES]
    sampling: Integrated


class ConditionalDdpm(_OfSeveral):
    """Diffusion on codes of several zoos."""

    method: Annotated[Literal["ddpm"], _METHOD]
    settings: Annotated[Written, Changes(METHODS["ddpm"], _DIFFUSION), _CHANGES]
    sampling: Ancestral


class ConditionalDescent(_OfSeveral):
    """Learned descents, one for each zoo."""

    method: Annotated[Literal["descent"], _METHOD]
    settings: Annotated[Written, Changes(DescentSettings(), _DESCENT), _CHANGES]
    sampling: Descending


Flow = Annotated[CodesFlow | PaperFlow | DdpmFlow | DescentFlow, Field(discriminator="method")]
Conditional = Annotated[
    ConditionalCodes | ConditionalPaper | ConditionalDdpm | ConditionalDescent,
    Field(discriminator="method"),
]


class Transfer(Section):
    """Generated networks trained on changed tasks."""

    flows: Annotated[Names, meaning("flows whose networks are trained on changed tasks")]
    tasks: Annotated[
        Unique[Data],
        MinLen(1),
        meaning(
            "same; inverted (1 - x), rotated (images by 90 degrees) or 8x8 (averaged): the own items "
            "so seen; or another data set, as for zoo.zoos.*.data. Each flow's networks learn those "
            "whose items have their shape and are there"
        ),
    ]
    epochs: Annotated[
        Unique[Annotated[Whole, Ge(0), Le(10**9)]],
        MinLen(1),
        meaning("passes over the changed items after which networks are tested"),
    ]
    networks: Annotated[Count, meaning("networks of each set")]

    def faults(self) -> Iterator[PydanticCustomError]:
        """Tasks that no data set is."""
        for task in self.tasks:
            if task == "same" or task in VIEWS:
                continue
            try:
                form(task)
            except DataProblem as problem:
                yield fault(
                    "tasks",
                    f"names {task}; a task is same, {', '.join(VIEWS)}, or a data set. {problem}",
                )


class Sampling(Section):
    """A way to sample."""

    solver: Annotated[str, OneOf(("euler", "heun", "rk4")), meaning("integrator of the flow")]
    steps: Annotated[Count, _STEPS]


class Solvers(Section):
    """One flow sampled in several ways."""

    flows: Annotated[Names, meaning("flows to sample in several ways")]
    count: Annotated[Count, meaning("networks to generate each way")]
    samplings: Annotated[Unique[Sampling], MinLen(1), meaning("ways to sample")]


class Conditionals(Section):
    """Flows over several zoos."""

    use: Annotated[
        Names,
        meaning(
            "names of the conditional flows to train; one of whose zoos one is not there is left out"
        ),
    ]
    flows: dict[Name, Conditional]

    def faults(self) -> Iterator[PydanticCustomError]:
        """Names that are not defined."""
        yield from known("use", self.use, self.flows)


class Flows(Section):
    """All flows."""

    use: Annotated[
        Names,
        MinLen(1),
        meaning("names of the flows to train; one whose zoo is not there is left out"),
    ]
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
                    f"names {name}, of method {self.flows[name].method}, whose steps are those that "
                    "it learned.",
                )

    def faults_with(
        self, zoos: Mapping[str, Zoo], used: Mapping[str, Zoo], soup: int
    ) -> Iterator[PydanticCustomError]:
        """What does not fit the zoos.

        Args:
            zoos: all of them by name.
            used: those that are trained.
            soup: members that a control needs.
        """
        for name, flow in self.flows.items():
            key = f"flow.flows.{name}"
            yield from known(f"{key}.zoo", [flow.zoo], zoos)
            yield from _misfits(f"{key}.zoo", "is", flow, flow.zoo, zoos[flow.zoo])
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
                    f"is {list(self.transfer.tasks)}; networks of the flow {name}, which read items "
                    f"of {own}, can read none of these tasks.",
                )
        for name, flow in self.conditional.flows.items():
            key = f"flow.conditional.flows.{name}.zoos"
            yield from known(key, flow.zoos, zoos)
            networks = []
            for zoo in flow.zoos:
                if name in self.conditional.use and zoo not in used:
                    yield fault(key, f"names {zoo}; add that zoo to zoo.use.")
                yield from _misfits(key, "names", flow, zoo, zoos[zoo])
                shape, classes = zoos[zoo].form
                networks.append((math.prod(shape), classes, zoos[zoo].network))
            if any(network != networks[0] for network in networks):
                yield fault(
                    key,
                    f"is {list(flow.zoos)}, whose networks differ; a conditional flow learns zoos "
                    "of one architecture.",
                )


def _misfits(
    key: str, verb: str, flow: _Flow, name: str, zoo: Zoo
) -> Iterator[PydanticCustomError]:
    """What a flow cannot learn of a zoo."""
    if zoo.form[1] == 1:
        yield fault(
            key,
            f"{verb} {name}, whose networks predict a number; generated networks are judged as "
            "classifiers.",
        )
    if flow.method == "descent" and not descends(zoo):
        yield fault(
            key,
            f"{verb} {name}, whose networks have running statistics or read texts; a descent learns "
            "neither, so choose method codes or paper.",
        )
    if isinstance(first := flow.built()[0], FlowSettings):
        rank = first.codec.rank
        if rank is not None and rank > zoo.members - 1 and isinstance(flow, _Of):
            yield fault(
                key.removesuffix("zoo") + "settings.codec.rank",
                f"is {rank}; the {zoo.members} members of {name} span at most {zoo.members - 1} "
                "directions.",
            )


def descends(zoo: Zoo) -> bool:
    """Whether a descent can carry networks of a zoo."""
    return zoo.network.kind in ("mlp", "vit", "vit_small_192")
