"""The contract of every file: written beside and moved in place, sealed, and checked on read."""

from __future__ import annotations

import errno
import hashlib
import json
import mmap
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from typing import Any

from nodeflow.problems import Problem
from nodeflow.provenance import commit, config_digest, versions

__all__ = [
    "BLANK",
    "SEAL",
    "FileProblem",
    "Kind",
    "Parameters",
    "check_stamp",
    "reading",
    "replacing",
    "sealing",
    "stamp_of",
    "unfit",
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
        written: by what, where users write such files themselves and give their paths.
    """

    name: str
    version: int
    written: str = field(default="", kw_only=True)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary name beside `path` that takes its place, durably, if the body succeeds.

    Raises:
        FileProblem: the disk is full, or a folder is there.
    """
    path = Path(path)
    if path.is_dir():
        raise FileProblem(f"{path} is a folder, and a file is to be written there; name a file.")
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


def stamp_of(kind: Kind, parameters: Parameters) -> dict[str, str]:
    """What a file says about itself, as metadata."""
    return {
        "nodeflow.kind": kind.name,
        "nodeflow.version": str(kind.version),
        "nodeflow.parameters": json.dumps(parameters, sort_keys=True),
        "nodeflow.commit": commit(),
        "nodeflow.config": config_digest(),
        "nodeflow.versions": versions(),
    }


def check_stamp(
    path: str | Path, kind: Kind, metadata: Mapping[str, str], expected: Parameters | None
) -> None:
    """Refuse a file of another kind or version, or made with other parameters."""
    name, version = metadata.get("nodeflow.kind"), metadata.get("nodeflow.version")
    if (name, version) != (kind.name, str(kind.version)):
        found = f"{name}, version {version}"
        raise unfit(path, f"{kind.name}, version {kind.version}", found, kind)
    parameters = json.loads(metadata["nodeflow.parameters"])
    for key, value in json.loads(json.dumps(dict(expected or {}))).items():
        if parameters.get(key) != value:
            raise unfit(path, f"{key} = {value}", f"{key} = {parameters.get(key)}", kind)


SEAL = "nodeflow.seal"

_MARK = b"nodeflow-seal-"

_DIGITS = 64

BLANK = _MARK.decode() + "0" * _DIGITS


@contextmanager
def sealing(path: str | Path) -> Iterator[Path]:
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
        raise unfit(path, f"a file of kind {kind.name}", "an empty one", kind)
    with _mapped(path) as content:
        place = _place(path, content)
        if place < 0:
            found = "one without nodeflow's seal, or half of one"
            raise unfit(path, f"a file of kind {kind.name}", found, kind)
        if content[place : place + _DIGITS] != _digest(content, place):
            raise unfit(path, "content that fits its own digest", "damaged content", kind)


@contextmanager
def _mapped(path: str | Path) -> Iterator[mmap.mmap]:
    with (
        Path(path).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        yield content


def _place(path: str | Path, content: mmap.mmap) -> int:
    """Where the digits of the seal begin: metadata stand last in Parquet, else first; or −1."""
    mark = content.rfind(_MARK) if ".parquet" in Path(path).name else content.find(_MARK)
    return mark + len(_MARK) if mark >= 0 else -1


def _digest(content: mmap.mmap, place: int) -> bytes:
    digest = hashlib.sha256()  # computed by the processor itself, on most: twice as fast as BLAKE2
    with memoryview(content) as whole:
        for part in (whole[:place], whole[place + _DIGITS :]):
            with part:
                digest.update(part)
    return digest.hexdigest().encode()


@contextmanager
def reading(path: str | Path, kind: Kind) -> Iterator[None]:
    """Check the seal; whatever then still goes wrong in the body is said in one line."""
    try:
        if Path(path).is_dir():
            raise unfit(path, f"a file of kind {kind.name}", "a folder", kind, "folder")
        _check_seal(path, kind)
        yield
    except Problem:
        raise
    except FileNotFoundError:
        raise FileProblem(
            f"{path} is missing; expected a file of kind {kind.name}. "
            f"{_cure(kind) or 'Run the same snakemake command again.'}"
        ) from None
    except MemoryError as error:
        raise FileProblem(
            f"{path} does not fit into the memory that there is; give its job more (mem_mb)."
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise unfit(
            path, f"a readable file of kind {kind.name}", f"another one ({reason})", kind
        ) from error


def unfit(
    path: str | Path, expected: str, found: str, kind: Kind | None = None, what: str = "file"
) -> FileProblem:
    """The one line about a file that is not what was expected."""
    cure = _cure(kind) or (
        f"Delete this {what} and run the same snakemake command again; it is made anew if needed."
    )
    return FileProblem(f"{path}: expected {expected}, found {found}. {cure}")


def _cure(kind: Kind | None) -> str:
    """What to do about a file that users write themselves; a run's own files are made anew."""
    if kind is None or not kind.written:
        return ""
    return (
        f"Give the path of a file that {kind.written} has written; one that a run made is made "
        "anew when it is deleted."
    )
