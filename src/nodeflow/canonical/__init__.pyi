from .align import Aligned, AlignProblem, align_block, alignment_report, distances
from .barrier import barrier_heights, loss_barrier
from .matching import STARTS, Matching, MatchProblem, MatchSettings, match, similarity
from .scaling import Balanced, balance
from .store import ALIGNMENT, BARRIER
from .symmetry import (
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
from .universe import Universe, align_universe

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
