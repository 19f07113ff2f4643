"""How networks are matched and canonicalized, without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from nodeflow.problems import Problem
from nodeflow.settings.fields import Count, Flag, OneOf, Whole, checked, meaning

__all__ = [
    "HEADS",
    "REFERENCES",
    "STARTS",
    "STATISTICS",
    "AlignProblem",
    "CanonicalSettings",
    "MatchProblem",
    "MatchSettings",
]

STARTS = ("signature", "identity")
"""Where matching may start: from units matched by their signatures, or from the given order."""

HEADS = ("scores", "spectral")
"""How heads are assigned: by the scores of their best rows, or by singular values."""

STATISTICS = ("out", "normalized", "raw")
"""How running statistics take part in the score: not at all, each divided by the root mean square
of the reference's, or as they are."""

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

    With restarts a network is no longer matched alike from every ordering, and with signs not from
    every choice of signs.
    """

    start: Annotated[
        str,
        OneOf(STARTS),
        meaning(
            "identity is Git Re-Basin's; signature first matches units by what no permutation "
            "changes"
        ),
    ] = "signature"
    restarts: Annotated[
        Whole, Ge(0), Le(10**9), meaning("further random starts; the best counts")
    ] = 0
    sweeps: Annotated[Count, meaning("visits of all layers at most")] = 100
    seed: Annotated[Whole, Ge(0), meaning("of the random starts")] = 0
    heads: Annotated[
        str,
        OneOf(HEADS),
        meaning(
            "heads of attention by their best rows (exact), or as TransFusion by singular values"
        ),
    ] = "scores"
    statistics: Annotated[
        str,
        OneOf(STATISTICS),
        meaning("how running statistics count: not, by their root mean square, as they are"),
    ] = "out"
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
