"""What a table of a document is: rows made of a run's tables, and a line on their origin."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import yaml
from snakemake.utils import update_config

from nodeflow.problems import Problem
from nodeflow.provenance import config_digest, remember_config

ROOT = Path(__file__).parents[2]
MARKS = {"confirmed": "**{}**", "contradicted": "*{}*", "open": "{}"}


class PageProblem(Problem):
    """A table of a document cannot be written; the text says why."""


@dataclass(frozen=True)
class PageTable:
    """A table of a document.

    Attributes:
        name: of its file, `docs/tables/NAME.md`, which a page includes.
        tables: names of the run's tables that it is made of, in the order of arguments of `rows`.
        rows: the function that makes its Markdown of them.
        config: the configuration that it is of, in `config/`.
        beside: another configuration, whose tables of the same names follow them as arguments.
    """

    name: str
    tables: tuple[str, ...]
    rows: Callable[..., str]
    config: str = "config.yaml"
    beside: str = ""

    def written(self, results: Path, others: Path | None = None) -> str:
        """The whole file: the rows, and where they come from.

        Args:
            results: of the run of its configuration.
            others: of that of the configuration beside, for a table that has one.

        Raises:
            PageProblem: one of the tables is missing, or of another configuration.
        """
        runs = [(results, self.config)]
        if self.beside:
            if others is None:
                raise PageProblem(
                    f"The table {self.name} is of two runs; name the results of that of "
                    f"config/{self.beside} with --others."
                )
            runs.append((others, self.beside))
        found = [([x / f"tables/{name}.parquet" for name in self.tables], y) for x, y in runs]
        missing = [str(path) for files, _ in found for path in files if not path.is_file()]
        if missing:
            raise PageProblem(f"The table {self.name} is made of {', '.join(missing)}: not there.")
        origin = "\n\n".join(stamp(files, config) for files, config in found)
        tables = [pd.read_parquet(path) for files, _ in found for path in files]
        return f"{self.rows(*tables).strip()}\n\n{origin}\n"


def markdown(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table as Markdown."""
    rows = [list(header), ["---"] * len(header), *map(list, lines)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows) + "\n"


def stamp(files: Sequence[Path], config: str) -> str:
    """When, where, by which commit and of which configuration tables of a run were made.

    Raises:
        PageProblem: they are of another configuration.
    """
    origins = [_metadata(path) for path in files]
    remember_config(merged(config))
    if {x["config"] for x in origins} != {config_digest()}:
        raise PageProblem(
            f"{', '.join(map(str, files))}: these are not tables of config/{config}; run "
            f"`snakemake all_figures --cores 2 --configfile config/{config}` first."
        )
    commits = ", ".join(sorted({x["commit"][:10] for x in origins}))
    libraries = json.loads(origins[0]["versions"])
    day = datetime.fromtimestamp(max(path.stat().st_mtime for path in files), UTC)
    return (
        f"*{day:%d %B %Y}, `config/{config}`, commit {commits}, {machine()}, "
        f"Python {libraries['python']}, torch {libraries.get('torch', 'none')}; "
        f"of {', '.join(f'`{name}`' for name in dict.fromkeys(path.name for path in files))}.*"
    )


def merged(config: str) -> dict[str, Any]:
    """A configuration file over the defaults, as Snakemake merges them."""
    whole: dict[str, Any] = {}
    for name in dict.fromkeys(("config.yaml", config)):
        update_config(whole, yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8")))
    return whole


def machine() -> str:
    """Cores and processor of this machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        [name] = {x.partition(":")[2].strip() for x in lines if x.startswith("model name")}
    except (OSError, ValueError):
        name = platform.machine()
    return f"{os.cpu_count()} cores of {name}"


def _metadata(path: Path) -> dict[str, str]:
    stored = pq.read_schema(path).metadata or {}
    names = ("commit", "config", "versions")
    return {name: stored[f"nodeflow.{name}".encode()].decode() for name in names}


def short(number: float) -> str:
    """Two digits; nothing for what there is not."""
    return "" if pd.isna(number) else f"{float(f'{number:.2g}'):,g}"


def share(number: float, digits: int = 0) -> str:
    """Per cent; nothing for what there is not."""
    return "" if pd.isna(number) else f"{100 * float(number):.{digits}f} %"


def verdict(row: Mapping[Any, Any]) -> str:
    """The number of a claim with its interval: bold if confirmed, italic if contradicted."""
    if pd.isna(row["value"]):
        return "not answerable"
    text = short(row["value"])
    if not pd.isna(row["low"]):
        text += f" [{short(row['low'])}, {short(row['high'])}]"
    return MARKS[str(row["verdict"])].format(text)


def percent(number: float, digits: int = 1) -> str:
    """Per cent without the sign."""
    return f"{100 * float(number):.{digits}f}"


def p_value(p: float) -> str:
    """Two digits, or that it is very small."""
    return "" if pd.isna(p) else "< 0.001" if p < 0.001 else f"{p:.2g}"
