"""Another workflow can use this one as a module."""

from pathlib import Path

import pandas as pd
import pytest

from .conftest import ROOT, Checkout

OUTER = f"""
configfile: "{ROOT}/config/config.yaml"
configfile: "{ROOT}/config/smoke.yaml"

module nodeflow:
    snakefile: "{ROOT}/Snakefile"
    config: config
    prefix: "networks"

use rule * from nodeflow as nodeflow_*

rule mine:
    default_target: True
    input: "networks/results/graphs/test/N~64/beta~1.1/gamma~2.1/summary.parquet"
    output: "mine.parquet"
    shell: "cp {{input}} {{output}}"
"""


@pytest.mark.slow
def test_another_workflow_uses_this_one_as_a_module(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(OUTER)
    outer = Checkout(tmp_path)
    whole = outer.snakemake("nodeflow_all_figures", "-n", "--cores", "1")
    assert "networks/results/figures/frontier.png" in whole.stdout + whole.stderr
    outer.snakemake("--cores", "1")
    assert len(pd.read_parquet(tmp_path / "mine.parquet")) > 1
    assert not (tmp_path / "results").exists()
