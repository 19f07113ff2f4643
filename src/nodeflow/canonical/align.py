"""Alignment of a block of networks to one reference network."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from nodeflow.canonical.matching import match
from nodeflow.canonical.scaling import balance
from nodeflow.canonical.scores import in_double, similarity
from nodeflow.canonical.settings import (
    REFERENCES,
    AlignProblem,
    CanonicalSettings,
    MatchSettings,
)
from nodeflow.canonical.symmetry import Symmetry, identity, permute, rescale
from nodeflow.tensors import arrange, as_tensors, not_finite
from nodeflow.threads import one_thread_if_small

__all__ = [
    "REFERENCES",
    "AlignProblem",
    "Aligned",
    "CanonicalSettings",
    "UnmatchedWarning",
    "align_block",
    "alignment_report",
    "canonicalize",
    "distances",
    "finite",
]


class UnmatchedWarning(UserWarning):
    """Networks are left as they are because nothing of them may move; the text says why."""


@dataclass(frozen=True)
class Aligned:
    """K networks with their units in the order of the reference.

    Attributes:
        parameters: tensors of shape (K, *shape), the same values as before in other places, and
            with other signs if these are matched; under all names that were given.
        permutations: int64 of shape (K, size) for each group: unit i of an aligned network is unit
            permutation[i] of the given one.
        signs: +1 or -1, float64 of shape (K, size), for each group that may change signs.
        report: columns of `ALIGNMENT`, one row a network.
    """

    parameters: dict[str, Tensor]
    permutations: dict[str, Tensor]
    signs: dict[str, Tensor]
    report: pd.DataFrame


@one_thread_if_small
def canonicalize(
    parameters: Mapping[str, Tensor],
    reference: Mapping[str, Tensor],
    symmetry: Symmetry,
    settings: CanonicalSettings,
    members: Sequence[int] | np.ndarray | None = None,
) -> Aligned:
    """Bring networks into the form that is closest to a reference; no function changes.

    As `align_block`, after scaling the networks and the reference if so asked for; a common centre
    is one of scaled networks already. The report is about what was given before, and about what
    came of it after.
    """
    matched = symmetry if settings.residual else symmetry.without_residual()
    given, reference = parameters, symmetry.arrange_one(reference)
    parameters = symmetry.arrange(parameters, reference)
    if not settings.balance:
        return align_block(given, reference, matched, settings.matching, members)
    one = {name: tensor[None] for name, tensor in reference.items()}
    if settings.reference == "first":
        one = balance(one, symmetry).parameters
    aligned = align_block(
        balance(parameters, symmetry).parameters,
        {name: tensor[0] for name, tensor in one.items()},
        matched,
        settings.matching,
        members,
    )
    learned = {name: t for name, t in reference.items() if name not in symmetry.statistics}
    unmoved = {name: parameters[name] for name in learned}
    before = {
        "distance_before": distances(unmoved, learned),
        "objective_before": similarity(unmoved, learned).cpu().numpy(),
    }
    ok = finite(parameters)
    return replace(
        aligned,
        parameters=symmetry.as_given(aligned.parameters, given),
        report=aligned.report.assign(
            **{name: np.where(ok, values, np.nan) for name, values in before.items()}
        ),
    )


@one_thread_if_small
def align_block(
    parameters: Mapping[str, Tensor],
    reference: Mapping[str, Tensor],
    symmetry: Symmetry,
    settings: MatchSettings,
    members: Sequence[int] | np.ndarray | None = None,
) -> Aligned:
    """Permute the units of each network to bring its weights closest to the reference.

    Running statistics among the tensors move with the units and are no part of what is reported.

    No function changes, the reference stays as it is, and a network's result does not depend on the
    others. A network that is not finite stays as it is and has the status "failed". If nothing of
    the architecture may move, all stay as they are: a warning and the report say why.

    Args:
        parameters: tensors of shape (K, *shape), in any order of their names.
        reference: one network, tensors of shape (*shape), likewise.
        symmetry: of their architecture.
        settings: of the matching.
        members: numbers of the networks for the report; 0 … K-1 by default.

    Returns:
        The aligned networks, their tensors in the order of the architecture.

    Raises:
        AlignProblem: the reference is not finite, or the numbers of members are not as many.
        TensorProblem: networks or reference are not of the architecture.
        TieProblem: a shared tensor has different values under its names.
    """
    given, reference = parameters, symmetry.arrange_one(reference)
    parameters = symmetry.arrange(parameters, reference)
    if symmetry.unmatched:
        warnings.warn(f"Nothing is aligned: {symmetry.unmatched}.", UnmatchedWarning, stacklevel=2)
    for name, tensor in reference.items():
        if not tensor.isfinite().all():
            raise AlignProblem(
                f"tensor {name} of the reference network is not finite; name another member as "
                "reference."
            )
    ok = finite(parameters)
    where = torch.from_numpy(np.flatnonzero(ok))
    good = {name: tensor[where.to(tensor.device)] for name, tensor in parameters.items()}
    matching = match(good, reference, symmetry, settings)
    permutations = identity(symmetry, len(ok))
    for name, orders in matching.permutations.items():
        permutations[name][where] = orders
    signs = {name: torch.ones(permutations[name].shape).double() for name in matching.signs}
    for name, sign in matching.signs.items():
        signs[name][where] = sign
    aligned = rescale(permute(parameters, symmetry, permutations), symmetry, signs)
    sweeps = np.zeros(len(ok), dtype=np.int64)
    sweeps[ok] = matching.sweeps
    numbers = np.arange(len(ok)) if members is None else np.asarray(members)
    if len(numbers) != len(ok):
        raise AlignProblem(
            f"{len(numbers)} numbers of members are given for {len(ok)} networks; give each one."
        )
    learned = {name: one for name, one in reference.items() if name not in symmetry.statistics}
    report = alignment_report(parameters, aligned, learned, numbers, sweeps, symmetry.unmatched)
    return Aligned(symmetry.as_given(aligned, given), permutations, signs, report)


def alignment_report(
    before: Mapping[str, Tensor],
    after: Mapping[str, Tensor],
    reference: Mapping[str, Tensor],
    members: np.ndarray,
    sweeps: np.ndarray,
    unmatched: str = "",
) -> pd.DataFrame:
    """How close networks are to a reference before and after: the columns of `ALIGNMENT`.

    Only tensors that the reference has are compared.

    Args:
        before: networks as given, tensors of shape (K, *shape).
        after: the same networks, aligned.
        reference: one network, tensors of shape (*shape).
        members: numbers of the networks, shape (K,).
        sweeps: that each took, shape (K,).
        unmatched: why nothing could be matched; empty if something could.
    """
    ok = finite(before)
    then, now = ({name: tensors[name] for name in reference} for tensors in (before, after))
    numbers = {
        "distance_before": distances(then, reference),
        "distance_after": distances(now, reference),
        "objective_before": similarity(then, reference).cpu().numpy(),
        "objective_after": similarity(now, reference).cpu().numpy(),
    }
    return pd.DataFrame(
        {
            "member": members,
            **{name: np.where(ok, values, np.nan) for name, values in numbers.items()},
            "sweeps": sweeps,
            "status": np.where(ok, "unmatched" if unmatched else "ok", "failed"),
            "reason": np.where(ok, unmatched, "its parameters are not finite"),
        }
    )


@one_thread_if_small
def distances(parameters: Mapping[str, Tensor], reference: Mapping[str, Tensor]) -> np.ndarray:
    """Euclidean distance over all parameters of each network to one, float64 of shape (K,)."""
    squares = []
    one = as_tensors(reference, "the reference")
    shapes = {name: tuple(tensor.shape) for name, tensor in one.items()}
    for name, tensor in arrange(parameters, shapes, {}).items():
        ours = one[name].double().flatten()
        parts = [(part - ours).square_().sum(1) for part in in_double(tensor)]
        squares.append(torch.cat(parts))
    return torch.stack(squares).sum(0).sqrt().cpu().numpy()


def finite(parameters: Mapping[str, Tensor]) -> np.ndarray:
    """Which networks have only finite parameters, bool of shape (K,)."""
    return (~not_finite(parameters)).cpu().numpy()
