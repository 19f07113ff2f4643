"""Small real networks that networkx carries in its own code, so that nothing is downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodeflow.graphs.graph import Graph

__all__ = ["REAL_NETWORKS", "RealNetwork", "real_network"]


@dataclass(frozen=True)
class RealNetwork:
    """A real network.

    Attributes:
        name: its name in the configuration.
        about: what nodes and edges are.
        source: who measured it.
        generator: name of the networkx function that returns it.
    """

    name: str
    about: str
    source: str
    generator: str


REAL_NETWORKS = {
    network.name: network
    for network in (
        RealNetwork(
            "karate",
            "members of a karate club, linked when they meet outside it (34 nodes)",
            "Zachary, J. Anthropol. Res. 33, 452 (1977)",
            "karate_club_graph",
        ),
        RealNetwork(
            "les-miserables",
            "characters of Hugo's novel, linked when they share a chapter (77 nodes)",
            "Knuth, The Stanford GraphBase (1993)",
            "les_miserables_graph",
        ),
        RealNetwork(
            "florentine-families",
            "families of Renaissance Florence, linked by marriage (15 nodes)",
            "Padgett and Ansell, Am. J. Sociol. 98, 1259 (1993)",
            "florentine_families_graph",
        ),
        RealNetwork(
            "southern-women",
            "women and the social events that they attended, bipartite (32 nodes)",
            "Davis, Gardner, Gardner, Deep South (1941)",
            "davis_southern_women_graph",
        ),
    )
}
"""The networks by name; weights are left out."""


def real_network(name: str) -> Graph:
    """One of `REAL_NETWORKS`, without κ and x.

    Raises:
        GraphProblem: the name is unknown.
    """
    # The configuration reads the names above, and needs nothing that graphs are made with.
    import networkx

    from nodeflow.graphs.checked import GraphProblem
    from nodeflow.graphs.graph import from_networkx

    if name not in REAL_NETWORKS:
        raise GraphProblem(
            f"No real network is called {name!r}; there are {', '.join(REAL_NETWORKS)}."
        )
    return from_networkx(getattr(networkx, REAL_NETWORKS[name].generator)(), weight=None)
