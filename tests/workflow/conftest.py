"""A checkout of its own for workflow tests, and a finished smoke run that they share.

Whatever is asked of the run takes `run`, and is slow; what only plans and refuses is fast.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.forked import run_snakemake

ROOT = Path(__file__).parents[2]
COSTS = {"runtime", "resources", "payoff"}
"""Tables of what a run cost: the only ones that differ between two runs."""
PARTS = ("Snakefile", "rules", "workflow", "config", "envs", "profiles", "src")


SMOKE = ("--configfile", "config/smoke.yaml")
WHOLE = ("all_figures", "all_tables")


def checked(answer: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    if answer.returncode:
        raise AssertionError(answer.stdout[-3000:] + answer.stderr[-6000:])
    return answer


@dataclass(frozen=True)
class Checkout:
    """A copy of the workflow; `snakemake` runs it, `python` Python, with the copy's own library.

    Attributes:
        folder: where it lies.
    """

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        own = {"PYTHONPATH": str(self.folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        return {**os.environ, **own}

    def snakemake(
        self, *arguments: str, check: bool = True, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Snakemake, called in the checkout or in another folder."""
        answer = run_snakemake(arguments, folder or self.folder, self.environment)
        return checked(answer) if check else answer

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return checked(
            subprocess.run(
                command, cwd=self.folder, env=self.environment, capture_output=True, text=True
            )
        )

    def smoke(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.snakemake(*WHOLE, *SMOKE, *arguments, check=check)

    def waiting(self, *arguments: str) -> dict[str, int]:
        """Rules that a dry run of the smoke configuration would run, with their number of jobs."""
        answer = self.smoke("-n", "--cores", "1", *arguments)
        text = answer.stdout + answer.stderr
        if "Nothing to be done" in text:
            return {}
        stats = text.split("Job stats:")[1].split("total")[0]
        rows = re.findall(r"^(\w+)\s+(\d+)\s*$", stats, re.MULTILINE)
        return {rule: int(count) for rule, count in rows if not rule.startswith("all_")}


def copy_checkout(folder: Path) -> Checkout:
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("*.pyc"))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / part, folder / part)
    return Checkout(folder)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A finished smoke run, in a folder whose name holds a space. Tests leave it as it is."""
    # Under pytest-xdist the first worker that needs it makes it for all.
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    checkout, done = Checkout(shared / "a checkout"), shared / "a checkout.done"
    with (shared / "a checkout.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            copy_checkout(checkout.folder)
            checkout.python("-m", "compileall", "-q", "src")  # once, and not in each of its jobs
            # As users start it, unlike the dry runs of the tests.
            checkout.python("-m", "snakemake", *WHOLE, *SMOKE, "--cores", "2")
            done.touch()
    return checkout


@pytest.fixture(params=[pytest.param("finished", marks=pytest.mark.slow)])
def run(finished: Checkout) -> Checkout:
    """The finished run, for tests that are slow because they need it: the parameter marks them."""
    return finished


ASK = """
import json
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ResourceSettings

with SnakemakeApi() as api:
    workflow = api.workflow(ResourceSettings(cores=1), snakefile=Path("Snakefile"))._workflow
    print(json.dumps({
        rule.name: {
            "script": rule.script and str(rule.script),
            "message": rule.message,
            "params": list(dict(rule.params.items())),
            "log": [str(x) for x in rule.log],
            "input": {
                name: [str(x) for x in ([files] if isinstance(files, str) else files)]
                for name, files in rule.input.items() if not callable(files)
            },
            "output": [str(x) for x in rule.output],
            "benchmark": rule.benchmark and str(rule.benchmark),
        }
        for rule in workflow.rules
    }))
"""
"""What Snakemake knows of all rules, as JSON."""

Rules = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def rules() -> Rules:
    """What Snakemake knows of each rule of the default configuration."""
    answer: Rules = json.loads(Checkout(ROOT).python("-c", ASK).stdout)
    return answer


@pytest.fixture
def fresh(tmp_path: Path) -> Checkout:
    """A checkout without results."""
    return copy_checkout(tmp_path / "checkout")


@pytest.fixture
def copied(finished: Checkout, tmp_path: Path) -> Callable[[], Checkout]:
    """A function that gives a private copy of the finished run."""

    def copy() -> Checkout:
        folder = tmp_path / "copy"
        shutil.copytree(finished.folder, folder, copy_function=shutil.copy2)
        return Checkout(folder)

    return copy
