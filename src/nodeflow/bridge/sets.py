"""The sets of neural ODEs that stand side by side: trained, generated, and made from trained ones.

Every one of them is brought into its canonical form, so no measure depends on a gauge.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from nodeflow.bridge.members import Members
from nodeflow.flow.codec import flatten, unflatten
from nodeflow.grid import number
from nodeflow.judge.controls import gaussian_draws, means, noisy_copies, per_tensor_deviation
from nodeflow.judge.novelty import nearest_members
from nodeflow.problems import Problem
from nodeflow.seeds import derive_seed

__all__ = ["ControlSettings", "SetProblem", "Sets", "build_sets"]

Canonicalize = Callable[[dict[str, Tensor]], dict[str, Tensor]]


class SetProblem(Problem):
    """Too few neural ODEs to make the controls of."""


@dataclass(frozen=True)
class ControlSettings:
    """Which controls are made of the training members.

    Attributes:
        noise_scales: standard deviations of noise on copies of members, in units of each tensor's
            standard deviation over the zoo.
        soup: how many members a soup is the mean of.
        controls: how many neural ODEs each control has.
    """

    noise_scales: tuple[float, ...]
    soup: int
    controls: int


@dataclass(frozen=True)
class Sets:
    """All neural ODEs of one system by the name of their set.

    The sets are "zoo" (the training members), "held-out", "generated", "weight flow" (what a flow
    over weights makes), and the controls: "noise s" for each scale s, "noise matched", "pair mean",
    "soup", "gaussian".

    Attributes:
        parameters: canonical tensors of shape (M, *shape) of each set.
        seeds: (M,) from which each can be made again; −1 for trained ones.
    """

    parameters: dict[str, dict[str, Tensor]]
    seeds: dict[str, np.ndarray]


def build_sets(
    zoo: Members,
    held_out: Members,
    generated: Members,
    weight_samples: Members,
    settings: ControlSettings,
    canonicalize: Canonicalize,
    root_seed: int,
    labels: tuple[str | float, ...],
) -> Sets:
    """All sets of one system; "noise matched" is as far from its member as generated ones are.

    Args:
        zoo: the training members, canonical.
        held_out: members that were never learned from, canonical.
        generated: generated neural ODEs, as they were made.
        weight_samples: the same of a flow over weights.
        settings: of the controls.
        canonicalize: brings stacked parameters into the canonical form.
        root_seed: the run's root seed.
        labels: what names these sets; the controls' seeds follow from it.

    Raises:
        SetProblem: fewer training members than a soup needs.
    """
    if len(zoo) < max(3, settings.soup):
        raise SetProblem(
            f"{max(3, settings.soup)} training members are needed for the controls, found "
            f"{len(zoo)}; raise bridge.zoos.*.graphs or seeds, or make judge.soup smaller."
        )
    shapes = zoo.shapes
    rows = flatten(zoo.parameters, shapes).astype(np.float64)
    made = canonicalize(generated.parameters)
    parameters = {
        "zoo": zoo.parameters,
        "held-out": held_out.parameters,
        "generated": made,
        "weight flow": canonicalize(weight_samples.parameters),
    }
    seeds = {name: np.full(len(x), -1) for name, x in (("zoo", zoo), ("held-out", held_out))}
    seeds |= {"generated": generated.seed, "weight flow": weight_samples.seed}

    def own(name: str) -> np.ndarray:
        count = range(settings.controls)
        return np.array([derive_seed(root_seed, "bridge control", *labels, name, i) for i in count])

    deviation = per_tensor_deviation(
        (zoo.parameters[name].detach().cpu().flatten(1).numpy() for name in shapes), shapes
    )
    scales = {f"noise {number(float(scale))}": float(scale) for scale in settings.noise_scales}
    flat = flatten(made, shapes).astype(np.float64)
    finite = np.isfinite(flat).all(axis=1)
    if finite.any():
        distance = float(np.median(nearest_members(flat[finite], rows).nearest))
        scales["noise matched"] = distance / math.sqrt(float(np.square(deviation).sum()))
    mixes = {name: noisy_copies(scale * deviation) for name, scale in scales.items()}
    mixes |= {"pair mean": means(2), "soup": means(settings.soup), "gaussian": gaussian_draws}
    for name, mix in mixes.items():
        seeds[name] = own(name)
        (drawn,) = mix([rows], np.arange(settings.controls), seeds[name])
        parameters[name] = canonicalize(unflatten(drawn.astype(np.float32), shapes))
    return Sets(parameters, seeds)
