"""What the networks of a zoo are and how each is trained, without torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

from annotated_types import MinLen
from pydantic import Field

from nodeflow.problems import Problem
from nodeflow.settings.fields import (
    Count,
    Counts,
    Depth,
    NonNegative,
    OneOf,
    Positive,
    Text,
    checked,
    fault,
    meaning,
)

__all__ = [
    "PUBLISHED",
    "ArchitectureProblem",
    "ArchitectureSettings",
    "MlpSettings",
    "PublishedSettings",
    "ResnetSettings",
    "SmallCnnSettings",
    "TextSettings",
    "TrainProblem",
    "TrainSettings",
    "VitSettings",
    "misfit",
    "parameters",
    "places",
]


class TrainProblem(Problem):
    """Settings with which nothing can be trained; the text says what is allowed."""


class ArchitectureProblem(Problem):
    """An architecture or an initialization that does not exist; the text says what does."""


@checked(TrainProblem)
@dataclass(frozen=True)
class TrainSettings:
    """How each member is trained.

    The last step of an epoch of a perceptron takes what items are left, which any other
    architecture leaves out. Member m starts with entry m mod length of the initializations, names
    from `nodeflow.zoo.INITIALIZATIONS`.
    """

    epochs: Annotated[Count, meaning("passes over the training items")] = 15
    batch_size: Annotated[Count, meaning("items in a step")] = 64
    learning_rate: Annotated[Positive, meaning("of the optimizer, constant")] = 1e-3
    weight_decay: Annotated[NonNegative, meaning("of the optimizer")] = 0.0
    optimizer: Annotated[str, OneOf(("adam", "adamw")), meaning("the optimizer")] = "adam"
    initializations: Annotated[
        tuple[Text, ...],
        MinLen(1),
        meaning("how members start, in turn"),
    ] = ("he_uniform",)
    keep: Annotated[
        str,
        OneOf(("last", "best")),
        meaning("the weights of the last epoch, or of that with the lowest validation loss"),
    ] = "last"


@checked(ArchitectureProblem)
@dataclass(frozen=True)
class MlpSettings:
    """A multilayer perceptron."""

    kind: Literal["mlp"]
    hidden: Annotated[Counts, meaning("widths of the hidden layers")]
    activation: Annotated[str, OneOf(("relu", "tanh")), meaning("between the layers")] = "relu"


@checked(ArchitectureProblem)
@dataclass(frozen=True)
class SmallCnnSettings:
    """Convolutions with batch normalization and pooling, then two linear layers."""

    kind: Literal["small_cnn"]
    widths: Annotated[
        Counts, meaning("channels after each convolution; each one halves the image")
    ] = (16, 24, 24)
    hidden: Annotated[Count, meaning("width of the layer before the last")] = 32


@checked(ArchitectureProblem)
@dataclass(frozen=True)
class ResnetSettings:
    """A residual network for small images."""

    kind: Literal["resnet"]
    widths: Annotated[Counts, meaning("channels of each stage")]
    blocks: Annotated[tuple[Depth, ...], MinLen(1), meaning("basic blocks in each stage")]

    def __post_init__(self) -> None:
        if len(self.blocks) != len(self.widths):
            raise fault(
                "blocks",
                f"has {len(self.blocks)} value(s), but there are {len(self.widths)} widths; give "
                "each stage both.",
            )


@dataclass(frozen=True)
class _Encoder:
    """What encoders have in common."""

    width: Annotated[Count, meaning("numbers of a token")]
    depth: Annotated[Depth, meaning("layers")]
    heads: Annotated[Count, meaning("heads of attention in each layer; they divide the width")]
    hidden: Annotated[Count, meaning("hidden width of each layer")]

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise fault("heads", f"is {self.heads}; it must divide {self.width}, the width.")


@checked(ArchitectureProblem)
@dataclass(frozen=True)
class VitSettings(_Encoder):
    """A vision transformer."""

    kind: Literal["vit"]
    patch: Annotated[Count, meaning("side of a square patch; it divides height and width")]


@checked(ArchitectureProblem)
@dataclass(frozen=True)
class TextSettings(_Encoder):
    """A text encoder."""

    kind: Literal["text"]


@checked(ArchitectureProblem)
@dataclass(frozen=True)
class PublishedSettings:
    """A network with all its published shapes; see `PUBLISHED`."""

    kind: Literal["resnet20", "resnet18", "vit_small_192", "bert"]


ArchitectureSettings = Annotated[
    MlpSettings
    | SmallCnnSettings
    | ResnetSettings
    | VitSettings
    | TextSettings
    | PublishedSettings,
    Field(discriminator="kind"),
]
"""Any of them, told apart by their kind."""

PUBLISHED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "resnet20": ("resnet", {"widths": [16, 32, 64], "blocks": [3, 3, 3]}),
    "resnet18": ("resnet", {"widths": [64, 128, 256, 512], "blocks": [2, 2, 2, 2]}),
    "vit_small_192": ("vit", {"patch": 4, "width": 192, "depth": 6, "heads": 3, "hidden": 768}),
    "bert": (
        "text",
        {"vocabulary": 30522, "width": 768, "depth": 12, "heads": 12, "hidden": 3072},
    ),
}
"""The networks of Gupta et al. 2026 (arXiv:2601.05052): kind and arguments by name."""


def misfit(settings: Any, item: Sequence[int], texts: bool) -> str:
    """Why networks cannot read items, as the rest of a sentence on their architecture; "" if not.

    Args:
        settings: one of `ArchitectureSettings`.
        item: shape of an item.
        texts: whether items are texts.
    """
    kind, arguments = PUBLISHED.get(settings.kind, (settings.kind, vars(settings)))
    shape = "x".join(map(str, item))
    if (kind == "text") != texts:
        return f"read {'texts' if kind == 'text' else 'numbers'}, but items are none"
    if kind in ("mlp", "text"):
        return ""
    if len(item) != 3:
        return f"read images, but items have the shape {shape}"
    _, height, width = item
    if kind == "small_cnn" and min(height, width) >> len(arguments["widths"]) < 1:
        return f"halve images {len(arguments['widths'])} times, but they have the shape {shape}"
    if kind == "vit" and (height % arguments["patch"] or width % arguments["patch"]):
        return (
            f"cut images into patches of side {arguments['patch']}, which does not divide their "
            f"shape {shape}"
        )
    return ""


def places(settings: Any, item: Sequence[int]) -> int:
    """Pixels over which the last normalization of a residual network runs; 0 if it has none."""
    kind, arguments = PUBLISHED.get(settings.kind, (settings.kind, vars(settings)))
    if kind != "resnet":
        return 0
    halved = 2 ** (len(arguments["widths"]) - 1)
    return math.prod(-(-side // halved) for side in item[1:])


def parameters(settings: Any, item: Sequence[int], classes: int, vocabulary: int = 0) -> int:
    """D, the number of trainable parameters of a network, counted without making it.

    Args:
        settings: one of `ArchitectureSettings`.
        item: shape of an item.
        classes: number of outputs.
        vocabulary: number of different tokens, if items are texts.
    """
    kind, arguments = PUBLISHED.get(settings.kind, (settings.kind, vars(settings)))
    if kind == "mlp":
        return _linear([math.prod(item), *arguments["hidden"], classes])
    if kind == "small_cnn":
        channels = pairwise([item[0], *arguments["widths"]])
        left = math.prod(side >> len(arguments["widths"]) for side in item[1:])
        ends = _linear([arguments["widths"][-1] * left, arguments["hidden"], classes])
        return int(sum(9 * a * b + 3 * b for a, b in channels)) + ends
    if kind == "resnet":
        return _resnet(arguments["widths"], arguments["blocks"], item[0], classes)
    d, hidden = int(arguments["width"]), int(arguments["hidden"])
    layers: int = arguments["depth"] * (4 * d + 4 * (d * d + d) + 2 * d * hidden + hidden + d)
    ends = 2 * d + _linear([d, classes])
    if kind == "text":
        return (vocabulary + item[0]) * d + layers + ends
    side = int(arguments["patch"])
    tokens = (item[1] // side) * (item[2] // side)
    return (item[0] * side * side + 1) * d + (2 + tokens) * d + layers + ends


def _linear(widths: Sequence[int]) -> int:
    return sum((a + 1) * b for a, b in pairwise(widths))


def _resnet(widths: Sequence[int], blocks: Sequence[int], channels: int, classes: int) -> int:
    count, before = 9 * channels * widths[0] + 2 * widths[0], widths[0]
    for stage, (after, depth) in enumerate(zip(widths, blocks, strict=True)):
        for block in range(depth):
            count += 9 * before * after + 9 * after * after + 4 * after
            if (stage > 0 and block == 0) or before != after:
                count += before * after + 2 * after
            before = after
    return count + _linear([before, classes])
