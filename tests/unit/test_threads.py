"""Small problems take one thread, no problem takes more than the process may use."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import eye_array
from threadpoolctl import threadpool_info, threadpool_limits
from torch import nn
from torch.overrides import TorchFunctionMode

from nodeflow import threads
from nodeflow.canonical import CanonicalSettings, canonicalize, derive_symmetry
from nodeflow.datasets import load_dataset
from nodeflow.dynamics import simulate_cell
from nodeflow.dynamics.tolerance import Tolerance
from nodeflow.flow import FlowSettings, LearnedZoo, SampleSettings, fit_flow, sample
from nodeflow.graphs import from_networkx
from nodeflow.grid import Cell
from nodeflow.neural_ode import train_models
from nodeflow.threads import SMALL, allowed_threads, one_thread_if_small
from nodeflow.zoo import TrainSettings, evaluate, mlp, train_block


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that may use two threads and was not asked for any number."""
    monkeypatch.setattr(threads, "_asked", False)
    monkeypatch.setattr(threads, "allowed_threads", lambda: 2)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with threadpool_limits(2):
        yield
    torch.set_num_threads(before)


def counts() -> tuple[int, int]:
    """Threads of torch, and the most of any pool."""
    return torch.get_num_threads(), max(pool["num_threads"] for pool in threadpool_info())


@one_thread_if_small
def seen(_: object) -> tuple[int, int]:
    return counts()


def test_a_small_problem_takes_one_thread_and_a_large_one_all(two_threads: None) -> None:
    assert seen(np.zeros(SMALL - 1, dtype=np.int8)) == (1, 1)
    assert counts() == (2, 2)
    assert seen(np.zeros(SMALL, dtype=np.int8)) == (2, 2)
    assert counts() == (2, 2)


def test_what_was_set_holds_again_after_a_failure_and_around_inner_calls(two_threads: None) -> None:
    @one_thread_if_small
    def failing(_: object) -> None:
        assert seen(1) == counts() == (1, 1)
        assert seen(np.zeros(SMALL, dtype=np.int8)) == (1, 1)
        raise ValueError

    with pytest.raises(ValueError):
        failing(0)
    assert counts() == (2, 2)


def test_no_more_than_allowed_in_a_large_problem(
    two_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "allowed_threads", lambda: 1)
    assert seen(np.zeros(SMALL, dtype=np.int8)) == (1, 1)


def test_threads_that_were_asked_for_are_taken(two_threads: None) -> None:
    threads.set_threads(2)
    assert seen(0) == (2, 2)


@dataclass(frozen=True)
class Holder:
    inside: dict[str, Any]
    size: int = 3


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (lambda: np.zeros((3, 5)), 15),
        (lambda: [np.zeros(2), (torch.zeros(3), None, "text")], 5),
        (lambda: Holder({"a": torch.zeros(2, 4)}), 8),
        (lambda: nn.Linear(3, 2), 8),
        (lambda: eye_array(7), 7),
        (lambda: pd.DataFrame({"a": [1, 2], "b": [3, 4]}), 4),
        (lambda: nx.path_graph(6), 5),
        (lambda: list(range(9)), 9),
        (lambda: iter([np.zeros(4)]), 0),
    ],
)
def test_numbers_are_counted_wherever_they_lie(given: Callable[[], Any], count: int) -> None:
    assert threads._numbers(given(), SMALL) == count


