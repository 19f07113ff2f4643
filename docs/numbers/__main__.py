"""Write the tables and pictures of the documents from a finished run, or from a benchmark.

    python -m docs.numbers                              all that the default run holds
    python -m docs.numbers --config claims.yaml         those of a run of config/claims.yaml
    python -m docs.numbers --only trust_bands           one of them
    python -m docs.numbers --bench bench_neural_ode.py --times 50
    python -m docs.numbers --as laws_large --bench laws_tables.py large

Call it in the checkout, on the machine that made the run; `--results` names another folder of
results, and `--others` those of a second run for tables that compare two. Tables of another
configuration than the one that is named are refused. Each file ends with a line that says when,
where, by which commit and of which configuration its numbers were made.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from docs.numbers.page import ROOT, PageProblem, machine
from docs.numbers.registry import PICTURES, TABLES, picture_of
from nodeflow.provenance import commit, versions
from nodeflow.tables import replacing


def main(arguments: list[str]) -> None:
    """Write what is asked for.

    Raises:
        PageProblem: a table is missing, or of another configuration.
    """
    parser = argparse.ArgumentParser(prog="python -m docs.numbers", description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)  # fmt: skip
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--others", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--config", default="config.yaml")
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--as", dest="name", help="of the table, if not that of the benchmark")
    parser.add_argument("--bench", nargs=argparse.REMAINDER, default=[])
    asked = parser.parse_args(arguments)
    if asked.bench:
        name = asked.name or Path(asked.bench[0]).stem
        write(asked.out / f"tables/{name}.md", measured(asked.bench))
        return
    for table in TABLES:
        if table.config == asked.config and (not asked.only or table.name in asked.only):
            write(asked.out / f"tables/{table.name}.md", table.written(asked.results, asked.others))
    for name in PICTURES.get(asked.config, ()) if not asked.only else ():
        picture = asked.out / "pictures" / picture_of(name, asked.config)
        picture.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(asked.results / f"figures/{name}.png", picture)


def measured(command: list[str]) -> str:
    """What a benchmark prints, and when and where it ran.

    Raises:
        PageProblem: it failed.
    """
    answer = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / command[0], *command[1:]],
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if answer.returncode:
        raise PageProblem(f"benchmarks/{' '.join(command)} failed.")
    return (
        f"{answer.stdout.strip()}\n\n*{datetime.now(UTC):%d %B %Y}, "
        f"`python benchmarks/{' '.join(command)}`, commit {commit()[:10]}, {machine()}, "
        f"versions {versions()}.*\n"
    )


def write(path: Path, text: str) -> None:
    """Write a file beside its name and move it there."""
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")
    print(path)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except PageProblem as problem:
        sys.exit(str(problem))
