"""How networks are matched and canonicalized, without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from nodeflow.problems import Problem
from nodeflow.settings.fields import Count, Flag, OneOf, checked, meaning

__all__ = [
    "HEADS",
    "REFERENCES",
    "STARTS",
    "AlignProblem",
    "CanonicalSettings",
    "MatchProblem",
    "MatchSettings",
]

STARTS = ("signature", "identity")
"""Where matching may start: from units matched by their signatures, or from the given order."""

HEADS = ("scores", "spectral")
"""How heads are assigned: by the scores of their best rows, or by singular values."""

REFERENCES = ("first", "universe")
"""What networks of a zoo may be matched to: its first member, or the common centre of all."""


class MatchProblem(Problem):
    """Settings or networks with which nothing can be matched; the text says what to do."""


class AlignProblem(Problem):
    """Networks that cannot be aligned at all; the text says why."""


@checked(MatchProblem)
@dataclass(frozen=True)
class MatchSettings:
    """How to match.

    With signs a network is no longer matched alike from every choice of signs.
    """

    start: Annotated[
        str,
        OneOf(STARTS),
        meaning(
            "identity is Git Re-Basin's; signature first matches units by what no permutation "
            "changes"
        ),
    ] = "signature"
    sweeps: Annotated[Count, meaning("visits of all layers at most")] = 100
    heads: Annotated[
        str,
        OneOf(HEADS),
        meaning(
            "heads of attention by their best rows (exact), or as TransFusion by singular values"
        ),
    ] = "scores"
    signs: Annotated[Flag, meaning("whether units behind a tanh may change their signs")] = False


@checked(AlignProblem)
@dataclass(frozen=True)
class CanonicalSettings:
    """How networks are canonicalized.

    See `nodeflow.canonical.balance` and `nodeflow.canonical.universe`. Gupta et al. 2026
    (arXiv:2601.05052) leave the residual streams of transformers in place.
    """

    matching: Annotated[MatchSettings, meaning("of the units")] = field(
        default_factory=MatchSettings
    )
    balance: Annotated[
        Flag,
        meaning("whether units behind a ReLU are first scaled to weigh the same on both sides"),
    ] = False
    residual: Annotated[
        Flag,
        meaning("whether the units of residual streams are matched; false leaves them in place"),
    ] = True
    reference: Annotated[
        str,
        OneOf(REFERENCES),
        meaning(
            "what members are matched to: the first of their zoo, or the common centre of those a "
            "flow learns from (universe)"
        ),
    ] = "first"
