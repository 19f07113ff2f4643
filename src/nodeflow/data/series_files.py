"""Files of series as tables, whatever separates their columns."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, cast

import pandas as pd

from nodeflow.graphs.formats import is_gzip, no_text
from nodeflow.problems import Problem, repeated

__all__ = ["SeriesProblem", "check_there", "csv_table", "parquet_table", "with_names"]

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "None")
"""What stands for a value that was not observed."""


class SeriesProblem(Problem):
    """Series cannot be used; the text names the file, the place in it, and the cure."""


def parquet_table(path: Path) -> tuple[pd.DataFrame, str]:
    """A table from a Parquet file, and what its rows are called."""
    try:
        table = pd.read_parquet(path)
    except Exception as error:
        raise SeriesProblem(
            f"{path} cannot be read as Parquet ({_first_line(error)}); write it again, or save it "
            "as CSV with a name ending in .csv."
        ) from error
    return with_names(table), "row"


def with_names(table: pd.DataFrame) -> pd.DataFrame:
    """A copy with rows from 0 on, columns called by texts, and a named index as columns."""
    has_names = any(name is not None for name in table.index.names)
    table = table.rename(columns=lambda name: str(name).strip()).reset_index(drop=not has_names)
    twice = repeated(table.columns)
    if twice:
        raise SeriesProblem(f"The table has two columns called {twice[0]!r}; keep one.")
    return table


def csv_table(path: Path) -> tuple[pd.DataFrame, str]:
    """A table from a file of text, and what its rows are called."""
    what = no_text(path)
    if what is not None:
        raise SeriesProblem(f"{path} {what}; save the table as CSV in UTF-8, or as Parquet.")
    try:
        skipped, header = _header(path)
        separator = next((x for x in ("\t", ";", ",") if x in header), r"\s+")
        names, *_ = _fields([header], separator)
        twice = repeated(names)
        if twice:
            raise SeriesProblem(
                f"{path}, line {skipped + 1}: the column {twice[0]!r} stands there twice; keep one."
            )
        _check_widths(path, skipped + 1, names, separator)
        texts = [name for name in names if name.lower() in ("run", "node")]
        table = pd.read_csv(
            path,
            sep=separator,
            header=None,
            names=names,
            index_col=False,
            skiprows=skipped + 1,
            skip_blank_lines=False,
            skipinitialspace=True,
            dtype=dict.fromkeys(texts, str),
            keep_default_na=False,
            na_values={name: [*MISSING] for name in names if name not in texts},
            encoding="utf-8-sig",
            compression="gzip" if is_gzip(path) else None,
        )
    except (EOFError, OSError, ValueError, csv.Error, zlib.error) as error:
        raise SeriesProblem(
            f"{path} cannot be read as a table ({_first_line(error)}); save it as CSV in UTF-8 "
            "with a line of column names."
        ) from error
    table.index = pd.RangeIndex(skipped + 2, skipped + 2 + len(table))
    for name in texts:
        table[name] = table[name].where(table[name].fillna("").str.strip() != "")
    return table, "line"


def _header(path: Path) -> tuple[int, str]:
    """How many lines stand before the line of column names, and that line."""
    with _opened(path) as file:
        for number, line in enumerate(file):
            if line.strip() and not line.startswith(("#", "%")):
                return number, line.strip("\r\n")
    raise SeriesProblem(f"{path} is empty; give a line of column names and the observations.")


def _fields(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """The fields of each line."""
    if separator == r"\s+":
        lines, separator = (" ".join(line.split()) for line in lines), " "
    for fields in csv.reader(lines, delimiter=separator, skipinitialspace=True):
        yield [field.strip() for field in fields]


def _check_widths(path: Path, header: int, names: Sequence[str], separator: str) -> None:
    """Refuse rows that have more or fewer fields than the header, whose values would be shifted."""
    with _opened(path) as file:
        rest = islice(file, header, None)
        for number, fields in enumerate(_fields(rest, separator), start=header + 1):
            if len(fields) != len(names) and any(fields):
                raise SeriesProblem(
                    f"{path}, line {number}: {len(fields)} fields under {len(names)} column names; "
                    "give each row a field for each column, empty where nothing was observed, and "
                    "numbers with a decimal point."
                )


def _opened(path: Path) -> IO[str]:
    opened = gzip.open if is_gzip(path) else open
    return cast("IO[str]", opened(path, "rt", encoding="utf-8-sig", newline=None))


def check_there(path: Path) -> None:
    """Refuse a path without a file."""
    if path.is_dir():
        raise SeriesProblem(f"{path} is a folder; give the file in it.")
    if not path.is_file():
        raise SeriesProblem(f"{path} is missing; check the path.")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
