"""Networks as tensors by name: checked, and in the order of their architecture.

Files and modules list the tensors of a network in orders of their own (a safetensors file by name).
So no result may follow the order of a dictionary that was given: whatever flattens, compares or
adds up the tensors of networks takes them from here first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nodeflow.problems import Problem

__all__ = [
    "WRAPPERS",
    "Shapes",
    "TensorProblem",
    "all_finite",
    "arrange",
    "arrange_one",
    "as_rows",
    "as_tensors",
    "check_shapes",
    "not_finite",
    "shapes_of",
    "without_buffers",
    "without_constants",
]

Shapes = Mapping[str, Sequence[int]]
"""Name → shape of one network's tensors; the order is that of a flat row."""

_STATISTICS = ("running_mean", "running_var")
_COUNTER = "num_batches_tracked"
WRAPPERS = {"module.": "nn.DataParallel", "_orig_mod.": "torch.compile"}
"""What goes before the name of every tensor of a wrapped module, and what wraps it."""

_LISTED = 12


class TensorProblem(Problem):
    """Networks are not what an architecture asks for; the text names the tensor."""


def arrange(
    networks: Mapping[str, Tensor],
    shapes: Shapes,
    statistics: Shapes | None = None,
    what: str = "the networks",
) -> dict[str, Tensor]:
    """Stacked networks by the names of their architecture and in its order.

    Counters of batches (`num_batches_tracked`), which are no numbers of a network, are left out.

    Args:
        networks: name → tensor or array (K, *shape), in any order.
        shapes: name → shape of one network's tensor, in the order that is wanted.
        statistics: likewise of running means and variances, which may be missing; None leaves out
            whatever has the name of one.
        what: they are, for the text of an error.

    Returns:
        Tensors of one floating type, without gradients; they may share the memory of those given.
        Half precision, of any kind, becomes float32, which changes no value.

    Raises:
        TensorProblem: a tensor is missing, not of the architecture, of another shape, of no
            floating type or without values; or stacks are of different lengths.
    """
    wanted = dict(shapes)
    given, others = without_buffers(networks, what)
    if statistics is not None:
        wanted |= {name: shape for name, shape in statistics.items() if name in others}
        given |= others
    given |= {name: x for name, x in others.items() if name in wanted}
    _check_names(given, wanted, what)
    tensors = as_tensors({name: given[name] for name in wanted}, what)
    for name, tensor in tensors.items():
        _check_shape(name, tuple(tensor.shape), tuple(wanted[name]), what)
    _check_lengths({name: len(tensor) for name, tensor in tensors.items()}, what)
    return tensors


def arrange_one(
    network: Mapping[str, Tensor],
    shapes: Shapes,
    statistics: Shapes | None = None,
    what: str = "the network",
) -> dict[str, Tensor]:
    """As `arrange`, of a single network: tensors of shape (*shape)."""
    parameters, others = without_buffers(network, what)
    given = as_tensors({**parameters, **others}, what)
    for name, tensor in given.items():
        wanted = shapes.get(name, (statistics or {}).get(name))
        if wanted is not None and tuple(tensor.shape) != tuple(wanted):
            raise TensorProblem(
                f"tensor {name} of {what} has shape {tuple(tensor.shape)}; the architecture needs "
                f"{tuple(wanted)} of a single network."
            )
    stacked = arrange({n: tensor[None] for n, tensor in given.items()}, shapes, statistics, what)
    return {name: tensor[0] for name, tensor in stacked.items()}


def as_tensors(networks: Mapping[str, Any], what: str = "the networks") -> dict[str, Tensor]:
    """Tensors of one floating type, without gradients, in the order given; see `arrange`."""
    tensors = {name: _tensor(name, x, what) for name, x in _mapping(networks, what).items()}
    if not tensors:
        return {}
    widest = reduce(torch.promote_types, (tensor.dtype for tensor in tensors.values()))
    return {name: tensor.to(widest) for name, tensor in tensors.items()}


