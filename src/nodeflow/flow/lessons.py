"""What descents learn, and how: see `nodeflow.flow.descent`.

A label of a descent over several zoos is a set of probes with their rates. The descent without a
label learns all zoos at once; as it carries each initialization to one network only, it does not
draw a zoo by lot but finds networks that suit every zoo as well as one network can. Guidance is
that of `nodeflow.flow.Condition`, in terms of what an evaluation takes from each tensor: both
descents look at the same network under the same noise, each with its own running averages of its
own gradients.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from nodeflow.flow.descent import Descent, DescentField
from nodeflow.flow.descent_training import train_fields
from nodeflow.flow.method import LearnedZoo, Origin
from nodeflow.flow.methods.descent import METHOD, DescentSettings
from nodeflow.flow.objective import Objective
from nodeflow.flow.settings import FlowProblem
from nodeflow.problems import Problem
from nodeflow.seeds import torch_generator
from nodeflow.stack import Networks
from nodeflow.tensors import all_finite
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.paths import training_paths
from nodeflow.zoo.predict import as_items, as_labels, check_labels
from nodeflow.zoo.settings import TrainSettings
from nodeflow.zoo.train import initial_parameters

__all__ = [
    "DescentProblem",
    "Lesson",
    "fit_descents",
    "fit_lessons",
    "start_field",
]

_WATCHED = 32
_FOLLOWED = 64
_FIRST_TARGET = 4.0
_FIRST_SHARE = 2.0
_FIRST_RATE = 1.5

Pairs = tuple[Mapping[str, Tensor], Mapping[str, Tensor]]
"""Stacked networks (K, …), and what each of them started from."""


class DescentProblem(Problem):
    """A descent cannot be fitted or sampled."""


def fit_descents(
    zoos: Mapping[str, LearnedZoo],
    settings: DescentSettings,
    root_seed: int,
    labels: Sequence[str | float],
    device: torch.device | str = "cpu",
) -> tuple[Descent, pd.DataFrame]:
    """Learn to carry initializations to the networks of a zoo, or of each of several.

    Args:
        zoos: name → zoo, with its origin; members as trained, because permuted ones would not fit
            their initializations.
        settings: all choices.
        root_seed: the run's root seed, the one of the zoos too.
        labels: what names this flow.
        device: where to train.

    Raises:
        FlowProblem: a zoo without an origin, or zoos whose members start differently.
        DescentProblem, TensorProblem, ItemProblem: see `Lesson`.
    """
    lessons, first = {}, None
    for name, zoo in zoos.items():
        origin = zoo.origin
        if origin is None or origin.training is None or origin.dataset is None:
            raise FlowProblem(
                "a descent pairs each member with the initialization that it started from, and "
                f"learns on the training items; {name or 'the zoo'} lacks "
                f"{_lacking(origin)}; give each zoo its origin, or choose method codes or paper."
            )
        first = first or origin
        assert first.training is not None
        starts = first.training.initializations
        if origin.training.initializations != starts:
            raise FlowProblem(
                f"a conditional descent needs zoos whose members start alike; those of "
                f"{first.zoo} start from {', '.join(starts)}, those of {name} from "
                f"{', '.join(origin.training.initializations)}."
            )

        def pairs(
            networks: Networks, origin: Origin = origin, training: TrainSettings = origin.training
        ) -> Pairs:
            numbers = networks.members
            initial = initial_parameters(
                origin.architecture, numbers, training, root_seed, origin.zoo
            )
            return networks.take(np.arange(len(numbers))).parameters, initial

        path = None
        if settings.following:
            path = training_paths(
                settings.evaluations + 1, origin.architecture, origin.dataset,
                zoo.training.members[:_FOLLOWED], origin.training, root_seed, origin.zoo,
            )  # fmt: skip
        lessons[name] = Lesson(
            origin.architecture,
            pairs(zoo.training),
            (origin.dataset.train_x, origin.dataset.train_y),
            settings,
            pairs(zoo.held_out) if zoo.held_out is not None and len(zoo.held_out) else None,
            device,
            path,
        )
    assert first is not None and first.training is not None
    return fit_lessons(lessons, settings, first.training.initializations, root_seed, labels, device)


def _lacking(origin: Origin | None) -> str:
    if origin is None:
        return "both"
    wanted = {"initializations": origin.training, "items": origin.dataset}
    return " and ".join(name for name, given in wanted.items() if given is None)


@one_thread_if_small
def fit_lessons(
    lessons: Mapping[str, Lesson],
    settings: DescentSettings,
    initializations: Sequence[str],
    root_seed: int,
    labels: Sequence[str | float],
    device: torch.device | str = "cpu",
) -> tuple[Descent, pd.DataFrame]:
    """Learn to carry the same initializations to the networks of each zoo, and of any.

    Of one zoo, every step is one on it. Of several, every step is one on a zoo drawn at random; in
    a share `label_dropout` of them the label is withheld, and the descent without one learns.

    Args:
        lessons: name, which becomes a label if there are several → the zoo.
        settings: all choices.
        initializations: names of the distributions that members of every zoo start from.
        root_seed: the run's root seed.
        labels: what names this flow; every random number comes from (root_seed, "flow", *labels).
        device: where to train.

    Returns:
        The flow, on the CPU, and one row per report with the columns of `FLOW_HISTORY`: losses
        watched are means over the zoos, each under its own label.
    """
    generator = torch_generator(root_seed, "flow", *labels)
    everything = list(lessons.values())
    architecture = everything[0].architecture
    without = start_field(architecture, everything, settings, generator).to(device)
    fields = {
        name: start_field(architecture, [lesson], settings, generator).to(device)
        for name, lesson in (lessons.items() if len(lessons) > 1 else ())
    }
    for lesson in everything:
        lesson.draw_watched(generator)

    def next_task() -> tuple[Lesson, DescentField]:
        if not fields:
            return everything[0], without
        name = list(lessons)[int(torch.randint(len(lessons), (), generator=generator))]
        withheld = float(torch.rand((), generator=generator)) < settings.label_dropout
        return lessons[name], without if withheld else fields[name]

    def next_loss() -> Tensor:
        lesson, field = next_task()
        return lesson.loss(field, initializations, generator)

    def next_following() -> Tensor:
        lesson, field = next_task()
        return lesson.following(field, generator)

    def watch() -> dict[str, float]:
        losses = pd.DataFrame(
            [lesson.watch(fields.get(name, without)) for name, lesson in lessons.items()]
        )
        return {str(column): float(np.mean(values)) for column, values in losses.items()}

    everyone, task = [without, *fields.values()], "flow " + ", ".join(map(str, labels))
    if settings.following:
        train_fields(everyone, next_following, dict, settings, settings.following, f"{task}: paths")
    history = train_fields(everyone, next_loss, watch, settings, settings.steps, task)
    shapes = {name: tuple(shape) for name, shape in architecture.shapes.items()}
    labelled = {name: field.cpu().eval() for name, field in fields.items()}
    initial = tuple(initializations)
    return Descent(settings, shapes, initial, without.cpu().eval(), labelled), history


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
        path: (K + 1, M, D) flat states of some members in their training, from start to end, for
            as many evaluations; None if none is followed.

    Raises:
        DescentProblem: the architecture predicts a number, texts are to be moved along axes, or
            there are not as many initializations as members.
        TensorProblem: networks are not of the architecture, or not finite.
        ItemProblem: they cannot read the items, or labels are none of their classes.
    """

    def __init__(
        self,
        architecture: Architecture,
        networks: Pairs,
        data: tuple[np.ndarray, np.ndarray],
        settings: DescentSettings,
        held_out: Pairs | None = None,
        device: torch.device | str = "cpu",
        path: Tensor | None = None,
    ) -> None:
        unfit = METHOD.unfit_for_texts(settings) if architecture.tokens else None
        if unfit is not None:
            raise DescentProblem(f"{unfit[0]} {unfit[1]}")
        self.final, self.start_from = _pairs(networks, architecture, "the members", device)
        self.x = as_items(architecture, data[0]).float().to(device)
        self.y = as_labels(data[1], len(self.x)).to(device)
        one = {name: tensor[:1] for name, tensor in self.final.items()}
        with torch.no_grad():
            self.classes = architecture.forward_together(one, self.x[:2]).shape[2]
        if self.classes == 1:
            raise DescentProblem(
                f"{architecture.name} predicts a number, and a descent learns classifiers; choose "
                "method codes or paper."
            )
        check_labels(self.y, self.classes)
        self.architecture, self._settings, self._device = architecture, settings, device
        self._objective = Objective(architecture, self.final, self.start_from, settings)
        self._path = None if path is None else path.to(device)
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
                self.architecture, settings.fresh, initializations, generator
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

    def following(self, field: DescentField, generator: torch.Generator) -> Tensor:
        """How far evaluations alone lead members from their next states, drawn for one step.

        It is a mean over evaluations of squares, in units of how far the members go in each.
        """
        assert self._path is not None
        some = self._some(self._path.shape[1], self._settings.batch, generator)
        way = (self._path[1:] - self._path[:-1]).square().sum(dim=2).mean(dim=1)
        missed = field.follow(self._path[:-1, some]) - self._path[1:, some]
        return (missed.square().sum(dim=2).mean(dim=1) / way.clamp_min(1e-3 * way.mean())).mean()

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
        if field.tokens is None:
            field.items.copy_(x[chosen].view_as(field.items))
        else:
            # Each text is mixed with others, and counts most.
            others = torch.randint(len(x), (count, field.tokens.shape[3] - 1), generator=generator)
            texts = x[torch.cat([chosen[:, None], others], dim=1)]
            field.tokens.copy_(texts.transpose(1, 2).reshape(field.tokens.shape))
            field.items[..., 0] = _FIRST_SHARE
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
    networks: Pairs,
    architecture: Architecture,
    what: str,
    device: torch.device | str,
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
