"""Edge lists line by line: what separates fields, which lines are edges, and of which nodes."""

from __future__ import annotations

import csv
import gzip
import math
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.graphs.formats import (
    Format,
    format_by_head,
    is_gzip,
    no_text,
    without_prolog,
)
from nodeflow.graphs.graph import WEIGHTS
from nodeflow.problems import Problem

__all__ = [
    "COMMENTS",
    "HEADER",
    "SOURCES",
    "TARGETS",
    "EdgeListProblem",
    "EdgeRows",
    "check_there",
    "cure_of",
    "lines_of",
    "no_text_in",
    "parse_edges",
    "path_of",
]

COMMENTS = ("#", "%")

LARGEST_ID = np.iinfo(np.int32).max - 1


class EdgeListProblem(Problem):
    """An edge list cannot be used; the text names the file, the line and the cure."""


SOURCES = {"source", "from", "fromnodeid", "src", "sourcenode", "sourceid", "fromnode", "fromid"}

TARGETS = {"target", "to", "tonodeid", "dst", "targetnode", "targetid", "tonode", "toid"}

HEADER = SOURCES | TARGETS | {"node1", "node2"}
"""Words by which a first line of names is known to be a header and not an edge; without blanks,
underscores and the like."""

_PAIR = re.compile(r"(id|node|vertex|name|species|gene|protein|person|interactor)(1|2|a|b|i|j)")
"""A header that numbers the two columns of nodes, where no node is called so."""


@dataclass(frozen=True)
class EdgeRows:
    """The lines of an edge list.

    Attributes:
        pairs: (M, 2) node ids, whole numbers or texts.
        weights: (M,) what the third column says, NaN where it says nothing.
        numbers: (M,) the line of each.
        head: comments above the first edge, with their lines.
        names: of the columns, in lower case and without blanks, if there is a line of them.
    """

    pairs: np.ndarray
    weights: NDArray[np.float64]
    numbers: np.ndarray
    head: Sequence[tuple[int, str]]
    names: Sequence[str] | None


def cure_of(path: Path, known: Format) -> str:
    """What to do with a file of a known format that is no edge list."""
    if known.read is None:
        return "save its edges as text, two nodes a line"
    return f"use graphs.read_network({str(path)!r}), or save its edges as text, two nodes a line"


def parse_edges(path: Path) -> EdgeRows:
    """The rows of an edge list, and what its head says."""
    lines: list[tuple[int, list[str]]] = []
    head: list[tuple[int, str]] = []
    separator: str | None = None
    for number, line in lines_of(path):
        is_comment = line.startswith(COMMENTS)
        if not lines and not (is_comment and head):
            says = without_prolog(line)
            if not says:
                continue
            known = format_by_head(says)
            if known is not None:
                raise EdgeListProblem(
                    f"{path}, line {number}: this is {known.name} file and no edge list; "
                    f"{cure_of(path, known)}."
                )
        if not is_comment:
            if not lines:
                separator = _separator(line)
            lines.append((number, _fields(line, separator)))
        elif not lines:
            head.append((number, line))
    if _counts_rows(lines):
        lines = [(number, fields[1:]) for number, fields in lines]
    names = None
    if lines and _is_header(lines):
        names = [_word(field) for field in lines.pop(0)[1]]
        if len(names) > 1 and names[0] in TARGETS and names[1] in SOURCES:
            lines = [(number, [*fields[1::-1], *fields[2:]]) for number, fields in lines]
    width = len(lines[0][1]) if lines else 2
    third = [_third(path, number, fields, width) for number, fields in lines]
    numbers = np.array([number for number, _ in lines], dtype=np.int64)
    return EdgeRows(_ids(path, lines), np.array(third, dtype=np.float64), numbers, head, names)


