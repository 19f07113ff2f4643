"""Architectures of torch modules, of which K copies are trained as one by `torch.func`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase
from torch.nn.parameter import is_lazy

from nodeflow.zoo.architecture import Architecture, in_turn
from nodeflow.zoo.settings import ArchitectureProblem
from nodeflow.zoo.starts import kept_values, shipped_start, start_of, with_values
from nodeflow.zoo.ties import copied, on_meta, tied_names

__all__ = ["from_module", "of_module", "reading"]

_WRAPPERS = {
    "DataParallel": "module",
    "DistributedDataParallel": "module",
    "OptimizedModule": "_orig_mod",
}
"""Modules of torch around another one, by name: to import that of compiled ones takes seconds."""


def from_module(
    module: nn.Module, item: Sequence[int], name: str = "module", tokens: int = 0
) -> Architecture:
    """The architecture of a torch module of one's own.

    Weights of its linear layers and convolutions start by the initialization that a zoo names, and
    their biases at zero. Everything else starts as the `reset_parameters` of its parts draw it
    under the seed of each member: gains of normalizations at one, embeddings, attention, recurrent
    layers, and parts of one's own that have this method. A parameter that nothing resets (a class
    token, say) starts in every member at the value that the module has here; a warning names those
    whose values are not all the same, because members then start alike there.

    Running means and variances are those of each network; counters of batches are left out, and all
    other buffers are constants that networks share. The module given stays as it is.

    Args:
        module: maps items (B, *item) to logits (B, classes); not trained, as it says how networks
            start.
        item: shape of an item.
        name: of the architecture.
        tokens: the number of different tokens if items are texts, else 0.

    Raises:
        ArchitectureProblem: no module, one that averages statistics over all batches, parameters
            without shapes or values, or a reset that fails.
    """
    module = _unwrapped(module)
    if not isinstance(item, Sequence) or not all(isinstance(size, Integral) for size in item):
        raise ArchitectureProblem(
            f"item is {item!r}; give the shape of one item as a tuple, e.g. (1, 28, 28) or (64,)."
        )
    try:
        original = with_values(module)
        kept = kept_values(original)
    except Exception as error:  # whatever a reset of one's own may raise
        raise ArchitectureProblem(
            f"{name} cannot be copied and reset under a seed: "
            f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        ) from error
    architecture = of_module(module, item, name, tokens)
    starts = {tensor: start_of(original, tensor) for tensor in architecture.shapes}
    given = {tensor: x for tensor, x in kept.items() if starts.get(tensor) == "own"}
    for tensor, x in given.items():
        if x.isnan().any():
            raise ArchitectureProblem(
                f"parameter {tensor} has no value and no reset_parameters gives it one; give a "
                "module with values, not one on the meta device."
            )
    alike = [tensor for tensor, x in given.items() if x.numel() and x.min() < x.max()]
    if alike:
        warnings.warn(
            f"No reset_parameters sets {', '.join(alike)}: networks all start there with the "
            "values of the module that was given.",
            stacklevel=2,
        )
    return replace(architecture, starts=starts, original=original)


def _unwrapped(module: nn.Module) -> nn.Module:
    """The module itself, if it was wrapped by torch to run in parallel or compiled."""
    if not isinstance(module, nn.Module):
        raise ArchitectureProblem(
            f"an architecture is made of a torch module, not of {type(module).__name__}; give "
            "an nn.Module."
        )
    if isinstance(module, torch.jit.ScriptModule):
        raise ArchitectureProblem(
            "a module that torch.jit compiled cannot be run with other weights; give the module "
            "that it was compiled from."
        )
    inside = _WRAPPERS.get(type(module).__name__)
    if inside is not None:
        return _unwrapped(getattr(module, inside))
    if next(module.parameters(), None) is None:
        raise ArchitectureProblem(
            f"{type(module).__name__} has no parameters, so its networks are all the same; give a "
            "module that learns."
        )
    for name, parameter in module.named_parameters():
        if is_lazy(parameter):
            raise ArchitectureProblem(
                f"parameter {name} has no shape yet; run the module once on items first."
            )
    return module


def of_module(module: nn.Module, item: Sequence[int], name: str, tokens: int) -> Architecture:
    """As `from_module`, with tensors that start as those of the shipped modules do."""
    module, counters = copied(module), []
    for place, part in module.named_modules():
        if isinstance(part, nn.SyncBatchNorm):
            part.__class__ = _LocalBatchNorm  # type: ignore[assignment]
        if isinstance(part, _NormBase) and part.num_batches_tracked is not None:
            if part.momentum is None:
                raise ArchitectureProblem(
                    f"{place} averages its statistics over all batches (momentum None), and "
                    "stacks of networks keep no count of batches; give it a momentum."
                )
            # With a fixed momentum nothing reads this counter, and it is no number of a network.
            part.num_batches_tracked = None
            counters.append(f"{place}.num_batches_tracked".removeprefix("."))
    buffers = dict(module.named_buffers())
    statistics = {
        name: tuple(buffer.shape)
        for name, buffer in buffers.items()
        if name.endswith(("running_mean", "running_var"))
    }
    others = {name: buffer for name, buffer in buffers.items() if name not in statistics}
    for buffer, value in others.items():
        if value.is_meta:
            raise ArchitectureProblem(f"buffer {buffer} has no value; give a module with values.")
    constants = {buffer: value.detach().cpu() for buffer, value in others.items()}
    module = on_meta(module).eval()
    shapes = {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}

    def alone(tensors: Mapping[str, Tensor], items: Tensor) -> Tensor:
        # A copy, because a module may change its items in place, and all networks read the same.
        given = {**tensors, **architecture.shared(tensors)}
        with reading(name, item), in_turn(module):
            logits = functional_call(module, given, (items.clone(),))
        if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != len(items):
            kind = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise ArchitectureProblem(
                f"{name} makes {kind} of {len(items)} items; it has to make logits, a tensor of "
                "shape (items, classes)."
            )
        return logits

    architecture = Architecture(
        name=name,
        shapes=shapes,
        starts={tensor: shipped_start(module, tensor) for tensor in shapes},
        network=lambda tensors, x: torch.stack(
            [
                alone({n: t[k] for n, t in tensors.items()}, items)
                for k, items in enumerate(_each(architecture.as_read(x), tensors, len(item)))
            ]
        ),
        statistics=statistics,
        module=module,
        constants=constants,
        aliases=tied_names(module),
        counters=tuple(counters),
        item=tuple(int(size) for size in item),
        tokens=tokens,
    )
    return architecture


@contextmanager
def reading(name: str, item: Sequence[int]) -> Iterator[None]:
    """While a module reads items; what it raises becomes an `ArchitectureProblem`."""
    try:
        yield
    except Exception as error:  # whatever a module of one's own may raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ArchitectureProblem(
            f"{name} cannot read items of shape {tuple(item)}: {reason}"
        ) from error


class _LocalBatchNorm(_BatchNorm):
    """What `nn.SyncBatchNorm`, which keeps a count and wants several processes, does in one."""

    def _check_input_dim(self, input: Tensor) -> None:
        pass


def _each(items: Tensor, tensors: Mapping[str, Tensor], axes: int) -> Sequence[Tensor]:
    """The items of each network, whether they are the same or not."""
    members = len(next(iter(tensors.values())))
    if members == 0:
        raise ArchitectureProblem("There are no networks in this stack; give at least one.")
    return list(items) if items.ndim == axes + 2 else [items] * members
