"""What the rules ask of a SLURM cluster: which share a submission, and how much they need.

Rules that draw a figure or gather tables are looped over lists, and are no stages of their own:
they belong to `REPORT`. The SLURM profile is written from here:

    python -m nodeflow.plan.stages profiles/slurm/config.yaml
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

__all__ = ["COMPONENTS", "REPORT", "STAGES", "Stage", "profile", "requests", "with_profile"]

REPORT = "report"
"""The group of all tables and figures."""


@dataclass(frozen=True)
class Stage:
    """What the jobs of a rule ask of a cluster.

    Attributes:
        group: jobs of one group share a submission; none for those of more than half a minute on
            the published grids.
        mem_mb: MiB at the first attempt; what the profile asks for by default if None.
        minutes: likewise, of time.
        on_demand: whether jobs run only where someone asks for their files by name.
        script: the rule whose script serves this one as well, where it is another.
    """

    group: str | None = None
    mem_mb: int | None = None
    minutes: int | None = None
    on_demand: bool = False
    script: str | None = None


COMPONENTS = {"cells": 4, "networks": 20, "trainings": 8, "alignment": 10, REPORT: 1000}
"""How many connected parts of the graph of jobs make a submission; else one does."""

STAGES: Mapping[str, Stage] = {
    "sample_graphs": Stage("cells", minutes=10),
    "simulate_trajectories": Stage("cells", mem_mb=3000, minutes=20),
    "sample_network": Stage("networks"),
    "simulate_network": Stage(on_demand=True, script="simulate_trajectories"),
    "train_neural_ode": Stage("trainings"),
    "discover_law": Stage(),
    "evaluate_neural_ode": Stage(script="evaluate_learned"),
    "evaluate_snapshots": Stage(),
    "evaluate_rewired": Stage(),
    "examine_neural_ode": Stage(script="examine_learned"),
    "perturb_neural_ode": Stage(script="perturb_learned"),
    "evaluate_law": Stage(script="evaluate_learned"),
    "examine_law": Stage(script="examine_learned"),
    "perturb_law": Stage(script="perturb_learned"),
    "evaluate_tailed": Stage(script="evaluate_learned"),
    "examine_tailed": Stage(script="examine_learned"),
    "perturb_tailed": Stage(script="perturb_learned"),
    "download_data": Stage(),
    "train_zoo": Stage(),
    "train_shorter": Stage("flow"),
    "import_zoo": Stage(),
    "find_universe": Stage("alignment"),
    "align_zoo": Stage("alignment"),
    "measure_barrier": Stage("alignment"),
    "train_flow": Stage("flow", mem_mb=3000, minutes=120),
    "sample_flow": Stage("flow"),
    "judge_samples": Stage("flow"),
    "judge_distances": Stage("flow"),
    "export_samples": Stage("flow", on_demand=True),
    "transfer_samples": Stage(),
    "compare_solvers": Stage("flow"),
    "train_prior_zoo": Stage(),
    "fit_prior": Stage(),
    "evaluate_prior": Stage(minutes=120),
    "judge_priors": Stage(REPORT),
    "check_own": Stage("own"),
    "train_own": Stage("own", mem_mb=3000, minutes=60),
    "discover_own": Stage("own", minutes=60),
    "forecast_own": Stage("own"),
    "report_own": Stage(REPORT),
    "collect_theory": Stage(REPORT),
    "collect_activity": Stage(REPORT),
    "judge_warning": Stage(REPORT),
    "judge_claims": Stage(REPORT),
    "collect_runtime": Stage(REPORT),
    "compare_resources": Stage(REPORT),
    "compare_payoff": Stage(REPORT),
}
"""All rules but those that are looped over the lists of tables and figures."""


def profile() -> str:
    """The part of the SLURM profile that follows from the stages, as YAML."""
    lines = ["set-resources:"]
    for name, stage in STAGES.items():
        asked = {"mem_mb": stage.mem_mb, "runtime": stage.minutes}
        inner = ", ".join(f'{key}: "attempt * {x}"' for key, x in asked.items() if x is not None)
        lines += [f"  {name}: {{{inner}}}"] if inner else []
    lines += ["groups:"]
    lines += [f"  {name}: {stage.group}" for name, stage in STAGES.items() if stage.group]
    lines += ["group-components:"]
    lines += [f"  {group}: {count}" for group, count in COMPONENTS.items()]
    return "\n".join(lines) + "\n"


_BEGIN, _END = "# --- from src/nodeflow/plan/stages.py ---\n", "# --- until here ---\n"


def requests(root: Path) -> dict[str, Any]:
    """What the SLURM profile of a workflow asks for: `default-resources` and `set-resources`."""
    profile = yaml.safe_load((root / "profiles/slurm/config.yaml").read_text())
    return {name: profile[name] for name in ("default-resources", "set-resources")}


def with_profile(text: str) -> str:
    """The text of a SLURM profile with `profile` between its two marks.

    Raises:
        ValueError: the text does not have the marks.
    """
    marks = re.compile(f"(?<={re.escape(_BEGIN)}).*?(?={re.escape(_END)})", re.DOTALL)
    new, count = marks.subn(lambda _: profile(), text)
    if count != 1:
        raise ValueError("the profile has to hold the two marks of nodeflow.plan.stages once")
    return new


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(with_profile(file.read_text()))