def _counts_rows(lines: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Whether the first column has no name and counts the rows from 0 or 1, as pandas writes it."""
    if len(lines) < 2 or lines[0][1][0] not in ("", "Unnamed: 0"):
        return False
    first = [fields[0] for _, fields in lines[1:]]
    return any(first == [str(k + i) for i in range(len(first))] for k in (0, 1))


def _is_header(lines: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Whether the first line names columns: never in doubt, for an edge would be lost."""
    first = lines[0][1]
    words = [_word(field) for field in first]
    if HEADER & set(words) or (len(words) == 3 and words[2] in WEIGHTS):
        return True
    pair = [_PAIR.fullmatch(word) for word in words[:2]]
    if len(pair) == 2 and pair[0] and pair[1] and pair[0][1] == pair[1][1]:
        return not any(_word(x).startswith(pair[0][1]) for _, line in lines[1:] for x in line[:2])
    rest = lines[1][1] if len(lines) > 1 else first
    return not any(map(_is_number, first)) and all(map(_is_number, rest[:2]))


def _third(path: Path, number: int, fields: Sequence[str], width: int) -> float:
    """What the third column says; NaN if nothing."""
    where = f"{path}, line {number}"
    if len(fields) != width:
        raise EdgeListProblem(
            f"{where}: {len(fields)} columns after {width} above; give every line the same "
            "columns: two nodes, and perhaps a weight."
        )
    if width == 2 or (width == 3 and fields[2] == "{}"):
        return math.nan
    if width == 1:
        raise EdgeListProblem(
            f"{where}: one column, {fields[0]!r}; give two nodes a line, separated by a comma, a "
            "semicolon, a tab or blanks."
        )
    if width != 3:
        raise EdgeListProblem(
            f"{where}: {len(fields)} columns; keep the two of nodes, and perhaps one of weights "
            "(times are not used); of a matrix, give a line for each entry that is not 0."
        )
    if not _is_number(fields[2]):
        raise EdgeListProblem(
            f"{where}: 3 columns, {fields[2]!r} in the third; it holds weights, which are numbers "
            "with a decimal point, so keep the two columns of nodes if it may be left out."
        )
    return float(fields[2])


def _ids(path: Path, lines: Sequence[tuple[int, Sequence[str]]]) -> NDArray[Any]:
    """Node ids (M, 2): whole numbers, or texts if the first edge has a name, or to keep zeros."""
    padded = any(
        field.startswith("0") and field != "0" and field.isdecimal()
        for _, fields in lines
        for field in fields[:2]
    )
    if not lines:
        return np.empty((0, 2), dtype=np.int64)
    if all(map(_is_number, lines[0][1][:2])) and not padded:
        pairs = [(_node(path, i, x[0]), _node(path, i, x[1])) for i, x in lines]
        return np.array(pairs, dtype=np.int64)
    for number, fields in lines:
        if not fields[0] or not fields[1]:
            raise EdgeListProblem(f"{path}, line {number}: a node has no name; give it one.")
        if fields[0][0] in "([" and fields[1][-1] in ")]":
            raise EdgeListProblem(
                f"{path}, line {number}: {fields[0]!r} and {fields[1]!r} are in brackets; write "
                "the two nodes alone."
            )
    return np.array([x[:2] for _, x in lines], dtype=object)


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """All lines but blank ones, with their numbers."""
    check_there(path)
    what = no_text(path)
    if what is not None:
        raise EdgeListProblem(f"{path} {what}; save its edges as text in UTF-8, two nodes a line.")
    opened = gzip.open if is_gzip(path) else open
    try:
        with opened(path, "rt", encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                text = line.strip()
                if text:
                    yield number, text
    except (UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
        raise no_text_in(path, error) from error


def no_text_in(path: Path, error: Exception) -> EdgeListProblem:
    """What to say of a file that is no text, or that gzip cannot unpack."""
    return EdgeListProblem(
        f"{path} cannot be read as text ({error}); save it as plain text in UTF-8."
    )


def path_of(path: str | Path) -> Path:
    """The path that was given; what is no path is refused with the function that reads it."""
    if not isinstance(path, str | Path):
        raise EdgeListProblem(
            f"Networks are read from the path of a file, not from a {type(path).__name__}; use "
            "graphs.from_networkx (with networkx.from_pandas_edgelist for a table of edges) or "
            "graphs.from_matrix."
        )
    return Path(path)


def check_there(path: Path) -> None:
    """Refuse a path without a file."""
    if path.is_dir():
        raise EdgeListProblem(f"{path} is a folder; give the file in it.")
    if not path.is_file():
        raise EdgeListProblem(f"{path} is missing; check the path.")


def _separator(line: str) -> str | None:
    """What separates the fields of a file with such a first line; None for white space."""
    # Files of KONECT have blanks and tabs side by side; names may hold blanks.
    if "\t" in line and not all(map(_is_number, line.split())):
        return "\t"
    return next((x for x in (";", ",") if x in line), None)


def _fields(line: str, separator: str | None) -> list[str]:
    if separator is None and '"' not in line:
        return line.split()
    if '"' in line:
        text = line if separator else " ".join(line.split())
        fields = next(csv.reader([text], delimiter=separator or " ", skipinitialspace=True))
    else:
        fields = line.split(separator)
    return [field.strip() for field in fields]


def _word(field: str) -> str:
    """The name of a column in lower case, without blanks, underscores and the like."""
    return re.sub(r"[\W_]+", "", field.lower())


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _node(path: Path, number: int, field: str) -> int:
    if field.isascii() and field.isdecimal() and int(field) <= LARGEST_ID:
        return int(field)
    if "." in field and _is_number(field):  # whole numbers as numpy.savetxt writes them
        whole = float(field)
        if whole.is_integer() and 0 <= whole <= LARGEST_ID:
            return int(whole)
    reason = f"node ids are integers from 0 to {LARGEST_ID}"
    if field.startswith("-"):
        reason = "node ids must not be negative; number the nodes from 0"
    elif not _is_number(field):
        reason += " like those above, or names from the first line on"
    raise EdgeListProblem(f"{path}, line {number}: {field!r}: {reason}.")
