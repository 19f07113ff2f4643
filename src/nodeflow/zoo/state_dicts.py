"""Networks that were trained elsewhere: their state dictionaries as a block, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nodeflow.stack import Stack
from nodeflow.tensors import WRAPPERS, TensorProblem
from nodeflow.zoo.architectures import Architecture
from nodeflow.zoo.store import Block

__all__ = ["from_state_dicts"]

PREFIXES = (*WRAPPERS, "model.")
"""What wrappers and training loops put before the name of every tensor."""

_HELD = ("state_dict", "model_state_dict", "model")
"""Where checkpoints with an epoch or an optimizer in them keep the state dictionary."""


def from_state_dicts(
    architecture: Architecture, states: Sequence[Mapping[str, Any]]
) -> Stack[Tensor]:
    """Networks in the form of `module.state_dict()`, or of a checkpoint that holds it, as a block.

    Prefixes of wrappers (`PREFIXES`) are taken off where all names have them and the architecture
    has none. Counters of batches are left out, half precision becomes float32. Files are read
    before: `safetensors.torch.load_file`, or `torch.load(path, weights_only=True)`, which runs no
    code of the file. `Architecture.state_dict` makes a dictionary again of each network.

    Args:
        architecture: of all of them, e.g. of `from_module`.
        states: K dictionaries, in any order of their tensors.

    Returns:
        The networks, numbered from 0 as they are given.

    Raises:
        TensorProblem: there are none; or a dictionary has a tensor too many, too few, or of another
            shape: the text names both.
    """
    if isinstance(states, Mapping) or not len(states):
        raise TensorProblem("State dictionaries come as a list of at least one, a network each.")
    rows = []
    for place, state in enumerate(states):
        what = f"state dictionary {place}"
        plain = _without_prefixes(_state(state, what), architecture)
        one: dict[str, Any] = {
            name: tensor[None] if isinstance(tensor, Tensor) else np.asarray(tensor)[None]
            for name, tensor in plain.items()
        }
        rows.append(architecture.arrange(one, what))
    held = rows[0]
    for place, row in enumerate(rows):
        lacking = next(
            (name for name in {**held, **row} if name not in row or name not in held), ""
        )
        if lacking:
            raise TensorProblem(
                f"tensor {lacking} is in some state dictionaries and not in others, as in number "
                f"{place if lacking not in row else 0}; give all networks with it, or all without."
            )
    stacked = {name: torch.cat([row[name] for row in rows]) for name in held}
    return Block(np.arange(len(rows)), stacked)


def _state(given: Any, what: str) -> Mapping[str, Any]:
    """The state dictionary itself, out of whatever it was saved with."""
    while isinstance(given, Mapping):
        inner = next((given[key] for key in _HELD if isinstance(given.get(key), Mapping)), None)
        if inner is None:
            return given
        given = inner
    raise TensorProblem(
        f"{what} is {type(given).__name__}; give the dictionary of tensors by name that "
        "module.state_dict() returns."
    )


def _without_prefixes(state: Mapping[str, Any], architecture: Architecture) -> Mapping[str, Any]:
    own = [*architecture.shapes, *architecture.statistics]
    for prefix in PREFIXES:
        mine = any(name.startswith(prefix) for name in own)
        if state and not mine and all(str(name).startswith(prefix) for name in state):
            plain = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
            return _without_prefixes(plain, architecture)
    return state
