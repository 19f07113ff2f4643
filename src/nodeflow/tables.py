"""Files as contracts: Parquet tables, safetensors weights and JSON facts.

Every file is written beside its final name, synced and renamed, so a name never holds half a file.
Every file carries its kind, the version of its schema, the parameters that it was made with, where
it came from, and a seal: a digest of all its bytes, for none of the formats guards its own
metadata. Every read checks all of it, and ends in one line that names the file and the cure when
something does not fit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import safe_open

from nodeflow.columns import arrow_column
from nodeflow.grid import place_of
from nodeflow.problems import Problem
from nodeflow.sealed import (
    BLANK,
    SEAL,
    FileProblem,
    Kind,
    Parameters,
    check_stamp,
    reading,
    replacing,
    sealing,
    stamp_of,
    unfit,
)
from nodeflow.tensor_files import (
    open_tensors,
    opened_parameters,
    read_tensors,
    tensor_stamp,
    write_tensors,
    writing_tensors,
)

if TYPE_CHECKING:
    import pandas as pd  # which takes longer to load than many a job takes without it

__all__ = [
    "FileProblem",
    "Gathered",
    "Kind",
    "Schema",
    "TableWriter",
    "as_numpy",
    "check_place",
    "gather",
    "gathered",
    "is_current",
    "open_tensors",
    "opened_parameters",
    "read_columns",
    "read_facts",
    "read_parameters",
    "read_table",
    "read_tensors",
    "replacing",
    "said_parameters",
    "stream_arrow",
    "stream_table",
    "write_facts",
    "write_table",
    "write_tensors",
    "writing_tensors",
]


@dataclass(frozen=True)
class Schema(Kind):
    """The kind of a table, with its columns.

    Attributes:
        columns: Arrow type of each column, in order.
        about: one sentence on each column, with its unit.
        identity: further columns, which lead in files: what a table is of, the same in all of its
            rows. Tables in memory need not have them; they are written from the file's parameters.
    """

    columns: Mapping[str, pa.DataType]
    about: Mapping[str, str]
    identity: Schema | None = field(default=None, kw_only=True)

    @property
    def stored(self) -> Mapping[str, pa.DataType]:
        """Arrow type of each column of a file, in order."""
        return {**(self.identity.columns if self.identity else {}), **self.columns}

    def arrow(self) -> pa.Schema:
        """The Arrow schema of files, with `about` as field metadata."""
        about = {**(self.identity.about if self.identity else {}), **self.about}
        fields = [
            pa.field(name, type_, metadata={"about": about[name]})
            for name, type_ in self.stored.items()
        ]
        return pa.schema(fields)


@dataclass(frozen=True)
class Gathered(Schema):
    """The schema of many tables as one, each row with what tells its table from the others.

    Attributes:
        part: schema of each table. What tells one from the others, `identity`, are parameters of
            its file, if not columns of it.
    """

    part: Schema = field(kw_only=True)


# --- Parquet -------------------------------------------------------------------------------------


class TableWriter:
    """Writes a table row group by row group: `with TableWriter(…) as writer: writer.write(…)`.

    Args:
        path: final name; appears only when the body has succeeded.
        schema: kind and columns.
        parameters: what the table was made with; stored in the metadata and checked on read.
    """

    def __init__(self, path: str | Path, schema: Schema, parameters: Parameters) -> None:
        self._schema = schema
        self._parameters = parameters
        self._arrow = schema.arrow().with_metadata(stamp_of(schema, parameters))
        self._path = path
        self._open = ExitStack()

    def __enter__(self) -> TableWriter:
        with ExitStack() as stack:
            beside = stack.enter_context(sealing(self._path))
            self._writer = stack.enter_context(
                pq.ParquetWriter(
                    beside, self._arrow, compression="zstd", **_encodings(self._schema)
                )
            )
            # Not with the schema, which Parquet stores twice.
            self._writer.add_key_value_metadata({SEAL: BLANK})
            self._open = stack.pop_all()
        return self

    def write(self, table: pd.DataFrame | pa.Table | Mapping[str, Any]) -> None:
        """Append one row group; columns may come in any order."""
        if isinstance(table, pa.Table):
            arrow = table.select(self._arrow.names).cast(self._schema.arrow())
        else:
            size = len(table[next(iter(self._schema.columns))])
            columns = [
                arrow_column(table[name], type_)
                if name in self._schema.columns
                else pa.repeat(pa.scalar(self._parameters[name], type_), size)
                for name, type_ in self._schema.stored.items()
            ]
            arrow = pa.Table.from_arrays(columns, schema=self._schema.arrow())
        self._writer.write_table(arrow, row_group_size=max(arrow.num_rows, 1))

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)


def write_table(
    path: str | Path,
    table: pd.DataFrame | pa.Table | Mapping[str, Any],
    schema: Schema,
    parameters: Parameters,
) -> None:
    """Write a whole table as one row group; see `TableWriter`."""
    with TableWriter(path, schema, parameters) as writer:
        writer.write(table)


def read_table(
    path: str | Path,
    schema: Schema,
    parameters: Parameters | None = None,
    columns: list[str] | None = None,
) -> pd.DataFrame:
    """Read and check a table.

    Args:
        path: the file.
        schema: what it has to be.
        parameters: values that the file's parameters must have, where given.
        columns: the columns to load; all by default.

    Raises:
        FileProblem: missing, damaged, of another kind or version, or made with other parameters.
    """
    with reading(path, schema), _checked_parquet(path, schema, parameters) as file:
        table: pd.DataFrame = file.read(columns=columns).to_pandas()
        return table


def stream_table(
    path: str | Path,
    schema: Schema,
    parameters: Parameters | None = None,
    columns: list[str] | None = None,
) -> Iterator[pd.DataFrame]:
    """Read and check a table, one row group at a time; see `read_table`."""
    for table in stream_arrow(path, schema, parameters, columns):
        yield table.to_pandas()


def stream_arrow(
    path: str | Path,
    schema: Schema,
    parameters: Parameters | None = None,
    columns: list[str] | None = None,
) -> Iterator[pa.Table]:
    """As `stream_table`, as Arrow tables."""
    with reading(path, schema), _checked_parquet(path, schema, parameters) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns=columns)


def read_columns(
    path: str | Path, schema: Schema, parameters: Parameters | None = None
) -> dict[str, np.ndarray]:
    """As `read_table`, for columns of numbers; each comes as an array that is not to be changed."""
    with reading(path, schema), _checked_parquet(path, schema, parameters) as file:
        table = file.read()
        return {name: as_numpy(table[name].combine_chunks()) for name in table.column_names}


def as_numpy(column: pa.Array) -> np.ndarray:
    """Numbers as an array over the same memory; `pyarrow.Array.to_numpy` would import pandas."""
    return np.from_dlpack(column)


def gather(paths: Iterable[str | Path], schema: Gathered) -> pd.DataFrame:
    """Many tables of one schema as one, each row with the identity of the file that it came from.

    Args:
        paths: the files.
        schema: of the whole; see `gathered`.

    Raises:
        FileProblem: also when a file is not of the cell, system … that its path names, or two were
            made with the same parameters, so that one lies in another's place.
        Problem: there is no file.
    """
    import pandas as pd

    part, identity = schema.part, schema.identity
    assert identity is not None
    parts, known = [], dict[str, str | Path]()
    for path in paths:
        # Not read_table and read_parameters, each of which would check the seal of the whole file.
        with reading(path, part), _checked_parquet(path, part, None) as file:
            table: pd.DataFrame = file.read().to_pandas()
            parameters = json.loads(_table_stamp(file.schema_arrow)["nodeflow.parameters"])
        missing = [name for name in identity.columns if name not in parameters]
        if missing:
            raise unfit(path, f"a file that knows its {missing[0]}", "one that does not")
        check_place(path, parameters, (*identity.columns, "role", "block"))
        first = known.setdefault(json.dumps(parameters, sort_keys=True), path)
        if first is not path:
            both = f"{first} and {path}"
            raise unfit(both, "parameters of their own", "the same in both", what="file pair")
        for place, (name, type_) in enumerate(identity.columns.items()):
            if name not in part.stored:
                column = pd.Series([parameters[name]] * len(table), dtype=type_.to_pandas_dtype())
                table.insert(place, name, column)
        parts.append(table)
    if not parts:
        raise Problem(
            f"There is no table of {part.name} to gather: this configuration makes none. Ask for "
            "another figure or table, or configure what this one shows."
        )
    return pd.concat(parts, ignore_index=True)


def check_place(path: str | Path, parameters: Parameters, names: Iterable[str]) -> None:
    """Check that a file lies where its parameters say.

    A file moved to another cell's place would fill that cell's rows with its own numbers.

    Args:
        path: the file.
        parameters: what it was made with.
        names: the parameters to look at; those that are no part of paths are passed over.

    Raises:
        FileProblem: the path names another value of one of them.
    """
    for name in names:
        wanted = place_of(path, name, parameters.get(name))
        if wanted is not None:
            raise unfit(path, wanted, f"{name} = {parameters.get(name)}")


def gathered(name: str, part: Schema, identity: Schema) -> Gathered:
    """The schema of many tables as one, for `gather`.

    Args:
        name: of the whole.
        part: schema of each table.
        identity: names and types of the parameters of the tables that become leading columns,
            unless the tables have them already.
    """
    return Gathered(
        name,
        part.version,
        {**identity.columns, **part.columns},
        {**identity.about, **part.about},
        part=part,
        identity=identity,
    )


def _encodings(schema: Schema) -> dict[str, Any]:
    """How Parquet encodes the columns of a schema.

    Measured numbers hardly repeat, so a dictionary of them is as long as the column. Their bytes
    are regular when sorted by place: all first bytes (sign and exponent), then all second ones …
    """
    leaves = {
        f"{name}.list.element" if pa.types.is_list(type_) else name: _element(type_)
        for name, type_ in schema.stored.items()
    }
    floats = [path for path, type_ in leaves.items() if pa.types.is_floating(type_)]
    return {
        "use_dictionary": [path for path in leaves if path not in floats],
        "column_encoding": dict.fromkeys(floats, "BYTE_STREAM_SPLIT"),
    }


def _element(type_: pa.DataType) -> pa.DataType:
    return type_.value_type if pa.types.is_list(type_) else type_


@contextmanager
def _checked_parquet(
    path: str | Path, schema: Schema, parameters: Parameters | None
) -> Iterator[pq.ParquetFile]:
    with pq.ParquetFile(path) as file:
        check_stamp(path, schema, _table_stamp(file.schema_arrow), parameters)
        columns = {field.name: field.type for field in file.schema_arrow}
        if columns != dict(schema.stored):
            raise unfit(path, f"columns {_columns(schema.stored)}", _columns(columns))
        yield file


def _table_stamp(schema: pa.Schema) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}


def _columns(columns: Mapping[str, pa.DataType]) -> str:
    return ", ".join(f"{name} ({type_})" for name, type_ in columns.items())


# --- safetensors ---------------------------------------------------------------------------------


# --- JSON ----------------------------------------------------------------------------------------


def write_facts(
    path: str | Path, facts: Mapping[str, Any], kind: Kind, parameters: Parameters
) -> None:
    """Write a few named values as JSON."""
    stamp = stamp_of(kind, parameters) | {SEAL: BLANK}
    with sealing(path) as beside:
        text = json.dumps({"facts": facts, "stamp": stamp}, sort_keys=True, indent=1)
        beside.write_text(text + "\n", encoding="utf-8")


def read_facts(
    path: str | Path, kind: Kind, parameters: Parameters | None = None
) -> dict[str, Any]:
    """Read and check named values; see `read_table`."""
    with reading(path, kind):
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        check_stamp(path, kind, content["stamp"], parameters)
        return dict(content["facts"])


def read_parameters(path: str | Path) -> dict[str, Any]:
    """The parameters in the metadata of a Parquet, safetensors or JSON file."""
    with reading(path, Kind("nodeflow", 0)):
        return _parameters(path)


def said_parameters(path: str | Path) -> dict[str, Any] | None:
    """As `read_parameters`, at a glance: the seal is not checked, so large files take no longer.

    Returns:
        None if the file is missing, or does not say what it was made with.
    """
    try:
        return _parameters(path)
    except Exception:  # whatever a file that is no result can make its format's reader raise
        return None


def is_current(path: str | Path, kind: Kind, parameters: Parameters) -> bool:
    """Whether a table, or a file of facts, is there, whole, and made with these parameters.

    Its readers then take it.

    Args:
        path: the file.
        kind: what it has to be: a table if it is a `Schema`, else facts.
        parameters: what it has to be made with.
    """
    try:
        if isinstance(kind, Schema):
            with reading(path, kind), _checked_parquet(path, kind, parameters):
                return True
        read_facts(path, kind, parameters)
        return True
    except FileProblem:
        return False


def _parameters(path: str | Path) -> dict[str, Any]:
    if Path(path).suffix == ".parquet":
        metadata = _table_stamp(pq.read_schema(path))
    elif Path(path).suffix == ".json":
        metadata = json.loads(Path(path).read_text(encoding="utf-8"))["stamp"]
    else:
        with safe_open(path, framework="numpy") as file:
            metadata = tensor_stamp(file)
    return dict(json.loads(metadata["nodeflow.parameters"]))


# --- the stamp: what a file says about itself ----------------------------------------------------


# --- the seal: a digest of all bytes of a file but its own ---------------------------------------
