"""Benchmark files become one table; anything else is refused by name."""

from pathlib import Path

import pandas as pd
import pytest

from nodeflow.runtime import read_benchmarks, waiting
from nodeflow.tables import FileProblem

HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def test_rows_know_their_rule_and_job(tmp_path: Path) -> None:
    path = tmp_path / "results/benchmarks/train_neural_ode/models/SIS/gamma~3.0.tsv"
    path.parent.mkdir(parents=True)
    path.write_text(HEAD + "2.5\t0:00:02\t300.5\t1\t1\t1\t0\t0\t90.0\t2.25\n")
    short = path.with_name("gamma~3.1.tsv")
    short.write_text(HEAD + "0.5\t0:00:00\t-\t-\t-\t-\t0\t0\t0.0\t-\n")
    table = read_benchmarks([path, short])
    assert table["rule"].tolist() == ["train_neural_ode"] * 2
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


def schedule(*jobs: tuple[float, float]) -> pd.DataFrame:
    starts, ends = zip(*jobs, strict=True)
    return pd.DataFrame(
        {"seconds": [b - a for a, b in zip(starts, ends, strict=True)], "ended": list(ends)}
    )


def test_waiting_is_the_share_of_the_cores_time_without_a_job() -> None:
    full = [(0.0, 4.0), (4.0, 10.0), (0.0, 5.0), (5.0, 10.0)]
    assert waiting(schedule(*full)) == (2, 0.0)
    cores, share = waiting(schedule((0.0, 4.0), (5.0, 10.0), (0.0, 6.0), (7.0, 10.0)))
    assert cores == 2
    assert share == pytest.approx(2.0 / 20.0)


def test_a_pause_between_two_parts_of_a_run_is_not_waiting() -> None:
    cores, share = waiting(schedule((0.0, 10.0), (1000.0, 1009.0), (1010.0, 1020.0)))
    assert cores == 1
    assert share == pytest.approx(1.0 / 30.0)


def test_a_file_written_late_is_no_further_core() -> None:
    cores, _ = waiting(schedule((0.0, 10.01), (0.0, 10.0), (10.0, 20.0), (10.0, 20.0)))
    assert cores == 2
