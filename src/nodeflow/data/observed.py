"""A network and its series from files, and in words what was decided on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nodeflow.data.series import Series, read_series
from nodeflow.data.series_files import SeriesProblem
from nodeflow.graphs.files import directions, read_network, read_nodes
from nodeflow.graphs.formats import format_by_name
from nodeflow.graphs.graph import Graph
from nodeflow.problems import Problem

__all__ = ["Note", "Observed", "Source", "note_table", "read_observed"]


@dataclass(frozen=True)
class Source:
    """The files of a network and of series on it; arguments are those of `read_network`.

    Attributes:
        network: file of the network.
        series: file of the series; see `read_series`.
        nodes: file of all nodes of an edge list, one a line; None if each has an edge.
        directed: whether edges have directions; None for what the file says or suggests.
        weighted: whether the third column of an edge list holds weights; None for what it says.
        simplify: whether repeated edges are merged, and self-loops dropped.
    """

    network: str
    series: str
    nodes: str | None = None
    directed: bool | None = None
    weighted: bool | None = None
    simplify: bool = False


@dataclass(frozen=True)
class Note:
    """Something that whoever reads results has to know about the data.

    Attributes:
        topic: what it is about, in a word or two.
        text: sentences.
        limits: whether it limits what can be told from the data.
    """

    topic: str
    text: str
    limits: bool = False


@dataclass(frozen=True, eq=False)
class Observed:
    """What was observed on a network.

    Attributes:
        graph: the whole network.
        series: of its nodes.
        notes: how the files were read.
    """

    graph: Graph
    series: Series
    notes: tuple[Note, ...]


def read_observed(source: Source, key: str = "") -> Observed:
    """Read a network and the series on it.

    Args:
        source: the files.
        key: of the configuration that holds `source`, if there is one: sentences then name its
            keys in place of the arguments of `read_network`.

    Raises:
        SeriesProblem: a file does not hold what it should; the text names the file, the line or
            column, and the cure.
    """
    try:
        return _read(source)
    except Problem as problem:
        text = str(problem)
        if key:
            text = re.sub(
                r"\b(directed|weighted|simplify)=(True|False)",
                lambda found: f"{key}.{found[1]}: {found[2].lower()}",
                text,
            )
        raise SeriesProblem(text) from problem


def note_table(notes: Iterable[Note]) -> pd.DataFrame:
    """Notes as rows, with the columns of `nodeflow.data.tables.NOTES`."""
    rows = [(note.topic, note.text, note.limits) for note in notes]
    return pd.DataFrame(rows, columns=["topic", "note", "limits"])


def _read(source: Source) -> Observed:
    suggested = directions(source.network)
    directed = suggested.directed if source.directed is None else source.directed
    graph = read_network(
        source.network,
        None if source.nodes is None else read_nodes(source.nodes),
        directed=directed,
        weighted=source.weighted,
        simplify=source.simplify,
    )
    series = read_series(source.series, graph)
    _refuse_header(source, graph, series)
    said = "as the configuration says" if source.directed is not None else ""
    return Observed(graph, series, (_directions(directed, said or suggested.why), _weights(graph)))


def _refuse_header(source: Source, graph: Graph, series: Series) -> None:
    """Refuse a line of column names that was taken for an edge, as any two names may be one.

    Its two nodes come first, are linked to each other alone, and have no series.
    """
    names, matrix = graph.labels[:2], graph.skeleton().adjacency()
    linked = matrix[[0, 1]].indices.tolist() if graph.n > 2 else []
    is_list = source.nodes is None and format_by_name(Path(source.network)) is None
    texts = all(isinstance(name, str) for name in names)
    if is_list and texts and linked == [1, 0] and not series.observed[:2].any():
        raise SeriesProblem(
            f"{source.network}: {names[0]!r} and {names[1]!r}, the first nodes, are linked to each "
            "other alone and have no series; if they are names of columns, call these source and "
            "target, or node1 and node2 of an undirected network; if they are nodes, leave them "
            "out or name all nodes in a file of their own."
        )


def _directions(directed: bool, why: str) -> Note:
    if directed:
        text = f"Edges are taken as directed, the first node acts on the second one: {why}."
    else:
        text = f"Edges are taken as undirected, both nodes act on each other: {why}."
    return Note("directions", text)


def _weights(graph: Graph) -> Note:
    if graph.weights is None:
        return Note("weights", "Edges have no weights: each counts as 1.")
    low, high = graph.weights.min(), graph.weights.max()
    text = f"Edges have weights, from {low:.3g} to {high:.3g}."
    negative = int(np.count_nonzero(graph.weights < 0))
    if negative:
        text += (
            f" {negative} of {len(graph.weights)} are negative, and are used as they are: such an "
            "edge has the opposite effect of a positive one."
        )
    return Note("weights", text)
