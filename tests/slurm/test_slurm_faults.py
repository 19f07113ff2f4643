"""The smoke run on a real SLURM survives a killed job, a drained node, jobs over their memory."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.workflow.conftest import Checkout, copy_checkout
from tests.workflow.conftest import finished as finished

from .test_slurm import assert_equal_tables, slurm_answers

Answer = TypeVar("Answer")

CONFIGURATION = Path("/etc/slurm/slurm.conf")
ENFORCED = {
    "JobAcctGatherType": "jobacct_gather/linux",
    "JobAcctGatherFrequency": "task=1",
    "JobAcctGatherParams": "OverMemoryKill",
}

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(not slurm_answers(), reason="no slurmctld answers on this machine"),
    pytest.mark.skipif(
        os.geteuid() != 0 or "ClusterName=local" not in CONFIGURATION.read_text()
        if CONFIGURATION.is_file()
        else True,
        reason="only root may drain nodes and restart the daemons of a SLURM of one's own",
    ),
]


def tell(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def until(found: Callable[[], Answer], what: str, seconds: float = 120.0) -> Answer:
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds} s"
        time.sleep(0.5)
    return answer


def restart() -> None:
    subprocess.run(["pkill", "-x", "slurmd|slurmctld"], check=False)
    running = ["pgrep", "-x", "slurmd|slurmctld"]
    until(lambda: subprocess.run(running, check=False).returncode == 1, "the end of the daemons")
    tell("slurmctld")
    tell("slurmd")
    until(slurm_answers, "an answer of slurmctld")
    until(lambda: "idle" in tell("sinfo", "-h", "-o", "%T"), "an idle node")


@pytest.fixture
def memory_is_enforced() -> Iterator[None]:
    """SLURM kills jobs over the memory that they asked for, as clusters do; undone afterwards."""
    before = CONFIGURATION.read_text()
    others = [x for x in before.splitlines() if x.split("=")[0] not in ENFORCED]
    own = [f"{name}={value}" for name, value in ENFORCED.items()]
    CONFIGURATION.write_text("\n".join([*others[:-2], *own, *others[-2:], ""]))
    try:
        restart()
        yield
    finally:
        CONFIGURATION.write_text(before)
        restart()


def test_faults_on_slurm_leave_no_trace(
    memory_is_enforced: None, finished: Checkout, tmp_path: Path
) -> None:
    checkout = copy_checkout(tmp_path / "faults")
    command = [sys.executable, "-m", "snakemake", "all_figures", "all_tables"]
    command += ["--configfile", "config/smoke.yaml", "--profile", "profiles/slurm"]
    # Snakemake and the script of a job together need more at the first attempt.
    command += ["--set-resources", "train_neural_ode:mem_mb=attempt * 400"]
    with (tmp_path / "run.log").open("w") as log:
        run = subprocess.Popen(
            command, cwd=checkout.folder, stdout=log, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(checkout.folder / "src")},
        )  # fmt: skip
    victim, *_ = until(lambda: tell("squeue", "-h", "-t", "R", "-o", "%A").split(), "a running job")
    tell("scancel", "--signal=KILL", "--full", victim)
    [node, *_] = tell("sinfo", "-h", "-N", "-o", "%N").split()
    tell("scontrol", "update", f"nodename={node}", "state=drain", "reason=drill")
    until(lambda: not tell("squeue", "-h", "-t", "R"), "the end of the jobs of a drained node")
    tell("scontrol", "update", f"nodename={node}", "state=resume")
    assert run.wait(1800) == 0, (tmp_path / "run.log").read_text()[-5000:]
    text = (tmp_path / "run.log").read_text()
    states = {
        job: tell("scontrol", "show", "job", job) for job in submitted(text, "train_neural_ode")
    }
    over = [job for job, state in states.items() if "JobState=COMPLETED" not in state]
    assert over, "no training was over its memory"
    assert len(states) > len(
        list(checkout.folder.glob("results/neural_ode/models/**/*.safetensors"))
    )
    assert "JobState=COMPLETED" not in tell("scontrol", "show", "job", victim)
    assert_equal_tables(finished, checkout)


def submitted(text: str, rule: str) -> list[str]:
    """SLURM's numbers of the jobs of a rule, from Snakemake's log."""
    found = []
    for line in text.splitlines():
        if "SLURM jobid" in line and f"/rule_{rule}/" in line:
            found.append(line.split("SLURM jobid")[1].split()[0].strip("'\" ."))
    return found
