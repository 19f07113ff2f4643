"""What a descent is trained on: how far its networks are from members, and from how these vary."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import kl_div, log_softmax

from nodeflow.flow.energy import energy_distance
from nodeflow.flow.methods.descent import DescentSettings
from nodeflow.zoo.architecture import Architecture
from nodeflow.zoo.loss import cross_entropies

__all__ = ["Objective", "nearest"]


class Objective:
    """How far generated networks are from the members that started where they did, and from all."""

    def __init__(
        self,
        architecture: Architecture,
        final: Mapping[str, Tensor],
        start: Mapping[str, Tensor],
        settings: DescentSettings,
    ) -> None:
        self._architecture, self._settings = architecture, settings
        self._members = len(next(iter(final.values())))
        self._moved = sum(
            float((tensor - start[name]).square().sum()) / self._members
            for name, tensor in final.items()
        )
        self._seconds = {
            name: torch.einsum("koi,koj->ij", tensor, tensor) / tensor.shape[:2].numel()
            for name, tensor in ((n, t.flatten(2)) for n, t in final.items() if t.ndim > 2)
        }
        self._reached, self._first = self._powers(final), self._powers(start)

    def __len__(self) -> int:
        return self._members

    def __call__(
        self, found: Mapping[str, Tensor], final: Mapping[str, Tensor], some: Tensor, x: Tensor
    ) -> Tensor:
        """The loss of networks that started where members `some` of `final` did.

        It is the mean Kullback–Leibler divergence of their predictions on items x from the
        members'; plus, weighted, the squared distance of their weights in units of how far members
        move.
        """
        target = {name: tensor[some] for name, tensor in final.items()}
        with torch.no_grad():
            wanted = log_softmax(self._architecture.forward_together(target, x), dim=2)
        given = log_softmax(self._architecture.forward_together(found, x), dim=2)
        loss = kl_div(given, wanted, log_target=True, reduction="none").sum(dim=2).mean()
        distance = torch.zeros((), device=x.device)
        for name, tensor in found.items():
            distance = distance + (tensor - target[name]).square().sum()
        return loss + self._settings.weight_fit * distance / len(some) / self._moved

    def alike(
        self,
        found: Mapping[str, Tensor],
        final: Mapping[str, Tensor],
        some: Tensor,
        x: Tensor,
        y: Tensor,
    ) -> Tensor:
        """How differently networks and members `some` of `final` are distributed, up to a constant.

        It is the energy distance of their predictions on items x, square roots of probabilities
        whose squared differences are means over items and sums over classes, plus that of their
        mean losses there, in nats, y being the classes; plus, weighted by `near_fit`, that of how
        far their predictions are from the nearest of those members' (of members, of the others').
        """
        with torch.no_grad():
            members, losses = self._seen({n: tensor[some] for n, tensor in final.items()}, x, y)
        predictions, own_losses = self._seen(found, x, y)
        total = energy_distance(predictions, members) + energy_distance(own_losses, losses)
        if self._settings.near_fit:
            # As many members for networks to be near to as a member has others.
            near = nearest(predictions, members[1:])
            itself = torch.full((len(members),), math.inf, device=x.device).diag_embed()
            target = nearest(members, members, itself)
            total = total + self._settings.near_fit * energy_distance(near, target)
        return total

    def power(self, found: Mapping[str, Tensor], first: Mapping[str, Tensor]) -> Tensor:
        """How far, on average, the mean squares of tensors are from those over all members.

        Of a matrix, also that of the products of its rows with all members' rows, which tells how
        near networks come to members whose units are in the best order. What networks gain from
        their initializations is compared, which differ by chance; squared, in units of what members
        reach, weighted by size and by `power_fit`.
        """
        total = torch.zeros((), device=next(iter(found.values())).device)
        ends, starts = self._powers(found), self._powers(first)
        for key, reached in self._reached.items():
            gain = reached - self._first[key]
            error = (ends[key] - starts[key] - gain) / reached.clamp_min(1e-30)
            share = found[key[0]][0].numel() / self._architecture.parameters
            total = total + share * error.square()
        return self._settings.power_fit * total

    def _powers(self, networks: Mapping[str, Tensor]) -> dict[tuple[str, str], Tensor]:
        """The means over networks that `power` compares."""
        powers = {(name, "own"): tensor.square().mean() for name, tensor in networks.items()}
        for name, second in self._seconds.items():
            rows = networks[name].flatten(2)
            powers[name, "members"] = (rows @ second * rows).mean()
        return powers

    def _seen(self, networks: Mapping[str, Tensor], x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Of each network what `alike` compares: predictions (M, n, classes) and losses (M, 1)."""
        logits = self._architecture.forward_together(networks, x)
        losses = cross_entropies(logits, y).mean(dim=1, keepdim=True)
        return (log_softmax(logits, dim=2) / 2).exp() / math.sqrt(len(x)), losses


def nearest(a: Tensor, b: Tensor, besides: Tensor | float = 0.0) -> Tensor:
    """(M, 1) distance of each of the M rows of a to the nearest of b, with this added to each."""
    distances = torch.cdist(a.flatten(1), b.flatten(1)) + besides
    return distances.min(dim=1, keepdim=True).values
