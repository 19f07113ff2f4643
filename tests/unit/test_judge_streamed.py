"""Judging networks in files gives what judging them in memory gives, in little memory."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from nodeflow.canonical import MatchSettings, derive_symmetry
from nodeflow.datasets import load_dataset
from nodeflow.flow.method import Condition, LearnedZoo, Origin
from nodeflow.flow.samples import open_samples, write_samples
from nodeflow.judge import (
    PanelSettings,
    TransferSettings,
    closest_gauge,
    judge_conditional,
    judge_panel,
    transfer,
)
from nodeflow.seeds import torch_generator
from nodeflow.stack import Networks, Stack
from nodeflow.zoo import Architecture, Block, TrainSettings, build, mlp, open_blocks, write_block
from tests.unit.memory import growth

DIGITS = load_dataset("digits").first(200)
NETWORKS = {
    "perceptron": mlp([64, 6, 10]),
    "resnet": build({"kind": "resnet", "widths": [2, 3], "blocks": [1, 1]}, (1, 8, 8), 10),
}
Made = tuple[Networks, Networks, Networks]


def networks(architecture: Architecture, count: int, name: str) -> dict[str, torch.Tensor]:
    return architecture.initialize([torch_generator(1, name, k) for k in range(count)])


def in_memory(architecture: Architecture) -> tuple[Stack[torch.Tensor], Stack[torch.Tensor]]:
    zoo = Block(np.arange(14), networks(architecture, 14, "zoo"), architecture.fresh_statistics(14))
    drawn = networks(architecture, 6, "drawn")
    next(iter(drawn.values()))[4] = torch.nan
    ok = np.arange(6) != 4
    return zoo, Stack(drawn, about={"seed": np.arange(6), "ok": ok})


def in_files(
    zoo: Stack[torch.Tensor], samples: Stack[torch.Tensor], folder: Path, cut: int
) -> Made:
    paths = []
    for start in range(0, len(zoo), cut):
        paths.append(folder / f"{cut}-{start}.safetensors")
        places = np.arange(start, min(start + cut, len(zoo)))[::-1]
        write_block(paths[-1], zoo.take(places), {})
    write_samples(folder / f"{cut}.samples", samples, {})
    return *open_blocks(paths[::-1]).split(10), open_samples(folder / f"{cut}.samples")


def panel(architecture: Architecture, made: Made) -> pd.DataFrame:
    settings = PanelSettings((0.1,), 3, 5, 2, ("recalibrated", "reference"), 50)
    align = closest_gauge(derive_symmetry(architecture), MatchSettings())
    return judge_panel(
        architecture, *made, DIGITS.test_x, DIGITS.test_y, settings, 1, ("t",), align,
        DIGITS.train_x,
    )  # fmt: skip


def conditional(architecture: Architecture, made: Made) -> pd.DataFrame:
    training, held_out, drawn = made
    origin = Origin("z", architecture, DIGITS, TrainSettings())
    zoos = {name: LearnedZoo(training, held_out, origin) for name in "ab"}
    align = closest_gauge(derive_symmetry(architecture), MatchSettings())
    settings = PanelSettings(controls=3, candidates=2, calibration=50)
    return judge_conditional(architecture, zoos, {Condition("b"): drawn}, align, settings)


def transferred(architecture: Architecture, made: Made) -> pd.DataFrame:
    sets = {"held-out": made[1], "generated": made[2].select([0, 1, 2, 3])}
    tasks = {"same": DIGITS, "inverted": load_dataset("digits:inverted").first(100)}
    settings = TransferSettings((0, 1), 3, 32)
    return transfer(architecture, sets, tasks, settings, 1, ("t",), DIGITS.train_x[:50])


@pytest.mark.parametrize("judge", [panel, conditional, transferred])
@pytest.mark.parametrize("kind", ["perceptron", pytest.param("resnet", marks=pytest.mark.slow)])
def test_networks_in_files_are_judged_as_in_memory_however_they_are_cut(
    kind: str,
    judge: Callable[[Architecture, Made], pd.DataFrame],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    architecture = NETWORKS[kind]
    zoo, samples = in_memory(architecture)
    expected = judge(architecture, (*zoo.split(10), samples))
    made = {cut: in_files(zoo, samples, tmp_path, cut) for cut in (1, 5, 14)}
    pd.testing.assert_frame_equal(judge(architecture, made[5]), expected, check_exact=True)
    # With room for two networks, and for a few parameters of all of them.
    monkeypatch.setattr("nodeflow.stack._TOGETHER", 2 * architecture.parameters)
    monkeypatch.setattr("nodeflow.judge.novelty._COLUMNS", 500)
    found = [judge(architecture, one) for one in (*made.values(), (*zoo.split(10), samples))]
    key = [name for name in ("task", "set", "epochs", "index", "label") if name in expected]
    for table in found:
        pd.testing.assert_frame_equal(table, found[0], check_exact=True)
    few, all_ = (one.sort_values(key, ignore_index=True) for one in (found[0], expected))
    pd.testing.assert_frame_equal(few, all_, rtol=1e-4, atol=1e-5)


def test_what_work_takes_is_measured_whatever_the_process_has_taken_before() -> None:
    def work() -> None:
        held = np.ones(2**23)
        time.sleep(0.2)
        del held

    np.ones(2**24)
    assert 60 < growth(work) / 1024 < 80


_WHOLE, _DRAWN, _NETWORK = 100, 50, 4 * (4000 * 400 + 400 + 400 * 10 + 10)


@pytest.mark.slow
@pytest.mark.parametrize("step", ["panel", "transfer"])
def test_judging_takes_the_memory_of_some_networks_not_of_all(tmp_path: Path, step: str) -> None:
    """Zoo and samples are 0.9 GiB; sixteen networks are 98 MiB, and held at a time."""
    architecture = mlp([4000, 400, 10])
    paths = []
    for start in range(0, _WHOLE, 10):
        members = np.arange(start, start + 10)
        generators = [torch_generator(1, "m", int(k)) for k in members]
        paths.append(tmp_path / f"{start}.safetensors")
        write_block(paths[-1], Block(members, architecture.initialize(generators)), {})
    drawn = architecture.initialize([torch_generator(1, "d", k) for k in range(_DRAWN)])
    few = Stack(drawn, about={"seed": np.arange(_DRAWN)})
    write_samples(tmp_path / "samples", few, {})
    done = subprocess.run(
        [sys.executable, "-m", __name__, step, str(tmp_path / "samples"), *map(str, paths)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
        # Else glibc keeps more or less of what was freed, as threads happen to come.
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    print(f"{step}: {int(done.stdout) / 1024:.0f} MiB")
    assert int(done.stdout) * 1024 < 0.5 * (_WHOLE + _DRAWN) * _NETWORK


def _measure(step: str, samples: str, paths: list[str]) -> int:
    """KiB by which the memory of a process grows while it judges."""
    from nodeflow import stack
    from nodeflow.judge import novelty

    architecture = mlp([4000, 400, 10])
    stack._TOGETHER, novelty._COLUMNS = 16 * _NETWORK // 4, 2**22
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4000)).astype(np.float32), rng.integers(0, 10, 60)
    data = DIGITS.__class__("own", x, y, x, y, x, y, 10)
    align = closest_gauge(derive_symmetry(architecture), MatchSettings())
    # Whatever is loaded or compiled once is not counted.
    warm = Block(np.arange(4), networks(architecture, 4, "warm"))
    made = Stack(warm.parameters, about={"seed": np.arange(4)})
    settings = PanelSettings((0.1,), 3, 4, 2)
    judge_panel(architecture, warm, None, made, x, y, settings, 1, ("t",), align)

    def work() -> None:
        training, held_out = open_blocks(paths).split(80)
        drawn = open_samples(samples)
        if step == "panel":
            chosen = PanelSettings((0.1,), 16, 10, 2)
            judge_panel(architecture, training, held_out, drawn, x, y, chosen, 1, ("t",), align)
        else:
            sets = {"generated": drawn, "held-out": held_out}
            transfer(architecture, sets, {"same": data}, TransferSettings((0, 1), 40), 1, ("t",))

    return growth(work)


if __name__ == "__main__":
    print(_measure(sys.argv[1], sys.argv[2], sys.argv[3:]))
