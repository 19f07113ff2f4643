"""Filtered starts: the state at an origin from the latest observations of a node and its neighbours.

A single observation is noisy, above all a count. The start is (1 − m) times an average over the
latest observations of the node plus m times the same of its neighbours, both with weights that fall
exponentially with age. The share m and both rates of forgetting are learned with the vector field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

__all__ = ["Latest", "filtered_start", "initial_filter"]

_FORGET = 2.5
"""Before training: the latest observation has 92 % of the weight at even times."""

_SHARE = -2.5
"""Logarithm of the odds of the neighbours' share before training: 8 %."""


@dataclass(frozen=True)
class Latest:
    """The latest L observations at each of B origins, newest first.

    Attributes:
        values: (B, L, n), 0 where missing.
        known: (B, L, n), 1 where observed and 0 where not.
        ages: (B, L), time since each of them, in the forecaster's unit.
    """

    values: Tensor
    known: Tensor
    ages: Tensor


def initial_filter(replicates: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """Parameters of the filters of R replicates before training."""
    return {
        "start.forget": torch.full((replicates, 2), _FORGET, dtype=dtype),
        "start.share": torch.full((replicates, 1), _SHARE, dtype=dtype),
    }


def filtered_start(parameters: Mapping[str, Tensor], latest: Latest, neighbours: Tensor) -> Tensor:
    """States at origins.

    What was not observed has no weight. A node without any of its latest observations starts like
    its neighbours, and where those have none either, like the mean of all nodes.

    Args:
        parameters: of `initial_filter`.
        latest: what was observed.
        neighbours: (n, n), not negative: weights of j for i.

    Returns:
        (R, B, n).
    """
    weights = torch.exp(-softplus(parameters["start.forget"])[:, :, None, None] * latest.ages)
    own, neighbour = weights[:, 0], weights[:, 1]
    total, weight = (torch.einsum("rbl,bln->rbn", own, x) for x in (latest.values * latest.known, latest.known))
    far = [torch.einsum("rbl,bln->rbn", neighbour, x) for x in (latest.values * latest.known, latest.known)]
    near_total, near_weight = ((neighbours @ x.flatten(0, 1).T).T.reshape(x.shape) for x in far)
    everyone = (total.sum(-1) / weight.sum(-1).clamp_min(_TINY))[..., None].expand_as(total)
    near = torch.where(near_weight > _TINY, near_total / near_weight.clamp_min(_TINY), everyone)
    share = torch.sigmoid(parameters["start.share"])[:, None]
    share = torch.where(near_weight > _TINY, share, 0.0)
    mixed = (1 - share) * total / weight.clamp_min(_TINY) + share * near
    return torch.where(weight > _TINY, mixed, near)


_TINY = 1e-30
"""Weight below which nothing was observed; single precision holds it."""
