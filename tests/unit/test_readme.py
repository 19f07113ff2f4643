"""What the README shows is what happens."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodeflow.dynamics import simulate, systems
from nodeflow.graphs import build_graph

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