def without_buffers(
    networks: Mapping[str, Tensor], what: str = "the networks"
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What a state dictionary holds: parameters, and running means and variances; no counters."""
    given = {name: x for name, x in _mapping(networks, what).items() if not _counter(name)}
    statistics = {name: x for name, x in given.items() if name.endswith(_STATISTICS)}
    return {name: x for name, x in given.items() if name not in statistics}, statistics


def without_constants(
    networks: Mapping[str, Any],
    constants: Mapping[str, Tensor],
    aliases: Mapping[str, str],
    what: str = "the networks",
) -> dict[str, Any]:
    """Networks without the buffers that all networks of an architecture share.

    Args:
        networks: name → tensor or array (K, *shape), or (*shape) of a single one.
        constants: name → what it is in every network.
        aliases: other names of tensors, each with the first one.
        what: the networks are, for the text of an error.

    Raises:
        TensorProblem: a constant is another one here.
    """
    kept = {}
    for name, x in networks.items():
        constant = constants.get(aliases.get(name, name))
        if constant is None:
            kept[name] = x
            continue
        buffer = torch.as_tensor(x).detach()
        shape = tuple(buffer.shape)[max(buffer.ndim - constant.ndim, 0) :]
        if shape != tuple(constant.shape) or not (buffer == constant.to(buffer)).all():
            raise TensorProblem(
                f"buffer {name} of {what} is not the one of the module that their architecture was "
                "made of; buffers beside running statistics are the same in all networks, so make "
                "what differs a parameter."
            )
    return kept


def shapes_of(networks: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Name → shape of one network's tensor, of a stack of them, in its own order."""
    return {name: tuple(tensor.shape[1:]) for name, tensor in networks.items()}


def check_shapes(found: Shapes, wanted: Shapes, what: str = "the networks") -> None:
    """Find out whether networks have the tensors of an architecture, in whatever order.

    Raises:
        TensorProblem: a tensor is missing, not of the architecture, or of another shape.
    """
    _check_names(found, wanted, what)
    for name, shape in wanted.items():
        _check_shape(name, (0, *found[name]), tuple(shape), what)


def as_rows(tensor: Tensor) -> Tensor:
    """Networks (K, *shape) as rows (K, numbers); of a single number, too."""
    return tensor.flatten(1) if tensor.ndim > 1 else tensor[:, None]


def not_finite(networks: Mapping[str, Tensor]) -> Tensor:
    """Which of K networks (K, …) hold a value that is not finite, bool of shape (K,)."""
    each = [~as_rows(tensor).isfinite().all(1) for tensor in networks.values()]
    return torch.stack(each).any(0)


def all_finite(networks: Mapping[str, Tensor], what: str = "the networks") -> None:
    """Find out whether all values of stacked networks are finite.

    Raises:
        TensorProblem: one is not; the text names its tensor and its network.
    """
    for name, tensor in networks.items():
        bad = ~as_rows(tensor).isfinite().all(1) if len(tensor) else torch.zeros(0).bool()
        if bad.any():
            places = bad.nonzero().flatten().tolist()
            raise TensorProblem(
                f"tensor {name} of {what} holds values that are not finite in {len(places)} of "
                f"{len(tensor)} networks, at places {_list(map(str, places))}; leave these out."
            )


def _mapping(networks: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(networks, Mapping):
        raise TensorProblem(
            f"{what} are given as {type(networks).__name__}; give a dictionary of stacked tensors "
            "by name."
        )
    for name in networks:
        if not isinstance(name, str):
            raise TensorProblem(f"{what} have a tensor called {name!r}; names are texts.")
    return networks


def _counter(name: str) -> bool:
    return name.rpartition(".")[2] == _COUNTER


def _tensor(name: str, x: Any, what: str) -> Tensor:
    """The values as a floating tensor of at least single precision, without its graph."""
    if isinstance(x, np.ndarray) and x.dtype.kind in "biuf":
        # Torch knows neither other orders of bytes, nor memory that is read-only or runs backwards.
        plain = np.require(x, x.dtype.newbyteorder("="), ["C", "W"])
        x = torch.from_numpy(plain.astype(np.float64) if x.dtype.itemsize > 8 else plain)
    if not isinstance(x, Tensor):
        kind = f"an array of {x.dtype}" if isinstance(x, np.ndarray) else type(x).__name__
        raise TensorProblem(f"{name} of {what} is {kind}; give a tensor of floating numbers.")
    if not x.dtype.is_floating_point:
        raise TensorProblem(
            f"tensor {name} of {what} holds {str(x.dtype).removeprefix('torch.')}; weights are "
            "floating numbers, so convert it, or leave it out if it is a counter or a mask."
        )
    if x.is_meta or x.layout != torch.strided:
        raise TensorProblem(
            f"tensor {name} of {what} is {'without values' if x.is_meta else 'sparse'}; give a "
            "dense tensor."
        )
    # Products of matrices round by how their memory is laid out.
    plain_tensor: Tensor = x.detach().contiguous()
    return plain_tensor.float() if plain_tensor.dtype.itemsize < 4 else plain_tensor


def _check_names(found: Mapping[str, Any], wanted: Mapping[str, Any], what: str) -> None:
    missing = [name for name in wanted if name not in found]
    foreign = [name for name in found if name not in wanted]
    prefixed = [name for name in foreign if missing and name.endswith(f".{missing[0]}")]
    if len(prefixed) == 1:
        prefix = prefixed[0].removesuffix(missing[0])
        maker = f", a name that {WRAPPERS[prefix]} gives" if prefix in WRAPPERS else ""
        raise TensorProblem(
            f"tensor {missing[0]} is missing from {what}, where it is {prefixed[0]}{maker}; take "
            f'"{prefix}" off all names (name.removeprefix).'
        )
    if missing:
        raise TensorProblem(
            f"tensor {missing[0]} is missing from {what}, whose tensors are "
            f"{_list(found) or 'none'}; the architecture has {_list(wanted)}."
        )
    if foreign:
        raise TensorProblem(
            f"tensor {foreign[0]} of {what} is none of the architecture, which has "
            f"{_list(wanted)}; leave it out, or take the architecture that has it."
        )


def _check_shape(name: str, stacked: tuple[int, ...], shape: tuple[int, ...], what: str) -> None:
    if stacked == shape or not stacked:
        raise TensorProblem(
            f"tensor {name} of {what} has shape {stacked}, which is that of a single network; "
            "stack networks along a new first axis (torch.stack)."
        )
    if stacked[1:] != shape:
        raise TensorProblem(
            f"tensor {name} of {what} has shape {stacked[1:]} per network; the architecture needs "
            f"{shape}."
        )


def _check_lengths(lengths: Mapping[str, int], what: str) -> None:
    if len(set(lengths.values())) > 1:
        (first, count), *others = lengths.items()
        name, other = next((name, other) for name, other in others if other != count)
        raise TensorProblem(
            f"tensors of {what} are stacks of different lengths, {first} of {count} networks and "
            f"{name} of {other}; stack the same networks."
        )


def _list(names: Any) -> str:
    listed = list(names)
    return ", ".join(listed[:_LISTED]) + (" …" if len(listed) > _LISTED else "")
