"""Filtered starts: states at an origin from the latest observations of nodes and neighbours.

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


def initial_filter(replicates: int, lags: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """Parameters of the filters of R replicates before training; none for a single observation."""
    if lags == 1:
        return {}
    return {
        "start.forget": torch.full((replicates, 2), _FORGET, dtype=dtype),
        "start.share": torch.full((replicates, 1), _SHARE, dtype=dtype),
    }


def filtered_start(parameters: Mapping[str, Tensor], latest: Latest, neighbours: Tensor) -> Tensor:
    """States at origins.

    What was not observed has no weight. A node without any of its latest observations starts like
    its neighbours, and where those have none either, like the mean of all nodes.

    Args:
        parameters: of `initial_filter`; without them starts are the latest observation alone.
        latest: what was observed.
        neighbours: (n, n), not negative: weights of j for i.

    Returns:
        (R, B, n).
    """
    if "start.forget" in parameters:
        rate = softplus(parameters["start.forget"])[:, :, None, None]
        share = torch.sigmoid(parameters["start.share"])[:, None]
    else:
        rate, share = (
            latest.ages.new_zeros(len(parameters["spread"]), 2, 1, 1),
            latest.ages.new_zeros(()),
        )
    weights = torch.exp(-rate * latest.ages)
    seen = latest.values * latest.known
    total, weight = (torch.einsum("rbl,bln->rbn", weights[:, 0], x) for x in (seen, latest.known))
    far = [torch.einsum("rbl,bln->rbn", weights[:, 1], x) for x in (seen, latest.known)]
    near_total, near_weight = ((neighbours @ x.flatten(0, 1).T).T.reshape(x.shape) for x in far)
    everyone = (total.sum(-1) / weight.sum(-1))[..., None].expand_as(total)
    near = _ratio(near_total, near_weight, everyone)
    observed = _ratio(total, weight, near)
    return torch.where(near_weight > _TINY, (1 - share) * observed + share * near, observed)


def _ratio(total: Tensor, weight: Tensor, otherwise: Tensor) -> Tensor:
    """Their ratio, or something else where nothing was observed; without division by 0."""
    there = weight > _TINY
    return torch.where(there, total / torch.where(there, weight, 1.0), otherwise)


_TINY = 1e-30
"""Weight below which nothing was observed; single precision holds it."""
