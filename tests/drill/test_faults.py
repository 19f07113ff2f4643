"""A run is killed again and again, or its disk fills up, and recovers as the page on it says.

Run alone, `pytest -m slow -n 0 tests/drill/test_faults.py`: it takes the machine's cores.
"""

import os
import random
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow.conftest import ROOT, Checkout, copy_checkout

from .conftest import files_of

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("NODEFLOW_KILLS", "24"))  # CI makes do with fewer
HOW = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
SMOKE = ["--configfile", "config/smoke.yaml"]
PAGE = ROOT / "docs/how-to/recover.md"


def recovery() -> list[list[str]]:
    """The commands of the page on recovery for killed runs, without the word snakemake."""
    section = PAGE.read_text().split("## A run was killed")[1]
    block = section.split("```bash")[1].split("```")[0]
    commands = [shlex.split(line, comments=True) for line in block.strip().splitlines()]
    assert all(command[0] == "snakemake" for command in commands), commands
    return [command[1:] for command in commands]


def test_the_page_says_how_to_recover() -> None:
    unlock, same = recovery()
    assert unlock == ["--unlock"]
    assert same[0] == "all_figures"
    assert "After Ctrl-C the same command alone goes on." in PAGE.read_text()


def start(checkout: Checkout, arguments: list[str]) -> subprocess.Popen[str]:
    """A run in a process group of its own, its output in a file."""
    with (checkout.folder / "output.txt").open("a") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *arguments],
            cwd=checkout.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(checkout.folder / "src"),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            start_new_session=True,
            # A shell starts what stands in its background without Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            stdout=output,
            stderr=output,
            text=True,
        )


def processes_in(folder: Path) -> list[int]:
    """Processes that work in a folder."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").readlink() == folder:
                found.append(int(process.name))
        except OSError:
            continue  # it has just ended, or is not ours
    return found


def ended(checkout: Checkout) -> int:
    """How many jobs have left their benchmark file."""
    return len(list(checkout.folder.glob("results/benchmarks/**/*.tsv")))


def wait(running: subprocess.Popen[str], checkout: Checkout, dice: random.Random) -> None:
    """Wait for some more jobs to end, or none, and a little longer: moments all over a run.

    Raises:
        TimeoutExpired: always, unless the run ends before.
    """
    goal = ended(checkout) + dice.randrange(10)
    while running.poll() is None and ended(checkout) < goal:
        time.sleep(0.1)
    running.wait(timeout=dice.uniform(0.5, 5.0))


def kill(running: subprocess.Popen[str], how: signal.Signals, folder: Path) -> None:
    os.killpg(running.pid, how)
    running.wait(timeout=120)
    deadline = time.monotonic() + 60
    while processes_in(folder):
        assert time.monotonic() < deadline, "a job outlives its run"
        time.sleep(0.2)


def test_a_run_killed_at_any_moment_recovers(finished: Checkout, tmp_path: Path) -> None:
    """Kills at random moments; each starts from what the one before left."""
    dice = random.Random(8)
    unlock, same = recovery()
    command = [*same, *SMOKE]
    kills: list[str] = []
    runs = 0
    while len(kills) < KILLS:
        runs += 1
        assert runs < 10, "runs end before they can be killed"
        checkout = copy_checkout(tmp_path / f"run {runs}")
        while True:
            running = start(checkout, command)
            try:
                wait(running, checkout, dice)
            except subprocess.TimeoutExpired:
                if len(kills) == KILLS:
                    assert running.wait(timeout=3600) == 0
                    break
                how = HOW[len(kills) % len(HOW)]
                kill(running, how, checkout.folder.resolve())
                kills.append(f"{how.name} after {ended(checkout)} jobs")
                if how is not signal.SIGINT:
                    checkout.snakemake(*unlock)
            else:
                assert running.returncode == 0, (checkout.folder / "output.txt").read_text()[-3000:]
                break
        checkout.snakemake("all_figures", "all_tables", "--cores", "2", *SMOKE)
        assert files_of(checkout) == files_of(finished)
        assert not list(checkout.folder.glob("results/**/*.part"))
    print(f"{len(kills)} kills in {runs} runs: {', '.join(kills)}")
    assert {how.name for how in HOW} == {kill.split()[0] for kill in kills}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Checkout]:
    """A checkout whose results lie on a disk of 1 MB."""
    checkout = copy_checkout(tmp_path / "full")
    results = checkout.folder / "results"
    results.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(results)],
        capture_output=True,
        text=True,
    )
    if mount.returncode:
        pytest.skip(f"this needs the right to mount a tmpfs: {mount.stderr.strip()}")
    yield checkout
    subprocess.run(["umount", str(results)], check=True)


def test_a_full_disk_is_said_and_room_cures_it(finished: Checkout, small_disk: Checkout) -> None:
    _, same = recovery()
    answer = small_disk.snakemake(*same, *SMOKE, check=False)
    text = answer.stdout + answer.stderr
    assert answer.returncode == 1
    lines = [line for line in text.splitlines() if "no space left" in line]
    named = [line for line in lines if re.search(r"results/\S+ could not be written", line)]
    assert named, text[-3000:]
    assert not list(small_disk.folder.glob("results/**/*.part"))
    subprocess.run(
        ["mount", "-o", "remount,size=1g", str(small_disk.folder / "results")], check=True
    )
    small_disk.snakemake(*same, *SMOKE)
    small_disk.snakemake("all_figures", "all_tables", "--cores", "2", *SMOKE)
    assert files_of(small_disk) == files_of(finished)
