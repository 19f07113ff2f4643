"""Numbers as users have them: arrays and lists, tables, series and mappings with nodes by name."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from nodeflow.graphs.graph import Graph, from_networkx
from nodeflow.problems import Problem, repeated

__all__ = ["as_matrix", "by_node", "checked_start", "first_bad", "increasing", "numbers"]


def numbers(values: Any, what: str, problem: type[Problem]) -> NDArray[np.floating]:
    """Values as an array of float32 (if that is what they are) or float64.

    Masked and missing values become NaN.

    Args:
        values: anything that numpy can make an array of.
        what: they are, for the message: the beginning of a sentence.
        problem: what to raise.

    Raises:
        Problem: the values are no real numbers; dates are none.
    """
    if isinstance(values, np.ma.MaskedArray):
        values = np.asarray(np.ma.filled(values.astype(np.float64), np.nan))
    try:
        array = np.asarray(values)
        if array.dtype in (np.float32, np.float64):
            return array
        if array.dtype.kind in "mMcV":
            raise TypeError
        return array.astype(np.float64)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        kind = getattr(values, "dtype", type(values).__name__)
        raise problem(
            f"{what} have to be real numbers in an array, not {kind}; convert them (of dates, take "
            "the time since the first), with NaN where a value is missing."
        ) from error


def by_node(
    values: Any, nodes: Sequence[Any], what: str, problem: type[Problem]
) -> NDArray[np.floating]:
    """States in the order of the nodes, the last axis.

    What has names goes by them: the keys of a mapping, the index of a pandas Series, the columns of
    a pandas DataFrame, and those of any in a list. All nodes have to be there, and no others.

    Args:
        values: states; without names, they are taken to be in the order of the nodes.
        nodes: names of the nodes.
        what: they are, for the message: the beginning of a sentence.
        problem: what to raise.

    Raises:
        Problem: a node is missing, unknown or named twice, or the states are no real numbers.
    """
    if isinstance(values, list | tuple):
        rows = [by_node(x, nodes, what, problem) if _names(x) is not None else x for x in values]
        return numbers(rows, what, problem)
    names = _names(values)
    if names is None:
        return numbers(values, what, problem)
    _check_names(names, nodes, what, problem)
    row_of = {name: i for i, name in enumerate(names)}
    array = numbers(list(values.values()) if isinstance(values, Mapping) else values, what, problem)
    return np.ascontiguousarray(array[..., [row_of[node] for node in nodes]])


def _names(values: Any) -> list[Any] | None:
    """Names of nodes that come with values; None if they have none."""
    if isinstance(values, Mapping):
        return list(values)
    pandas = sys.modules.get("pandas")  # who has a table of it has loaded it
    if pandas is not None and isinstance(values, pandas.DataFrame):
        return list(values.columns)
    if pandas is not None and isinstance(values, pandas.Series):
        return list(values.index)
    return None


def _check_names(
    names: Sequence[Any], nodes: Sequence[Any], what: str, problem: type[Problem]
) -> None:
    cure = (
        "name them as the graph names its nodes, or give an array without names, in the order of "
        "the nodes"
    )
    there, known = set(names), set(nodes)
    for node in nodes:
        if node not in there:
            raise problem(f"{what} lack node {node!r}: give one for every node; {cure}.")
    for name in names:
        if name not in known:
            raise problem(f"{what} name {name!r}, which is no node of the graph; {cure}.")
    twice = repeated(names)
    if twice:
        raise problem(f"{what} name node {twice[0]!r} twice; keep one of them.")


def first_bad(array: NDArray[np.floating]) -> tuple[int, ...] | None:
    """Where the first value is that is not finite; None if all are."""
    good = np.isfinite(array)
    if good.all():
        return None
    return tuple(int(i) for i in np.unravel_index(int(np.argmin(good)), good.shape))


def checked_start(
    graph: Any, initial: Any, problem: type[Problem]
) -> tuple[Graph, NDArray[np.float64]]:
    """A graph as nodeflow has them, and a state for each of its nodes, (n,).

    Args:
        graph: a networkx graph, or one of nodeflow's.
        initial: a mapping or pandas Series by node, or an array in the graph's order of nodes.
        problem: what to raise.

    Raises:
        GraphProblem: a graph with self-loops, parallel edges or weights that are no numbers.
        Problem: initial states that are not finite, or of other nodes than the graph's.
    """
    inner = graph if isinstance(graph, Graph) else from_networkx(graph, directed=True)
    names = inner.labels
    start = by_node(initial, names, "Initial states", problem)
    if start.shape != (inner.n,):
        raise problem(
            f"Initial states of shape {start.shape} do not fit a graph of {inner.n} nodes; "
            "give one number for each node."
        )
    bad = first_bad(start)
    if bad is not None:
        raise problem(
            f"The initial state of node {names[bad[0]]!r} is {start[bad]}; give a finite one."
        )
    return inner, start.astype(np.float64, copy=False)


def increasing(times: Any, what: str, problem: type[Problem]) -> NDArray[np.float64]:
    """Observation times, (T,) float64.

    Args:
        times: as given.
        what: they are, for the message: the beginning of a sentence.
        problem: what to raise.

    Raises:
        Problem: they are no list of at least one number, or not finite, sorted and distinct.
    """
    when = numbers(times, what, problem).astype(np.float64, copy=False)
    if when.ndim != 1 or len(when) == 0:
        raise problem(f"{what} of shape {when.shape} have to be a list of numbers.")
    bad = first_bad(when)
    if bad is not None:
        raise problem(f"{what} have to be finite; number {bad[0]} is {when[bad]}.")
    late = np.flatnonzero(np.diff(when) <= 0)
    if len(late):
        i = int(late[0])
        raise problem(
            f"{what} have to be finite and increasing; {when[i + 1]:g} follows {when[i]:g}: sort "
            "them (and states with them), drop repeats."
        )
    return when


def as_matrix(adjacency: Any, problem: type[Problem]) -> sp.csr_array:
    """An adjacency matrix, (n, n), sparse or dense, as a sparse one.

    Raises:
        Problem: it is no square matrix of finite numbers.
    """
    if isinstance(adjacency, Graph) or hasattr(adjacency, "is_directed"):
        raise problem(
            "An adjacency matrix is needed, not a graph; pass graph.adjacency() (of a networkx "
            "graph, graphs.from_networkx(graph).adjacency())."
        )
    if _names(adjacency) is not None:
        raise problem(
            "An adjacency matrix has no names here; pass table.to_numpy(), with rows and columns "
            "in the same order."
        )
    if sp.issparse(adjacency):
        given: Any = adjacency  # sparse matrices of all formats
        matrix = given if isinstance(given, sp.csr_array) else sp.csr_array(given)
    else:
        dense = numbers(adjacency, "The entries of an adjacency matrix", problem)
        if dense.ndim != 2:
            raise problem(f"An adjacency matrix has two axes, not the shape {dense.shape}.")
        matrix = sp.csr_array(dense)
    n, columns = matrix.shape
    if n != columns:
        raise problem(f"An adjacency matrix has to be square, not {n} × {columns}.")
    if matrix.dtype.kind not in "biuf" or not np.isfinite(matrix.data).all():
        raise problem("The entries of an adjacency matrix have to be finite real numbers.")
    return matrix
