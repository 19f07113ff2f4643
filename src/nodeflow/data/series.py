"""Observed series that a user brings: states of named nodes over time, in one or several runs."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nodeflow.data.series_files import (
    SeriesProblem,
    check_there,
    csv_table,
    parquet_table,
    with_names,
)
from nodeflow.graphs.formats import PARQUET, starts_with
from nodeflow.graphs.graph import Graph
from nodeflow.problems import Problem, repeated

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Run", "Series", "check_nodes", "read_series", "series_table"]


CODES = (-99, -999, -9999, -99999, -32768, 9999, 99999, -1e20, 1e20, 9.969209968386869e36)
"""Numbers that stand for a value that was not observed in files of many programs."""

_WORDS = ("run", "time", "node", "value")
"""Names of columns that are no nodes."""

_OF_DATES = (
    "write numbers, such as days since the first time: (x - x.min()) / "
    'pandas.Timedelta("1D") with x = pandas.to_datetime(column).'
)
"""What to do with times that are dates or durations."""

_DATE = re.compile(r"\s*\d{1,4}([-/.]\d{1,2}){1,2}\b|.*\d:\d\d")
"""Texts that read as a date or a time of day, where no number is meant."""

_ONE_RUN = "0"
"""Name of the run of a file without a column of runs."""


@dataclass(frozen=True, eq=False)
class Run:
    """What was observed from one start on.

    Attributes:
        name: as the file has it.
        times: (T,) float64, strictly increasing, in the user's unit.
        states: (T, n) float64, a column for each node of the network; NaN where nothing was
            observed.
    """

    name: str
    times: NDArray[np.float64]
    states: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Series:
    """Series on the nodes of one network; made by `read_series`.

    Attributes:
        nodes: names of the network's n nodes, in its order.
        runs: at least one.
    """

    nodes: tuple[Hashable, ...]
    runs: tuple[Run, ...]

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Whether each node has a value at some time of some run, shape (n,)."""
        seen: NDArray[np.bool_] = np.any(
            [np.isfinite(run.states).any(axis=0) for run in self.runs], axis=0
        )
        return seen

    @property
    def unobserved(self) -> tuple[Hashable, ...]:
        """Names of the nodes without any value."""
        return tuple(name for name, seen in zip(self.nodes, self.observed, strict=True) if not seen)


def read_series(path: str | Path | pd.DataFrame, graph: nx.Graph[Any] | Graph) -> Series:
    """Read series from a CSV or Parquet file, or from a pandas table, onto the nodes of a network.

    A long table has the columns `time`, `node` and `value`; a wide one `time` and a column for
    each node. Both may have a column `run`. Times may be uneven and may differ between runs, and
    between nodes in a long table. CSV fields are separated by a comma, a semicolon, a tab or
    blanks, lines that begin with # or % before the header are skipped, and files may be compressed
    with gzip. An empty field, NA or NaN is a value that was not observed. A first column without a
    name that counts the rows is left out. The four words may be written in capitals where no node
    is called so.

    Args:
        path: the file, or a table with these columns, some of which may be its index.
        graph: the network, whose nodes go by their names, or by 0 … n − 1. Nodes without
            a series are unobserved: see `Series.unobserved`.

    Raises:
        SeriesProblem: the file is missing or no table of these forms; a node is not in the
            network or stands there twice; a time or value is no finite number; times of a run go
            backwards or stand there twice; a value is a code for a missing one; there is no value
            at all.
    """
    nodes = graph.labels if isinstance(graph, Graph) else tuple(graph)
    columns = _columns_of(nodes)
    if isinstance(path, pd.DataFrame):
        table, unit, path = with_names(path), "row", Path("the table")
    elif not isinstance(path, str | Path):
        raise SeriesProblem(
            f"Series are read from the path of a file or from a pandas table, not from a "
            f"{type(path).__name__}; make a table of it: pandas.DataFrame."
        )
    else:
        path = Path(path)
        check_there(path)
        parquet = path.suffix.lower() == ".parquet" or starts_with(path, PARQUET)
        table, unit = parquet_table(path) if parquet else csv_table(path)
    table = _without_row_numbers(_in_lower_case(table, columns).dropna(how="all"))
    where = _Where(path, unit, table.index.to_numpy())
    if "time" not in table:
        raise SeriesProblem(
            f"{path} has the columns {_listed([*table.columns])}, none of which is 'time'; give a "
            "wide table (time and a column for each node) or a long one (time, node, value)."
        )
    for name in {"run", "node"} & set(table.columns):
        where.refuse(
            table[name].isna().to_numpy(), f"has no {name}; give each row one, or delete it"
        )
    names = _texts(table["run"]) if "run" in table else np.full(len(table), _ONE_RUN, dtype=object)
    times = where.numbers(table["time"], "time", "a time")
    where.refuse(np.isnan(times), "has no time; give each row one, or delete it")
    if {"node", "value"} <= set(table.columns):
        runs = _long(table, names, times, columns, where)
    else:
        runs = _wide(table, names, times, columns, where)
    series = Series(nodes, tuple(runs))
    if not series.runs or not series.observed.any():
        raise SeriesProblem(f"{path} holds no values; give at least one run with two times.")
    _refuse_codes(series, path)
    return series


