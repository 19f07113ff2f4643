"""What a run cost: Snakemake's benchmark files as one table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from nodeflow.tables import FileProblem, Schema

__all__ = ["RUNTIME", "read_benchmarks", "waiting"]

RUNTIME = Schema(
    "runtime",
    2,
    {
        "rule": pa.string(),
        "job": pa.string(),
        "seconds": pa.float64(),
        "cpu_seconds": pa.float64(),
        "max_rss": pa.float64(),
        "ended": pa.float64(),
    },
    {
        "rule": "name of the rule",
        "job": "what tells the job from the others of its rule",
        "seconds": "wall-clock time, start-up of Python included",
        "cpu_seconds": "processor time; NaN for jobs shorter than the sampling interval",
        "max_rss": "largest resident memory, MiB; NaN for jobs shorter than the sampling interval",
        "ended": "when the job ended, seconds since 1970: the time of its benchmark file",
    },
)


def read_benchmarks(paths: Iterable[str | Path]) -> pd.DataFrame:
    """One row a job with the columns of `RUNTIME`.

    Args:
        paths: files `…/benchmarks/<rule>/<job>.tsv` as Snakemake writes them.

    Raises:
        FileProblem: a file is no benchmark of Snakemake's.
    """
    return pd.DataFrame([_row(Path(path)) for path in paths], columns=list(RUNTIME.columns))


def _row(path: Path) -> dict[str, object]:
    place = path.parts.index("benchmarks")
    try:
        last = pd.read_csv(path, sep="\t", na_values=["-", "NA"]).iloc[-1]
        measured = {
            "seconds": float(last["s"]),
            "cpu_seconds": float(last["cpu_time"]),
            "max_rss": float(last["max_rss"]),
            "ended": path.stat().st_mtime,
        }
    except (KeyError, IndexError, ValueError, OSError) as error:
        raise FileProblem(
            f"{path}: expected one of Snakemake's benchmark files, found another content. "
            "Delete this file and run the same snakemake command again; it is made anew if needed."
        ) from error
    job = "/".join(path.with_suffix("").parts[place + 2 :])
    return {"rule": path.parts[place + 1], "job": job, **measured}


_PAUSE = 10.0
"""Seconds without any job after which a run counts as interrupted, not as waiting."""


def waiting(runtime: pd.DataFrame) -> tuple[int, float]:
    """How many cores a run had, and for which share of their time they had no job.

    Cores wait while Snakemake chooses the next jobs, and where fewer jobs can run than there are
    cores: the share is an upper bound of what the workflow itself costs. Times between
    two parts of an interrupted run do not count. Each job counts as one core.

    Args:
        runtime: one row a job: columns seconds and ended.
    """
    ends = runtime["ended"].to_numpy()
    starts = ends - runtime["seconds"].to_numpy()
    times = np.concatenate([starts, ends])
    order = np.argsort(times, kind="stable")
    running = np.cumsum(np.repeat([1, -1], len(ends))[order])[:-1]
    spans = np.diff(times[order])
    spans = np.where((running == 0) & (spans > _PAUSE), 0.0, spans)
    levels = np.bincount(running, weights=spans)
    # Files are written a moment after their jobs ended: what lasts so short is no core of its own.
    cores = int(np.flatnonzero(levels[1:] > 0.01 * spans.sum()).max()) + 1
    return cores, max(0.0, 1.0 - float(runtime["seconds"].sum()) / (cores * float(spans.sum())))
