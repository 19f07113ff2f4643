from .align import Aligned, AlignProblem, align_block, alignment_report, distances
from .barrier import barrier_heights, loss_barrier
from .derive import check_symmetry, derive_symmetry
from .matching import (
    HEADS,
    STARTS,
    STATISTICS,
    Matching,
    MatchProblem,
    MatchSettings,
    match,
    similarity,
)
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
    "HEADS",
    "STARTS",
    "STATISTICS",
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
    "check_symmetry",
    "compose",
    "derive_symmetry",
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
