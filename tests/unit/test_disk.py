"""How much room a run takes."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from nodeflow.plan.disk import expected_bytes
from nodeflow.start import StartProblem, check_room

ON = {"N": 1000, "graphs": 3, "mean_degree": 10}


def test_room_grows_with_states_and_nodes() -> None:
    trajectories = {"on": ON, "trajectories": 2, "times": 50}
    made = {"SIS": trajectories, "MM": trajectories}
    # float32 states of two systems: at least what the file of states alone takes.
    assert expected_bytes([("simulate_trajectories", made)], 1) == 2 * 3000 * 2 * 50 * 4
    tested = {"SIS": {"truths": [trajectories, trajectories]}}
    one, nine = (expected_bytes([("evaluate_neural_ode", tested)], models) for models in (1, 9))
    assert nine == 9 * one > 0
    graphs = {"edges": ON, "coordinates": ON}
    sampled = expected_bytes([("sample_graphs", graphs)], 1)
    assert sampled > 3000 * 5 * 8
    assert expected_bytes([("train_zoo", {"members": 5}), ("all_figures", {})], 1) == 0
    both = expected_bytes([("simulate_trajectories", made), ("sample_graphs", graphs)], 1)
    assert both == sampled + 2 * 3000 * 2 * 50 * 4


def test_a_disk_that_is_too_small_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100, 100 - 30, 30))
    check_room(Path("/here"), 30)
    with pytest.raises(StartProblem, match=r"writes about 31\.0 GB, and /here has 0\.0 GB free"):
        check_room(Path("/here"), 31 * 10**9)
