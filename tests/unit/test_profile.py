"""The SLURM profile submits no job that is over in seconds."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
RULES = {
    name
    for file in (ROOT / "rules").glob("*.smk")
    for name in re.findall(r"^rule (\w+):", file.read_text(), re.MULTILINE)
}
ALONE = {
    "train_zoo", "train_node", "test_node", "test_snapshots", "examine_node",
    "perturb_node", "train_bridge", "fit_bridge", "judge_bridge", "transfer_samples",
}  # fmt: skip
"""Rules whose jobs take more than half a minute on the published grids."""

ON_DEMAND = {"download_data", "simulate_network"}


def test_every_rule_is_grouped_or_long() -> None:
    assert set(PROFILE["groups"]) == RULES - ALONE - ON_DEMAND


def test_what_is_asked_for_belongs_to_rules() -> None:
    assert set(PROFILE["set-resources"]) <= RULES
    assert set(PROFILE["group-components"]) <= set(PROFILE["groups"].values())
