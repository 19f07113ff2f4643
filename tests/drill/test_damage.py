"""Every kind of file of a finished run, damaged in every way: one line that names it and a cure.

Kinds of files, their readers and what they are read with are taken from the workflow's own jobs.
The job that reads a damaged file runs in this process, so several hundred cases take minutes. It
has to refuse the file in one line that names it; only a file that says the same as the right one
may lie in its place, if the job then does what it did before.
"""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from nodeflow.tables import Kind, Schema, read_parameters, write_table, write_tensors
from tests.workflow.conftest import Checkout

from .conftest import files_of
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
        return str((pq.read_schema(path).metadata or {}).get(b"nodeflow.kind", b"").decode())
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
    path = run.folder / case.path
    again = path.with_name(f"next version of {path.name}")
    parameters = read_parameters(path)
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        version = int(table.schema.metadata[b"nodeflow.version"])
        columns = {field.name: field.type for field in table.schema}
        schema = Schema(case.kind, version + 1, columns, dict.fromkeys(columns, "as before"))
        write_table(again, table, schema, parameters)
    else:
        with safe_open(path, framework="numpy") as file:
            version = int(json.loads(file.metadata()["nodeflow"])["nodeflow.version"])
        write_tensors(again, load_file(path), Kind(case.kind, version + 1), parameters)
    try:
        yield again.read_bytes()
    finally:
        again.unlink()


def replaced_by_a_folder(
    case: Case, good: bytes, dice: random.Random, run: Checkout
) -> Iterator[None]:
    yield None


DAMAGES = (
    truncated, emptied, flipped, swapped, foreign, of_another_version, replaced_by_a_folder,
)  # fmt: skip


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
    if len(about) != 1 or "Delete this f" not in about[0]:
        return "refused, but not in one line that names the file: " + " | ".join(log[-4:])
    if any("Traceback" in line or "did not foresee" in line for line in log):
        return "ended with a traceback"
    # What was complete before the fault may stand there; a half-written file may not.
    return "left a partial file" if list(scratch.rglob("*.part")) else ""


def lay(path: Path, content: bytes | None) -> None:
    """Put a file, or a folder, in a file's place."""
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.write_bytes(content) if content is not None else path.mkdir()


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_file_is_refused_in_one_line(
    damage: Callable[..., Iterator[bytes | None]],
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
                lay(path, content)
                found = wrong(case, run, scratch)
            finally:
                lay(path, good)
            count += 1
            if found:
                faults.append(f"{case.path} ({case.kind}), read by {case.reader.rule}: {found}")
    record_property("cases", count)
    print(f"{damage.__name__}: {count} cases, {len(faults)} faults")
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


DELETED = [
    "results/graphs/test/N~128/*/gamma~2.1/edges.parquet",
    "results/trajectories/training/SIS/N~64/*/*.parquet",
    "results/priors/SIS/zoo.safetensors",
    "results/zoo/iris/aligned/*.safetensors",
    "results/flow/iris_descent/raw/*/samples.safetensors",
]
"""Files that do not follow from each other, so the run meets all of them."""


def test_deleting_the_named_files_cures(copied: Callable[[], Checkout]) -> None:
    checkout = copied()
    before = files_of(checkout)
    damaged = [next(checkout.folder.glob(pattern)) for pattern in DELETED]
    for path in damaged:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    answer = checkout.smoke("--cores", "2", check=False)
    text = answer.stdout + answer.stderr
    assert answer.returncode == 1
    assert "Traceback (most recent call last)" not in text
    for path in damaged:
        name = path.relative_to(checkout.folder)
        lines = [line for line in text.splitlines() if f"{name}: expected" in line]
        assert lines, (name, text[-3000:])
        assert all("Delete this file and run the same" in line for line in lines)
        path.unlink()
    checkout.smoke("--cores", "2")
    # Snakemake makes a file that nothing waits for only when it is named.
    checkout.snakemake(
        *(path.relative_to(checkout.folder).as_posix() for path in damaged),
        "--cores", "2", "--configfile", "config/smoke.yaml",
    )  # fmt: skip
    after = files_of(checkout)
    assert after.items() <= before.items()
    shown = ("results/tables", "results/figures")
    needed = {name for name in before if name.startswith(shown)}
    assert needed | {path.relative_to(checkout.folder).as_posix() for path in damaged} <= set(after)
