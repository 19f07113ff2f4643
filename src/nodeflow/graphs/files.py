"""Edge lists that a user brings along."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nodeflow.graphs.graph import Graph, build_graph
from nodeflow.problems import Problem

__all__ = ["EdgeListProblem", "read_edge_list"]

COMMENTS = ("#", "%")
LARGEST_ID = np.iinfo(np.int32).max - 1


class EdgeListProblem(Problem):
    """An edge list cannot be used; the text names the file, the line and the cure."""


def read_edge_list(path: str | Path, nodes: int | None = None) -> Graph:
    """Read an undirected edge list: two node ids a line.

    Ids are separated by a comma, a semicolon, or white space. Blank lines and lines that begin
    with # or % are skipped; so is a first line without a number (a header). The file may be
    compressed with gzip (name ending in .gz).

    Args:
        path: the file.
        nodes: number of nodes, with ids 0 … nodes − 1, some of which may have no edge. By default
            the nodes are the ids that occur, renumbered from 0 in ascending order.

    Raises:
        EdgeListProblem: the file is missing, unreadable or empty, or a line is not a pair of
            non-negative integers, is a self-loop, repeats an edge, or names a node that is not
            below `nodes`.
    """
    path = Path(path)
    pairs, numbers = _parse(path)
    _check(path, pairs, numbers, nodes)
    if nodes is not None:
        return build_graph(nodes, pairs)
    ids, renumbered = np.unique(pairs, return_inverse=True)
    return build_graph(len(ids), renumbered.reshape(-1, 2))


def _parse(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pairs, shape (M, 2), and the line number of each, shape (M,)."""
    pairs: list[tuple[int, int]] = []
    numbers: list[int] = []
    header_allowed = True
    for number, line in _lines(path):
        fields = _fields(line)
        is_header = header_allowed and not any(_is_number(field) for field in fields)
        header_allowed = False
        if is_header:
            continue
        if len(fields) != 2:
            raise EdgeListProblem(
                f"{path}, line {number}: {len(fields)} columns; keep the two columns of node ids "
                "(weights and times are not used)."
            )
        pairs.append((_node(path, number, fields[0]), _node(path, number, fields[1])))
        numbers.append(number)
    if not pairs:
        raise EdgeListProblem(f"{path} holds no edges; give one line 'source target' for each.")
    return np.array(pairs, dtype=np.int64), np.array(numbers, dtype=np.int64)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    if not path.is_file():
        raise EdgeListProblem(f"{path} is missing; check the path in graphs.files.")
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                text = line.strip()
                if text and not text.startswith(COMMENTS):
                    yield number, text
    except (UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
        raise EdgeListProblem(
            f"{path} cannot be read as text ({error}); save it as plain UTF-8 text, or as gzip "
            "with a name ending in .gz."
        ) from error


def _fields(line: str) -> list[str]:
    for separator in (",", ";"):
        if separator in line:
            return [field.strip().strip('"') for field in line.split(separator)]
    return line.split()


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _node(path: Path, number: int, field: str) -> int:
    if field.isascii() and field.isdecimal() and int(field) <= LARGEST_ID:
        return int(field)
    reason = f"node ids are integers from 0 to {LARGEST_ID}"
    if field.startswith("-"):
        reason = "node ids must not be negative; number the nodes from 0"
    raise EdgeListProblem(f"{path}, line {number}: {field!r}: {reason}.")


def _check(path: Path, pairs: np.ndarray, numbers: np.ndarray, nodes: int | None) -> None:
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    loop = np.flatnonzero(low == high)
    if len(loop):
        row = loop[0]
        raise EdgeListProblem(
            f"{path}, line {numbers[row]}: node {low[row]} is linked to itself; remove self-loops."
        )
    if nodes is not None and high.max() >= nodes:
        row = int(np.argmax(high >= nodes))
        raise EdgeListProblem(
            f"{path}, line {numbers[row]}: node {high[row]} does not fit {nodes} nodes, numbered "
            f"0 … {nodes - 1}; renumber them or give a larger number of nodes."
        )
    order = np.lexsort((numbers, high, low))
    same = (np.diff(low[order]) == 0) & (np.diff(high[order]) == 0)
    if same.any():
        later = order[1:][same]
        row = int(np.argmin(numbers[later]))
        first = order[:-1][same][row]
        raise EdgeListProblem(
            f"{path}, line {numbers[later[row]]}: edge {low[first]}-{high[first]} is already on "
            f"line {numbers[first]}; keep each undirected edge once, in one direction."
        )
