"""How the tensors of one's own module start: by its own `reset_parameters`, under a seed."""

from __future__ import annotations

import threading

import torch
from torch import Generator, Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.utils import parametrize

from nodeflow.zoo.ties import copied

__all__ = ["kept_values", "own_start", "shipped_start", "start_of", "with_values"]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)

_DRAW = threading.Lock()
"""Resets draw from torch's own generator, which all threads share."""


def start_of(module: nn.Module, tensor: str) -> str:
    """How a tensor of one's own module starts; see `Architecture.starts`."""
    owner, _, leaf = tensor.rpartition(".")
    part = module.get_submodule(owner)
    if isinstance(part, (nn.Linear, *_CONVOLUTIONS)) and leaf in ("weight", "bias"):
        return "weight" if leaf == "weight" else "zero"
    return "own"


def shipped_start(module: nn.Module, tensor: str) -> str:
    """How a tensor of a shipped module starts; see `Architecture.starts`."""
    owner = module.get_submodule(tensor.rpartition(".")[0])
    if tensor.endswith("bias"):
        return "zero"
    if isinstance(owner, (nn.Linear, nn.Conv2d)):
        return "weight"
    return "one" if isinstance(owner, (nn.BatchNorm2d, nn.LayerNorm)) else "normal"


def with_values(module: nn.Module) -> nn.Module:
    """A copy on the CPU; parameters that have no values there are not numbers."""
    module = copied(module)
    if any(parameter.is_meta for parameter in module.parameters()):
        module = module.to_empty(device="cpu")
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.fill_(torch.nan)
    for part in module.modules():
        if isinstance(part, _NormBase) and part.track_running_stats:
            part.num_batches_tracked = torch.tensor(0)  # its reset sets it, whoever reads it
    return module.to(device="cpu").float()


def own_start(module: nn.Module, generator: Generator) -> dict[str, Tensor]:
    """Parameters that a module makes for itself, as drawn under a generator.

    All its parts are reset (`reset_parameters`, or `_reset_parameters` as some of torch's have it),
    the inner ones first, as when they are made. The state of torch's own generator does not matter
    and stays as it is. Parameters that nothing resets keep their values, as do those of a part with
    a parametrization that has no right inverse.

    Args:
        module: see `with_values`; it stays as it is.
        generator: on the CPU; one number is drawn.
    """
    module = copied(module)
    seed = int(torch.randint(2**62, (), generator=generator))
    with _DRAW, torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(seed)
        module.apply(_reset)
    return {name: x.detach() for name, x in module.named_parameters(remove_duplicate=False)}


def _reset(part: nn.Module) -> None:
    reset = getattr(part, "reset_parameters", getattr(part, "_reset_parameters", None))
    if reset is None:
        return
    if not parametrize.is_parametrized(part):
        reset()
        return
    # What is reset is what the parametrization makes; that is then taken apart again.
    made_of = dict(part.get_submodule("parametrizations").named_children())
    steps = (step for parametrized in made_of.values() for step in parametrized.children())
    if not all(hasattr(step, "right_inverse") for step in steps):
        return
    names = list(made_of)
    with parametrize.cached():
        reset()
        values = {name: getattr(part, name).clone() for name in names}
    for name, tensor in values.items():
        setattr(part, name, tensor)


def kept_values(module: nn.Module) -> dict[str, Tensor]:
    """Parameters that `own_start` leaves as the module has them; see `with_values`."""
    first, second = (own_start(module, Generator().manual_seed(seed)) for seed in (0, 1))
    given = dict(module.named_parameters(remove_duplicate=False))
    return {
        name: x.detach()
        for name, x in given.items()
        if all(
            ((x == new) | (x.isnan() & new.isnan())).all() for new in (first[name], second[name])
        )
    }
