"""Where every result lies: each pattern of a path is spelled here and nowhere else.

Rules name a pattern, `fill` makes the files of many rows of it, and `narrow` gives some of its
wildcards a value. Logs and benchmarks follow from the name of a rule and a pattern of its output.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nodeflow.grid import CELL_PATH, number

__all__ = ["Row", "benchmark", "fill", "job", "log", "narrow"]

Row = Mapping[str, Any]
"""What one job is about: names and values, from the plan or, as text, from a path's wildcards."""

TABLE = "results/tables/{table}.parquet"
FIGURE = "results/figures/{figure}.{kind}"

# Graphs, and trajectories on them.
GRAPHS = f"results/graphs/{{role}}/{CELL_PATH}"
EDGES = f"{GRAPHS}/edges.parquet"
COORDINATES = f"{GRAPHS}/coordinates.parquet"
NODES = f"{GRAPHS}/nodes.parquet"
SUMMARY = f"{GRAPHS}/summary.parquet"
TRAJECTORIES = f"results/trajectories/{{role}}/{{system}}/{CELL_PATH}.parquet"

# Networks, each with its null models.
NETWORK = "results/networks/{network}"
NETWORK_EDGES = f"{NETWORK}/edges.parquet"
NETWORK_NODES = f"{NETWORK}/nodes.parquet"
NETWORK_SUMMARY = f"{NETWORK}/summary.parquet"
NETWORK_TRAJECTORIES = "results/trajectories/networks/{system}/{network}.parquet"

# Neural ODEs.
TRAINED = "trained_beta~{trained_beta}/trained_gamma~{trained_gamma}"
TRAINING = f"results/neural_ode/models/{{system}}/{{variant}}/{TRAINED}"
MODELS = f"{TRAINING}.safetensors"
SNAPSHOTS = f"{TRAINING}.snapshots.safetensors"
HISTORY = f"{TRAINING}.history.parquet"
OVER_TRAINING = f"results/neural_ode/snapshots/{{system}}/{TRAINED}.parquet"

REWIRED = f"results/neural_ode/rewired/{{system}}/{TRAINED}.parquet"

# Laws behind the trajectories that neural ODEs learn.
LAWS = f"results/law/laws/{{system}}/{{variant}}/{TRAINED}.json"
LAW_TABLE = f"results/law/laws/{{system}}/{{variant}}/{TRAINED}.parquet"

# Tests of both: what is tested, "neural_ode", "law" or "tailed", is the wildcard `learned`.
TESTS = f"results/{{learned}}/tests/{{system}}/{{variant}}/{TRAINED}"
ERRORS = f"{TESTS}/errors.parquet"
RUNS = f"{TESTS}/runs.parquet"
BY_DEGREE = f"{TESTS}/by_degree.parquet"
TRUST = f"{TESTS}/trust.parquet"
FIXED_POINTS = f"results/{{learned}}/fixed_points/{{system}}/{TRAINED}.parquet"
HIDDEN = f"results/{{learned}}/hidden/{{system}}/{TRAINED}.parquet"
FUNCTIONS = f"results/{{learned}}/functions/{{system}}/{TRAINED}.parquet"
NOISE = "results/{learned}/noise/{system}/{variant}.parquet"

# Zoos, as they were trained and aligned.
DATA = "results/data/{data}"
DOWNLOADED = f"{DATA}/downloaded.json"
ZOO = "results/zoo/{zoo}"
MEMBERS = f"{ZOO}/{{alignment}}/block~{{block}}.safetensors"
EPOCHS = f"{ZOO}/epochs.parquet"
METRICS = f"{ZOO}/raw/block~{{block}}.metrics.parquet"
IMPORT = f"{ZOO}/raw/block~{{block}}.checkpoints.parquet"
IMPORT_NOTES = f"{ZOO}/raw/block~{{block}}.checkpoints.txt"
ALIGNMENT = f"{ZOO}/aligned/block~{{block}}.alignment.parquet"
UNIVERSE = f"{ZOO}/universe.safetensors"
BARRIER = f"{ZOO}/{{alignment}}/barrier.parquet"

# Flows over the weights of zoos, of one or of several.
FLOW = "results/flow/{flow}/{alignment}/capacity~{capacity}"
FLOW_WEIGHTS = f"{FLOW}/flow.safetensors"
FLOW_HISTORY = f"{FLOW}/history.parquet"
FLOW_SAMPLES = f"{FLOW}/samples.safetensors"
FLOW_PANEL = f"{FLOW}/panel.parquet"
FLOW_SUMMARY = f"{FLOW}/summary.parquet"
FLOW_CHECKPOINTS = f"{FLOW}/checkpoints"
TRANSFER = f"{FLOW}/transfer.parquet"
SOLVERS = f"{FLOW}/solvers.parquet"
DISTANCES = f"{FLOW}/distances.parquet"

# Families of systems: zoos of neural ODEs, the priors that they make, and tests of new systems.
FAMILY = "results/priors/{family}"
PRIOR_ZOO = f"{FAMILY}/zoo.safetensors"
PRIOR = f"{FAMILY}/prior.safetensors"
PRIOR_TABLE = f"{FAMILY}/{{table}}.parquet"

# Networks and series of the user's own: what they are, forecasts, figures, and a page on all of it.
OWN = "results/own/{own}"
OWN_TABLE = f"{OWN}/{{table}}.parquet"
OWN_FIGURE = f"{OWN}/{{figure}}.{{kind}}"
OWN_ENSEMBLE = f"{OWN}/ensemble.safetensors"
OWN_LAW = f"{OWN}/law.json"
OWN_PAGE = f"{OWN}/report.html"


def fill(pattern: str, rows: Iterable[Row]) -> list[str]:
    """The files that a pattern has for some rows, each once and in the order of the rows.

    Here, and in `narrow`, values become the text of a path.

    Args:
        pattern: e.g. `results/zoo/{zoo}/universe.safetensors`.
        rows: with a value for every wildcard of the pattern; other values are passed over.

    Raises:
        KeyError: a row does not have a wildcard of the pattern.
    """
    return list(dict.fromkeys(pattern.format_map(_texts(row)) for row in rows))


def narrow(pattern: str, **values: Any) -> str:
    """A pattern with some of its wildcards given; the others stay wildcards.

    Args:
        pattern: e.g. `results/zoo/{zoo}/{alignment}/barrier.parquet`.
        values: of some wildcards, e.g. `alignment="raw"`, or another wildcard, `zoo="{other}"`.
    """
    return pattern.format_map(_Open(_texts(values)))


def job(pattern: str) -> str:
    """What tells the jobs of a rule apart, from a pattern of its output: the parts with wildcards.

    `results/zoo/{zoo}/raw/block~{block}.safetensors` gives `{zoo}/block~{block}`. A rule with one
    job has no wildcards; that job is `all`.
    """
    return "/".join(x.split(".")[0] for x in pattern.split("/") if "{" in x) or "all"


def log(rule: str, output: str = "") -> str:
    """The log of a rule, with the wildcards of its output."""
    return f"results/logs/{rule}/{job(output)}.log"


def benchmark(rule: str, output: str = "") -> str:
    """The file with what a job of a rule cost, with the wildcards of its output."""
    return f"results/benchmarks/{rule}/{job(output)}.tsv"


class _Open(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def _texts(row: Row) -> dict[str, str]:
    return {name: x if isinstance(x, str) else number(x) for name, x in row.items()}
