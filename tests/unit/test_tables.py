"""Files as contracts: what was written comes back, and what is damaged is refused in one line."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeflow.columns import arrow_column
from nodeflow.problems import Problem
from nodeflow.tables import (
    FileProblem,
    Kind,
    Schema,
    TableWriter,
    as_numpy,
    gather,
    gathered,
    open_tensors,
    read_facts,
    read_parameters,
    read_table,
    read_tensors,
    stream_table,
    write_facts,
    write_table,
    write_tensors,
)

DEMO = Schema(
    "demo",
    2,
    {"node": pa.int32(), "state": pa.float32()},
    {"node": "index of the node", "state": "activity"},
)
WEIGHTS = Kind("weights", 1)


def frame(rows: int = 500) -> pd.DataFrame:
    generator = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "state": generator.random(rows, dtype=np.float32),
            "node": np.arange(rows, dtype=np.int32),
        }
    )


def test_a_table_comes_back_with_its_parameters(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.parquet"
    write_table(path, frame(), DEMO, {"N": 64, "beta": 2.1})
    pd.testing.assert_frame_equal(read_table(path, DEMO, {"N": 64}), frame()[["node", "state"]])
    assert read_parameters(path) == {"N": 64, "beta": 2.1}
    assert [p.name for p in path.parent.iterdir()] == ["a.parquet"]


def test_numbers_are_stored_without_a_dictionary(tmp_path: Path) -> None:
    columns = {
        "kind": pa.string(),
        "value": pa.float64(),
        "states": pa.list_(pa.float32()),
        "ids": pa.list_(pa.int32()),
    }
    schema = Schema("mixed", 1, columns, dict.fromkeys(columns, "a column"))
    # A damped oscillation: digits that never repeat, bytes that do.
    t = np.linspace(0, 1, 4000)
    states = [np.float32(np.exp(-rate * t)) for rate in (1.0, 2.0, 3.0)]
    rows = {
        "kind": ["a", "b", "a"],
        "value": [0.1, np.nan, 0.3],
        "states": states,
        "ids": [np.arange(5, dtype=np.int32)] * 3,
    }
    path = tmp_path / "mixed.parquet"
    write_table(path, rows, schema, {})
    back = read_table(path, schema)
    for written, read in zip(states, back["states"], strict=True):
        np.testing.assert_array_equal(written, read)
    np.testing.assert_array_equal(back["value"], rows["value"])
    with pq.ParquetFile(path) as file:
        group = file.metadata.row_group(0)
        encodings = {
            group.column(i).path_in_schema: set(group.column(i).encodings) for i in range(4)
        }
    for name, found in encodings.items():
        floating = name.startswith(("value", "states"))
        assert ("BYTE_STREAM_SPLIT" in found) == floating, (name, found)
        assert any("DICTIONARY" in encoding for encoding in found) != floating, (name, found)
    assert path.stat().st_size < 0.8 * sum(state.nbytes for state in states)


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write_table(tmp_path / f"{name}.parquet", frame(), DEMO, {"N": 64})
        write_tensors(tmp_path / f"{name}.safetensors", {"w": np.eye(3)}, WEIGHTS, {"N": 64})
    for kind in ("parquet", "safetensors"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


@pytest.mark.parametrize(
    ("column", "type_"),
    [
        (np.arange(5, dtype=np.int32), pa.int32()),
        (np.arange(10)[::2], pa.int64()),
        (np.arange(3), pa.int32()),
        (np.array([0.5, np.nan]), pa.float64()),
        (np.array([0.5, np.inf], np.float32), pa.float32()),
        (np.array([True, False]), pa.bool_()),
        (["", "κ and β", "x"], pa.string()),
        (["a", None], pa.string()),
        (np.array(["a", "b"], object), pa.string()),
        ([np.arange(2.0), np.arange(0.0), np.arange(3.0)], pa.list_(pa.float64())),
        ([np.arange(2), np.arange(3)], pa.list_(pa.float32())),
        ([[1.0], [2.0, 3.0]], pa.list_(pa.float64())),
        *(([], x) for x in (pa.int32(), pa.string(), pa.list_(pa.float32()))),
    ],
)
def test_columns_become_what_pyarrow_makes_of_them(column: Any, type_: pa.DataType) -> None:
    made = arrow_column(column, type_)
    made.validate(full=True)
    assert made.type == type_
    if pa.types.is_floating(type_):  # where NaN is equal to nothing
        np.testing.assert_array_equal(as_numpy(made), column)
    else:
        assert made.equals(pa.array(column, type_))


def test_graphs_and_trajectories_need_no_pandas(tmp_path: Path) -> None:
    code = """
