"""Tables of what bench_laws.py measured, as Markdown.

    python benchmarks/laws_tables.py rivals                            # one of them
    python -m docs.numbers --as laws_rivals --bench laws_tables.py rivals

Rows are those of `benchmarks/laws_rows.jsonl`, or of the file that `--rows` names.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from rival_laws import RIVALS
from scipy.stats import binomtest

from nodeflow.dynamics import SYSTEMS

__all__ = ["LARGE", "key_of", "read", "tables"]

Row = Mapping[str, Any]

ROWS = Path(__file__).parent / "laws_rows.jsonl"
LARGE = 8192
METHODS = "law", *RIVALS


def read(path: Path | None) -> list[dict[str, Any]]:
    """The rows of a file, if there is one."""
    if path is None or not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def key_of(row: Row) -> tuple[Any, ...]:
    """What names a row."""
    return (*case_of(row), row["method"], row.get("large", LARGE))


def case_of(row: Row) -> tuple[Any, ...]:
    """What was given to a method."""
    return tuple(row[name] for name in ("system", "gamma", "graph", "noise", "draw"))


def kind_of(system: str) -> str:
    """Of a system: one of the five, of the others, or of ND2."""
    return "five" if system in SYSTEMS else "nd2" if system.startswith("ND2 ") else "others"


def of_kind(rows: Sequence[Row], kind: str) -> list[Row]:
    """Rows of one kind of system, without those on one graph of still more nodes."""
    usual = [x for x in rows if x.get("large", LARGE) in (0, LARGE)]
    return [x for x in usual if kind_of(x["system"]) == kind]


# --- cells ----------------------------------------------------------------------------------------


def wilson(hits: int, count: int) -> str:
    """A rate with its 95 % interval (Wilson 1927)."""
    low, high = binomtest(hits, count).proportion_ci(method="wilson")
    return f"{hits}/{count} [{low:.2f}, {high:.2f}]"


def exact(rows: Sequence[Row]) -> str:
    """How many laws have the true form."""
    known = [x for x in rows if x["exact"] is not None]
    return wilson(sum(x["exact"] for x in known), len(known)) if known else "–"


def number(value: float) -> str:
    """Two digits; laws that cannot be integrated have infinite errors."""
    return "failed" if np.isinf(value) else f"{value:.1e}"


def middle(rows: Sequence[Row], name: str) -> str:
    """Median and worst."""
    values = [x[name] for x in rows if x.get(name) is not None]
    return f"{number(np.median(values))} ({number(np.max(values))})" if values else "–"


def formula(row: Row) -> str:
    """A law as code, without the zeros that a number alone is printed with."""
    short = re.sub(r"[0-9]+[.][0-9]*0{6,}", lambda found: f"{float(found[0]):.10g}", row["law"])
    return f"`{short}`"


def seconds(rows: Sequence[Row]) -> str:
    """Median and most."""
    values = [x["seconds"] for x in rows if "seconds" in x]
    return f"{np.median(values):.1f} ({np.max(values):.1f})" if values else "–"


def lined(header: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """A table."""
    return [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *lines)]


# --- tables ---------------------------------------------------------------------------------------


def tables(rows: Sequence[Row]) -> list[str]:
    """All that was measured: each kind of case and each method has a table."""
    text = []
    titles = {"five": "The five systems", "others": "Other systems", "nd2": "The systems of ND2"}
    for kind, title in titles.items():
        for method in METHODS:
            some = [x for x in of_kind(rows, kind) if x["method"] == method]
            if some:
                text += ["", f"**{title}: {method}**", "", *summary(some)]
    return [*text, "", "**One graph of more nodes**", "", *more_nodes(rows)]


def summary(rows: Sequence[Row]) -> list[str]:
    """One line a noise and system, and one for all systems; then what was missed."""
    header = [
        "noise", "system", "exact", "true form among three", "worst coefficient of the exact",
        "error at N = 64", f"at N = {LARGE:,}", "CPU seconds",
    ]  # fmt: skip
    lines = []
    for noise in sorted({x["noise"] for x in rows}):
        at = [x for x in rows if x["noise"] == noise]
        for system in (*dict.fromkeys(x["system"] for x in at), "all"):
            some = [x for x in at if system in (x["system"], "all")]
            named = [x["named"] for x in some if x.get("named") is not None]
            worst = [x["coefficients"] for x in some if x["exact"] and x.get("coefficients")]
            lines.append([
                f"{noise:g}", system, exact(some), f"{sum(named)}/{len(named)}" if named else "–",
                f"{max(worst):.1e}" if worst else "–", middle(some, "mae_64"),
                middle(some, "mae_large"), seconds(some),
            ])  # fmt: skip
    text = lined(header, lines)
    missed = [x for x in rows if x["exact"] is False and x["method"] == "law"]
    if missed:
        text += ["", "Not exact:", ""]
        text += [
            f"- {x['system']}, γ = {x['gamma']:g}, graph {x['graph']}, noise {x['noise']:g}"
            f"{'' if x['named'] else ', not among three'}: {formula(x)}"
            for x in missed
        ]
    return text


def more_nodes(rows: Sequence[Row]) -> list[str]:
    """Errors on one graph of still more nodes."""
    huge = [x for x in rows if x.get("large", LARGE) not in (LARGE, 0)]
    header = [
        "system", "γ", "noise", "nodes", "mean absolute error there", "at 64 nodes", "ratio",
        "tolerance",
    ]  # fmt: skip
    return lined(header, [
        [
            x["system"], f"{x['gamma']:g}", f"{x['noise']:g}", f"{x['large']:,}",
            number(x["mae_large"]), number(x["mae_64"]), f"{x['mae_large'] / x['mae_64']:.2f}",
            f"{x['tolerance']:g}",
        ]
        for x in huge
    ])  # fmt: skip


def equations(rows: Sequence[Row]) -> list[str]:
    """The laws of the five systems on the first training graph, beside the true ones."""
    ours = [x for x in of_kind(rows, "five") if x["method"] == "law" and x["graph"] == 0]
    first = [x for x in ours if x["gamma"] == min(x["gamma"] for x in ours)]
    noises = sorted({x["noise"] for x in first})
    found = {(x["system"], x["noise"]): formula(x) for x in first}
    return lined(
        ["system", "true", *(f"found, noise {noise:g}" for noise in noises)],
        [[name, true(name), *(found.get((name, x), "–") for x in noises)] for name in SYSTEMS],
    )


def true(name: str) -> str:
    """The equation of a system, with its parameters."""
    system = SYSTEMS[name]
    return f"`{system.equation}`; {', '.join(f'{k} = {v:g}' for k, v in system.parameters.items())}"


def others(rows: Sequence[Row]) -> list[str]:
    """Each law of systems that were written down after the families."""
    header = [
        "system", "γ", "noise", "law", "weight", "explains", "error at N = 64", f"at N = {LARGE:,}",
    ]  # fmt: skip
    return lined(header, [
        [
            x["system"], f"{x['gamma']:g}", f"{x['noise']:g}", formula(x),
            f"{x['weight']:.2f}" if "weight" in x else "–",
            "yes" if x.get("explains") else "no",
            *(number(x[k]) if x.get(k) is not None else "–" for k in ("mae_64", "mae_large")),
        ]
        for x in sorted(of_kind(rows, "others"), key=lambda x: x["system"])
    ])  # fmt: skip


def rivals(rows: Sequence[Row]) -> list[str]:
    """Recovery by noise and method; then errors of each system, ours on the cases of the rival."""
    five = of_kind(rows, "five")
    noises = sorted({x["noise"] for x in five})
    methods = [name for name in METHODS if any(x["method"] == name for x in five)]
    text = lined(
        ["exact", *(f"noise {noise:g}" for noise in noises), "CPU seconds"],
        [
            [
                name,
                *(exact([x for x in five if x["method"] == name and x["noise"] == noise])
                  for noise in noises),
                seconds([x for x in five if x["method"] == name]),
            ]
            for name in methods
        ],
    )  # fmt: skip
    ours = {case_of(x): x for x in five if x["method"] == "law" and x["mae_large"] is not None}
    header = ["noise", "system", *(f"law against {name}" for name in methods[1:])]
    lines = []
    for noise in noises:
        for system in SYSTEMS:
            cells = []
            for name in methods[1:]:
                theirs = {
                    case_of(x): x["mae_large"] for x in five
                    if x["method"] == name and x.get("mae_large") is not None
                    and (x["system"], x["noise"]) == (system, noise) and case_of(x) in ours
                }  # fmt: skip
                cells.append(against([ours[k]["mae_large"] for k in theirs], [*theirs.values()]))
            lines.append([f"{noise:g}", system, *cells])
    return [*text, "", *lined(header, lines)]


def against(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Median errors, how often ours is smaller, and by how much we are ahead or behind."""
    if not ours:
        return "–"
    mine, its = float(np.median(ours)), float(np.median(theirs))
    won = sum(a < b for a, b in zip(ours, theirs, strict=True))
    said = f"{number(mine)} : {number(its)}, smaller in {won}/{len(ours)}"
    if np.isinf(its):
        return said
    if its > mine:
        return f"{said}, {its / mine:.2g} times"
    return f"**{said}, behind {mine / its:.2f}**"


TABLES: Mapping[str, Callable[[Sequence[Row]], list[str]]] = MappingProxyType({
    "all": tables,
    "five": lambda rows: summary([x for x in of_kind(rows, "five") if x["method"] == "law"]),
    "equations": equations,
    "nd2": lambda rows: summary(of_kind(rows, "nd2")),
    "others": others,
    "rivals": rivals,
    "large": more_nodes,
})  # fmt: skip


def main() -> None:
    """Print one table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("table", choices=TABLES)
    options.add_argument("--rows", type=Path, default=ROWS)
    chosen = options.parse_args()
    print("\n".join(TABLES[chosen.table](read(chosen.rows))))


if __name__ == "__main__":
    main()
