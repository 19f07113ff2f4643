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
noise is; the first alone would make it vanish.
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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.functional import kl_div, log_softmax, one_hot, softmax

from nodeflow.flow.codec import Shapes, flatten
from nodeflow.flow.energy import energy_distance
from nodeflow.flow.settings import DescentSettings
from nodeflow.job import Progress
from nodeflow.optimizers import Adam, cosine
from nodeflow.problems import Problem
from nodeflow.seeds import torch_generator
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architectures import ACTIVATIONS, Architecture, mlp
from nodeflow.zoo.loss import cross_entropies
from nodeflow.zoo.predict import as_items, as_labels, check_labels
from nodeflow.zoo.tensors import all_finite

__all__ = [
    "Descent",
    "DescentField",
    "DescentProblem",
    "Lesson",
    "fit_descent",
    "start_field",
    "train_fields",
]

_CPU = torch.device("cpu")
_BLOCK = 64
_WATCHED = 32
_REPORTS = 20
_FIRST_TARGET = 4.0
_FIRST_FLOOR = 1e-2
_FIRST_DECAYS = (0.0, 1.5)
_FIRST_RATE = 1.5
_LAST_LEARNING_RATE = 1e-4
_CLIP = 1.0


Carrier = Callable[[dict[str, Tensor], Tensor | None], dict[str, Tensor]]
"""(stacked initial networks (M, …), noise (M, K, P) or none) → stacked final ones."""


class DescentProblem(Problem):
    """A descent cannot be fitted or sampled."""


