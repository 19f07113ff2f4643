"""Optimizers without torch's compiler.

Those of `torch.optim` load the compiler, though nothing is compiled, and that takes two seconds:
longer than many a job here computes. The updates are torch's own functions; what has to be kept
from one update to the next is kept here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial

import torch
from torch import Tensor
from torch.optim.adagrad import adagrad
from torch.optim.adam import adam

__all__ = ["Adagrad", "Adam", "Optimizer", "cosine"]


class Optimizer:
    """What changes parameters by their gradients."""

    def __init__(
        self, parameters: Iterable[Tensor], update: Callable[..., None], **kept: float
    ) -> None:
        """Keep what an update of torch's takes: tensors like the parameters, filled with `kept`.

        Args:
            parameters: leaves, all on one device.
            update: torch's function, with all of its settings but the learning rate.
            kept: its name for what it changes beside the parameters, and what that starts from.
        """
        self._parameters, self._update = list(parameters), update
        self._kept = {
            name: [torch.full_like(p.detach(), value) for p in self._parameters]
            for name, value in kept.items()
        }
        self._kept["state_steps"] = [torch.zeros((), device=p.device) for p in self._parameters]

    def step(self, learning_rate: float) -> None:
        """Change the parameters that have a gradient."""
        places = [i for i, p in enumerate(self._parameters) if p.grad is not None]
        parameters = [self._parameters[i] for i in places]
        gradients = [p.grad for p in parameters if p.grad is not None]
        kept = {name: [tensors[i] for i in places] for name, tensors in self._kept.items()}
        with torch.no_grad():
            self._update(parameters, gradients, **kept, lr=learning_rate, maximize=False)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def state(self) -> dict[str, Tensor]:
        """What `restore` needs to go on with the same bits."""
        return {
            f"{name} {i}": tensor
            for name, tensors in self._kept.items()
            for i, tensor in enumerate(tensors)
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a `state`."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name].view_as(tensor))  # files have no shape ()


class Adam(Optimizer):
    """Kingma & Ba's Adam; with `decoupled` weight decay, Loshchilov & Hutter's AdamW.

    Args:
        parameters: leaves, all on one device.
        betas: how much the running means of the gradient and of its square keep at each step.
        weight_decay: how much of the parameters is added to their gradient, or, if `decoupled`,
            subtracted from themselves at a learning rate of 1.
        decoupled: see there.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        update = partial(
            adam, max_exp_avg_sqs=[], fused=True, decoupled_weight_decay=decoupled, amsgrad=False,
            beta1=betas[0], beta2=betas[1], weight_decay=weight_decay, eps=1e-8,
        )  # fmt: skip
        super().__init__(parameters, update, exp_avgs=0.0, exp_avg_sqs=0.0)


class Adagrad(Optimizer):
    """Duchi, Hazan & Singer's Adagrad.

    Args:
        parameters: leaves, all on one device.
        first: what the sums of squared gradients start from.
    """

    def __init__(self, parameters: Iterable[Tensor], *, first: float) -> None:
        update = partial(adagrad, weight_decay=0.0, lr_decay=0.0, eps=1e-10)
        super().__init__(parameters, update, state_sums=first)


def cosine(done: int, steps: int, first: float, last: float = 0.0) -> float:
    """The learning rate after `done` of `steps` steps, falling along half a cosine."""
    return last + 0.5 * (first - last) * (1 + math.cos(math.pi * done / steps))