import sys
from nodeflow.dynamics.ensemble import simulate_cell
from nodeflow.dynamics.store import read_trajectories, write_trajectories
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.graphs.ensemble import sample_cell
from nodeflow.graphs.store import read_graphs, write_coordinates, write_graphs
from nodeflow.grid import Cell

cell = Cell(64, 1.1, 2.4)
graphs = sample_cell(cell, mean_degree=8, role="unit", graphs=2, root_seed=1)
write_graphs("edges.parquet", graphs, {})
write_coordinates("coordinates.parquet", graphs, {})
again = read_graphs("edges.parquet", {}, coordinates="coordinates.parquet")
assert all((a.edges == b.edges).all() for a, b in zip(again, graphs))
settings = {"trajectories": 1, "initial": (0.0, 0.5), "horizon": 1.0, "times": 3, "root_seed": 1}
settings |= {"tolerance": Tolerance(1e-4, 1e-4, 100)}
found = list(simulate_cell(again, "SIS", role="unit", cell=cell, **settings))
write_trajectories("trajectories.parquet", found, {})
assert (read_trajectories("trajectories.parquet")[1].states == found[1].states).all()
print("pandas" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "False", done.stderr


def test_row_groups_stream(tmp_path: Path) -> None:
    with TableWriter(tmp_path / "a.parquet", DEMO, {}) as writer:
        for start in range(0, 500, 100):
            writer.write(frame()[start : start + 100])
    parts = list(stream_table(tmp_path / "a.parquet", DEMO))
    assert [len(part) for part in parts] == [100] * 5
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), frame()[["node", "state"]])


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_table(path, frame(), DEMO, {})
    before = path.read_bytes()
    with pytest.raises(RuntimeError), TableWriter(path, DEMO, {}) as writer:
        writer.write(frame(3))
        raise RuntimeError
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]


def refusal(path: Path, **wanted: object) -> str:
    with pytest.raises(FileProblem) as caught:
        if path.suffix == ".parquet":
            read_table(path, DEMO, wanted)
        elif path.suffix == ".json":
            read_facts(path, Kind("facts", 1), wanted)
        else:
            read_tensors(path, WEIGHTS, wanted)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    assert "snakemake" in text
    return text


def write_all(folder: Path) -> list[Path]:
    write_table(folder / "a.parquet", frame(), DEMO, {"N": 64})
    write_tensors(folder / "a.safetensors", {"w": frame()["state"].to_numpy()}, WEIGHTS, {"N": 64})
    write_facts(folder / "a.json", {"rate": 0.25}, Kind("facts", 1), {"N": 64})
    return sorted(folder.iterdir())