class DescentField(nn.Module):
    """The learned descent: from stacked initial networks to stacked final ones.

    Args:
        architecture: of all networks.
        evaluations: K, steps of length 1/K from t = 0 to 1, one gradient each.
        probes: P, learned items in each evaluation.
        features: length of an item.
        classes: number of classes.

    Attributes:
        items: (K, P, features) probes of each evaluation.
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
        self.items = nn.Parameter(torch.zeros(evaluations, probes, features))
        self.targets = nn.Parameter(torch.zeros(evaluations, probes, classes))
        self.log_rate = nn.Parameter(torch.zeros(evaluations, tensors))
        self.log_floor = nn.Parameter(torch.full((evaluations, tensors), math.log(_FIRST_FLOOR)))
        self.decays = nn.Parameter(torch.tensor(_FIRST_DECAYS))
        self.noise = nn.Parameter(torch.zeros(evaluations))
        self.axes: Tensor | None
        self.register_buffer("axes", None, persistent=False)
        widths = [shape[0] for shape in architecture.shapes.values() if len(shape) > 1]
        layered = architecture.module is None and len(widths) > 1
        self._later = mlp(widths, architecture.activation) if layered else None

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
            guidance: w; see `nodeflow.flow.conditional`.
        """
        names = list(self.architecture.shapes)
        now = [networks[name].detach().requires_grad_() for name in names]
        fields = [self] if without is None else [without, self]
        averages = [_Averages.before(now, field.decays) for field in fields]
        probes = [field._probes() for field in fields]
        for step in range(self.evaluations):
            here = dict(zip(names, now, strict=True))
            moves = [
                field._moves(here, own, step, those[step], noise)
                for field, own, those in zip(fields, averages, probes, strict=True)
            ]
            if without is None:
                (move,) = moves
            else:
                move = [torch.lerp(a, b, guidance) for a, b in zip(*moves, strict=True)]
            moved = [tensor - one for tensor, one in zip(now, move, strict=True)]
            now = moved if self.training else [tensor.detach().requires_grad_() for tensor in moved]
        return dict(zip(names, now, strict=True))

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Noise (M, K, P) for M networks, on the CPU."""
        shape = (count, self.evaluations, self.items.shape[1])
        return torch.randn(shape, generator=generator)

    def _probes(self) -> list[tuple[Tensor, Tensor]]:
        """Items and targets of each evaluation.

        Taken apart at once: the gradient of a single one would be as large as that of all.
        """
        both = (self.items, self.targets)
        items, targets = both if self.training else (part.detach() for part in both)
        return list(zip(items, targets, strict=True))

    def _moves(
        self,
        networks: Mapping[str, Tensor],
        averages: _Averages,
        step: int,
        probes: tuple[Tensor, Tensor],
        noise: Tensor | None,
    ) -> list[Tensor]:
        """What an evaluation takes from each tensor; the running averages go on with it."""
        mean, square = averages.mean, averages.square
        keep_mean, keep_square = averages.keep
        unbiased_square = 1 / (1 - keep_square ** (step + 1))
        speeds = self.log_rate[step].exp() / self.evaluations / (1 - keep_mean ** (step + 1))
        floors = (2 * self.log_floor[step]).exp()
        weights = None if noise is None else 1 + self.noise[step] * noise[:, step]
        moves = []
        for i, gradient in enumerate(self._gradients(networks, probes, weights)):
            mean[i], square[i], move = _Normalize.apply(  # type: ignore[no-untyped-call]
                mean[i],
                square[i],
                gradient,
                keep_mean,
                keep_square,
                speeds[i],
                unbiased_square,
                floors[i],
            )
            moves.append(move)
        return moves

    def _gradients(
        self,
        networks: Mapping[str, Tensor],
        probes: tuple[Tensor, Tensor],
        weights: Tensor | None,
    ) -> tuple[Tensor, ...]:
        """Of the mean cross-entropy on the probes of an evaluation, for each network alone."""
        items, targets = probes
        with torch.enable_grad():
            logits = self._logits(networks, items)
            likely = softmax(targets, dim=1)
            losses = -(likely * log_softmax(logits, dim=2)).sum(dim=2)
            loss = (losses if weights is None else weights * losses).mean(dim=1).sum()
        return torch.autograd.grad(loss, list(networks.values()), create_graph=self.training)

    def _logits(self, networks: Mapping[str, Tensor], items: Tensor) -> Tensor:
        """Logits (M, P, classes) of networks.

        While a perceptron's probes are trained, its first layer is one product for all networks:
        items then have one gradient instead of one for each. Rounding depends on a network's
        place in its stack there, so networks are sampled without it.
        """
        if self._later is None or not self.training:
            return self.architecture.forward(networks, items)
        weight, bias = networks["layer0.weight"], networks["layer0.bias"]
        product = (weight.flatten(0, 1) @ items.T).view(*bias.shape, len(items))
        activation = ACTIVATIONS[self.architecture.activation]
        hidden = activation(product.transpose(1, 2) + bias.unsqueeze(1))
        names = list(self._later.shapes)
        later = dict(zip(names, list(networks.values())[-len(names) :], strict=True))
        return self._later.forward(later, hidden)


class _Normalize(torch.autograd.Function):
    """Running averages of a gradient g, and the move that is made of them.

    (mean m, square s, g, a, b, p, q, f) → m' = a m + (1 − a) g, s' = b s + (1 − b) g², and
    p m' / √(q s' + f), where a, b, p, q and f are numbers. Written as one operation because its
    tensors are as large as all networks: left to autograd, each of two dozen intermediate results
    goes through memory, which took more than half of the time of training.
    """

    @staticmethod
    def forward(
        ctx: Any,
        mean: Tensor,
        square: Tensor,
        gradient: Tensor,
        *numbers: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        a, b, p, q, f = (float(number) for number in numbers)
        new_mean = torch.lerp(gradient, mean, a)
        new_square = (square * b).addcmul_(gradient, gradient, value=1 - b)
        move = (new_square * q).add_(f).rsqrt_().mul_(new_mean).mul_(p)
        ctx.save_for_backward(mean, square, gradient, new_mean, new_square)
        ctx.numbers = a, b, p, q, f
        return new_mean, new_square, move

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        mean, square, gradient, new_mean, new_square = ctx.saved_tensors
        a, b, p, q, f = ctx.numbers
        to_mean, to_square, to_move = grads
        inverse = (new_square * q).add_(f).rsqrt_()
        scaled = to_move * inverse
        product = scaled * new_mean
        to_speed = product.sum()
        to_mean = torch.add(to_mean, scaled, alpha=p)
        # From here on of q s' + f.
        product.mul_(inverse).mul_(inverse).mul_(-p / 2)
        to_unbias, to_floor = _dot(product, new_square), product.sum()
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


@dataclass(frozen=True)
class _Averages:
    """Running means of the gradients of each tensor and of their squares, and what they keep."""

    mean: list[Tensor]
    square: list[Tensor]
    keep: tuple[Tensor, Tensor]

    @classmethod
    def before(cls, tensors: Sequence[Tensor], decays: Tensor) -> _Averages:
        """Those before the first gradient."""
        mean, square = ([torch.zeros_like(tensor) for tensor in tensors] for _ in range(2))
        keep_mean, keep_square = torch.sigmoid(decays)
        return cls(mean, square, (keep_mean, keep_square))


@dataclass(frozen=True)
class Descent:
    """A trained flow from initializations to trained networks.

    Attributes:
        settings: how it was trained.
        shapes: name → shape of one network's tensors, in the order of a flat row.
        initializations: names of the distributions that networks start from; see
            `nodeflow.zoo.INITIALIZATIONS`.
        field: the learned descent, in evaluation mode; of a conditional flow, the one without a
            label.
        labelled: of a conditional flow, the descent of each label; see `nodeflow.flow.labelled`.
    """

    settings: DescentSettings
    shapes: Shapes
    initializations: tuple[str, ...]
    field: DescentField
    labelled: Mapping[str, DescentField] = dataclasses.field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the zoos that a conditional flow learned; none of any other."""
        return tuple(self.labelled)

    def rows(
        self,
        seeds: np.ndarray,
        device: torch.device = _CPU,
        label: str | None = None,
        guidance: float = 1.0,
    ) -> np.ndarray:
        """Flat networks (M, D), float32, of these seeds (M,), each whatever else is asked for.

        A seed decides the initialization and then the noise; that, the label and the guidance
        decide everything. Networks move in blocks of one size, because matrix products of other
        sizes round differently.
        """
        architecture = self.field.architecture
        field = self._guided(device, label, guidance)
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
        return np.concatenate(found)

    def _guided(self, device: torch.device, label: str | None, guidance: float) -> Carrier:
        """The descent under a condition: at guidance 0 and 1 a single field, to the last bit."""
        without = self.field.to(device).eval()
        if label is None or guidance == 0:
            return without
        own = self.labelled[label].to(device).eval()
        return own if guidance == 1 else partial(own, without=without, guidance=guidance)


