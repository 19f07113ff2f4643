"""What the README shows is what happens."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodeflow.dynamics import simulate, simulate_cell, systems
from nodeflow.graphs import build_graph, sample_cell
from nodeflow.grid import Cell
from nodeflow.node import GaussNewtonSettings, write_models
from nodeflow.node.train import observed, train_stack

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_library_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    [example] = [block for block in blocks if "sample_cell" in block]
    exec(compile(example, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "(4, 33, 1024)" in printed
    assert "failed" not in printed


def test_the_sixth_system_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    [example] = [block for block in blocks if "System(" in block]
    names: dict[str, Any] = {"np": np}
    exec(compile(example, "README.md", "exec"), names)
    entry = names["WC"]
    monkeypatch.setattr(systems, "SYSTEMS", {**systems.SYSTEMS, entry.name: entry})
    built = systems.field("WC", {"a": 2.0})
    x = np.linspace(0.0, 5.0, 50)
    for value, slope in (
        (built.f, built.df),
        (built.h_ego, built.dh_ego),
        (built.h_alt, built.dh_alt),
    ):
        np.testing.assert_allclose((value(x + 1e-6) - value(x - 1e-6)) / 2e-6, slope(x), atol=1e-8)
    pair = build_graph(2, [(0, 1)]).adjacency()
    (states,) = simulate(built, pair, [[0.2, 0.2]], [0.0, 40.0]).states
    rest = states[-1, 0]
    assert rest == pytest.approx(1.0 / (1.0 + np.exp(3.0 - 2.0 * rest)), abs=1e-5)


def test_every_file_that_it_names_is_there() -> None:
    for name in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert (ROOT / name).exists(), name


def test_no_placeholder_is_left() -> None:
    assert re.findall(r"\b[A-Z]+_SECTION\b", README) == []


def test_the_example_of_a_loaded_neural_ode_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    [example] = [block for block in blocks if "nodeflow.node import load" in block]
    [path] = re.findall(r'load\("(.*?)"\)', example)
    graphs = sample_cell(Cell(64, 1.1, 3.0), mean_degree=10, role="x", graphs=1, root_seed=1)
    found = simulate_cell(
        graphs, "SIS", role="x", cell=Cell(64, 1.1, 3.0), trajectories=4, initial=(0.0, 0.5),
        horizon=1.0, times=65, rtol=1e-6, atol=1e-6, max_steps=10_000, root_seed=1,
    )  # fmt: skip
    settings = GaussNewtonSettings(hidden=(16, 16), steps=30, warmup=100, knots=24)
    models, _ = train_stack(observed(graphs, list(found)), settings, [("SIS",)], root_seed=1)
    write_models(tmp_path / path, models, {"system": "SIS"})
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    assert re.match(r"0\.\d+ seen in training", capsys.readouterr().out)
