"""Tables of documents are made of a run's tables, and of no other configuration's."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from docs.numbers.page import stamp
from docs.numbers.registry import TABLES
from tests.documents import blocks

from .conftest import ROOT, Checkout


def test_each_table_is_made_of_the_tables_of_a_run(run: Checkout) -> None:
    full = 0
    for table in (x for x in TABLES if x.config == "config.yaml"):
        files = [run.folder / f"results/tables/{name}.parquet" for name in table.tables]
        if not all(path.is_file() for path in files):
            continue
        text = table.rows(*map(pd.read_parquet, files))
        lines = [line for line in text.splitlines() if "|" in line]
        assert len({line.replace("\\|", "").count("|") for line in lines}) == 1, table.name
        assert "nan" not in " ".join(lines).lower().split(), table.name
        full += len(lines) > 2
    # The whole smoke run has all tables but those of flows with aligned and with raw weights.
    assert full >= (15 if (run.folder / "results/tables/claims.parquet").is_file() else 2)


def test_tables_of_another_configuration_are_refused_in_one_line(
    run: Checkout, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "docs.numbers", "--only", "size_errors"]
    command += ["--results", str(run.folder / "results"), "--out", str(tmp_path)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 1
    assert "these are not tables of config/config.yaml; run `snakemake" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not list(tmp_path.rglob("*.md"))


def test_what_the_page_on_runs_reads_is_there(
    run: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [example] = blocks((ROOT / "docs/how-to/run.md").read_text(), "python")
    monkeypatch.chdir(run.folder)
    exec(compile(example, "run.md", "exec"), {})
    assert "b'about'" in capsys.readouterr().out


@pytest.mark.slow
def test_a_table_says_when_where_and_of_what_it_was_made(
    finished: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODEFLOW_CONFIG", "none")  # as it was, after the test
    files = [finished.folder / "results/tables/claims.parquet"]
    line = stamp(files, "smoke.yaml")
    assert "`config/smoke.yaml`, commit " in line
    assert "cores of" in line
    assert "`claims.parquet`" in line