@one_thread_if_small
def fit_descent(
    members: Mapping[str, Tensor],
    initial: Mapping[str, Tensor],
    architecture: Architecture,
    items: np.ndarray,
    labels_of_items: np.ndarray,
    settings: DescentSettings,
    root_seed: int,
    labels: tuple[str | float, ...],
    initializations: Sequence[str] = ("he_uniform",),
    held_out: tuple[Mapping[str, Tensor], Mapping[str, Tensor]] | None = None,
    device: torch.device = _CPU,
) -> tuple[Descent, pd.DataFrame]:
    """Learn to carry initializations to trained networks.

    Args:
        members: stacked parameters (K, …) of the training members, as trained: permuted ones
            would not fit their initializations.
        initial: stacked parameters (K, …) that each of them started from.
        architecture: of all of them.
        items: (n, features) training items of the zoo's data set; predictions are compared on
            them, and the probes start as some of them.
        labels_of_items: (n,) their classes; the probes' labels start from them.
        settings: all choices.
        root_seed: the run's root seed.
        labels: what names this flow; every random number comes from (root_seed, "flow", *labels).
        initializations: names of the distributions that members start from.
        held_out: final and initial parameters of members that the flow must never learn from; only
            their loss is recorded.
        device: where to train.

    Returns:
        The flow, on the CPU, and one row per report with the columns of `FLOW_HISTORY`.

    Raises:
        DescentProblem: the architecture has running statistics or reads texts, or there are not
            as many initializations as members.
        TensorProblem: networks are not of the architecture, or not finite.
        ItemProblem: they cannot read the items, or labels are none of their classes.
    """
    generator = torch_generator(root_seed, "flow", *labels)
    lesson = Lesson(
        architecture, (members, initial), (items, labels_of_items), settings, held_out, device
    )
    field = start_field(architecture, [lesson], settings, generator).to(device)
    lesson.draw_watched(generator)

    def next_loss() -> Tensor:
        return lesson.loss(field, initializations, generator)

    history = train_fields([field], next_loss, lambda: lesson.watch(field), settings, labels)
    shapes = {name: tuple(shape) for name, shape in architecture.shapes.items()}
    return Descent(settings, shapes, tuple(initializations), field.cpu().eval()), history


