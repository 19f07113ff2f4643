"""The smoke run on a real SLURM gives the tables of the local run."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from tests.workflow.conftest import COSTS, Checkout, copy_checkout
from tests.workflow.conftest import finished as finished


def slurm_answers() -> bool:
    if shutil.which("scontrol") is None:
        return False
    answer = subprocess.run(["scontrol", "ping"], capture_output=True, text=True)
    return "UP" in answer.stdout


def assert_equal_tables(here: Checkout, there: Checkout) -> None:
    """All tables of two runs are equal, but for those of what the runs cost."""
    names = {
        path.name
        for path in (here.folder / "results/tables").glob("*.parquet")
        if path.stem not in COSTS
    }
    assert len(names) >= 12
    for name in sorted(names):
        one, other = (pd.read_parquet(x.folder / "results/tables" / name) for x in (here, there))
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.slurm
@pytest.mark.skipif(not slurm_answers(), reason="no slurmctld answers on this machine")
def test_slurm_gives_the_tables_of_the_local_run(finished: Checkout, tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path / "on slurm")
    answer = checkout.smoke("--profile", "profiles/slurm")
    assert "SLURM jobid" in answer.stdout + answer.stderr
    assert_equal_tables(finished, checkout)
