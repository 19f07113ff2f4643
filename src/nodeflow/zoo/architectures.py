"""Architectures by the names that settings give them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.convolutional import ResNet, SmallCNN
from nodeflow.zoo.perceptrons import mlp
from nodeflow.zoo.settings import PUBLISHED, ArchitectureProblem
from nodeflow.zoo.torch_modules import of_module
from nodeflow.zoo.transformer import TextEncoder, VisionTransformer

__all__ = ["MODULES", "build"]

MODULES: Mapping[str, Callable[..., nn.Module]] = {
    "small_cnn": SmallCNN,
    "resnet": ResNet,
    "vit": VisionTransformer,
    "text": TextEncoder,
}
"""Kinds of networks that are modules. Each takes the shape of an item and the number of classes."""


def build(settings: Mapping[str, Any], item: Sequence[int], classes: int) -> Architecture:
    """The architecture that settings name, with ends that fit a data set.

    Args:
        settings: `kind`, a name from `MODULES` or `PUBLISHED` or "mlp", and the arguments of that
            kind beside item and classes; e.g. {"kind": "resnet", "widths": [4, 8], "blocks": [1,
            1]} or {"kind": "mlp", "hidden": [32, 32]}.
        item: shape of an item: channels, height, width of an image; features or tokens.
        classes: number of classes.

    Raises:
        ArchitectureProblem: no such kind, other arguments than it takes, or ones that do not fit.
    """
    arguments = {key: value for key, value in settings.items() if key != "kind"}
    name = settings["kind"]
    kind, published = PUBLISHED.get(name, (name, {}))
    arguments = {**published, **arguments}
    if kind not in MODULES and kind != "mlp":
        raise ArchitectureProblem(
            f'There is no architecture "{kind}"; choose one of '
            f"{', '.join(['mlp', *MODULES, *PUBLISHED])}."
        )
    recipe = {"settings": dict(settings), "item": list(item), "classes": classes}
    try:
        if kind == "mlp":
            hidden = arguments.pop("hidden")
            architecture = mlp([math.prod(item), *hidden, classes], **arguments)
        else:
            with torch.device("meta"):
                module = MODULES[kind](tuple(item), classes, **arguments)
            architecture = of_module(module, item, name, arguments.get("vocabulary", 0))
    except (KeyError, TypeError, ValueError, RuntimeError, AssertionError) as error:
        raise ArchitectureProblem(
            f"{kind} cannot be built from {arguments} for items of shape {tuple(item)}: "
            f"{' '.join(str(error).split())[:200]}"
        ) from error
    return replace(architecture, recipe=recipe)
