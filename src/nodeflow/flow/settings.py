"""All choices of a flow, and the methods that choose them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from annotated_types import Ge, Le

from nodeflow.problems import Problem
from nodeflow.settings.fields import (
    Count,
    Flag,
    NonNegative,
    OneOf,
    Positive,
    Share,
    Whole,
    checked,
    fault,
    meaning,
    merged,
)

__all__ = [
    "DIFFUSION_STEPS",
    "METHODS",
    "SOLVERS",
    "CodecProblem",
    "CodecSettings",
    "DescentSettings",
    "FlowProblem",
    "FlowSettings",
    "FlowSettingsProblem",
    "SampleSettings",
    "VelocityProblem",
    "VelocitySettings",
    "flow_settings",
    "settings_of",
]

SOLVERS = ("euler", "heun", "rk4", "ddpm")
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

    The last two are faults of the reference code, kept for replication and only for "paper": to
    draw as many source vectors as there are members once and use no others in training; and to
    sample from the weights with the lowest loss on a single batch instead of the last ones.
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
    fixed_source_bank: Annotated[
        Flag, meaning("whether the source vectors are drawn once, one for each member")
    ] = False
    keep_best_batch: Annotated[
        Flag, meaning("whether to sample from the weights with the lowest loss on one batch")
    ] = False

    def __post_init__(self) -> None:
        if self.process == "diffusion" and (
            self.velocity.kind == "residual" or (self.source_std, self.path_noise) != (1.0, 0.0)
        ):
            raise fault(
                "process",
                'is "diffusion", which needs velocity kind "paper", source_std 1 and path_noise 0: '
                "it has its own source and path.",
            )
        if self.method != "paper" and (self.fixed_source_bank or self.keep_best_batch):
            raise fault(
                "fixed_source_bank",
                "and keep_best_batch are faults of the reference code; they are allowed only with "
                'method "paper".',
            )
        if self.ema and self.keep_best_batch:
            raise fault("keep_best_batch", "and ema exclude each other; set ema to 0.")

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file's parameters; `flow_settings` reads them back."""
        return asdict(self)


@checked(FlowSettingsProblem)
@dataclass(frozen=True)
class DescentSettings:
    """How a flow from initializations to trained networks is built and trained.

    Networks that fresh initializations lead to have to be distributed as members are. Axes: probes'
    items are moved along the principal axes of the training items instead of feature by feature, in
    units of the training items' standard deviation along each.
    """

    method: Annotated[str, meaning("the name of the method")] = "descent"
    evaluations: Annotated[
        Count, meaning("its steps from an initialization, one gradient each")
    ] = 24
    probes: Annotated[Count, meaning("learned items in each evaluation")] = 64
    steps: Annotated[Count, meaning("optimizer steps")] = 600
    batch: Annotated[Count, meaning("members in a step")] = 8
    fresh: Annotated[Width, meaning("initializations in a step that no member started from")] = 8
    others: Annotated[
        Width,
        meaning("members that the networks of a step are compared with"),
    ] = 32
    noise: Annotated[
        NonNegative,
        meaning(
            "standard deviation of the random weights of its probes at the start of "
            "training; 0 for none"
        ),
    ] = 0.3
    items: Annotated[Count, meaning("training items in a step")] = 256
    learning_rate: Annotated[
        Positive, meaning("of Adam at the start, for the probes; it falls along a cosine")
    ] = 0.03
    rate_learning_rate: Annotated[
        Positive, meaning("of Adam, for rates, floors, decays and noise")
    ] = 0.03
    axes_learning_rate: Annotated[
        NonNegative,
        meaning("rate along the principal axes of the training items; 0: feature by feature"),
    ] = 0.0
    weight_fit: Annotated[
        NonNegative,
        meaning(
            "weight of the distance to a member's weights, in units of how far members "
            "move, beside the divergence of predictions in nats"
        ),
    ] = 0.03
    power_fit: Annotated[
        NonNegative,
        meaning("weight of how far mean squares are from the zoo's"),
    ] = 100.0
    near_fit: Annotated[
        NonNegative,
        meaning(
            "weight of how far distances to the nearest members' predictions are from members'"
        ),
    ] = 0.0
    label_dropout: Annotated[
        Share,
        meaning("of a conditional flow: share of the steps whose label is withheld"),
    ] = 0.1

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file's parameters; `flow_settings` reads them back."""
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


METHODS: Mapping[str, FlowSettings] = {
    "codes": FlowSettings(),
    "ddpm": FlowSettings(
        method="ddpm",
        process="diffusion",
        velocity=VelocitySettings(kind="paper", hidden=512, time_features=64),
    ),
    "paper": FlowSettings(
        method="paper",
        codec=CodecSettings(kind="raw", rank=None, standardize="none"),
        velocity=VelocitySettings(kind="paper", hidden=512, time_features=64, dropout=0.1),
        source_std=0.01,
        path_noise=0.001,
        steps=30_000,
        batch=8,
        learning_rate=5e-4,
        betas=(0.9, 0.95),
        ema=0.0,
    ),
}
"""The settings of each method of flow matching on codes: "codes" is ours, "paper" that of Gupta et
al. 2026 (arXiv:2601.05052) for MLPs; "ddpm" is denoising diffusion on the same codes."""


def flow_settings(method: str, changes: Mapping[str, Any] | None = None) -> FlowSettings:
    """A method's settings with some of them changed.

    Args:
        method: a key of `METHODS`.
        changes: names of `FlowSettings`' attributes → values; `codec` and `velocity` are mappings
            of their own attributes, e.g. `{"steps": 10000, "velocity": {"hidden": 64}}`.

    Raises:
        FlowSettingsProblem: no such method or setting.
    """
    if method not in METHODS:
        raise FlowSettingsProblem(
            f'flow method is "{method}"; allowed are {", ".join(sorted([*METHODS, "descent"]))}.'
        )
    start = METHODS[method]
    values = dict(changes or {}) | {"method": method}
    return FlowSettings(**merged(start, values))


def settings_of(
    method: str, changes: Mapping[str, Any] | None = None, width: int | None = None
) -> FlowSettings | DescentSettings:
    """The settings of any method, "descent" among them, with some of them changed.

    Args:
        method: a key of `METHODS`, or "descent".
        changes: see `flow_settings`.
        width: the capacity of the velocity field: the number of probes of a descent, the hidden
            width of any other; None leaves it as it is.

    Raises:
        FlowSettingsProblem: no such method or setting.
    """
    values = dict(changes or {})
    if method == "descent":
        values |= {} if width is None else {"probes": width}
        return DescentSettings(**values)
    if width is not None:
        values["velocity"] = {**values.get("velocity", {}), "hidden": width}
    return flow_settings(method, values)
