"""Canonicalization of zoos."""

from __future__ import annotations

from typing import Annotated

from nodeflow.canonical.settings import REFERENCES, MatchSettings
from nodeflow.config.section import Section, key
from nodeflow.settings.fields import Count, Flag, Keys, OneOf, Size

__all__ = ["Canonical"]


class Barrier(Section):
    """Loss on the lines from a zoo's reference to other members."""

    pairs: Count = key("members whose line to the reference is measured")
    points: Size = key("networks on each line")
    calibration: Size = key("training items that running statistics are measured on anew")


class Canonical(Section):
    """How members are brought into one form."""

    reference: Annotated[str, OneOf(REFERENCES)] = key(
        "what members are matched to: the first of their zoo, or the common centre of those a "
        "flow learns from (universe)"
    )
    matching: Annotated[MatchSettings, Keys()]
    balance: Flag = key(
        "whether units behind a ReLU are first scaled to weigh the same on both sides"
    )
    residual: Flag = key(
        "whether the units of residual streams are matched; false leaves them in place"
    )
    barrier: Barrier
