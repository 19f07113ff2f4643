"""Where in a checkpoint the network is.

Training loops save a state dictionary with other things, under keys of their choice, several of
them at times; wrappers put prefixes before its names. Here a network is found by what it is: by the
names and shapes of all its tensors. Where several are found, nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nodeflow.tensors import TensorProblem
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.files import CheckpointProblem

__all__ = ["Found", "network_in"]

_DEPTH = 5
_WRAPPED = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
"""What wrappers put into the names of a module's tensors, wherever they wrap a part of it."""


@dataclass(frozen=True)
class Found:
    """A network in a checkpoint.

    Attributes:
        place: the keys that lead to it and the prefix of its names, as in "ema/module."; "." where
            it is all that there is.
        state: its tensors by the names of the architecture, with whatever else has this prefix.
    """

    place: str
    state: Mapping[str, Any]


def network_in(given: Any, architecture: Architecture, what: str, part: str = "") -> Found:
    """The network of an architecture in what a checkpoint holds.

    Args:
        given: a state dictionary, or dictionaries that hold one.
        architecture: of the network.
        what: it is, for the text of an error.
        part: which network, where there are several: a `Found.place`, or the keys of one.

    Returns:
        The one that fits; else the one that comes nearest, for `Architecture.arrange` to say what
        is wrong with it.

    Raises:
        CheckpointProblem: no tensor has a name of the architecture, or several different networks
            are there.
        TensorProblem: what was given is no dictionary.
    """
    if not isinstance(given, Mapping):
        raise TensorProblem(
            f"{what} is {type(given).__name__}; give the dictionary of tensors by name that "
            "module.state_dict() returns."
        )
    everything = [
        candidate for candidate in _candidates(given, architecture) if _chosen(candidate, part)
    ]
    if part and not everything:
        known = ", ".join(dict.fromkeys(x.place for x in _candidates(given, architecture)))
        raise CheckpointProblem(
            f"{what} has no network at {part}; it has some at {known or 'no place'}."
        )
    fitting = [
        candidate for candidate in everything if _misfits(candidate.state, architecture) == 0
    ]
    if not fitting:
        if not everything:
            names = ", ".join(list(map(str, given))[:6])
            raise CheckpointProblem(
                f"{what} holds no network of {architecture.name}, whose first tensor is "
                f"{next(iter(architecture.shapes))}; it holds {names or 'nothing'}. Name the "
                "module that it was trained with."
            )
        return min(everything, key=lambda candidate: _misfits(candidate.state, architecture))
    first, *others = fitting
    for other in others:
        if not _same(first.state, other.state, architecture):
            places = " and ".join(dict.fromkeys(candidate.place for candidate in fitting))
            raise CheckpointProblem(
                f"{what} holds several networks, at {places}; say which with part, e.g. "
                f'part: "{other.place}".'
            )
    return first


def _chosen(found: Found, part: str) -> bool:
    return not part or part in (found.place, found.place.rpartition("/")[0])


def _candidates(given: Mapping[Any, Any], architecture: Architecture) -> Iterator[Found]:
    """Every place of a checkpoint where some names are those of an architecture."""
    known = {*architecture.shapes, *architecture.aliases}
    for keys, state in _states(given):
        plain = {_unwrapped(name): x for name, x in state.items()}
        for tensors in (state, plain) if len(plain) == len(state) else (state,):
            prefixes = dict.fromkeys(
                name.removesuffix(x) for name in tensors for x in _endings(name) if x in known
            )
            candidates = [
                Found(
                    "/".join([*keys, *([prefix] if prefix else [])]) or ".",
                    {
                        name.removeprefix(prefix): x
                        for name, x in tensors.items()
                        if name.startswith(prefix)
                    },
                )
                for prefix in prefixes
            ]
            yield from candidates
            if plain == state or any(_misfits(x.state, architecture) == 0 for x in candidates):
                break


def _endings(name: str) -> Iterator[str]:
    """A name, and what is left of it without its first parts."""
    yield name
    while "." in name:
        name = name.partition(".")[2]
        yield name


def _states(given: Mapping[Any, Any], depth: int = 0) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """All dictionaries with tensors by name, each with the keys that lead to it."""
    tensors = {
        name: x
        for name, x in given.items()
        if isinstance(name, str) and isinstance(x, Tensor | np.ndarray)
    }
    if tensors:
        yield [], tensors
    if depth < _DEPTH:
        for key, inner in given.items():
            if isinstance(key, str) and isinstance(inner, Mapping):
                for keys, state in _states(inner, depth + 1):
                    yield [key, *keys], state


def _unwrapped(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in _WRAPPED)


def _misfits(state: Mapping[str, Any], architecture: Architecture) -> int:
    """How many parameters of an architecture are missing, twice where none has another shape."""
    names: dict[str, list[str]] = {name: [name] for name in architecture.shapes}
    for alias, name in architecture.aliases.items():
        if name in names:
            names[name].append(alias)
    wrong = 0
    for name, allowed in names.items():
        there = [state[x] for x in allowed if x in state]
        if not there:
            wrong += 2
        elif tuple(there[0].shape) != tuple(architecture.shapes[name]):
            wrong += 1
    return wrong


def _same(a: Mapping[str, Any], b: Mapping[str, Any], architecture: Architecture) -> bool:
    return all(
        name in a and name in b and torch.equal(torch.as_tensor(a[name]), torch.as_tensor(b[name]))
        for name in (*architecture.shapes, *architecture.statistics)
        if name in a or name in b
    )
