"""Files as contracts: Parquet tables, safetensors weights and JSON facts.

Every file is written beside its final name, synced and renamed, so a name never holds half a file.
Every file carries its kind, the version of its schema, the parameters that it was made with, where
it came from, and a seal: a digest of all its bytes, for none of the formats guards its own
metadata. Every read checks all of it, and ends in one line that names the file and the cure when
something does not fit.
"""

from __future__ import annotations

import errno
import hashlib
import json
import mmap
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import safe_open
from safetensors.numpy import save as to_safetensors
from safetensors.numpy import save_file

from nodeflow.grid import place_of
from nodeflow.problems import Problem
from nodeflow.provenance import commit, config_digest, versions

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

Parameters = Mapping[str, Any]


class FileProblem(Problem):
    """A file cannot be used; the text names the file, what was expected, and the cure."""


@dataclass(frozen=True)
class Kind:
    """What a file is.

    Attributes:
        name: e.g. "trajectories".
        version: goes up when the meaning of the content changes; files of another version are
            refused.
    """

    name: str
    version: int


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


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary name beside `path` that takes its place, durably, if the body succeeds.

    Raises:
        FileProblem: the disk is full.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)
        for left in path.parent.glob(f".{escape(path.name)}.*.part"):  # by a job that was killed
            left.unlink(missing_ok=True)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise FileProblem(
            f"{path} could not be written: there is no space left on its disk, or in your quota. "
            "Make room and run the same snakemake command again."
        ) from error
    finally:
        beside.unlink(missing_ok=True)


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
        self._arrow = schema.arrow().with_metadata(_stamp(schema, parameters))
        self._path = path
        self._open = ExitStack()

    def __enter__(self) -> TableWriter:
        with ExitStack() as stack:
            beside = stack.enter_context(_sealing(self._path))
            self._writer = stack.enter_context(
                pq.ParquetWriter(
                    beside, self._arrow, compression="zstd", **_encodings(self._schema)
                )
            )
            # Not with the schema, which Parquet stores twice.
            self._writer.add_key_value_metadata({_SEAL: _BLANK})
            self._open = stack.pop_all()
        return self

    def write(self, table: pd.DataFrame | pa.Table | Mapping[str, Any]) -> None:
        """Append one row group; columns may come in any order."""
        if isinstance(table, pa.Table):
            arrow = table.select(self._arrow.names).cast(self._schema.arrow())
        else:
            size = len(table[next(iter(self._schema.columns))])
            columns = [
                _array(table[name], type_)
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
    with _reading(path, schema), _checked_parquet(path, schema, parameters) as file:
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
    with _reading(path, schema), _checked_parquet(path, schema, parameters) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns=columns)


