"""From two files of a user's own to the page, as docs/your-own-data.md says; slips end before."""

import os
import re
import subprocess
import sys
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.integrate import solve_ivp

from nodeflow import laws, priors

from .conftest import ROOT

TUTORIAL = (ROOT / "docs/your-own-data.md").read_text()
N = 40
NODES = [f"gene_{k:02d}" for k in range(N)]


def write_files(folder: Path) -> None:
    """A weighted directed network, and six noisy runs at uneven times of their own, with gaps."""
    rng = np.random.default_rng(5)
    weights = np.zeros((N, N))
    for i in range(N):
        for j in rng.choice(np.delete(np.arange(N), i), rng.integers(1, 6), replace=False):
            weights[i, j] = round(rng.lognormal(0, 0.5), 4)
    edges = [(NODES[j], NODES[i], weights[i, j]) for i, j in zip(*np.nonzero(weights), strict=True)]
    table = pd.DataFrame(edges, columns=["source", "target", "weight"])
    table.to_csv(folder / "network.csv", index=False)
    runs = []
    for run in "abcdef":
        inner = rng.choice(np.arange(1, 400), 28, replace=False) / 100
        times = np.sort([0.0, 4.0, *inner])
        states = solve_ivp(
            lambda _, x: 0.1 - x + weights @ (x**2 / (1 + x**2)),
            (0, 4), rng.uniform(0, 2, N), t_eval=times, rtol=1e-8,
        ).y.T  # fmt: skip
        rows = pd.DataFrame(states + 0.01 * rng.normal(size=states.shape), columns=NODES)
        rows = rows.mask(rng.random(rows.shape) < 0.02).round(5)
        runs.append(rows.assign(run=run, time=times))
    pd.concat(runs)[["run", "time", *NODES]].to_csv(folder / "runs.csv", index=False)


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def waiting(folder: Path, *arguments: str) -> set[str]:
    """Rules that a dry run would run."""
    answer = snakemake(folder, "own_figures", "-n", "--cores", "1", *arguments)
    text = answer.stdout + answer.stderr
    assert answer.returncode == 0, text
    if "Nothing to be done" in text:
        return set()
    stats = text.split("Job stats:")[1].split("total")[0]
    return set(re.findall(r"^(\w+)\s+\d+\s*$", stats, re.MULTILINE)) - {"own_figures"}


@pytest.mark.slow
def test_the_tutorial_leads_from_two_files_to_the_page(tmp_path: Path) -> None:
    write_files(tmp_path)
    [command, *_] = re.findall(r"```bash\nsnakemake -s nodeflow/Snakefile (.*)\n```", TUTORIAL)
    config = re.search(r"--config '(own=.*)'", command)
    assert config is not None
    asked = config[1].replace("}}", ", members: 3}}")  # a few will do for the test
    answer = snakemake(tmp_path, "own_figures", "--cores", "2", "--config", asked)
    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-4000:]
    results = tmp_path / "results/own/mine"
    listed = set(re.findall(r"^\| `(\w+\.\w+)` \|", TUTORIAL, re.MULTILINE))
    assert len(listed) == 8
    assert len(TUTORIAL.splitlines()) <= 80
    assert listed <= {path.name for path in results.iterdir()}

    errors = pd.read_parquet(results / "errors.parquet")
    every = errors[errors["by"] == "all"].set_index("method")["mae"]
    assert set(every.index) == {
        "ensemble", "persistence", "mean_field", "network_autoregression", "autoregression",
    }  # fmt: skip
    assert every["ensemble"] < every.drop("ensemble").min() / 3
    page = (results / "report.html").read_text()
    assert "The ensemble forecasts better than all baselines" in page
    assert "A directed weighted network of 40 nodes" in page
    assert "2 of 6 runs were held out" in page
    assert page.count("data:image/png;base64,") == 5
    [law] = laws.read_laws(results / "law.json", {"own": "mine"}).laws
    assert law is not None
    text = page[page.index("The law behind it") :]
    assert escape(str(law)) in text and ("undetermined" in text) == law.undetermined
    x = np.linspace(*law.seen, 50)
    true = x**2 / (1 + x**2)
    found = law.field.h_ego(x) * law.field.h_alt(x)
    assert np.abs(found - true).max() < 0.05 and np.abs(law.field.f(x) - 0.1 + x).max() < 0.05

    [example] = re.findall(r"```python\n(.*?)```", TUTORIAL, re.DOTALL)
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        names: dict[str, pd.DataFrame] = {}
        exec(compile(example, "your-own-data.md", "exec"), names)
    finally:
        os.chdir(here)
    assert len(names["forecast"]) == 3 * N
    assert np.isfinite(names["forecast"]["mean"]).all()

    # Another horizon forecasts anew and trains nothing; other members leave the check alone.
    assert waiting(tmp_path, "--config", asked) == set()
    figures = {f"draw_own_{name}" for name in ("forecasts", "errors", "flags", "functions")}
    again = {"forecast_own", "report_own", *figures}
    farther = asked.replace("members: 3", "members: 3, horizon: 2.0")
    assert waiting(tmp_path, "--config", farther) == again
    assert waiting(tmp_path, "--config", asked.replace("3}}", "4}}")) == {"train_own", *again}

    [overlay] = re.findall(r"```yaml\n(.*?)```", TUTORIAL, re.DOTALL)
    (tmp_path / "mine.yaml").write_text(overlay)
    assert yaml.safe_load(overlay)["own"]["mine"]["split"] == {"runs": ["e", "f"]}
    rules = waiting(tmp_path, "--configfile", "mine.yaml")
    assert rules == {"check_own", "train_own", "discover_own", "draw_own_series", *again}


