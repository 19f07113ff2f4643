"""Benchmark files become one table; anything else is refused by name."""

from pathlib import Path

import pytest

from nodeflow.runtime import read_benchmarks
from nodeflow.tables import FileProblem

HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def test_rows_know_their_rule_and_job(tmp_path: Path) -> None:
    path = tmp_path / "results/benchmarks/train_node/models/SIS/gamma~3.0.tsv"
    path.parent.mkdir(parents=True)
    path.write_text(HEAD + "2.5\t0:00:02\t300.5\t1\t1\t1\t0\t0\t90.0\t2.25\n")
    short = path.with_name("gamma~3.1.tsv")
    short.write_text(HEAD + "0.5\t0:00:00\t-\t-\t-\t-\t0\t0\t0.0\t-\n")
    table = read_benchmarks([path, short])
    assert table["rule"].tolist() == ["train_node"] * 2
    assert table["job"].tolist() == ["models/SIS/gamma~3.0", "models/SIS/gamma~3.1"]
    assert table["seconds"].tolist() == [2.5, 0.5]
    assert table["max_rss"].isna().tolist() == [False, True]


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks/rule/a.tsv"
    path.parent.mkdir(parents=True)
    for content in ("", HEAD, "x\ty\n1\t2\n"):
        path.write_text(content)
        with pytest.raises(FileProblem, match="benchmark files"):
            read_benchmarks([path])
