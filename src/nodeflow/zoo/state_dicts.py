"""Networks that were trained elsewhere: their state dictionaries as a block, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nodeflow.stack import Stack
from nodeflow.tensors import TensorProblem
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.inside import network_in
from nodeflow.zoo.store import Block

__all__ = ["from_state_dicts"]


def from_state_dicts(
    architecture: Architecture, states: Sequence[Mapping[str, Any]]
) -> Stack[Tensor]:
    """Networks in the form of `module.state_dict()`, or of a checkpoint that holds it, as a block.

    A network is found in a checkpoint by its tensors; see `nodeflow.zoo.inside`. Counters of
    batches are left out, half precision becomes float32. All have to fit; `import_checkpoints`,
    which reads files too, leaves out those that do not. `Architecture.state_dict` makes a
    dictionary again of each network.

    Args:
        architecture: of all of them, e.g. of `from_module`.
        states: K dictionaries, in any order of their tensors.

    Returns:
        The networks, numbered from 0 as they are given.

    Raises:
        TensorProblem: there are none; or a dictionary has a tensor too many, too few, or of another
            shape: the text names both.
        CheckpointProblem: a dictionary holds no such network, or several.
    """
    if isinstance(states, Mapping) or not len(states):
        raise TensorProblem("State dictionaries come as a list of at least one, a network each.")
    rows = []
    for place, state in enumerate(states):
        what = f"state dictionary {place}"
        plain = network_in(state, architecture, what).state
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