def check_nodes(series: Series, graph: Graph, problem: type[Problem] = SeriesProblem) -> None:
    """Raise unless a series is of the nodes of a graph, in their order.

    Args:
        series: the series.
        graph: the graph.
        problem: what to raise.

    Raises:
        Problem: it is not.
    """
    if len(series.nodes) != graph.n:
        raise problem(
            f"The series were read for {len(series.nodes)} nodes and the network has {graph.n}; "
            "give the network that read_series was given."
        )
    for number, (series_node, graph_node) in enumerate(
        zip(series.nodes, graph.labels, strict=True)
    ):
        if series_node != graph_node:
            raise problem(
                f"Node {number} of the series is {series_node!r}, and that of the network is "
                f"{graph_node!r}; "
                "give the network that read_series was given."
            )


def series_table(series: Series) -> pd.DataFrame:
    """What each run has of each node, to look at before anything is trained.

    Returns:
        One row for each run and node: run, node, values (how many), missing (how many of the run's
        times have none), first and last (times of the first and last value), low and high (the
        smallest and the largest value); NaN where a node has no value.
    """
    rows = []
    for run in series.runs:
        seen = np.isfinite(run.states)
        count = seen.sum(axis=0)
        times = np.where(seen, run.times[:, None], np.nan)
        filled = np.where(seen, run.states, np.nan)
        rows.append(
            pd.DataFrame(
                {
                    "run": run.name,
                    "node": list(series.nodes),
                    "values": count,
                    "missing": len(run.times) - count,
                    "first": pd.DataFrame(times).min().to_numpy(),
                    "last": pd.DataFrame(times).max().to_numpy(),
                    "low": pd.DataFrame(filled).min().to_numpy(),
                    "high": pd.DataFrame(filled).max().to_numpy(),
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


@dataclass(frozen=True)
class _Where:
    """Where the rows of a table stand in its file."""

    path: Path
    place: str
    numbers_of_rows: NDArray[np.int64]

    def row(self, index: int) -> str:
        return f"{self.path}, {self.place} {self.numbers_of_rows[index]}"

    def refuse(self, bad: NDArray[np.bool_], text: str) -> None:
        if bad.any():
            raise SeriesProblem(f"{self.row(int(np.argmax(bad)))} {text}.")

    def numbers(self, column: pd.Series[Any], name: str, what: str) -> NDArray[np.float64]:
        """A column as float64, NaN where it holds nothing."""
        types = pd.api.types
        if types.is_complex_dtype(column):
            raise SeriesProblem(f"{self.path}, column {name}: complex; give real numbers.")
        if (
            types.is_datetime64_any_dtype(column)
            or types.is_timedelta64_dtype(column)
            or isinstance(column.dtype, pd.PeriodDtype)
        ):
            raise SeriesProblem(
                f"{self.path}, column {name}: {column.dtype} is a date or duration in no unit; "
                f"{_OF_DATES}"
            )
        values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = np.isnan(values) & column.notna().to_numpy()
        if wrong.any():
            row = int(np.argmax(wrong))
            cure = (
                "write numbers with a decimal point, and leave the field empty where nothing was "
                "observed."
            )
            if name == "time" and _DATE.match(str(column.iloc[row])):
                cure = f"of dates, {_OF_DATES}"
            raise SeriesProblem(
                f"{self.row(row)}, column {name}: {column.iloc[row]!r} is not {what}; {cure}"
            )
        if np.isinf(values).any():
            raise SeriesProblem(
                f"{self.row(int(np.argmax(np.isinf(values))))}, column {name}: not finite; leave "
                "the field empty where nothing was observed."
            )
        return values


def _long(
    table: pd.DataFrame,
    names: NDArray[np.object_],
    times: NDArray[np.float64],
    columns: dict[str, int],
    where: _Where,
) -> Iterator[Run]:
    extra = [c for c in table.columns if c not in ("run", "time", "node", "value")]
    if extra:
        raise SeriesProblem(
            f"{where.path} is a long table with the unknown column {extra[0]}; keep run, time, "
            "node and value."
        )
    nodes = _texts(table["node"])
    unknown = np.array([node not in columns for node in nodes], dtype=bool)
    if unknown.any():
        row = int(np.argmax(unknown))
        raise SeriesProblem(
            f"{where.row(row)}: {nodes[row]!r} is not a node of the network, whose nodes are "
            f"{_listed([*columns])}; add it there, or delete its series."
        )
    values = where.numbers(table["value"], "value", "a value")
    at = np.array([columns[node] for node in nodes], dtype=np.int64)
    for name, rows in _by_run(names):
        order = rows[np.lexsort((rows, at[rows]))]
        same = at[order[1:]] == at[order[:-1]]
        step = np.diff(times[order])
        for bad, text in (
            (same & (step == 0), "once more"),
            (same & (step < 0), "after a later time; sort the rows of each node by time"),
        ):
            if bad.any():
                row = int(order[1:][bad].min())
                raise SeriesProblem(
                    f"{where.row(row)}: run {name}, node {nodes[row]} has the time "
                    f"{times[row]:g} {text}."
                )
        distinct, row_of = np.unique(times[rows], return_inverse=True)
        states = np.full((len(distinct), len(columns)), np.nan)
        states[row_of, at[rows]] = values[rows]
        yield _run(name, distinct, states, where)


def _wide(
    table: pd.DataFrame,
    names: NDArray[np.object_],
    times: NDArray[np.float64],
    columns: dict[str, int],
    where: _Where,
) -> Iterator[Run]:
    given = [name for name in table.columns if name not in ("run", "time")]
    for name in given:
        if name not in columns:
            raise SeriesProblem(
                f"{where.path} has the column {name!r}, which is not a node of the network, whose "
                f"nodes are {_listed([*columns])}; add it there, or delete the column; a long "
                "table has the columns time, node and value."
            )
    values = np.full((len(table), len(columns)), np.nan)
    for name in given:
        values[:, columns[name]] = where.numbers(table[name], name, "a value")
    for name, rows in _by_run(names):
        step = np.diff(times[rows])
        if (step <= 0).any():
            row = int(rows[1:][step <= 0][0])
            raise SeriesProblem(
                f"{where.row(row)}: run {name} has the time {times[row]:g} "
                + ("once more." if step[step <= 0][0] == 0 else "after a later time.")
                + " Sort each run by time and keep one row for each time; several runs need a "
                "column 'run'."
            )
        yield _run(name, times[rows], values[rows], where)


def _refuse_codes(series: Series, path: Path) -> None:
    """Refuse a code for missing values: one of `CODES`, farther from the others than they reach."""
    values = np.concatenate([run.states[np.isfinite(run.states)] for run in series.runs])
    there = np.isin(values, CODES)
    if not there.any() or there.all():
        return
    low, high = float(values[~there].min()), float(values[~there].max())
    far = [x for x in CODES if not 2 * low - high <= x <= 2 * high - low]
    for run in series.runs:
        places = np.argwhere(np.isin(run.states, far))
        if len(places):
            time, node = places[0]
            raise SeriesProblem(
                f"{path}: run {run.name}, node {series.nodes[node]} has the value "
                f"{run.states[time, node]:g} at time {run.times[time]:g}, a code for missing "
                f"values in many programs, while others are from {low:g} to {high:g}; leave the "
                "field empty where nothing was observed."
            )


def _run(name: str, times: NDArray[np.float64], states: NDArray[np.float64], where: _Where) -> Run:
    if len(times) < 2:
        raise SeriesProblem(
            f"{where.path}: run {name} has a single time; a series needs at least two."
        )
    return Run(name, times, states)


def _by_run(names: NDArray[np.object_]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Runs in the order in which they appear, each with its rows."""
    codes, distinct = pd.factorize(names)
    for code, name in enumerate(distinct):
        yield str(name), np.flatnonzero(codes == code)


def _in_lower_case(table: pd.DataFrame, columns: Mapping[str, int]) -> pd.DataFrame:
    """The same with run, time, node and value in lower case, which are no nodes."""
    there = set(table.columns)
    words = {
        name: name.lower()
        for name in table.columns
        if name.lower() in _WORDS and name not in columns and name.lower() not in there
    }
    if len(set(words.values())) < len(words):
        return table
    return table.rename(columns=words)


def _without_row_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """The same without a first column that has no name and counts the rows, from 0 or 1."""
    first = table.columns[0] if len(table.columns) else None
    if first not in ("", "Unnamed: 0") or table.empty:
        return table
    numbers = pd.to_numeric(table[first], errors="coerce").to_numpy()
    counted = numbers - numbers[0] == np.arange(len(table))
    return table.iloc[:, 1:] if numbers[0] in (0, 1) and counted.all() else table


def _columns_of(nodes: Sequence[Hashable]) -> dict[str, int]:
    columns = {str(node): index for index, node in enumerate(nodes)}
    twice = repeated(map(str, nodes))
    if twice:
        raise SeriesProblem(
            f"The network has two nodes whose names read {twice[0]!r}; give them names that differ."
        )
    return columns


def _texts(column: pd.Series[Any]) -> NDArray[np.object_]:
    """Names as text; whole numbers without a decimal point, as a network file has them."""
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype(str).str.strip().to_numpy(dtype=object)


def _listed(names: Sequence[Any]) -> str:
    shown = ", ".join(str(name) for name in names[:8])
    return shown + (", …" if len(names) > 8 else "")
