"""The smoke run on a real SLURM gives the tables of the local run."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from tests.workflow.conftest import Checkout, copy_checkout
from tests.workflow.conftest import finished as finished


def slurm_answers() -> bool:
    if shutil.which("scontrol") is None:
        return False
    answer = subprocess.run(["scontrol", "ping"], capture_output=True, text=True)
    return "UP" in answer.stdout


@pytest.mark.slurm
@pytest.mark.skipif(not slurm_answers(), reason="no slurmctld answers on this machine")
def test_slurm_gives_the_tables_of_the_local_run(finished: Checkout, tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path / "on slurm")
    answer = checkout.smoke("--profile", "profiles/slurm")
    assert "SLURM jobid" in answer.stdout + answer.stderr
    here, there = (x.folder / "results/tables" for x in (finished, checkout))
    names = sorted(path.name for path in here.glob("*.parquet") if path.stem != "runtime")
    assert len(names) >= 12
    for name in names:
        pd.testing.assert_frame_equal(pd.read_parquet(there / name), pd.read_parquet(here / name))
