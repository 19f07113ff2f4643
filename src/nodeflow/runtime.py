"""What a run cost: Snakemake's benchmark files as one table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa

from nodeflow.tables import FileProblem, Schema

__all__ = ["RUNTIME", "read_benchmarks"]

RUNTIME = Schema(
    "runtime",
    1,
    {
        "rule": pa.string(),
        "job": pa.string(),
        "seconds": pa.float64(),
        "cpu_seconds": pa.float64(),
        "max_rss": pa.float64(),
    },
    {
        "rule": "name of the rule",
        "job": "what tells the job from the others of its rule",
        "seconds": "wall-clock time, start-up of Python included",
        "cpu_seconds": "processor time; NaN for jobs shorter than the sampling interval",
        "max_rss": "largest resident memory, MiB; NaN for jobs shorter than the sampling interval",
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
        }
    except (KeyError, IndexError, ValueError, OSError) as error:
        raise FileProblem(
            f"{path}: expected one of Snakemake's benchmark files, found another content. "
            "Delete this file and run the same snakemake command again; it is made anew if needed."
        ) from error
    job = "/".join(path.with_suffix("").parts[place + 2 :])
    return {"rule": path.parts[place + 1], "job": job, **measured}
