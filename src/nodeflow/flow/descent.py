"""A flow from initializations to trained networks, along a learned descent.

The source of this flow is the distribution that training itself starts from, and its coupling is
training itself: each member of a zoo is paired with its own initialization. The velocity at a
network W is a descent direction of a loss that is learned too: the cross-entropy of W on a few
probes, made-up items with made-up labels, whose values are the parameters of the flow. Gradients
are normalized by running averages as Adam's are (Kingma & Ba 2015), with rates and decays that are
learned. Unlike a field over flat weights, this one treats hidden units that may change places alike
by construction, needs no alignment, and has too few parameters to store the zoo.

Training is a random process: members that start alike end apart, by the noise of their minibatches.
So has the descent its own: in each evaluation the probes have random weights, drawn from the
network's own seed, with mean 1 and a learned standard deviation (of Gaussian weights gradients have
the mean and the covariance that minibatches of probes give them).

It is trained through its own sampler, by endpoint. From the initialization of a member it has to
reach, without noise, a network that predicts what the member predicts and, to a lesser degree, has
its weights. From fresh initializations, with noise, it has to reach networks that are distributed
as members are: in their predictions on the training items, in their losses, in the mean square of
each tensor and of its products with members' units. Only the second task decides how strong the
noise is; the first alone would make it vanish. Before that, if so asked, each evaluation learns
alone to lead members from where they were in their training to where they were next, which is data
set distillation by matching trajectories (Cazenavette et al. 2022, arXiv:2203.11932) in steps of
one evaluation.
No data are read and no loss on data is evaluated when networks are sampled.

Probes may be moved along the principal axes of the training items, in units of the items' standard
deviation along each, instead of feature by feature. Where features vary together, as the pixels of
larger images do, they are learned faster so.

Sources: learned items in place of data are those of data set distillation (Wang et al. 2018,
arXiv:1811.10959); initializations as the source of a flow over weights appear in Saragih et al.
2025 (arXiv:2503.19371); probes as a view of a network in Kahana et al. 2024 (arXiv:2410.10811).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax, softmax

from nodeflow.flow.codec import Shapes, flatten
from nodeflow.flow.method import Condition, Generator
from nodeflow.flow.methods.descent import DescentSettings
from nodeflow.flow.perceptron import LossGradient
from nodeflow.flow.settings import FlowProblem, SampleSettings
from nodeflow.flow.state import load_state, state_of
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.architectures import build

__all__ = ["Descent", "DescentField"]

_BLOCK = 64
_MIXED = 4
"""Tokens that are mixed at each place of a text that is a probe."""
_FIRST_FLOOR = 1e-2
_FIRST_DECAYS = (0.0, 1.5)


Probes = tuple[Tensor, Tensor, "Tensor | None"]
"""Items of an evaluation, the logits of their labels and, of texts, the tokens that are mixed."""

Carrier = Callable[[dict[str, Tensor], Tensor | None], dict[str, Tensor]]
"""(stacked initial networks (M, …), noise (M, K, P) or none) → stacked final ones."""


class DescentField(nn.Module):
    """The learned descent: from stacked initial networks to stacked final ones.

    Args:
        architecture: of all networks.
        evaluations: K, steps of length 1/K from t = 0 to 1, one gradient each.
        probes: P, learned items in each evaluation.
        features: length of an item; of a text its places.
        classes: number of classes.

    Attributes:
        items: (K, P, features) probes of each evaluation; of texts (K, P, features, S), logits of
            the shares that tokens have in what is read at each place.
        tokens: (K, P, features, S) these tokens; None where items are numbers.
        targets: (K, P, classes) logits of their labels.
        log_rate: (K, T) logarithm of the speed of each of the T tensors at each evaluation.
        log_floor: (K, T) logarithm of what is added to the gradient's running rms.
        decays: (2,) logits of the decays of the running mean and square of gradients.
        noise: (K,) standard deviation of the probes' weights at each evaluation; its sign is of no
            account.
        axes: (features, features) directions that items are moved along in training, or None for
            one direction for each feature.
    """

    def __init__(
        self, architecture: Architecture, evaluations: int, probes: int, features: int, classes: int
    ) -> None:
        super().__init__()
        self.architecture, self.evaluations = architecture, evaluations
        tensors = len(architecture.shapes)
        mixed = (_MIXED,) if architecture.tokens else ()
        self.items = nn.Parameter(torch.zeros(evaluations, probes, features, *mixed))
        self.targets = nn.Parameter(torch.zeros(evaluations, probes, classes))
        self.log_rate = nn.Parameter(torch.zeros(evaluations, tensors))
        self.log_floor = nn.Parameter(torch.full((evaluations, tensors), math.log(_FIRST_FLOOR)))
        self.decays = nn.Parameter(torch.tensor(_FIRST_DECAYS))
        self.noise = nn.Parameter(torch.zeros(evaluations))
        self.axes: Tensor | None
        self.register_buffer("axes", None, persistent=False)
        self.tokens: Tensor | None
        texts = torch.zeros_like(self.items, dtype=torch.int64) if mixed else None
        self.register_buffer("tokens", texts)
        self._sizes = [math.prod(shape) for shape in architecture.shapes.values()]
        # Of a perceptron, features to classes: what is written out for it, see `LossGradient`.
        outs = [shape[0] for shape in architecture.shapes.values() if len(shape) > 1]
        self._widths = [features, *outs] if architecture.module is None else None

    def forward(
        self,
        networks: Mapping[str, Tensor],
        noise: Tensor | None = None,
        without: DescentField | None = None,
        guidance: float = 1.0,
    ) -> dict[str, Tensor]:
        """Carry networks (M, …) from t = 0 to 1; differentiable in the parameters in training.

        Args:
            networks: initial ones, stacked.
            noise: (M, K, P) standard normal: how the weight of each probe differs from 1 in each
                evaluation of each network, in standard deviations; None for no difference.
            without: of a conditional descent, the field without a label; the velocity is then its
                own plus `guidance` times what this field, that of a label, adds to it.
            guidance: w; see `nodeflow.flow.Condition`.
        """
        now = torch.cat(
            [networks[name].detach().flatten(1) for name in self.architecture.shapes], dim=1
        ).requires_grad_()
        fields = [self] if without is None else [without, self]
        averages = [_Averages.before(now, field.decays) for field in fields]
        probes = [field._probes() for field in fields]
        for step in range(self.evaluations):
            moves = [
                field._move(now, own, step, those[step], noise)
                for field, own, those in zip(fields, averages, probes, strict=True)
            ]
            move = moves[0] if without is None else torch.lerp(moves[0], moves[1], guidance)
            now = now - move
            if not self.training:
                now = now.detach().requires_grad_()
        return self._named(now)

    def follow(self, path: Tensor) -> Tensor:
        """Where each evaluation alone leads, without noise, from where others have been before it.

        Args:
            path: (K, M, D) flat networks before each evaluation. Running averages are of gradients
                on this path.

        Returns:
            (K, M, D) flat networks after each; differentiable in the parameters in training.
        """
        averages, ends = _Averages.before(path[0], self.decays), []
        for step, (networks, probes) in enumerate(zip(path, self._probes(), strict=True)):
            now = networks.detach().requires_grad_()
            ends.append(networks - self._move(now, averages, step, probes, None))
        return torch.stack(ends)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Noise (M, K, P) for M networks, on the CPU."""
        shape = (count, self.evaluations, self.items.shape[1])
        return torch.randn(shape, generator=generator)

    def _probes(self) -> list[Probes]:
        """Items, targets and, of texts, tokens of each evaluation.

        Taken apart at once: the gradient of a single one would be as large as that of all.
        """
        both = (self.items, self.targets)
        items, targets = both if self.training else (part.detach() for part in both)
        tokens = [None] * len(items) if self.tokens is None else self.tokens
        return list(zip(items, targets, tokens, strict=True))

    def _move(
        self,
        networks: Tensor,
        averages: _Averages,
        step: int,
        probes: Probes,
        noise: Tensor | None,
    ) -> Tensor:
        """What an evaluation takes from flat networks; the running averages go on with it."""
        keep_mean, keep_square = averages.keep
        speeds = self.log_rate[step].exp() / self.evaluations / (1 - keep_mean ** (step + 1))
        floors = (2 * self.log_floor[step]).exp()
        sizes = torch.tensor(self._sizes, device=networks.device)
        weights = None if noise is None else 1 + self.noise[step] * noise[:, step]
        move: Tensor
        averages.mean, averages.square, move = _Normalize.apply(  # type: ignore[no-untyped-call]
            averages.mean,
            averages.square,
            self._gradient(networks, probes, weights),
            keep_mean,
            keep_square,
            speeds.repeat_interleave(sizes),
            1 / (1 - keep_square ** (step + 1)),
            floors.repeat_interleave(sizes),
        )
        return move

    def _gradient(self, networks: Tensor, probes: Probes, weights: Tensor | None) -> Tensor:
        """Of the mean cross-entropy on the probes of an evaluation, for each flat network alone.

        While probes of perceptrons are trained, items meet all networks in one product. Rounding
        depends on a network's place in its stack there, so networks are sampled without it.
        """
        items, targets, tokens = probes
        likely = softmax(targets, dim=1)
        if self._widths is not None and self.training:
            gradient: Tensor = LossGradient.apply(  # type: ignore[no-untyped-call]
                networks, items, likely, weights, self._widths, self.architecture.activation
            )
            return gradient
        with torch.enable_grad():
            read = (items,) if tokens is None else (tokens, softmax(items, dim=-1))
            # In memory of its own each tensor begins where products of the next are not rounded
            # differently.
            apart = {name: tensor.contiguous() for name, tensor in self._named(networks).items()}
            logits = self.architecture.forward_together(apart, *read)
            losses = -(likely * log_softmax(logits, dim=2)).sum(dim=2)
            loss = (losses if weights is None else weights * losses).mean(dim=1).sum()
        return torch.autograd.grad(loss, networks, create_graph=self.training)[0]

    def _named(self, networks: Tensor) -> dict[str, Tensor]:
        """Flat networks (M, D) by the names of their tensors."""
        parts = torch.split(networks, self._sizes, dim=1)
        return {
            name: part.view(-1, *shape)
            for (name, shape), part in zip(self.architecture.shapes.items(), parts, strict=True)
        }


