"""The SLURM profile is that of the stages, and submits no job that is over in seconds."""

from pathlib import Path

import pytest
import yaml

from nodeflow.plan.stages import COMPONENTS, STAGES, with_profile

FILE = Path(__file__).parents[2] / "profiles/slurm/config.yaml"
PROFILE = yaml.safe_load(FILE.read_text())
ALONE = {
    "import_zoo", "train_zoo", "evaluate_neural_ode", "evaluate_snapshots",
    "evaluate_rewired", "examine_neural_ode", "perturb_neural_ode", "discover_law",
    "evaluate_law", "examine_law", "perturb_law", "evaluate_tailed", "examine_tailed",
    "perturb_tailed", "train_prior_zoo", "fit_prior", "evaluate_prior", "transfer_samples",
}  # fmt: skip
"""Rules whose jobs take more than half a minute on the published grids."""

ON_DEMAND = {"download_data", "simulate_network"}


def test_the_profile_is_that_of_the_stages() -> None:
    assert with_profile(FILE.read_text()) == FILE.read_text(), (
        "write it anew: python -m nodeflow.plan.stages profiles/slurm/config.yaml"
    )


def test_a_profile_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="two marks"):
        with_profile("executor: slurm\n")


def test_every_rule_is_grouped_or_long() -> None:
    assert set(PROFILE["groups"]) == set(STAGES) - ALONE - ON_DEMAND


def test_what_is_asked_for_is_what_the_stages_ask_for() -> None:
    asked = {name: {"mem_mb": x.mem_mb, "runtime": x.minutes} for name, x in STAGES.items()}
    for name, stage in asked.items():
        found = PROFILE["set-resources"].get(name, {})
        assert found == {k: f"attempt * {x}" for k, x in stage.items() if x is not None}
    assert PROFILE["group-components"] == COMPONENTS
    assert set(COMPONENTS) <= {stage.group for stage in STAGES.values()}
