"""Canonicalization: the symmetries of networks, and what becomes of weights without them."""

from nodeflow.canonical.align import Aligned, AlignProblem, align_block, alignment_report, distances
from nodeflow.canonical.barrier import barrier_heights, loss_barrier
from nodeflow.canonical.matching import (
    STARTS,
    Matching,
    MatchProblem,
    MatchSettings,
    match,
    similarity,
)
from nodeflow.canonical.scaling import Balanced, balance
from nodeflow.canonical.store import ALIGNMENT, BARRIER
from nodeflow.canonical.symmetry import (
    Group,
    Place,
    Symmetry,
    SymmetryProblem,
    compose,
    identity,
    inverse,
    mlp_symmetry,
    permute,
    random_permutations,
    rescale,
)
from nodeflow.canonical.universe import Universe, align_universe

__all__ = [
    "ALIGNMENT",
    "BARRIER",
    "STARTS",
    "AlignProblem",
    "Aligned",
    "Balanced",
    "Group",
    "MatchProblem",
    "MatchSettings",
    "Matching",
    "Place",
    "Symmetry",
    "SymmetryProblem",
    "Universe",
    "align_block",
    "align_universe",
    "alignment_report",
    "balance",
    "barrier_heights",
    "compose",
    "distances",
    "identity",
    "inverse",
    "loss_barrier",
    "match",
    "mlp_symmetry",
    "permute",
    "random_permutations",
    "rescale",
    "similarity",
]
