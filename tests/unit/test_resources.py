"""Requests are read from a profile as Snakemake would; proposals cover what was used."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from nodeflow.problems import Problem
from nodeflow.resources import RESOURCES, compare_resources
from nodeflow.tables import read_table, write_table

PROFILE = yaml.safe_load((Path(__file__).parents[2] / "profiles/slurm/config.yaml").read_text())
RUNTIME = pd.DataFrame(
    {
        "rule": ["train_flow", "train_flow", "draw_zoo"],
        "job": ["a", "b", "all"],
        "seconds": [90.0, 1000.0, 0.5],
        "cpu_seconds": [80.0, 990.0, float("nan")],
        "max_rss": [700.0, 801.0, float("nan")],
    }
)


def test_requests_are_those_of_the_profile_and_proposals_cover_the_use(tmp_path: Path) -> None:
    table = compare_resources(RUNTIME, PROFILE)
    write_table(tmp_path / "resources.parquet", table, RESOURCES, {})
    rows = read_table(tmp_path / "resources.parquet", RESOURCES).set_index("rule")
    names = ["requested_mem_mb", "requested_minutes", "proposed_mem_mb", "proposed_minutes"]
    assert rows[names].to_dict("split")["data"] == [[1500, 30, 1500, 10], [3000, 120, 1500, 40]]
    assert rows["jobs"].tolist() == [1, 2]
    sampled = rows.dropna(subset="used_mem_mb")
    assert (sampled["proposed_mem_mb"] >= sampled["used_mem_mb"]).all()
    assert (rows["proposed_minutes"] >= rows["used_minutes"]).all()


def test_a_proposal_is_a_line_of_a_profile() -> None:
    text = "\n".join(f"  {line}" for line in compare_resources(RUNTIME, PROFILE)["set_resources"])
    profile = yaml.safe_load(f"set-resources:\n{text}\n")
    assert profile["set-resources"]["train_flow"] == {
        "mem_mb": "attempt * 1500",
        "runtime": "attempt * 40",
    }
    again = compare_resources(RUNTIME, profile)
    assert again["requested_mem_mb"].tolist() == again["proposed_mem_mb"].tolist()


def test_a_request_in_another_form_is_named() -> None:
    with pytest.raises(Problem, match=r"input\.size_mb for draw_zoo"):
        compare_resources(RUNTIME, {"default-resources": {"mem_mb": "2 * input.size_mb"}})
