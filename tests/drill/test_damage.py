"""Every kind of file of a finished run, damaged in every way: one line and a cure, or no difference.

Kinds of files, their readers and what they are read with are taken from the workflow's own jobs.
The job that reads a damaged file runs in this process, so several hundred cases take minutes. It may
refuse the file in one line that names it, or, where a changed byte means nothing (the text of a
version, padding), do exactly what it did before. Anything else is a wrong result.
"""

import json
import random
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from nodeflow.tables import read_parameters
from tests.workflow.conftest import Checkout

from .jobs import Job, jobs_of

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Case:
    """A file, the job that reads it, and the files of the same kind that could lie in its place."""

    path: str
    kind: str
    reader: Job
    alike: tuple[str, ...]


def kind_of(path: Path) -> str:
    """What nodeflow says that a file is; "" for files that are not nodeflow's."""
    if path.suffix == ".parquet":
        return (pq.read_schema(path).metadata or {}).get(b"nodeflow.kind", b"").decode()
    if path.suffix == ".safetensors":
        with safe_open(path, framework="numpy") as file:
            return str(json.loads(file.metadata()["nodeflow"])["nodeflow.kind"])
    return ""


def seconds(run: Checkout, job: Job) -> float:
    return float(pd.read_csv(run.folder / job.benchmark, sep="\t")["s"].iloc[-1])


def cases_of(run: Checkout, each: int = 2) -> list[Case]:
    """Some files of every kind that a job reads, each with its quickest reader of every rule."""
    readers: dict[str, dict[str, Job]] = defaultdict(dict)
    for job in sorted(jobs_of(run), key=lambda job: seconds(run, job)):
        for path in job.input[""]:
            readers[path].setdefault(job.rule, job)
    kinds: dict[str, list[str]] = defaultdict(list)
    for path in sorted(readers):
        kinds[kind_of(run.folder / path)].append(path)
    found = []
    for kind, paths in kinds.items():
        if not kind:
            continue  # Snakemake's benchmark files; see test_runtime.py
        by_rules: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for path in paths:
            by_rules[tuple(sorted(readers[path]))].append(path)
        for rules, read_alike in by_rules.items():
            for rule in rules:
                for path in read_alike[:each]:
                    alike = tuple(p for p in paths if p != path)
                    found.append(Case(path, kind, readers[path][rule], alike))
    return found


@pytest.fixture(scope="module")
def run(finished: Checkout) -> Checkout:
    return finished


@pytest.fixture(scope="module")
def cases(run: Checkout) -> list[Case]:
    return cases_of(run)


# --- damages: what then stands in a file's place, once or several times ---------------------------


def truncated(case: Case, good: bytes, dice: random.Random, run: Checkout) -> Iterator[bytes]:
    yield good[: len(good) // 2]
    yield good[: dice.randrange(len(good))]


def emptied(case: Case, good: bytes, dice: random.Random, run: Checkout) -> Iterator[bytes]:
    yield b""


def flipped(case: Case, good: bytes, dice: random.Random, run: Checkout) -> Iterator[bytes]:
    for _ in range(2):
        place = dice.randrange(len(good))
        yield good[:place] + bytes([good[place] ^ (1 << dice.randrange(8))]) + good[place + 1 :]


def swapped(case: Case, good: bytes, dice: random.Random, run: Checkout) -> Iterator[bytes]:
    """Another file of the same kind: of another cell, system, zoo, role …"""
    for other in dice.sample(case.alike, min(2, len(case.alike))):
        yield (run.folder / other).read_bytes()


def foreign(case: Case, good: bytes, dice: random.Random, run: Checkout) -> Iterator[bytes]:
    """A file of another kind in the same format."""
    suffix = Path(case.path).suffix
    others = sorted(
        path for path in run.folder.glob(f"results/**/*{suffix}") if kind_of(path) != case.kind
    )
    yield dice.choice(others).read_bytes()


def of_another_version(
    case: Case, good: bytes, dice: random.Random, run: Checkout
) -> Iterator[bytes]:
    """The same content, written by a nodeflow whose files of this kind have the next version."""
    yield _with_stamp(run.folder / case.path, lambda stamp: {
        **stamp, "nodeflow.version": str(int(stamp["nodeflow.version"]) + 1)
    })  # fmt: skip


def _with_stamp(path: Path, change: Callable[[dict[str, str]], dict[str, str]]) -> bytes:
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        stamp = {k.decode(): v.decode() for k, v in table.schema.metadata.items()}
        sink = path.with_name("changed.tmp")
        pq.write_table(table.replace_schema_metadata(change(stamp)), sink)
        content = sink.read_bytes()
        sink.unlink()
        return content
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    stamp = json.loads(header["__metadata__"]["nodeflow"])
    header["__metadata__"]["nodeflow"] = json.dumps(change(stamp))
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + raw[8 + length :]


DAMAGES = (truncated, emptied, flipped, swapped, foreign, of_another_version)


# --- what has to follow --------------------------------------------------------------------------


def same_content(one: Path, other: Path) -> bool:
    if one.suffix == ".parquet":
        return pd.read_parquet(one).equals(pd.read_parquet(other))
    if one.suffix == ".safetensors":
        first, second = load_file(one), load_file(other)
        return first.keys() == second.keys() and all(
            first[name].tobytes() == second[name].tobytes() for name in first
        )
    return one.read_bytes() == other.read_bytes()


def wrong(case: Case, run: Checkout, scratch: Path) -> str:
    """What is wrong with how a job took a damaged file; "" if nothing."""
    succeeded, log = case.reader.run(run, scratch)
    outputs = case.reader.output[""]
    if succeeded:
        other = [x for x in outputs if not same_content(scratch / x, run.folder / x)]
        return f"accepted, and these changed: {other}" if other else ""
    about = [line for line in log if f"{case.path}: expected" in line]
    if len(about) != 1 or "Delete this file" not in about[0]:
        return "refused, but not in one line that names the file: " + " | ".join(log[-4:])
    if any("Traceback" in line or "did not foresee" in line for line in log):
        return "ended with a traceback"
    # What was complete before the fault may stand there; a half-written file may not.
    return "left a partial file" if list(scratch.rglob("*.part")) else ""


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_file_is_refused_in_one_line(
    damage: Callable[..., Iterator[bytes]],
    run: Checkout,
    cases: list[Case],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    faults, count = [], 0
    for case in cases:
        path = run.folder / case.path
        good, dice = path.read_bytes(), random.Random(f"{damage.__name__} {case.path}")
        for content in damage(case, good, dice, run):
            if content == good:
                continue
            scratch = tmp_path / str(count)
            scratch.mkdir()
            try:
                path.write_bytes(content)
                found = wrong(case, run, scratch)
            finally:
                path.write_bytes(good)
            count += 1
            if found:
                faults.append(f"{case.path} ({case.kind}), read by {case.reader.rule}: {found}")
    record_property("cases", count)
    assert not faults, f"{len(faults)} of {count} cases:\n" + "\n".join(faults)
    assert count > 30


def test_every_kind_of_file_is_damaged(run: Checkout, cases: list[Case]) -> None:
    """Of the files that a run leaves, only those that nothing reads are left out."""
    written = {
        kind_of(p) for s in ("parquet", "safetensors") for p in run.folder.glob(f"results/**/*.{s}")
    }
    read = {case.kind for case in cases}
    assert len(read) > 30
    assert len(written - read) < len(read) / 2, written - read
    assert read_parameters(run.folder / cases[0].path)
