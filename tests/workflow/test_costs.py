"""What a run cost is known of every job that it had, whichever configuration it ran."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from nodeflow.plan.stages import STAGES

from .conftest import ROOT, SMOKE, Checkout, Rules

EVERYTHING = """
neural_ode: {recipe: paper, paper: {steps: 40, batch: 4, learning_rate: 0.05, snapshots: 4}}
canonical: {reference: universe}
zoo:
  downloads:
    mnist: null
  where_found: [mnist_few, mine]
  zoos:
    mine:
      checkpoints: {folder: runs, module: "mynet:net"}
    mnist_few:
      data: mnist
      hidden: [16]
      members: 10
      held_out: 5
      block: 15
      training:
        {epochs: 1, batch_size: 64, learning_rate: 0.001, weight_decay: 0.0, optimizer: adam}
own:
  mine: {network: network.csv, series: series.csv}
"""
ASIDE = ("draw_", "report_", "all_", "collect_runtime", "compare_resources", "compare_payoff")
"""Figures, pages, targets, and the rules that say what the others cost."""


def planned(checkout: Checkout, *configurations: str) -> tuple[dict[str, int], dict[str, int]]:
    """Jobs of each rule in a dry run, and benchmark files of each rule that their table reads."""
    answer = checkout.snakemake(
        "all_figures", "all_tables", "-n", "--cores", "1", "--configfile", *configurations
    )
    text = answer.stdout + answer.stderr
    stats = re.findall(r"^(\w+)\s+(\d+)\s*$", text.split("Job stats:")[1].split("total")[0], re.M)
    jobs = {rule: int(count) for rule, count in stats if not rule.startswith(ASIDE)}
    [reason] = re.findall(r"Gathering what every job cost\n\s*Reason: (.*)", text)
    files = re.findall(r"results/benchmarks/(\w+)/\S+?\.tsv", reason.split("updated by")[1])
    return jobs, {rule: files.count(rule) for rule in set(files)}


def test_every_rule_of_the_workflow_is_known_where_it_runs(fresh: Checkout, rules: Rules) -> None:
    assert "train_zoo" in rules
    (fresh.folder / "everything.yaml").write_text(EVERYTHING)
    (fresh.folder / "network.csv").write_text("a,b\nb,c\nc,d\n")
    (fresh.folder / "mynet.py").write_text(
        "from torch import nn\n\ndef net():\n    return nn.Sequential(nn.Linear(2, 3), nn.Tanh())\n"
    )
    (fresh.folder / "runs").mkdir()
    for k in range(4):
        state = {"0.weight": np.ones((3, 2), np.float32), "0.bias": np.full(3, k, np.float32)}
        save_file(state, fresh.folder / f"runs/{k}.safetensors")
    rows = [f"{time},{time % 3},{time % 4},{time % 5},1" for time in range(40)]
    (fresh.folder / "series.csv").write_text("\n".join(["time,a,b,c,d", *rows]))
    seen = set()
    for more in (["config/generation.yaml"], ["config/smoke.yaml", "everything.yaml"]):
        jobs, known = planned(fresh, *more)
        assert known == jobs
        seen |= set(jobs)
    asked_for = {name for name, stage in STAGES.items() if stage.on_demand}
    targets = {f"{research}_figures" for research in ("neural_ode", "flow", "priors", "own")}
    targets |= {"own_zoos", "own_networks"}
    assert {rule for rule in rules if not rule.startswith(ASIDE)} == seen | asked_for | targets


def test_stages_are_the_rules_that_no_list_makes(rules: Rules) -> None:
    scripts = {path.stem for path in (ROOT / "workflow/scripts").glob("*.py")}
    assert {stage.script or rule for rule, stage in STAGES.items()} == scripts - {"draw", "collect"}
    assert set(STAGES) <= set(rules)


@pytest.mark.slow
def test_what_was_asked_for_by_name_is_known_as_well(finished: Checkout, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(finished.folder, folder, copy_function=shutil.copy2)
    copy = Checkout(folder)
    assert copy.waiting() == {}
    copy.snakemake("results/trajectories/networks/SIS/karate.parquet", "--cores", "2", *SMOKE)
    assert copy.waiting() == {}
    copy.smoke("--cores", "2", "--forcerun", "collect_runtime")
    for name in ("runtime", "resources"):
        table = pd.read_parquet(folder / f"results/tables/{name}.parquet")
        assert "simulate_network" in set(table["rule"])
        ran = {path.name for path in (folder / "results/benchmarks").iterdir()}
        assert {x for x in ran if not x.startswith(ASIDE)} == set(table["rule"])
