"""One checkout serves many folders of results; paths are taken or refused before the first job."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Checkout

KARATE = "results/networks/karate/summary.parquet"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["results of mine", "it's {one}"])
def test_results_lie_where_snakemake_works(fresh: Checkout, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    snakefile = ["-s", str(fresh.folder / "Snakefile"), "--cores", "1"]
    answer = fresh.snakemake(KARATE, *snakefile, folder=folder)
    assert "profiles/default" in answer.stderr  # that of the checkout
    assert (folder / KARATE).is_file()
    assert not (fresh.folder / "results").exists()
    again = fresh.snakemake("-n", KARATE, "--directory", str(folder))
    assert "Nothing to be done" in again.stdout + again.stderr


def test_a_folder_s_own_configuration_goes_over_the_defaults(
    fresh: Checkout, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    (folder / "config").mkdir(parents=True)
    (folder / "config/config.yaml").write_text("graphs: {sizes: [1]}\n")
    arguments = [KARATE, "-n", "-s", str(fresh.folder / "Snakefile")]
    answer = fresh.snakemake(*arguments, folder=folder, check=False)
    assert answer.returncode == 1
    assert "graphs.sizes[0]" in answer.stdout + answer.stderr


def test_a_checkout_that_no_job_could_run_in_is_refused(fresh: Checkout, tmp_path: Path) -> None:
    moved = Checkout(fresh.folder.rename(tmp_path / "a{b}"))
    answer = moved.snakemake(KARATE, "--cores", "1", check=False)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert f"{moved.folder}, holds {{ and }}" in answer.stderr


def test_a_configuration_file_that_is_dropped_is_named(fresh: Checkout) -> None:
    files = ["--configfile", "config/paper.yaml", "--configfile", "config/smoke.yaml"]
    answer = fresh.snakemake(KARATE, "-n", *files)
    assert "config/paper.yaml is not read" in answer.stdout + answer.stderr


def test_code_of_the_checkout_that_is_not_used_is_said(fresh: Checkout) -> None:
    changed = fresh.folder / "src/nodeflow/seeds.py"
    environment = {**os.environ}
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, "-m", "snakemake", "-n", KARATE]
    changed.write_text(changed.read_text() + "\nADDED = 1\n")
    answer = subprocess.run(
        command, cwd=fresh.folder, env=environment, capture_output=True, text=True
    )
    assert "differs from that of this checkout" in answer.stdout + answer.stderr
