"""Settings of forecasters: neural ODEs with inputs, trained on rollouts under a likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le, Lt

from nodeflow.graphs.normalize import NORMALIZATIONS
from nodeflow.neural_ode.likelihoods import LIKELIHOODS
from nodeflow.problems import Problem
from nodeflow.settings.fields import (
    Count,
    Counts,
    Number,
    OneOf,
    Positive,
    Text,
    Unique,
    Whole,
    checked,
    meaning,
)

__all__ = ["ForecasterProblem", "ForecasterSettings"]


class ForecasterProblem(Problem):
    """A forecaster cannot be trained or used with this; the text says what to change."""


@checked(ForecasterProblem)
@dataclass(frozen=True)
class ForecasterSettings:
    """How a forecaster is built and trained; see `nodeflow.neural_ode.train_forecaster`."""

    likelihood: Annotated[
        Text,
        OneOf(["auto", *LIKELIHOODS]),
        meaning(
            "of observations: auto takes poisson where all of them are counts, and gaussian "
            "otherwise; counts are rate times exposure"
        ),
    ] = "auto"
    scale: Annotated[
        Text,
        OneOf(["linear", "log"]),
        meaning(
            "of states inside: linear in the rate, or log(1 + rate / mean rate), which learns "
            "growth from fewer data, and exaggerates it where rates exceed those seen"
        ),
    ] = "linear"
    beyond: Annotated[
        Text,
        OneOf(["constant", "proportional"]),
        meaning(
            "what functions are above the states seen in training: they keep their values, or f "
            "and h_alt grow in proportion to the state, so that relative rates of change keep "
            "theirs, which takes counts on the linear scale"
        ),
    ] = "constant"
    normalization: Annotated[
        Text,
        OneOf(list(NORMALIZATIONS)),
        meaning("of the adjacency matrix, where A_ij is what j does to i"),
    ] = "row"
    periods: Annotated[
        Unique[Positive], meaning("of seasons, in the unit of time of the series; none by default")
    ] = ()
    harmonics: Annotated[
        Whole, Ge(1), Le(100), meaning("sines and cosines of each period, up to this order")
    ] = 2
    lags: Annotated[
        Whole,
        Ge(1),
        Le(1000),
        meaning(
            "latest observations, of a node and its neighbours, that the start of a rollout is "
            "filtered from; 1 starts at the node's latest"
        ),
    ] = 6
    horizon: Annotated[
        Whole, Ge(1), Le(1000), meaning("observation times that a rollout in training looks ahead")
    ] = 4
    substeps: Annotated[
        Whole, Ge(1), Le(1000), meaning("midpoint steps between two observation times")
    ] = 1
    models: Annotated[
        Count, meaning("trained from different starts; their mean is the forecast")
    ] = 5
    hidden: Annotated[Counts, meaning("widths of the hidden layers of each network")] = (16,)
    steps: Annotated[Count, meaning("optimizer steps, at most")] = 300
    batch: Annotated[Count, meaning("origins of rollouts in a step")] = 24
    learning_rate: Annotated[
        Positive, meaning("of Adam at the start; it falls to 0 along a cosine")
    ] = 1e-2
    clip: Annotated[Positive, meaning("largest norm of a model's gradient")] = 1.0
    validation: Annotated[
        Number,
        Ge(0),
        Lt(1),
        meaning(
            "share of origins, the latest of each run, on which the number of steps is chosen "
            "before models are trained anew on all; 0 takes all steps"
        ),
    ] = 0.25
    precision: Annotated[
        Text, OneOf(["single", "double"]), meaning("of the arithmetic in training and forecasts")
    ] = "single"