def read_columns(
    path: str | Path, schema: Schema, parameters: Parameters | None = None
) -> dict[str, np.ndarray]:
    """As `read_table`, for columns of numbers; each comes as an array that is not to be changed."""
    with _reading(path, schema), _checked_parquet(path, schema, parameters) as file:
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
        FileProblem: also when a file is not of the cell, system … that its path names.
        Problem: there is no file.
    """
    import pandas as pd

    part, identity = schema.part, schema.identity
    assert identity is not None
    parts = []
    for path in paths:
        # Not read_table and read_parameters, each of which would check the seal of the whole file.
        with _reading(path, part), _checked_parquet(path, part, None) as file:
            table: pd.DataFrame = file.read().to_pandas()
            parameters = json.loads(_table_stamp(file.schema_arrow)["nodeflow.parameters"])
        missing = [name for name in identity.columns if name not in parameters]
        if missing:
            raise _unfit(path, f"a file that knows its {missing[0]}", "one that does not")
        check_place(path, parameters, (*identity.columns, "role", "block"))
        for place, (name, type_) in enumerate(identity.columns.items()):
            if name not in part.stored:
                value = pd.Series([parameters[name]] * len(table), dtype=type_.to_pandas_dtype())
                table.insert(place, name, value)
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
            raise _unfit(path, wanted, f"{name} = {parameters.get(name)}")


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
        _check_stamp(path, schema, _table_stamp(file.schema_arrow), parameters)
        found = {field.name: field.type for field in file.schema_arrow}
        if found != dict(schema.stored):
            raise _unfit(path, f"columns {_columns(schema.stored)}", _columns(found))
        yield file


def _table_stamp(schema: pa.Schema) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}


def _columns(columns: Mapping[str, pa.DataType]) -> str:
    return ", ".join(f"{name} ({type_})" for name, type_ in columns.items())


_SAME = {np.dtype(x): pa.from_numpy_dtype(x) for x in ("int32", "int64", "float32", "float64")}


def _array(column: Any, type_: pa.DataType) -> pa.Array:
    """A column of a table, or what is to become one, in Arrow's type.

    Arrays of that type stay where they are, and lists of strings and of arrays are put together
    here: `pyarrow.array` would import pandas for them.
    """
    if hasattr(column, "iloc"):  # of a data frame
        column = column.to_numpy()
    if isinstance(column, np.ndarray) and column.ndim == 1 and _SAME.get(column.dtype) == type_:
        return pa.Array.from_buffers(type_, len(column), [None, _buffer(column)])
    if pa.types.is_string(type_) and _all_are(column, str):
        encoded = [x.encode() for x in column]
        buffers = [None, _buffer(_ends(encoded)), pa.py_buffer(b"".join(encoded))]
        return pa.Array.from_buffers(pa.string(), len(column), buffers)
    if pa.types.is_list(type_) and _all_are(column, np.ndarray):
        values = _array(np.concatenate(column), type_.value_type)
        return pa.ListArray.from_arrays(_array(_ends(column), pa.int32()), values, type=type_)
    return pa.array(column, type_)


def _all_are(column: Any, kind: type) -> bool:
    return isinstance(column, list) and len(column) > 0 and all(isinstance(x, kind) for x in column)


def _buffer(array: np.ndarray) -> pa.Buffer:
    return pa.py_buffer(np.ascontiguousarray(array))


def _ends(parts: Sequence[Sized]) -> np.ndarray:
    """Where each part begins, and the last one ends, once they stand behind each other."""
    return np.cumsum([0, *map(len, parts)], dtype=np.int32)


# --- safetensors ---------------------------------------------------------------------------------


def write_tensors(
    path: str | Path, tensors: Mapping[str, np.ndarray], kind: Kind, parameters: Parameters
) -> None:
    """Write named arrays as safetensors."""
    arrays = {name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}
    stamp = _stamp(kind, parameters) | {_SEAL: _BLANK}
    with _sealing(path) as beside:
        # One key, because safetensors writes several in an order that changes from run to run.
        beside.write_bytes(to_safetensors(arrays, metadata={"nodeflow": json.dumps(stamp)}))


@contextmanager
def writing_tensors(
    path: str | Path,
    forms: Mapping[str, tuple[str, tuple[int, ...]]],
    kind: Kind,
    parameters: Parameters,
) -> Iterator[dict[str, np.ndarray]]:
    """Arrays on disk that the body fills, in any order; the file is as `write_tensors` makes it.

    Args:
        path: final name; appears only when the body has succeeded.
        forms: a type of safetensors (see `_TYPES`) and the shape of each array.
        kind: of the file.
        parameters: what it is made with.
    """
    stamp = _stamp(kind, parameters) | {_SEAL: _BLANK}
    # Zeros that nobody has touched take no memory.
    empty = {name: np.zeros(shape, _TYPES[type_]) for name, (type_, shape) in forms.items()}
    with _sealing(path) as beside:
        save_file(empty, beside, metadata={"nodeflow": json.dumps(stamp)})
        content = np.memmap(beside, np.uint8, "r+")
        start = 8 + int.from_bytes(content[:8].tobytes(), "little")
        head = json.loads(content[8:start].tobytes())
        yield {
            name: content[start + head[name]["data_offsets"][0] :][: array.nbytes]
            .view(array.dtype)
            .reshape(array.shape)
            for name, array in empty.items()
        }
        content.flush()


_TYPES: Mapping[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "BOOL": np.dtype("bool"),
}


def read_tensors(
    path: str | Path, kind: Kind, parameters: Parameters | None = None
) -> dict[str, np.ndarray]:
    """Read and check named arrays; see `read_table`."""
    with open_tensors(path, kind, parameters) as file:
        return {name: file.get_tensor(name) for name in sorted(file.keys())}


@contextmanager
def open_tensors(
    path: str | Path, kind: Kind, parameters: Parameters | None = None
) -> Iterator[Any]:
    """Check named arrays and open them, to read parts of them (`get_slice`)."""
    with _reading(path, kind):
        file = safe_open(path, framework="numpy")
        _check_stamp(path, kind, _tensor_stamp(file), parameters)
    with file:
        yield file


def opened_parameters(file: Any) -> dict[str, Any]:
    """The parameters in the metadata of what `open_tensors` opened."""
    return dict(json.loads(_tensor_stamp(file)["nodeflow.parameters"]))


def _tensor_stamp(file: Any) -> dict[str, str]:
    return dict(json.loads((file.metadata() or {}).get("nodeflow", "{}")))


# --- JSON ----------------------------------------------------------------------------------------


def write_facts(
    path: str | Path, facts: Mapping[str, Any], kind: Kind, parameters: Parameters
) -> None:
    """Write a few named values as JSON."""
    stamp = _stamp(kind, parameters) | {_SEAL: _BLANK}
    with _sealing(path) as beside:
        text = json.dumps({"facts": facts, "stamp": stamp}, sort_keys=True, indent=1)
        beside.write_text(text + "\n", encoding="utf-8")


def read_facts(
    path: str | Path, kind: Kind, parameters: Parameters | None = None
) -> dict[str, Any]:
    """Read and check named values; see `read_table`."""
    with _reading(path, kind):
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        _check_stamp(path, kind, content["stamp"], parameters)
        return dict(content["facts"])


def read_parameters(path: str | Path) -> dict[str, Any]:
    """The parameters in the metadata of a Parquet, safetensors or JSON file."""
    with _reading(path, Kind("nodeflow", 0)):
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
            with _reading(path, kind), _checked_parquet(path, kind, parameters):
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
            metadata = _tensor_stamp(file)
    return dict(json.loads(metadata["nodeflow.parameters"]))


# --- the stamp: what a file says about itself ----------------------------------------------------


def _stamp(kind: Kind, parameters: Parameters) -> dict[str, str]:
    return {
        "nodeflow.kind": kind.name,
        "nodeflow.version": str(kind.version),
        "nodeflow.parameters": json.dumps(parameters, sort_keys=True),
        "nodeflow.commit": commit(),
        "nodeflow.config": config_digest(),
        "nodeflow.versions": versions(),
    }


def _check_stamp(
    path: str | Path, kind: Kind, metadata: Mapping[str, str], expected: Parameters | None
) -> None:
    name, version = metadata.get("nodeflow.kind"), metadata.get("nodeflow.version")
    if (name, version) != (kind.name, str(kind.version)):
        raise _unfit(path, f"{kind.name}, version {kind.version}", f"{name}, version {version}")
    found = json.loads(metadata["nodeflow.parameters"])
    for key, value in json.loads(json.dumps(dict(expected or {}))).items():
        if found.get(key) != value:
            raise _unfit(path, f"{key} = {value}", f"{key} = {found.get(key)}")


# --- the seal: a digest of all bytes of a file but its own ---------------------------------------

_SEAL = "nodeflow.seal"
_MARK = b"nodeflow-seal-"
_DIGITS = 64
_BLANK = _MARK.decode() + "0" * _DIGITS


@contextmanager
def _sealing(path: str | Path) -> Iterator[Path]:
    """As `replacing`; the digest of what was written takes the place of the blank seal in it."""
    with replacing(path) as beside:
        yield beside
        with _mapped(beside) as content:
            place = _place(beside, content)
            digest = _digest(content, place)
        with beside.open("r+b") as file:
            file.seek(place)
            file.write(digest)


def _check_seal(path: str | Path, kind: Kind) -> None:
    if Path(path).stat().st_size == 0:
        raise _unfit(path, f"a file of kind {kind.name}", "an empty one")
    with _mapped(path) as content:
        place = _place(path, content)
        if place < 0:
            raise _unfit(
                path, f"a file of kind {kind.name}", "one without nodeflow's seal, or half of one"
            )
        if content[place : place + _DIGITS] != _digest(content, place):
            raise _unfit(path, "content that fits its own digest", "damaged content")


@contextmanager
def _mapped(path: str | Path) -> Iterator[mmap.mmap]:
    with (
        Path(path).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        yield content


def _place(path: str | Path, content: mmap.mmap) -> int:
    """Where the digits of the seal begin: metadata stand last in Parquet, else first; or −1."""
    found = content.rfind(_MARK) if ".parquet" in Path(path).name else content.find(_MARK)
    return found + len(_MARK) if found >= 0 else -1


def _digest(content: mmap.mmap, place: int) -> bytes:
    digest = hashlib.sha256()  # computed by the processor itself, on most: twice as fast as BLAKE2
    with memoryview(content) as whole:
        for part in (whole[:place], whole[place + _DIGITS :]):
            with part:
                digest.update(part)
    return digest.hexdigest().encode()


@contextmanager
def _reading(path: str | Path, kind: Kind) -> Iterator[None]:
    """Check the seal; whatever then still goes wrong in the body is said in one line."""
    try:
        if Path(path).is_dir():
            raise _unfit(path, f"a file of kind {kind.name}", "a folder", "folder")
        _check_seal(path, kind)
        yield
    except Problem:
        raise
    except FileNotFoundError:
        raise FileProblem(
            f"{path} is missing; expected a file of kind {kind.name}. "
            "Run the same snakemake command again."
        ) from None
    except MemoryError as error:
        raise FileProblem(
            f"{path} does not fit into the memory that there is; give its job more (mem_mb)."
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise _unfit(
            path, f"a readable file of kind {kind.name}", f"another one ({reason})"
        ) from error


def _unfit(path: str | Path, expected: str, found: str, what: str = "file") -> FileProblem:
    return FileProblem(
        f"{path}: expected {expected}, found {found}. "
        f"Delete this {what} and run the same snakemake command again; it is made anew if needed."
    )
