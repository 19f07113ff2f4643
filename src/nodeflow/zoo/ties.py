"""Parameters that stand in several places of a module: one tensor, known by several names.

A module names such a parameter once among its parameters, and under every name in its state
dictionary. Here it is one tensor with its first name; the others are aliases.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from nodeflow.problems import Problem

__all__ = ["TieProblem", "copied", "on_meta", "tied_names", "with_aliases", "without_aliases"]


class TieProblem(Problem):
    """A shared parameter has two values; the text names it."""


def tied_names(module: nn.Module) -> dict[str, str]:
    """The other names of parameters and buffers that a module shares, each with the first one."""
    aliases: dict[str, str] = {}
    for named in (
        module.named_parameters(remove_duplicate=False),
        module.named_buffers(remove_duplicate=False),
    ):
        first: dict[Tensor, str] = {}
        for name, tensor in named:
            if first.setdefault(tensor, name) != name:
                aliases[name] = first[tensor]
    return aliases


def copied(module: nn.Module) -> nn.Module:
    """A copy of a module, also of one that keeps what it computes, which torch does not copy.

    Such are layers of the older `weight_norm` and `spectral_norm`, and pruned ones.
    """
    computed = {
        id(x): x.detach().clone()
        for part in module.modules()
        for x in vars(part).values()
        if isinstance(x, Tensor) and not x.is_leaf
    }
    return copy.deepcopy(module, computed)


def on_meta(module: nn.Module) -> nn.Module:
    """A copy of a module without values, what it shares still shared."""
    aliases = tied_names(module)
    module = copied(module).to("meta")
    for alias, name in aliases.items():  # torch moves each place on its own
        owner, _, leaf = alias.rpartition(".")
        first, _, own = name.rpartition(".")
        setattr(module.get_submodule(owner), leaf, getattr(module.get_submodule(first), own))
    return module


def without_aliases(tensors: Mapping[str, Tensor], aliases: Mapping[str, str]) -> dict[str, Tensor]:
    """Each shared tensor once, under its first name.

    Args:
        tensors: by name, e.g. a state dictionary, or a stack of them.
        aliases: other names of shared tensors, each with the first one.

    Raises:
        TieProblem: a tensor is given under several names with different values.
    """
    once = {name: tensor for name, tensor in tensors.items() if name not in aliases}
    for alias, name in aliases.items():
        if alias not in tensors:
            continue
        same = once.setdefault(name, tensors[alias])
        if same.shape != tensors[alias].shape or not torch.equal(
            same.nan_to_num(), tensors[alias].nan_to_num()
        ):
            raise TieProblem(
                f"{alias} and {name} are one tensor in this architecture but have different "
                "values here; give networks whose weights are tied, or untie them in the module."
            )
    return once


def with_aliases(tensors: Mapping[str, Tensor], aliases: Mapping[str, str]) -> dict[str, Tensor]:
    """Each shared tensor under all its names; see `without_aliases`."""
    once = without_aliases(tensors, aliases)
    return once | {alias: once[name] for alias, name in aliases.items() if name in once}
