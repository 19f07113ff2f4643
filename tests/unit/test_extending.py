"""What docs/extending.md shows runs, and the places that it names are in step with each other."""

import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from nodeflow.config import read_config
from nodeflow.config.document import key_table
from nodeflow.datasets import DATASETS, VIEWS, form
from nodeflow.datasets.sets import SETS
from nodeflow.dynamics import simulate, systems
from nodeflow.dynamics.systems import SYSTEMS
from nodeflow.flow.methods import METHODS
from nodeflow.graphs import build_graph
from nodeflow.zoo.architectures import MODULES
from nodeflow.zoo.settings import PUBLISHED
from tests.documents import blocks
from tests.unit.test_config import DEFAULT, overlaid

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/extending.md").read_text()


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "extending"}
    for found in re.finditer(r"```python\n(.*?)```", TEXT, re.DOTALL):
        above = "\n" * TEXT.count("\n", 0, found.start(1))
        exec(compile(above + found[1], "docs/extending.md", "exec"), names)
    assert (tmp_path / "learning.png").stat().st_size > 5_000
    plt.close("all")


def test_the_system_of_the_page_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    [example] = [block for block in blocks(TEXT, "python") if "System(" in block]
    names: dict[str, Any] = {"np": np}
    exec(compile(example, "docs/extending.md", "exec"), names)
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
    names = re.findall(r"`((?:src|config|workflow|rules|tests)/[\w./]*)`", TEXT)
    assert len(names) > 20
    for name in (name for name in names if "NAME" not in name):
        assert (ROOT / name).exists(), name


def test_the_configuration_knows_what_the_library_knows() -> None:
    config = overlaid(DEFAULT, {"dynamics": {"systems": [*SYSTEMS]}})
    assert list(read_config(config).dynamics.systems) == [*SYSTEMS]
    assert all(set(system.meanings) == set(system.parameters) for system in SYSTEMS.values())
    for name in DATASETS:
        item, classes = form(name)
        assert SETS[name].item == item and SETS[name].classes == classes
    rows = {row.split("`")[1]: row for row in key_table().splitlines()[2:]}
    assert all(name in rows["zoo.zoos.*.data"] for name in (*DATASETS, *VIEWS))
    _, kinds, *_ = rows["zoo.zoos.*.architecture.kind"].split(" | ")
    assert set(kinds.split(", ")) == {"mlp", *MODULES, *PUBLISHED}
    _, methods, *_ = rows["flow.flows.*.method"].split(" | ")
    assert set(methods.split(", ")) == {*METHODS}
    assert all(
        any(row.startswith(f"priors.families.{x}") or "priors.families.*" in row for row in rows)
        for x in SYSTEMS
    )
