"""An edit re-runs exactly the jobs that it concerns, and what follows from them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Checkout

NODE_FIGURES = {"draw_training", "draw_size_errors", "draw_structure_errors", "draw_degree_errors"}
AFTER_TESTS = {"collect_tests", "draw_size_errors", "draw_structure_errors", "draw_degree_errors"}
AFTER_TRAINING = {"collect_training", "draw_training", "test_node", *AFTER_TESTS}
AFTER_SIMULATION = {
    "collect_activity", "draw_trajectories", "draw_activity", "train_node", *AFTER_TRAINING,
}  # fmt: skip
AFTER_MEASURES = {
    "measure_graphs", "collect_graphs", "collect_theory", "draw_degrees", "draw_ensemble",
    "test_node", *AFTER_TESTS,
}  # fmt: skip
AFTER_GRAPHS = {
    *AFTER_MEASURES, "simulate_trajectories", *AFTER_SIMULATION,
}  # fmt: skip
AFTER_SAMPLES = {"judge_samples", "collect_judgements", "draw_capacity", "draw_frontier"}
AFTER_FLOW = {"collect_flow_training", "draw_flow_training", "sample_flow", *AFTER_SAMPLES}
RUNTIME = {"collect_runtime", "draw_runtime"}


@pytest.fixture
def edited(copied: Callable[[], Checkout]) -> Checkout:
    """A private copy of the finished run, to be edited."""
    return copied()


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1))


def test_a_finished_run_has_nothing_to_do(finished: Checkout) -> None:
    assert finished.waiting() == {}


def test_touching_every_file_reruns_nothing(edited: Checkout) -> None:
    for part in ("src", "rules", "workflow", "config"):
        for path in (edited.folder / part).rglob("*.*"):
            path.touch()
    assert edited.waiting() == {}


@pytest.mark.parametrize(
    "module", ["dynamics/integrate.py", "tables.py", "graphs/s1.py", "flow/train.py", "job.py"]
)
def test_a_comment_reruns_nothing(edited: Checkout, module: str) -> None:
    path = edited.folder / "src/nodeflow" / module
    path.write_text(f"# A remark.\n{path.read_text()}\n\n# Another one.\n")
    assert edited.waiting() == {}


ADDED = "\n\n_ADDED = 1\n"


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("graphs/s1.py", {"sample_graphs", *AFTER_GRAPHS}),
        ("graphs/measures.py", AFTER_MEASURES),
        ("dynamics/ensemble.py", {"simulate_trajectories", *AFTER_SIMULATION}),
        ("node/train.py", {"train_node", *AFTER_TRAINING}),
        ("node/evaluate.py", {"test_node", *AFTER_TESTS}),
        ("zoo/train.py", {
            "train_zoo", "collect_members", "draw_zoo", "align_zoo", "measure_barrier",
            "collect_alignment", "draw_alignment", "train_flow", *AFTER_FLOW,
        }),
        ("canonical/barrier.py", {"measure_barrier", "collect_alignment", "draw_alignment"}),
        ("judge/novelty.py", AFTER_SAMPLES),
        ("figures/node.py", NODE_FIGURES),
        ("figures/runtime.py", {"draw_runtime"}),
    ],
)  # fmt: skip
def test_a_change_reruns_its_users_and_what_follows(
    edited: Checkout, module: str, rules: set[str]
) -> None:
    path = edited.folder / "src/nodeflow" / module
    path.write_text(path.read_text() + ADDED)
    drawn_only = all(rule.startswith("draw_") for rule in rules)
    assert set(edited.waiting()) == rules | (set() if drawn_only else RUNTIME)


@pytest.mark.parametrize(
    ("file", "old", "new", "rules"),
    [
        ("config.yaml", "mean_degree: 10", "mean_degree: 9", {"sample_graphs", *AFTER_GRAPHS}),
        ("config.yaml", "rtol: 1.0e-6", "rtol: 1.0e-5", {
            "simulate_trajectories", *AFTER_SIMULATION,
        }),
        ("smoke.yaml", "seeds: 2", "seeds: 3", {"train_node", *AFTER_TRAINING}),
        ("config.yaml", "sweeps: 100", "sweeps: 50", {
            "align_zoo", "collect_alignment", "draw_alignment", "measure_barrier", "train_flow",
            *AFTER_FLOW,
        }),
        ("smoke.yaml", "pairs: 5", "pairs: 4", {
            "measure_barrier", "collect_alignment", "draw_alignment",
        }),
        ("smoke.yaml", "steps: 500", "steps: 400", {"train_flow", *AFTER_FLOW}),
        ("smoke.yaml", "count: 20", "count: 21", {"sample_flow", *AFTER_SAMPLES}),
        ("smoke.yaml", "controls: 20", "controls: 21", AFTER_SAMPLES),
    ],
)  # fmt: skip
def test_a_configuration_key_reruns_its_consumers(
    edited: Checkout, file: str, old: str, new: str, rules: set[str]
) -> None:
    replace(edited.folder / "config" / file, old, new)
    assert set(edited.waiting()) == rules | RUNTIME


def test_one_system_more_leaves_the_others_alone(edited: Checkout) -> None:
    replace(edited.folder / "config/smoke.yaml", "[SIS, BD]", "[SIS, BD, MM]")
    before = edited.waiting()
    assert before["train_node"] == 1
    assert "sample_graphs" not in before
    assert "train_zoo" not in before
