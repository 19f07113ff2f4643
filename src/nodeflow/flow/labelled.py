"""Conditional descents: one for each of several zoos, and one that knows no label.

A label of such a flow is a set of probes with their rates. The descent without a label learns all
zoos at once; as it carries each initialization to one network only, it does not draw a zoo by lot
but finds networks that suit every zoo as well as one network can. Guidance is that of
`nodeflow.flow.conditional`, in terms of what an evaluation takes from each tensor: both descents
look at the same network under the same noise, each with its own running averages of its own
gradients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nodeflow.flow.descent import Descent, Lesson, start_field, train_fields
from nodeflow.flow.settings import DescentSettings
from nodeflow.seeds import torch_generator
from nodeflow.threads import one_thread_if_small
from nodeflow.zoo.architectures import Architecture

__all__ = ["fit_labelled_descents"]


@one_thread_if_small
def fit_labelled_descents(
    lessons: Mapping[str, Lesson],
    architecture: Architecture,
    settings: DescentSettings,
    initializations: Sequence[str],
    root_seed: int,
    labels: tuple[str | float, ...],
    device: torch.device,
) -> tuple[Descent, pd.DataFrame]:
    """Learn to carry the same initializations to the networks of each zoo, and of any.

    Every step is one on a zoo drawn at random; in a share `label_dropout` of them the label is
    withheld, and the descent without one learns.

    Args:
        lessons: name, which becomes a label → the zoo.
        architecture: of all networks.
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
    without = start_field(architecture, everything, settings, generator).to(device)
    fields = {
        name: start_field(architecture, [lesson], settings, generator).to(device)
        for name, lesson in lessons.items()
    }
    for lesson in everything:
        lesson.draw_watched(generator)

    def next_loss() -> Tensor:
        name = list(lessons)[int(torch.randint(len(lessons), (), generator=generator))]
        withheld = float(torch.rand((), generator=generator)) < settings.label_dropout
        field = without if withheld else fields[name]
        return lessons[name].loss(field, initializations, generator)

    def watch() -> dict[str, float]:
        found = pd.DataFrame([lesson.watch(fields[name]) for name, lesson in lessons.items()])
        return {str(column): float(np.mean(losses)) for column, losses in found.items()}

    history = train_fields([without, *fields.values()], next_loss, watch, settings, labels)
    shapes = {name: tuple(shape) for name, shape in architecture.shapes.items()}
    labelled = {name: field.cpu().eval() for name, field in fields.items()}
    initial = tuple(initializations)
    return Descent(settings, shapes, initial, without.cpu().eval(), labelled), history
