"""Small real networks that networkx carries in its own code, so that nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import networkx as nx

from nodeflow.graphs.graph import Graph, GraphProblem, from_networkx

__all__ = ["REAL_NETWORKS", "RealNetwork", "real_network"]


@dataclass(frozen=True)
class RealNetwork:
    """A real network.

    Attributes:
        name: its name in the configuration.
        about: what nodes and edges are.
        source: who measured it.
        load: the network as a networkx graph.
    """

    name: str
    about: str
    source: str
    load: Callable[[], nx.Graph[Any]]


REAL_NETWORKS = {
    network.name: network
    for network in (
        RealNetwork(
            "karate",
            "members of a karate club, linked when they meet outside it (34 nodes)",
            "Zachary, J. Anthropol. Res. 33, 452 (1977)",
            nx.karate_club_graph,
        ),
        RealNetwork(
            "les-miserables",
            "characters of Hugo's novel, linked when they share a chapter (77 nodes)",
            "Knuth, The Stanford GraphBase (1993)",
            nx.les_miserables_graph,
        ),
        RealNetwork(
            "florentine-families",
            "families of Renaissance Florence, linked by marriage (15 nodes)",
            "Padgett and Ansell, Am. J. Sociol. 98, 1259 (1993)",
            nx.florentine_families_graph,
        ),
        RealNetwork(
            "southern-women",
            "women and the social events that they attended, bipartite (32 nodes)",
            "Davis, Gardner, Gardner, Deep South (1941)",
            nx.davis_southern_women_graph,
        ),
    )
}
"""The networks by name; weights and labels are left out."""


def real_network(name: str) -> Graph:
    """One of `REAL_NETWORKS`, without κ and x.

    Raises:
        GraphProblem: the name is unknown.
    """
    if name not in REAL_NETWORKS:
        raise GraphProblem(
            f"No real network is called {name!r}; there are {', '.join(REAL_NETWORKS)}."
        )
    return from_networkx(REAL_NETWORKS[name].load())
