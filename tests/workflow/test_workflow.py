"""The workflow as a user meets it: style, configuration, report."""

import json
import re
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import yaml
from safetensors import safe_open
from snakemake.utils import update_config

from nodeflow.grid import Cell
from nodeflow.plan.figures import FIGURES
from nodeflow.plan.stages import STAGES
from nodeflow.plan.tables import TABLES, collections
from nodeflow.provenance import config_digest, remember_config

from .conftest import ROOT, Checkout, Rules


def test_the_workflow_is_lint_free_and_formatted(fresh: Checkout) -> None:
    lint = fresh.snakemake("--lint", check=False)
    assert lint.returncode == 0, lint.stdout + lint.stderr
    files = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]
    fmt = [sys.executable, "-m", "snakefmt", "--check", *map(str, files)]
    answer = subprocess.run(fmt, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr


def test_every_rule_has_its_script_log_benchmark_and_message(rules: Rules) -> None:
    looped = {f"draw_{figure.name}": "draw" for figure in FIGURES}
    looped |= {f"collect_{job}": "collect" for job, _ in collections()}
    looped |= {rule: stage.script for rule, stage in STAGES.items() if stage.script}
    jobs = {name: has for name, has in rules.items() if has["script"]}
    assert set(jobs) == {*STAGES, *looped}
    targets = {name for name in {*rules} - {*jobs} if not name.startswith(("all_", "own_"))}
    assert all(name.endswith("_figures") for name in targets)
    for name, has in jobs.items():
        assert has["script"] == f"../workflow/scripts/{looped.get(name, name)}.py"
        assert has["message"], name
        assert {"p", "code"} <= set(has["params"]), name
        [log] = has["log"]
        wildcards = re.findall(r"{(\w+)", has["output"][0])
        for path, folder in ((log, "logs"), (has["benchmark"], "benchmarks")):
            assert path.startswith(f"results/{folder}/{name}/"), name
            assert set(re.findall(r"{(\w+)", path)) == set(wildcards), name


def test_activity_is_read_with_the_graphs_of_each_file_of_trajectories(rules: Rules) -> None:
    """Of several systems on one cell, which share its graphs."""
    files = rules["collect_activity"]["input"]
    for kind in ("training", "test"):
        cells = [Cell.from_path(path.replace(".parquet", "/")) for path in files[kind]]
        assert len(cells) > len(set(cells)) > 0
        assert cells == [Cell.from_path(path) for path in files[f"{kind}_edges"]]


@pytest.mark.parametrize(
    ("overlay", "words"),
    [
        ("graphs: {sizes: [1]}", ["graphs.sizes[0]", "≥ 2"]),
        ("graphs: {mean: 3}", ["graphs.mean is not a key"]),
        ("neural_ode: {structure: {beta: []}}", ["neural_ode.structure.beta is empty"]),
        ("dynamics: {systems: [SIR]}", ["SIR", "SIS, MAK, MM, BD, ND"]),
    ],
)
def test_a_bad_configuration_ends_before_the_first_job(
    fresh: Checkout, overlay: str, words: list[str]
) -> None:
    (fresh.folder / "bad.yaml").write_text(overlay)
    answer = fresh.snakemake("all_figures", "--cores", "1", "--configfile", "bad.yaml", check=False)
    assert answer.returncode == 1
    text = answer.stdout + answer.stderr
    assert "Traceback" not in text
    [line] = [line for line in text.splitlines() if re.search(r"the configuration( key|;)", line)]
    for word in words:
        assert word in line
    assert not (fresh.folder / "results").exists()


@pytest.mark.slow
def test_the_paper_grid_is_planned_in_full(fresh: Checkout) -> None:
    answer = fresh.snakemake(
        "all_figures", "-n", "--quiet", "rules", "--configfile", "config/paper.yaml", "--cores", "1"
    )
    stats = (answer.stdout + answer.stderr).split("Job stats:")[1]
    jobs = dict(re.findall(r"^(\w+)\s+(\d+)\s*$", stats, re.MULTILINE))
    # Six more cells a system train on covering or noisy data.
    assert int(jobs["train_neural_ode"]) == 5 * (63 + 6)
    # Those of all systems are tested in one job.
    assert int(jobs["evaluate_neural_ode"]) == 63 + 6
    # Error over training is drawn for one β.
    assert int(jobs["evaluate_snapshots"]) == 5 * 7
    assert int(jobs["train_flow"]) == 2 * (5 + 4 + 4)


@pytest.mark.slow
def test_every_figure_and_table_is_there(finished: Checkout) -> None:
    figures = finished.folder / "results/figures"
    # config/generation.yaml draws these; smoke has neither several zoos nor time. And it keeps no
    # snapshots, and has no data of a user's own.
    common = {x.name for x in FIGURES if x.question != "own"}
    for name in common - {"conditional", "solvers", "error_over_training", "growth", "size_curves"}:
        assert (figures / f"{name}.png").stat().st_size > 5_000
        assert (figures / f"{name}.pdf").stat().st_size > 5_000
    tables = {path.stem for path in (finished.folder / "results/tables").glob("*.parquet")}
    aside = {"conditional", "conditional_summary", "flow_solvers", "neural_ode_over_training"}
    aside |= {"zoo_checkpoints"}
    assert tables == {x.name for x in TABLES if not x.each} - aside


@pytest.mark.slow
def test_the_paper_s_recipe_keeps_snapshots_and_draws_them(fresh: Checkout) -> None:
    (fresh.folder / "few.yaml").write_text(
        "neural_ode: {recipe: paper, "
        "paper: {steps: 40, batch: 4, learning_rate: 0.05, snapshots: 4}}"
    )
    figure = "results/figures/error_over_training.png"
    fresh.snakemake(figure, "--cores", "2", "--configfile", "config/smoke.yaml", "few.yaml")
    assert (fresh.folder / figure).stat().st_size > 5_000
    table = pq.read_table(
        fresh.folder / "results/tables/neural_ode_over_training.parquet"
    ).to_pandas()
    # The training size, 64, and the detail size, 128; two seeds, two test graphs.
    assert table.groupby(["N", "step"]).size().to_dict() == {
        (size, step): 4 for size in (64, 128) for step in (0, 10, 16, 25, 40)
    }
    assert set(table["status"]) == {"ok"}
    means = table.groupby("step")[["mae", "mae_persistence"]].mean()
    assert means["mae"][40] < 0.9 * means["mae"][0]
    assert means["mae"][0] > 0.9 * means["mae_persistence"][0]


def test_every_file_says_where_it_came_from(run: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEFLOW_CONFIG", "none")  # as it was, after the test
    config: dict[str, object] = {}
    for name in ("config", "smoke"):
        update_config(config, yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()))
    remember_config(config)
    stamps = [
        {key.decode(): value.decode() for key, value in pq.read_metadata(path).metadata.items()}
        for path in run.folder.glob("results/**/*.parquet")
    ]
    for path in run.folder.glob("results/**/*.safetensors"):
        with safe_open(path, framework="numpy") as file:
            stamps.append(json.loads(file.metadata()["nodeflow"]))
    assert len(stamps) > 25
    for stamp in stamps:
        assert stamp["nodeflow.config"] == config_digest()
        assert len(stamp["nodeflow.commit"]) >= 7
        assert "torch" in json.loads(stamp["nodeflow.versions"])


def test_logs_can_be_followed(run: Checkout) -> None:
    [log, *_] = (run.folder / "results/logs/train_neural_ode").rglob("*.log")
    text = log.read_text()
    assert re.search(r"step \d+ of \d+, loss [\d.e-]+.* steps/s, \d+ s left", text), text
    assert re.search(r"done in [\d.]+ s", text)


def test_a_missing_data_set_is_named_with_the_choices(fresh: Checkout) -> None:
    overlay = "zoo: {use: [iris, fashion], folders: {fashion_mnist: /nowhere}}\n"
    (fresh.folder / "more.yaml").write_text(overlay)
    answer = fresh.snakemake(
        "results/zoo/fashion/raw/block~0.safetensors", "--cores", "1",
        "--configfile", "config/smoke.yaml", "more.yaml", check=False,
    )  # fmt: skip
    assert answer.returncode == 1
    text = answer.stdout + answer.stderr
    assert "dataset-fashion-mnist" in text
    assert "Traceback (most recent call last)" not in text
