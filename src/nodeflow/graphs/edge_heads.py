"""What the head of an edge list says of its directions and weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from nodeflow.graphs.edge_lines import (
    EdgeListProblem,
)

__all__ = ["KONECT", "UNWEIGHTED", "check_head", "said_directions"]

KONECT = re.compile(r"%\s*(sym|asym|bip)\b\s*(\w*)")
"""The first line of a file of KONECT: whether it is directed or bipartite, and its weights."""

UNWEIGHTED = ("", "unweighted", "positive")
"""KONECT's words for edges without weights; those of `positive` may be repeated."""

_DENIED = r"(?!\"?\s*[:=]\s*\"?(no|false|0)\b)"

_DIRECTED = re.compile(rf"(?<!non-)(?<!non )(?<!not )\bdirected\b{_DENIED}")

_UNDIRECTED = re.compile(rf"\bundirected\b{_DENIED}")


def check_head(path: Path, head: Sequence[tuple[int, str]], directed: bool, simplify: bool) -> None:
    """Refuse what the head says and the arguments do not cover."""
    for number, line in head:
        where = f"{path}, line {number}"
        konect = KONECT.match(line.lower())
        if konect and konect[1] == "bip":
            raise EdgeListProblem(
                f"{where}: the file is bipartite, so that 1 in one column and 1 in the other are "
                "two nodes; add the largest id of the first column to all ids of the second, "
                "and delete this line."
            )
        said = said_directions(line)
        if directed and said is False:
            raise EdgeListProblem(
                f"{where}: the file says that its edges are undirected; leave out directed=True, "
                "or delete this line if it is wrong."
            )
        if said and not (directed or simplify):
            raise EdgeListProblem(
                f"{where}: the file says that its edges are directed; read it with directed=True "
                "to keep directions, or with simplify=True if they may be left out."
            )


def said_directions(line: str) -> bool | None:
    """Whether a line of a file's head calls its edges directed; None if it does not say."""
    text = line.lower()
    konect = KONECT.match(text)
    if konect and konect[1] in ("sym", "asym"):
        return konect[1] == "asym"
    if _DIRECTED.search(text):
        return True
    return False if _UNDIRECTED.search(text) else None