def train_fields(
    fields: Sequence[DescentField],
    next_loss: Callable[[], Tensor],
    watch: Callable[[], dict[str, float]],
    settings: DescentSettings,
    labels: tuple[str | float, ...],
) -> pd.DataFrame:
    """Change fields, all on one device, until all steps are done.

    Args:
        fields: those that are trained; a step changes the ones that its loss depends on.
        next_loss: the loss of the next step.
        watch: losses to be recorded, by the names of `FLOW_HISTORY`'s columns.
        settings: steps and learning rates.
        labels: what names the flow.

    Returns:
        One row per report with the columns of `FLOW_HISTORY`.
    """
    everything = nn.ModuleList(fields)
    moved = [_Moved(field) for field in fields if field.axes is not None]
    probes = [field.items for field in fields if field.axes is None]
    probes += [field.targets for field in fields]
    rates = [
        p for field in fields for p in (field.log_rate, field.log_floor, field.decays, field.noise)
    ]
    optimizers = [
        (Adam(probes), settings.learning_rate),
        (Adam(rates), settings.rate_learning_rate),
        (Adam(items.along for items in moved), settings.axes_learning_rate),
    ]
    progress = Progress(settings.steps, "flow " + ", ".join(str(label) for label in labels))
    every = max(1, settings.steps // _REPORTS)
    total, since, rows = torch.zeros((), device=probes[0].device), 0, []
    everything.train()
    for step in range(1, settings.steps + 1):
        loss = next_loss()
        everything.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(everything.parameters(), _CLIP)
        for items in moved:
            items.turn_gradient()
        for optimizer, first in optimizers:
            optimizer.step(cosine(step - 1, settings.steps, first, _LAST_LEARNING_RATE))
        for items in moved:
            items.move()
        total, since = total + loss.detach(), since + 1
        if step % every == 0 or step == settings.steps:
            everything.eval()
            losses = watch()
            everything.train()
            rows.append({"step": step, "loss": float(total) / since, **losses})
            progress.update(step, **losses)
            total, since = torch.zeros_like(total), 0
    return pd.DataFrame(rows)


class _Moved:
    """The items of a field, while they are moved along its axes.

    Attributes:
        along: (K, P, features) how far they have been moved along each; what is optimized.
    """

    def __init__(self, field: DescentField) -> None:
        assert field.axes is not None
        self._items, self._axes = field.items, field.axes
        self._first = field.items.detach().clone()
        self.along = torch.zeros_like(self._first, requires_grad=True)

    def turn_gradient(self) -> None:
        """Give `along` the gradient that the items have, if they have one."""
        grad = self._items.grad
        self.along.grad = None if grad is None else grad @ self._axes.T

    def move(self) -> None:
        """Put the items where `along` says."""
        with torch.no_grad():
            self._items.copy_(self._first + self.along @ self._axes)


class Lesson:
    """A zoo that descents learn.

    Args:
        architecture: of all networks.
        networks: stacked parameters (K, …) of the members to learn from, and what they started
            from.
        data: (n, features) training items, and their classes (n,).
        settings: all choices.
        held_out: final and initial parameters of members whose loss alone is recorded.
        device: where to train.

    Raises:
        DescentProblem, TensorProblem, ItemProblem: see `fit_descent`.
    """

    def __init__(
        self,
        architecture: Architecture,
        networks: tuple[Mapping[str, Tensor], Mapping[str, Tensor]],
        data: tuple[np.ndarray, np.ndarray],
        settings: DescentSettings,
        held_out: tuple[Mapping[str, Tensor], Mapping[str, Tensor]] | None = None,
        device: torch.device = _CPU,
    ) -> None:
        if architecture.statistics or architecture.tokens:
            raise DescentProblem(
                f"a descent of {architecture.name} cannot be learned: its probes are numbers, and "
                "it carries no running statistics; choose method codes or paper."
            )
        self.final, self.start_from = _pairs(networks, architecture, "the members", device)
        self.x = as_items(architecture, data[0]).float().to(device)
        self.y = as_labels(data[1], len(self.x)).to(device)
        one = {name: tensor[:1] for name, tensor in self.final.items()}
        with torch.no_grad():
            self.classes = architecture.forward(one, self.x[:1]).shape[2]
        if self.classes == 1:
            raise DescentProblem(
                f"{architecture.name} predicts a number, and a descent learns classifiers; choose "
                "method codes or paper."
            )
        check_labels(self.y, self.classes)
        self._architecture, self._settings, self._device = architecture, settings, device
        self._objective = _Objective(architecture, self.final, self.start_from, settings)
        self._watched = {"train_loss": (self.final, self.start_from)}
        if held_out is not None:
            pairs = _pairs(held_out, architecture, "the held-out members", device)
            self._watched["held_out_loss"] = pairs

    def draw_watched(self, generator: torch.Generator) -> None:
        """Draw the items on which `watch` compares predictions, the same throughout."""
        self._fixed = self.x[self._some(len(self.x), self._settings.items, generator)]

    def loss(
        self, field: DescentField, initializations: Sequence[str], generator: torch.Generator
    ) -> Tensor:
        """The loss of a field on members, items and fresh initializations drawn for one step."""
        settings, objective = self._settings, self._objective
        some = self._some(len(objective), settings.batch, generator)
        which = self._some(len(self.x), settings.items, generator)
        fresh = {
            name: tensor.to(self._device)
            for name, tensor in _fresh(
                self._architecture, settings.fresh, initializations, generator
            ).items()
        }
        noise = field.draw(settings.batch + settings.fresh, generator).to(self._device)
        noise[: settings.batch] = 0
        found = field(
            {name: torch.cat([t[some], fresh[name]]) for name, t in self.start_from.items()},
            noise if settings.noise else None,
        )
        paired = {name: tensor[: settings.batch] for name, tensor in found.items()}
        unpaired = {name: tensor[settings.batch :] for name, tensor in found.items()}
        others = torch.randperm(len(objective), generator=generator)[: settings.others]
        others = others.to(self._device)
        loss = objective(paired, self.final, some, self.x[which])
        loss = loss + objective.alike(unpaired, self.final, others, self.x[which], self.y[which])
        return loss + objective.power(unpaired, fresh)

    def watch(self, field: DescentField) -> dict[str, float]:
        """The loss of a field on the first members and on fixed items, without noise."""
        losses = {"train_loss": math.nan, "held_out_loss": math.nan}
        for name, (final, start) in self._watched.items():
            some = torch.arange(min(_WATCHED, len(next(iter(final.values())))), device=self._device)
            found = field({n: tensor[some] for n, tensor in start.items()})
            with torch.no_grad():
                losses[name] = float(self._objective(found, final, some, self._fixed))
        return losses

    def _some(self, everyone: int, count: int, generator: torch.Generator) -> Tensor:
        """Places of some of so many members or items."""
        return torch.randint(everyone, (count,), generator=generator).to(self._device)


def start_field(
    architecture: Architecture,
    lessons: Sequence[Lesson],
    settings: DescentSettings,
    generator: torch.Generator,
) -> DescentField:
    """A field whose probes are training items and whose speeds are those of the members.

    Args:
        architecture: of all networks.
        lessons: the zoos that it is to learn, all of whose items and members count alike.
        settings: all choices.
        generator: which items.
    """
    x, y = (torch.cat([getattr(lesson, part).cpu() for lesson in lessons]) for part in "xy")
    classes = lessons[0].classes
    count = settings.evaluations * settings.probes
    field = DescentField(architecture, settings.evaluations, settings.probes, x.shape[1], classes)
    chosen = torch.randint(len(x), (count,), generator=generator)
    moved = [
        torch.cat([lesson.final[name] - lesson.start_from[name] for lesson in lessons])
        for name in architecture.shapes
    ]
    speeds = torch.stack([_FIRST_RATE * tensor.square().mean().sqrt() for tensor in moved])
    with torch.no_grad():
        field.items.copy_(x[chosen].view_as(field.items))
        labels = _FIRST_TARGET * one_hot(y[chosen].long(), classes)
        field.targets.copy_(labels.view_as(field.targets))
        field.log_rate.copy_(speeds.clamp_min(1e-6).log().cpu())
        field.noise.fill_(settings.noise)
    if settings.axes_learning_rate:
        field.axes = _principal_axes(x)
    return field


def _principal_axes(x: Tensor) -> Tensor:
    """(features, features) principal axes of items (n, features), as long as their deviations."""
    variances, axes = torch.linalg.eigh(torch.cov(x.T.double()))
    scaled: Tensor = axes * variances.clamp_min(0).sqrt()
    return scaled.T.to(x)


class _Objective:
    """How far generated networks are from the members that started where they did, and from all."""

    def __init__(
        self,
        architecture: Architecture,
        final: Mapping[str, Tensor],
        start: Mapping[str, Tensor],
        settings: DescentSettings,
    ) -> None:
        self._architecture, self._settings = architecture, settings
        self._members = len(next(iter(final.values())))
        self._moved = sum(
            float((tensor - start[name]).square().sum()) / self._members
            for name, tensor in final.items()
        )
        self._seconds = {
            name: torch.einsum("koi,koj->ij", tensor, tensor) / tensor.shape[:2].numel()
            for name, tensor in final.items()
            if tensor.ndim == 3
        }
        self._reached, self._first = self._powers(final), self._powers(start)

    def __len__(self) -> int:
        return self._members

    def __call__(
        self, found: Mapping[str, Tensor], final: Mapping[str, Tensor], some: Tensor, x: Tensor
    ) -> Tensor:
        """The loss of networks that started where members `some` of `final` did.

        It is the mean Kullback–Leibler divergence of their predictions on items x from the
        members'; plus, weighted, the squared distance of their weights in units of how far members
        move.
        """
        target = {name: tensor[some] for name, tensor in final.items()}
        with torch.no_grad():
            wanted = log_softmax(self._architecture.forward(target, x), dim=2)
        given = log_softmax(self._architecture.forward(found, x), dim=2)
        loss = kl_div(given, wanted, log_target=True, reduction="none").sum(dim=2).mean()
        distance = torch.zeros((), device=x.device)
        for name, tensor in found.items():
            distance = distance + (tensor - target[name]).square().sum()
        return loss + self._settings.weight_fit * distance / len(some) / self._moved

    def alike(
        self,
        found: Mapping[str, Tensor],
        final: Mapping[str, Tensor],
        some: Tensor,
        x: Tensor,
        y: Tensor,
    ) -> Tensor:
        """How differently networks and members `some` of `final` are distributed, up to a constant.

        It is the energy distance of their predictions on items x, square roots of probabilities
        whose squared differences are means over items and sums over classes, plus that of their
        mean losses there, in nats, y being the classes; plus, weighted by `near_fit`, that of how
        far their predictions are from the nearest of those members' (of members, of the others').
        """
        with torch.no_grad():
            members, losses = self._seen({n: tensor[some] for n, tensor in final.items()}, x, y)
        predictions, own_losses = self._seen(found, x, y)
        total = energy_distance(predictions, members) + energy_distance(own_losses, losses)
        if self._settings.near_fit:
            # As many members for networks to be near to as a member has others.
            near = _nearest(predictions, members[1:])
            itself = torch.full((len(members),), math.inf, device=x.device).diag_embed()
            target = _nearest(members, members, itself)
            total = total + self._settings.near_fit * energy_distance(near, target)
        return total

    def power(self, found: Mapping[str, Tensor], first: Mapping[str, Tensor]) -> Tensor:
        """How far, on average, the mean squares of tensors are from those over all members.

        Of a matrix, also that of the products of its rows with all members' rows, which tells how
        near networks come to members whose units are in the best order. What networks gain from
        their initializations is compared, which differ by chance; squared, in units of what members
        reach, weighted by size and by `power_fit`.
        """
        total = torch.zeros((), device=next(iter(found.values())).device)
        ends, starts = self._powers(found), self._powers(first)
        for key, reached in self._reached.items():
            gain = reached - self._first[key]
            error = (ends[key] - starts[key] - gain) / reached.clamp_min(1e-30)
            share = found[key[0]][0].numel() / self._architecture.parameters
            total = total + share * error.square()
        return self._settings.power_fit * total

    def _powers(self, networks: Mapping[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """The means over networks that `power` compares."""
        powers = {(name, "own"): tensor.square().mean() for name, tensor in networks.items()}
        for name, second in self._seconds.items():
            powers[name, "members"] = (networks[name] @ second * networks[name]).mean()
        return powers

    def _seen(self, networks: Mapping[str, Tensor], x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Of each network what `alike` compares: predictions (M, n, classes) and losses (M, 1)."""
        logits = self._architecture.forward(networks, x)
        losses = cross_entropies(logits, y).mean(dim=1, keepdim=True)
        return (log_softmax(logits, dim=2) / 2).exp() / math.sqrt(len(x)), losses


def _nearest(a: Tensor, b: Tensor, besides: Tensor | float = 0.0) -> Tensor:
    """(M, 1) distance of each of the M rows of a to the nearest of b, with this added to each."""
    distances = torch.cdist(a.flatten(1), b.flatten(1)) + besides
    return distances.min(dim=1, keepdim=True).values


def _fresh(
    architecture: Architecture,
    count: int,
    initializations: Sequence[str],
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Initializations of `count` networks that nobody has started from."""
    seeds = torch.randint(2**62, (count,), generator=generator).tolist()
    return architecture.initialize(
        [torch.Generator().manual_seed(seed) for seed in seeds],
        [initializations[seed % len(initializations)] for seed in seeds],
    )


def _pairs(
    networks: tuple[Mapping[str, Tensor], Mapping[str, Tensor]],
    architecture: Architecture,
    what: str,
    device: torch.device,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Networks and what they started from, in single precision, as all that is trained here."""
    found = []
    for given, role in zip(networks, (what, f"the initializations of {what}"), strict=True):
        tensors = architecture.arrange(given, role)
        all_finite(tensors, role)
        found.append({name: tensor.float().to(device) for name, tensor in tensors.items()})
    final, initial = found
    counts = [len(next(iter(tensors.values()))) for tensors in found]
    if counts[0] != counts[1] or counts[0] == 0:
        raise DescentProblem(
            f"{what} are {counts[0]} and their initializations {counts[1]}; give each of them, at "
            "least one, what it started from."
        )
    return final, initial