@pytest.mark.parametrize("suffix", ["parquet", "safetensors", "json"])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_no_truncation_or_changed_byte_is_accepted(
    suffix: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    path = next(p for p in write_all(folder) if p.suffix == f".{suffix}")
    good = path.read_bytes()
    if data.draw(st.booleans(), "truncate"):
        path.write_bytes(good[: data.draw(st.integers(0, len(good) - 1))])
        refusal(path, N=64)
        return
    place = data.draw(st.integers(0, len(good) - 1))
    flipped = good[place] ^ (1 << data.draw(st.integers(0, 7)))
    path.write_bytes(good[:place] + bytes([flipped]) + good[place + 1 :])
    refusal(path, N=64)
    if suffix != "json":
        with pytest.raises(FileProblem):
            read_parameters(path)


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    for path in write_all(tmp_path):
        assert "N = 128, found N = 64" in refusal(path, N=128)
    newer = Schema("demo", 3, DEMO.columns, DEMO.about)
    write_table(tmp_path / "new.parquet", frame(), newer, {})
    assert "demo, version 2, found demo, version 3" in refusal(tmp_path / "new.parquet")
    pq.write_table(pa.table({"node": [1]}), tmp_path / "foreign.parquet")
    assert "without nodeflow's seal" in refusal(tmp_path / "foreign.parquet")
    assert "is missing" in refusal(tmp_path / "nowhere.safetensors")
    (tmp_path / "folder.parquet").mkdir()
    assert "found a folder. Delete this folder" in refusal(tmp_path / "folder.parquet")
    (tmp_path / "empty.json").touch()
    assert "found an empty one" in refusal(tmp_path / "empty.json")
    (tmp_path / "a.parquet").replace(tmp_path / "b.safetensors")
    assert "expected a readable file of kind weights" in refusal(tmp_path / "b.safetensors")


def test_what_a_caller_does_wrong_is_not_called_damage(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a.safetensors", {"w": np.eye(3)}, WEIGHTS, {})
    with pytest.raises(ZeroDivisionError), open_tensors(tmp_path / "a.safetensors", WEIGHTS):
        1 / 0  # noqa: B018


def test_what_a_killed_job_left_is_cleared_away(tmp_path: Path) -> None:
    for left in (".a.parquet.17.part", ".a.parquet.18.part", ".b.parquet.17.part"):
        (tmp_path / left).write_text("half a file")
    write_table(tmp_path / "a.parquet", frame(), DEMO, {})
    assert sorted(p.name for p in tmp_path.iterdir()) == [".b.parquet.17.part", "a.parquet"]


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def full(_: int) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "fsync", full)
    said = r"a\.file could not be written: .* no space left"
    with pytest.raises(FileProblem, match=said):
        write_table(tmp_path / "a.file", frame(), DEMO, {})
    with pytest.raises(FileProblem, match=said):
        write_tensors(tmp_path / "a.file", {"w": np.eye(3)}, WEIGHTS, {})
    assert list(tmp_path.iterdir()) == []


def test_gathered_rows_know_their_file(tmp_path: Path) -> None:
    for N in (64, 128):
        write_table(tmp_path / f"{N}.parquet", frame(3), DEMO, {"N": N})
    identity = Schema("cell", 1, {"N": pa.int32()}, {"N": "number of nodes"})
    whole = gathered("whole", DEMO, identity)
    table = gather([tmp_path / "64.parquet", tmp_path / "128.parquet"], whole)
    assert table["N"].tolist() == [64] * 3 + [128] * 3
    assert list(table.columns) == ["N", "node", "state"] == list(whole.columns)
    with pytest.raises(Problem, match="no table of demo to gather: this configuration makes none"):
        gather([], whole)


def test_a_file_in_anothers_place_is_not_gathered(tmp_path: Path) -> None:
    identity = Schema("cell", 1, {"N": pa.int32()}, {"N": "number of nodes"})
    path = tmp_path / "results" / "test" / "N~64" / "block~0.metrics.parquet"
    write_table(path, frame(3), DEMO, {"N": 64, "role": "test", "block": 0})
    assert len(gather([path], gathered("whole", DEMO, identity))) == 3
    for made, found in (
        ({"N": 128, "role": "test", "block": 0}, "the N of its path, found N = 128"),
        ({"N": 64, "role": "training", "block": 0}, "the role of its path, found role = training"),
        ({"N": 64, "role": "test", "block": 1}, "the block of its path, found block = 1"),
        ({"role": "test", "block": 0}, "that knows its N, found one that does not"),
    ):
        write_table(path, frame(3), DEMO, made)
        with pytest.raises(FileProblem, match=found):
            gather([path], gathered("whole", DEMO, identity))


def test_what_a_table_is_of_is_a_column_of_its_file_and_a_parameter(tmp_path: Path) -> None:
    identity = Schema("identity", 1, {"name": pa.string(), "beta": pa.float64()}, {
        "name": "whose", "beta": "where",
    })  # fmt: skip
    schema = Schema("values", 1, {"x": pa.float64()}, {"x": "a value"}, identity=identity)
    rows = pd.DataFrame({"x": [0.5, np.nan]})
    write_table(tmp_path / "a.parquet", rows, schema, {"name": "a", "beta": 0.1 + 0.2, "more": 1})
    write_table(tmp_path / "b.parquet", rows[:0], schema, {"name": "b", "beta": 3.0})
    found = read_table(tmp_path / "a.parquet", schema)
    assert found.equals(rows.assign(name="a", beta=0.1 + 0.2)[["name", "beta", "x"]])
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    whole = gather(paths, gathered("whole", schema, identity))
    assert whole.equals(found) and list(gathered("whole", schema, identity).columns) == list(whole)
    with pytest.raises(KeyError, match="beta"):
        write_table(tmp_path / "c.parquet", rows, schema, {"name": "c"})
