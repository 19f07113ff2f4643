"""Method "descent": from initializations to trained networks, along a learned descent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Le

from nodeflow.flow.method import Fitting, Generator, LearnedZoo, Method, Written
from nodeflow.flow.settings import FlowSettingsProblem, Width
from nodeflow.settings.fields import Count, NonNegative, Positive, Share, Whole, checked, meaning

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["METHOD", "DescentSettings"]


@checked(FlowSettingsProblem)
@dataclass(frozen=True)
class DescentSettings:
    """How a flow from initializations to trained networks is built and trained.

    Networks that fresh initializations lead to have to be distributed as members are. Axes: probes'
    items are moved along the principal axes of the training items instead of feature by feature, in
    units of the training items' standard deviation along each.
    """

    method: Annotated[str, meaning("the name of the method")] = "descent"
    evaluations: Annotated[
        Count, meaning("its steps from an initialization, one gradient each")
    ] = 24
    probes: Annotated[Count, meaning("learned items in each evaluation")] = 64
    steps: Annotated[Count, meaning("optimizer steps")] = 600
    following: Annotated[
        Whole,
        Ge(0),
        Le(10**9),
        meaning(
            "steps before these in which each evaluation alone learns to go on from where members "
            "were in their training, some of which are trained once more for it; 0 for none"
        ),
    ] = 0
    batch: Annotated[Count, meaning("members in a step")] = 8
    fresh: Annotated[Width, meaning("initializations in a step that no member started from")] = 8
    others: Annotated[
        Width,
        meaning("members that the networks of a step are compared with"),
    ] = 32
    noise: Annotated[
        NonNegative,
        meaning(
            "standard deviation of the random weights of its probes at the start of "
            "training; 0 for none"
        ),
    ] = 0.3
    items: Annotated[Count, meaning("training items in a step")] = 256
    learning_rate: Annotated[
        Positive, meaning("of Adam at the start, for the probes; it falls along a cosine")
    ] = 0.03
    rate_learning_rate: Annotated[
        Positive, meaning("of Adam, for rates, floors, decays and noise")
    ] = 0.03
    axes_learning_rate: Annotated[
        NonNegative,
        meaning("rate along the principal axes of the training items; 0: feature by feature"),
    ] = 0.0
    weight_fit: Annotated[
        NonNegative,
        meaning(
            "weight of the distance to a member's weights, in units of how far members "
            "move, beside the divergence of predictions in nats"
        ),
    ] = 0.03
    power_fit: Annotated[
        NonNegative,
        meaning("weight of how far mean squares are from the zoo's"),
    ] = 100.0
    near_fit: Annotated[
        NonNegative,
        meaning(
            "weight of how far distances to the nearest members' predictions are from members'"
        ),
    ] = 0.0
    label_dropout: Annotated[
        Share,
        meaning("of a conditional flow: share of the steps whose label is withheld"),
    ] = 0.1

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file's parameters; `settings_of` reads them back."""
        return asdict(self)


class Descents(Method):
    """Trained through its own sampler; see `nodeflow.flow.descent`."""

    about = (
        "goes from random initializations along the gradients of a learned loss on learned probes, "
        "and is told in training where its members started and on which items they were trained"
    )
    title = "flow along training"
    settings = DescentSettings()
    fixed = frozenset(("method", "probes"))
    sized_by = "probes"
    alignments = ("raw",)
    starts = True
    solvers = ("euler",)
    colours = ("#B2182B", "#B2182B")

    def steps(self, settings: Any) -> int | None:
        """Those that it learned."""
        evaluations: int = settings.evaluations
        return evaluations

    def unfit_for_texts(self, settings: Any) -> tuple[str, str] | None:
        """See `Method`: probes are then mixtures of tokens, which have no axes."""
        if not settings.axes_learning_rate:
            return None
        why = "probes of networks that read texts are mixtures of tokens, which have no axes"
        return "axes_learning_rate", f"is {settings.axes_learning_rate}; {why}, so set it to 0."

    def fit(self, zoos: Mapping[str, LearnedZoo], how: Fitting) -> tuple[Generator, pd.DataFrame]:
        """See `Method`; members have to be as trained, and their origins known."""
        from nodeflow.flow.lessons import fit_descents

        return fit_descents(zoos, how.settings, how.root_seed, how.labels, how.device)

    def read(self, written: Written) -> Generator:
        """See `Method`."""
        from nodeflow.flow.descent import Descent

        return Descent.of(
            written.settings, written.shapes, written.labels, written.tensors, written.about
        )


METHOD = Descents()