@pytest.mark.slow
def test_a_prior_is_the_door_for_few_frames(tmp_path: Path) -> None:
    write_files(tmp_path)
    series = pd.read_csv(tmp_path / "runs.csv")
    few = series[series["run"] == "a"].dropna().iloc[::5]
    few.to_csv(tmp_path / "runs.csv", index=False)
    ranges = {"B": (0.8, 1.2), "R": (0.8, 1.2), "h": (1.5, 2.5)}
    prior = priors.prior_of_system(
        "MM", ranges, members=12, nodes=32, knots=16, mean_degree=3, initial=(0, 2), horizon=4
    )
    priors.save_prior(tmp_path / "mm.prior", prior)
    asked = "own={{mine: {{network: network.csv, series: runs.csv{}}}}}"
    without = snakemake(tmp_path, "own_figures", "-n", "--config", asked.format(""))
    assert without.returncode
    assert "with which 2 are enough" in without.stdout + without.stderr
    given = asked.format(", prior: mm.prior, members: 6")
    answer = snakemake(tmp_path, "own_figures", "--cores", "1", "--config", given)
    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-4000:]
    results = tmp_path / "results/own/mine"
    page = (results / "report.html").read_text()
    assert "With a prior of 12 systems, 6 neural ODEs learned from 1 run" in page
    errors = pd.read_parquet(results / "errors.parquet")
    every = errors[errors["by"] == "all"].set_index("method")["mae"]
    assert every["ensemble"] < every["persistence"]
    (tmp_path / "mm.prior").write_text("")
    broken = snakemake(tmp_path, "own_figures", "-n", "--config", given)
    assert broken.returncode
    assert "mm.prior" in broken.stdout + broken.stderr
    assert "Traceback" not in broken.stdout + broken.stderr


def long(rows: str) -> str:
    return "run,time,node,value\n" + rows


def grown(runs: str, times: int) -> str:
    """A long table of two nodes whose values grow."""
    rows = [(run, time, k) for run in runs for time in range(times) for k in (0, 1)]
    return long("".join(f"{run},{time},gene_0{k},{time + k}\n" for run, time, k in rows))


SLIPS = {
    "a missing file": ("{network: net.csv, series: no.csv}", "", "own.mine.series is no.csv"),
    "an unknown node": (
        "{network: net.csv, series: runs.csv}",
        long("a,0,gene_00,1\na,1,gene_99,1\n"),
        r"runs.csv, line 3: 'gene_99' is not a node of the network",
    ),
    "time going backwards": (
        "{network: net.csv, series: runs.csv}",
        long("a,1,gene_00,1\na,0,gene_00,1\n"),
        r"runs.csv, line 3: run a, node gene_00 has the time 0 after a later time",
    ),
    "an unreadable network": (
        "{network: runs.csv, series: runs.csv}",
        long("a,0,gene_00,1\n"),
        r"runs.csv, line 2: 4 columns|runs.csv.*4 columns",
    ),
    "too few times": (
        "{network: net.csv, series: runs.csv}",
        grown("a", 6),
        r"own.mine: Run a has 4 times to learn from .* and 7 are needed.*prior: FILE",
    ),
    "no such run": (
        "{network: net.csv, series: runs.csv, split: {runs: [z]}}",
        grown("ab", 9),
        r"There is no run 'z' to hold out",
    ),
    "a short horizon": (
        "{network: net.csv, series: runs.csv, split: {time: 0.4}, horizon: 0.5}",
        grown("a", 20),
        r"The horizon is 0.5, and there are at least 1 between two observations",
    ),
}


@pytest.mark.parametrize("slip", [pytest.param(x, marks=pytest.mark.slow) if k else x
                                  for k, x in enumerate(SLIPS)])  # fmt: skip
def test_a_slip_ends_in_one_sentence_before_the_first_job(tmp_path: Path, slip: str) -> None:
    config, series, pattern = SLIPS[slip]
    (tmp_path / "net.csv").write_text("source,target\ngene_00,gene_01\n")
    (tmp_path / "runs.csv").write_text(series)
    answer = snakemake(
        tmp_path, "own_figures", "--cores", "1", "--config", f"own={{mine: {config}}}"
    )
    text = answer.stdout + answer.stderr
    assert answer.returncode == 1
    assert "Traceback" not in text
    assert len([line for line in text.splitlines() if re.search(pattern, line)]) == 1, text
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
def test_figures_of_no_data_are_refused_with_the_line_to_write(tmp_path: Path) -> None:
    answer = snakemake(tmp_path, "own_figures", "-n", "--cores", "1")
    text = answer.stdout + answer.stderr
    assert answer.returncode == 1
    assert "names no data of your own" in text and "own={mine: {network: " in text
