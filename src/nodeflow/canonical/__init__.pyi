from .align import (
    REFERENCES,
    Aligned,
    AlignProblem,
    CanonicalSettings,
    UnmatchedWarning,
    align_block,
    alignment_report,
    canonicalize,
    distances,
)
from .barrier import loss_barrier
from .derive import check_symmetry, derive_symmetry
from .heights import PUBLISHED_BARRIERS, PublishedBarrier, barrier_heights
from .matching import HEADS, STARTS, Matching, MatchProblem, MatchSettings, match
from .scaling import Balanced, balance
from .schemas import ALIGNMENT, BARRIER
from .scores import similarity
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
from .universe import Centre, Universe, align_universe, centre_of_files, find_centre

__all__ = [
    "ALIGNMENT",
    "BARRIER",
    "HEADS",
    "PUBLISHED_BARRIERS",
    "REFERENCES",
    "STARTS",
    "AlignProblem",
    "Aligned",
    "Balanced",
    "CanonicalSettings",
    "Centre",
    "Group",
    "MatchProblem",
    "MatchSettings",
    "Matching",
    "Place",
    "PublishedBarrier",
    "Symmetry",
    "SymmetryProblem",
    "Universe",
    "UnmatchedWarning",
    "align_block",
    "align_universe",
    "alignment_report",
    "balance",
    "barrier_heights",
    "canonicalize",
    "centre_of_files",
    "check_symmetry",
    "compose",
    "derive_symmetry",
    "distances",
    "find_centre",
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