class Watch(TorchFunctionMode):
    """Remembers with how many threads the library called torch's functions."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[int] = set()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if sys._getframe(1).f_code.co_filename not in (__file__, threads.__file__):
            self.seen.add(torch.get_num_threads())
        return func(*args, **(kwargs or {}))


def neural_odes(recipe: str, **settings: Any) -> dict[str, np.ndarray]:
    graphs = [from_networkx(nx.gnp_random_graph(20, 0.3, seed=0))]
    data = list(
        simulate_cell(
            graphs, "SIS", role="training", cell=Cell(20, 1.0, 3.0), trajectories=4, times=33,
            initial=(0.0, 0.5), horizon=1.0, tolerance=Tolerance(1e-6, 1e-6, 10_000), root_seed=1,
        )
    )  # fmt: skip
    models, _ = train_models(
        graphs, data, recipe=recipe, settings={"hidden": [8, 8], **settings}, seeds=2,
        labels=("SIS", 1.0, 3.0), root_seed=1,
    )  # fmt: skip
    return dict(models.parameters)


def zoo() -> dict[str, np.ndarray]:
    settings, architecture = TrainSettings(epochs=1), mlp([64, 32, 10])
    data = load_dataset("digits").first(300)
    block = train_block(architecture, data, range(6), settings, root_seed=1, zoo="z")
    evaluate(architecture, block.parameters, data.test_x, data.test_y)
    first = {name: tensor[0] for name, tensor in block.parameters.items()}
    aligned = canonicalize(
        block.parameters, first, derive_symmetry(architecture), CanonicalSettings()
    )
    return {name: tensor.numpy() for name, tensor in aligned.parameters.items()}


def flow() -> dict[str, np.ndarray]:
    architecture = mlp([64, 16, 10])
    data, settings = load_dataset("digits").first(64), TrainSettings(epochs=1)
    zoo = LearnedZoo(train_block(architecture, data, range(12), settings, 1, "z"))
    model, _ = fit_flow(zoo, FlowSettings(steps=5), root_seed=1, labels=("f",))
    samples = sample(model, 4, SampleSettings("euler", 4), 1, ("f",))
    return {name: tensor.numpy() for name, tensor in samples.parameters.items()}


CALLS: dict[str, Callable[[], dict[str, np.ndarray]]] = {
    "gauss_newton": lambda: neural_odes("gauss_newton", steps=5, warmup=20),
    "matching": lambda: neural_odes("matching", steps=20),
    "paper": lambda: neural_odes("paper", steps=3, batch=4),
    "zoo": zoo,
    "flow": flow,
}


@pytest.mark.parametrize("name", CALLS)
def test_the_library_on_its_own_takes_one_thread_and_gives_the_bits_of_a_job(
    two_threads: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with Watch() as watch:
        alone = CALLS[name]()
    assert watch.seen == {1}
    assert counts() == (2, 2)
    threads.set_threads(1)
    in_a_job = CALLS[name]()
    for tensor, values in alone.items():
        np.testing.assert_array_equal(values, in_a_job[tensor])


def test_quotas_of_control_groups_count_from_the_process_up(tmp_path: Path) -> None:
    own, root = tmp_path / "cgroup", tmp_path / "groups"
    (root / "user/session").mkdir(parents=True)
    (root / "cpu").mkdir()
    own.write_text("2:cpu,cpuacct:/box\n1:memory:/box\n0::/user/session\n")

    def allowed() -> int:
        return threads._quota(own, root, 16)

    assert allowed() == 16
    (root / "user/session/cpu.max").write_text("max 100000\n")
    assert allowed() == 16
    (root / "user/cpu.max").write_text("350000 100000\n")
    assert allowed() == 4
    own.write_text("1:cpu:/box\n")
    (root / "cpu/cpu.cfs_quota_us").write_text("-1\n")
    (root / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert allowed() == 16
    (root / "cpu/cpu.cfs_quota_us").write_text("50000\n")
    assert allowed() == 1
    assert threads._quota(tmp_path / "none", root, 16) == 16


SAY = """
import numba, torch, numpy
from nodeflow.threads import allowed_threads, set_threads
set_threads(64)
from threadpoolctl import threadpool_info
print(allowed_threads(), torch.get_num_threads(), numba.get_num_threads(),
      max(x["num_threads"] for x in threadpool_info()))
"""


def in_a_process(**environment: str) -> list[int]:
    """What `SAY` prints on one CPU, without what the tests set for themselves."""
    clean = {name: value for name, value in os.environ.items() if "_NUM_THREADS" not in name}
    answer = subprocess.run(
        [sys.executable, "-c", SAY], env={**clean, **environment}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return [int(x) for x in answer.stdout.split()]


def test_more_threads_than_numba_was_started_with_are_not_asked_of_it() -> None:
    allowed, of_torch, of_numba, _ = in_a_process(NUMBA_NUM_THREADS="1")
    assert (of_torch, of_numba) == (allowed, 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process")
def test_a_process_that_is_bound_to_one_cpu_takes_one_thread() -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})  # a child inherits it
    try:
        assert allowed_threads() == 1
        assert in_a_process() == [1, 1, 1, 1]
    finally:
        os.sched_setaffinity(0, before)
