"""What docs/extending.md shows runs, and the places that it names are in step with each other."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from nodeflow.config import read_config
from nodeflow.config.document import key_table
from nodeflow.datasets import DATASETS, VIEWS, form
from nodeflow.datasets.sets import SETS
from nodeflow.dynamics.systems import SYSTEMS
from nodeflow.flow.methods import METHODS
from nodeflow.zoo.architectures import MODULES, PUBLISHED
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
    assert ", ".join(SYSTEMS) in rows["bridge.zoos.*.systems"]
