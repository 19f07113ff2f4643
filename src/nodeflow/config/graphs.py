"""Graphs: sizes, counts, real networks and null models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import StringConstraints
from pydantic_core import PydanticCustomError

from nodeflow.config.section import Section, is_file, key
from nodeflow.graphs.real import REAL_NETWORKS
from nodeflow.graphs.settings import NULLS
from nodeflow.settings.fields import (
    Count,
    OneOf,
    Positive,
    Size,
    Some,
    Strict,
    Text,
    Unique,
    fault,
    meaning,
)

__all__ = ["Graphs"]


class TrainingGraphs(Section):
    """Graphs that neural ODEs are trained on."""

    size: Size = key("number of nodes of the training graphs")
    graphs: Count = key("training graphs per cell")


class TestGraphs(Section):
    """Graphs that they are tested on."""

    graphs: Count = key("test graphs per cell")


class Nulls(Section):
    """Null models beside networks."""

    models: Unique[Annotated[str, OneOf(NULLS)]] = key(
        "null models of every network and of S1 cells: same degrees, same density"
    )
    graphs: Count = key("graphs per network and null model")


class Graphs(Section):
    """Graphs of every stage."""

    sizes: Some[Size] = key("numbers of nodes N of the test graphs in the size experiment")
    mean_degree: Positive = key("expected mean degree k̄ of every graph, exact at every N")
    training: TrainingGraphs
    test: TestGraphs
    networks: Unique[Annotated[str, OneOf(REAL_NETWORKS)]] = key(
        "real networks to measure and simulate beside the S1 graphs"
    )
    files: dict[
        Annotated[str, Strict(), StringConstraints(pattern=r"^[a-z0-9-]{1,60}$")],
        Annotated[
            Text,
            meaning(
                "path of an edge list of your own, by a name of your choice: two node ids a line"
            ),
        ],
    ]
    nulls: Nulls

    def faults(self) -> Iterator[PydanticCustomError]:
        """Files that are not there, and names that are taken."""
        for name, path in self.files.items():
            if not is_file(path):
                yield fault(f"files.{name}", f"is {path}, which is not a file.")
            if name in self.networks:
                yield fault(
                    f"files.{name}",
                    "has the name of a network that is in graphs.networks; choose another name.",
                )
