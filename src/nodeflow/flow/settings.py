"""All choices of a flow over codes, and how networks are sampled."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from annotated_types import Ge, Le

from nodeflow.problems import Problem
from nodeflow.settings.fields import (
    Count,
    NonNegative,
    OneOf,
    Positive,
    Share,
    Whole,
    checked,
    fault,
    meaning,
)

__all__ = [
    "DIFFUSION_STEPS",
    "INTEGRATORS",
    "SOLVERS",
    "CodecProblem",
    "CodecSettings",
    "FlowProblem",
    "FlowSettings",
    "FlowSettingsProblem",
    "SampleSettings",
    "VelocityProblem",
    "VelocitySettings",
]

INTEGRATORS = ("euler", "heun", "rk4")
"""Names of the solvers of an ordinary differential equation."""

SOLVERS = (*INTEGRATORS, "ddpm")
"""Names of the solvers; "ddpm" is for diffusions."""

DIFFUSION_STEPS = 1000
"""Noise levels of a diffusion in training; sampling visits all of them."""

Width = Annotated[Whole, Ge(2), Le(10**9)]


class FlowProblem(Problem):
    """A flow cannot be trained or sampled."""


class CodecProblem(Problem):
    """Parameters cannot be encoded as asked."""


class VelocityProblem(Problem):
    """A velocity field cannot be built as asked."""


class FlowSettingsProblem(Problem):
    """A choice for the flow is not one of those that exist, or does not fit the others."""


@checked(CodecProblem)
@dataclass(frozen=True)
class CodecSettings:
    """How rows become codes.

    "raw" keeps every parameter as a coordinate; "pca" keeps the leading principal coordinates of
    the training members; so does "span", for zoos larger than the memory: it never holds more than
    a few parameters of each member, and reads the zoo once more to turn codes into networks. A rank
    of None keeps all that the members span, at most K − 1, which is lossless on them. Codes of
    standardize "none" are in units of weights, as the reference's are; "global" divides all of them
    by one number, so that their mean variance is 1. Either centres the codes.
    """

    kind: Annotated[
        str,
        OneOf(("raw", "pca", "span")),
        meaning(
            "weights as they are, PCA codes, or PCA codes of a zoo that is never in memory as a "
            "whole"
        ),
    ] = "pca"
    rank: Annotated[
        Count | None, meaning("number of PCA codes; null keeps all that the members span")
    ] = None
    standardize: Annotated[
        str,
        OneOf(("none", "global")),
        meaning("scale of the codes: as they are, or one factor"),
    ] = "global"

    def __post_init__(self) -> None:
        if self.kind == "raw" and self.rank is not None:
            raise fault(
                "rank",
                f"is {self.rank}, but codes of kind raw are all parameters; choose kind pca or "
                "span, or leave the rank out.",
            )


@checked(VelocityProblem)
@dataclass(frozen=True)
class VelocitySettings:
    """Which network, and how large."""

    kind: Annotated[
        str, OneOf(("paper", "residual")), meaning("which network the velocity field is")
    ] = "residual"
    hidden: Annotated[Width, meaning("width of the velocity field")] = 256
    time_features: Annotated[Width, meaning("length of the time embedding")] = 64
    dropout: Annotated[Share, meaning("probability that a hidden unit is dropped in training")] = (
        0.0
    )
    blocks: Annotated[Count, meaning("its residual blocks")] = 3

    def __post_init__(self) -> None:
        if self.kind == "residual" and self.time_features % 2:
            raise fault(
                "time_features",
                f"is {self.time_features}; a residual velocity needs an even number.",
            )


@checked(FlowSettingsProblem)
@dataclass(frozen=True)
class FlowSettings:
    """How a flow over codes is built and trained.

    Process "flow" learns the velocity from the source to the codes; "diffusion" learns to predict
    the noise on codes, as a baseline: see `nodeflow.flow.diffusion`. Noise and members are paired
    at random.

    Two faults of the reference code of "paper" are not repeated: to draw as many source vectors as
    there are members once and use no others in training; and to sample from the weights with the
    lowest loss on a single batch instead of the last ones.
    """

    method: Annotated[str, meaning("the method that these settings belong to")] = "codes"
    codec: Annotated[CodecSettings, meaning("how networks become codes")] = field(
        default_factory=CodecSettings
    )
    velocity: Annotated[VelocitySettings, meaning("the network that is trained")] = field(
        default_factory=VelocitySettings
    )
    process: Annotated[
        str, OneOf(("flow", "diffusion")), meaning("what is learned: a velocity, or the noise")
    ] = "flow"
    source_std: Annotated[
        Positive, meaning("standard deviation of the source, in units of codes")
    ] = 1.0
    path_noise: Annotated[
        NonNegative, meaning("standard deviation of the noise along the path, in units of codes")
    ] = 0.0
    steps: Annotated[Count, meaning("optimizer steps")] = 5000
    batch: Annotated[Count, meaning("pairs in a step")] = 64
    learning_rate: Annotated[
        Positive, meaning("of AdamW at the start; it falls along a cosine")
    ] = 1e-3
    final_learning_rate: Annotated[NonNegative, meaning("of AdamW at the last step")] = 1e-6
    weight_decay: Annotated[NonNegative, meaning("of AdamW")] = 1e-5
    betas: Annotated[tuple[Share, Share], meaning("of AdamW")] = (0.9, 0.99)
    ema: Annotated[
        Share,
        meaning("decay of the averaged weights that are sampled from; 0 takes the last"),
    ] = 0.999
    label_dropout: Annotated[
        Share,
        meaning("of a conditional flow: share of the pairs in training whose label is withheld"),
    ] = 0.1

    def __post_init__(self) -> None:
        if self.process == "diffusion" and (
            self.velocity.kind == "residual" or (self.source_std, self.path_noise) != (1.0, 0.0)
        ):
            raise fault(
                "process",
                'is "diffusion", which needs velocity kind "paper", source_std 1 and path_noise 0: '
                "it has its own source and path.",
            )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file's parameters; `settings_of` reads them back."""
        return asdict(self)


@checked(FlowProblem)
@dataclass(frozen=True)
class SampleSettings:
    """How a flow is integrated from noise to networks; by default as ours is.

    99 equal steps of "rk4" are the reference's choice. "ddpm" ignores the number of steps: it takes
    as many as there are noise levels.
    """

    solver: Annotated[
        str, OneOf(SOLVERS), meaning("integrator of the flow; ddpm for method ddpm")
    ] = "heun"
    steps: Annotated[Count, meaning("its steps from noise to network")] = 12