class _Normalize(torch.autograd.Function):
    """Running averages of a gradient g, and the move that is made of them.

    (mean m, square s, g, a, b, p, q, f) → m' = a m + (1 − a) g, s' = b s + (1 − b) g², and
    p m' / √(q s' + f), where a, b and q are numbers, and p and f have one for each parameter.
    Written as one operation because its tensors are as large as all networks: left to autograd,
    each of two dozen intermediate results goes through memory, which took more than half of the
    time of training.
    """

    @staticmethod
    def forward(
        ctx: Any,
        mean: Tensor,
        square: Tensor,
        gradient: Tensor,
        keep_mean: Tensor,
        keep_square: Tensor,
        speed: Tensor,
        unbiased: Tensor,
        floor: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Both averages and the move.

        More than eight parameters, because autograd hands tensors over by place.
        """
        a, b, q = (float(number) for number in (keep_mean, keep_square, unbiased))
        new_mean = torch.lerp(gradient, mean, a)
        new_square = (square * b).addcmul_(gradient, gradient, value=1 - b)
        inverse = (new_square * q).add_(floor).rsqrt_()
        move = (inverse * new_mean).mul_(speed)
        ctx.save_for_backward(mean, square, gradient, new_mean, new_square, speed, inverse)
        ctx.numbers = a, b, q
        return new_mean, new_square, move

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        mean, square, gradient, new_mean, new_square, speed, inverse = ctx.saved_tensors
        a, b, q = ctx.numbers
        to_mean, to_square, to_move = grads
        scaled = to_move * inverse
        product = scaled * new_mean
        to_speed = product.sum(dim=0)
        to_mean = torch.addcmul(to_mean, scaled, speed)
        # From here on of q s' + f.
        product.mul_(inverse).mul_(inverse).mul_(speed * -0.5)
        to_unbias, to_floor = _dot(product, new_square), product.sum(dim=0)
        to_square = torch.add(to_square, product, alpha=q)
        crossed = gradient * to_square
        to_keep_mean = _dot(to_mean, mean) - _dot(to_mean, gradient)
        to_keep_square = _dot(to_square, square) - _dot(crossed, gradient)
        to_gradient = crossed.mul_(2 * (1 - b)).add_(to_mean, alpha=1 - a)
        return (
            to_mean * a,
            to_square * b,
            to_gradient,
            to_keep_mean,
            to_keep_square,
            to_speed,
            to_unbias,
            to_floor,
        )


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return torch.dot(a.flatten(), b.flatten())


@dataclass
class _Averages:
    """Running means of the gradients of flat networks and of their squares, and what they keep."""

    mean: Tensor
    square: Tensor
    keep: tuple[Tensor, Tensor]

    @classmethod
    def before(cls, networks: Tensor, decays: Tensor) -> _Averages:
        """Those before the first gradient."""
        mean, square = torch.zeros_like(networks), torch.zeros_like(networks)
        keep_mean, keep_square = torch.sigmoid(decays)
        return cls(mean, square, (keep_mean, keep_square))


@dataclass(frozen=True)
class Descent(Generator):
    """A trained flow from initializations to trained networks.

    Attributes:
        settings: how it was trained.
        shapes: name → shape of one network's tensors, in the order of a flat row.
        initializations: names of the distributions that networks start from; see
            `nodeflow.zoo.INITIALIZATIONS`.
        field: the learned descent, in evaluation mode; of a conditional flow, the one without a
            label.
        labelled: of a conditional flow, the descent of each label; see `nodeflow.flow.lessons`.
        labels: names of the zoos that a conditional flow learned; none of any other.
    """

    settings: DescentSettings
    shapes: Shapes
    initializations: tuple[str, ...]
    field: DescentField
    labelled: Mapping[str, DescentField] = dataclasses.field(default_factory=dict)
    labels: tuple[str, ...] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labelled))

    @classmethod
    def of(
        cls,
        settings: DescentSettings,
        shapes: Shapes,
        labels: tuple[str, ...],
        tensors: Mapping[str, np.ndarray],
        about: Mapping[str, Any],
    ) -> Descent:
        """The inverse of `tensors` and `about`."""
        architecture = build(**about["recipe"])
        evaluations, probes, features, *_ = tensors["velocity.items"].shape
        classes = tensors["velocity.targets"].shape[2]

        def field(part: str) -> DescentField:
            empty = DescentField(architecture, evaluations, probes, features, classes)
            return load_state(empty, tensors, part)

        labelled = {label: field(f"label {i}") for i, label in enumerate(labels)}
        initializations = tuple(about["initializations"])
        return cls(settings, shapes, initializations, field("velocity"), labelled)

    def tensors(self) -> dict[str, np.ndarray]:
        """See `Generator`."""
        arrays = state_of(self.field, "velocity")
        for i, field in enumerate(self.labelled.values()):
            arrays |= state_of(field, f"label {i}")
        return arrays

    def about(self) -> dict[str, Any]:
        """See `Generator`."""
        recipe = dict(self.field.architecture.recipe)
        return {"initializations": list(self.initializations), "recipe": recipe}

    def rows(
        self,
        seeds: np.ndarray,
        how: SampleSettings,
        condition: Condition | None = None,
        device: torch.device | str = "cpu",
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `Generator`.

        A seed decides the initialization and then the noise; that, the label and the guidance
        decide everything. Networks move in blocks of one size, because matrix products of other
        sizes round differently.
        """
        self.check(condition)
        learned = self.settings.evaluations
        if (how.solver, how.steps) != ("euler", learned):
            raise FlowProblem(
                f"a descent of {learned} evaluations is sampled with solver euler and {learned} "
                f"steps, not with {how.solver} and {how.steps}."
            )
        architecture = self.field.architecture
        field = self._guided(device, condition)
        found = []
        for start in range(0, len(seeds), _BLOCK):
            some = [int(seed) for seed in seeds[start : start + _BLOCK]]
            padded = some + some[:1] * (_BLOCK - len(some))
            generators = [torch.Generator().manual_seed(seed) for seed in padded]
            initial = architecture.initialize(
                generators,
                [self.initializations[seed % len(self.initializations)] for seed in padded],
            )
            noise = torch.stack([self.field.draw(1, generator)[0] for generator in generators])
            final = field(
                {name: tensor.to(device) for name, tensor in initial.items()}, noise.to(device)
            )
            found.append(flatten(final, self.shapes)[: len(some)])
        return np.empty((len(seeds), 0), dtype=np.float32), np.concatenate(found)

    def _guided(self, device: torch.device | str, condition: Condition | None) -> Carrier:
        """The descent under a condition: at guidance 0 and 1 a single field, to the last bit."""
        without = self.field.to(device).eval()
        if condition is None or condition.guidance == 0:
            return without
        own = self.labelled[condition.label].to(device).eval()
        if condition.guidance == 1:
            return own
        return partial(own, without=without, guidance=condition.guidance)
