"""Jobs that make several files leave alone those that are what they are asked for."""

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nodeflow.dynamics.schemas import TRAJECTORIES
from nodeflow.dynamics.store import read_trajectories
from nodeflow.graphs.graph import build_graph
from nodeflow.graphs.schemas import EDGES
from nodeflow.graphs.store import write_graphs
from nodeflow.parts import outdated
from nodeflow.tables import is_current

ROOT = Path(__file__).parents[2]
RING = np.array([(i, (i + step) % 20) for i in range(20) for step in (1, 2)])
ON = {"role": "test", "N": 20, "beta": 1.1, "gamma": 3.0, "seed": 1, "code": "a"}
SIMULATION: dict[str, Any] = {
    "trajectories": 1, "times": 5, "initial": [0.0, 0.5], "horizon": 1.0, "code": "b",
    "tolerance": {"rtol": 1e-6, "atol": 1e-6, "max_steps": 300}, "on": ON,
}  # fmt: skip
PARTS: dict[str, dict[str, Any]] = {
    "SIS": {**SIMULATION, "system": "SIS", "parameters": {"B": 1.0, "R": 1.2}},
    "MM": {**SIMULATION, "system": "MM", "parameters": {"B": 1.0, "R": 1.0}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    graphs = [build_graph(20, RING)]
    write_graphs(tmp_path / "edges.parquet", graphs, ON)
    simulate(tmp_path, PARTS)
    return tmp_path


def files(folder: Path) -> dict[str, Path]:
    return {system: folder / f"results/trajectories/test/{system}/x.parquet" for system in PARTS}


def simulate(folder: Path, parts: dict[str, dict[str, Any]]) -> None:
    snakemake = SimpleNamespace(
        input=SimpleNamespace(edges=str(folder / "edges.parquet")),
        output=[str(path) for path in files(folder).values()],
        params=SimpleNamespace(p=parts, code="b"),
        log=[str(folder / "log")],
        threads=1,
    )
    script = ROOT / "workflow/scripts/simulate_trajectories.py"
    runpy.run_path(str(script), {"snakemake": snakemake})


def contents(folder: Path) -> dict[str, bytes]:
    return {system: path.read_bytes() for system, path in files(folder).items()}


def changed(system: str, **values: Any) -> dict[str, dict[str, Any]]:
    return {**PARTS, system: {**PARTS[system], **values}}


@pytest.mark.parametrize(
    "values", [{"parameters": {"B": 1.0, "R": 1.3}}, {"code": "c"}, {"on": {**ON, "seed": 1.5}}]
)
def test_a_job_makes_only_what_is_to_be_made_with_other_parameters(
    folder: Path, values: dict[str, Any]
) -> None:
    paths = files(folder)
    parts = {str(paths[name]): made for name, made in changed("SIS", **values).items()}
    assert outdated({str(paths[name]): made for name, made in PARTS.items()}) == set()
    assert outdated(parts) == {str(paths["SIS"])}
    before, times = contents(folder), paths["MM"].stat().st_mtime_ns
    if "on" not in values:  # its graphs are not there
        simulate(folder, changed("SIS", **values))
        assert contents(folder)["SIS"] != before["SIS"]
        assert contents(folder)["MM"] == before["MM"]
        assert paths["MM"].stat().st_mtime_ns == times
        assert outdated(parts) == set()


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "foreign", "missing"])
def test_a_damaged_file_is_made_anew(folder: Path, damage: str) -> None:
    path, before = files(folder)["MM"], contents(folder)
    whole = before["MM"]
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 1
    path.unlink()
    if damage != "missing":
        content = {
            "flipped": bytes(flipped),
            "cut": whole[:-100],
            "empty": b"",
            "foreign": (folder / "edges.parquet").read_bytes(),
        }
        path.write_bytes(content[damage])
    assert not is_current(path, TRAJECTORIES, PARTS["MM"])
    # A flipped bit of the numbers is found by who reads the file, not by who plans.
    assert outdated({str(path): PARTS["MM"]}) == (set() if damage == "flipped" else {str(path)})
    simulate(folder, PARTS)
    assert contents(folder) == before
    assert all(np.isfinite(x.states).all() for x in read_trajectories(path, PARTS["MM"]))


def test_a_file_of_another_kind_is_not_current(folder: Path) -> None:
    assert is_current(folder / "edges.parquet", EDGES, ON)
    assert not is_current(folder / "edges.parquet", TRAJECTORIES, ON)
