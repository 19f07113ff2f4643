"""The gauge closest to a network, by weight matching."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from nodeflow.canonical.matching import MatchSettings, match
from nodeflow.canonical.symmetry import Symmetry
from nodeflow.judge.novelty import Align

__all__ = ["closest_gauge"]


def closest_gauge(symmetry: Symmetry, settings: MatchSettings) -> Align:
    """What `judge_panel` needs to measure distances up to permutations (and signs) of units.

    Args:
        symmetry: which units may change places.
        settings: of the matching.
    """

    def align(networks: Mapping[str, Tensor], one: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return match(networks, one, symmetry, settings).applied(networks, symmetry)

    return align
