"""What was read of a zoo from elsewhere, in words."""

from __future__ import annotations

from collections.abc import Iterable

from nodeflow.canonical.symmetry import Symmetry
from nodeflow.datasets import Dataset
from nodeflow.zoo.imports import Imported

__all__ = ["import_notes"]


def import_notes(
    zoo: Imported, symmetry: Symmetry, dataset: Dataset | None, remarks: Iterable[str] = ()
) -> str:
    """A page of plain sentences on networks, what was left out, and what may change places.

    Args:
        zoo: the networks.
        symmetry: of their architecture.
        dataset: what they are judged on; None if there is nothing.
        remarks: further sentences.
    """
    architecture, rows = zoo.architecture, zoo.report
    kinds = ", ".join(sorted(set(rows.loc[rows["status"] == "ok", "dtype"])))
    lines = [
        f"{len(zoo.members)} of {len(rows)} checkpoints are networks of {architecture.name}: "
        f"{architecture.parameters:,} parameters in {len(architecture.shapes)} tensors, saved as "
        f"{kinds}.",
        *remarks,
    ]
    lines += [f"Left out: {reason}" for reason in rows["reason"] if reason]
    if dataset is None:
        lines.append(
            "There are no items to judge on (data), so accuracies, losses and overlaps of errors "
            "are empty; distances and all else are not."
        )
    else:
        lines.append(
            f"They are judged on {len(dataset.test_y)} items of {dataset.name}; "
            f"{len(dataset.train_y)} are training items."
        )
        if architecture.statistics and not len(dataset.train_y):
            lines.append(_UNMEASURED)
    if dataset is None and architecture.statistics:
        lines.append(_UNMEASURED)
    for group in symmetry.groups:
        places = ", ".join(dict.fromkeys(place.tensor for place in group.places))
        heads = f" in {group.heads} heads" if group.heads > 1 else ""
        lines.append(f"May change places: {group.size} units{heads} of {places}.")
    lines += [f"Stays in place: {frozen}." for frozen in symmetry.frozen]
    if symmetry.unmatched:
        lines.append(f"Nothing is aligned: {symmetry.unmatched}.")
    return "\n".join(lines) + "\n"


_UNMEASURED = (
    "There are no training items to measure running statistics on, so generated networks have "
    "those of the first member."
)
