"""An edit re-runs exactly the rules that it concerns, and what follows from them.

Which rules follow from a rule is read from Snakemake's rule graph; which rules a change concerns
is written here.
"""

import dataclasses
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from nodeflow.plan.figures import FIGURES
from nodeflow.plan.laws import Laws
from nodeflow.plan.neural_ode import NeuralODEs
from nodeflow.plan.stages import STAGES
from nodeflow.plan.tables import collections
from nodeflow.plan.tails import Tails
from nodeflow.provenance import code_digest, imported_modules

from .conftest import ROOT, Checkout

ADDED = "\n\n_ADDED = 1\n"


@pytest.fixture
def edited(run: Checkout, tmp_path: Path) -> Checkout:
    """A private copy of the finished run, to be edited."""
    copy = tmp_path / "copy"
    shutil.copytree(run.folder, copy, copy_function=shutil.copy2)
    return dataclasses.replace(run, folder=copy)


@pytest.fixture
def after(run: Checkout) -> Callable[[set[str]], set[str]]:
    """A function that gives some rules together with all that follow from them."""
    names, edges = rule_graph(run)

    def closure(rules: set[str]) -> set[str]:
        assert rules <= set(names.values()), rules - set(names.values())
        found: set[str] = set()
        waiting = [number for number, name in names.items() if name in rules]
        while waiting:
            number = waiting.pop()
            found.add(number)
            waiting += [b for a, b in edges if a == number and b not in found]
        return {names[number] for number in found if not names[number].startswith("all_")}

    return closure


@cache
def rule_graph(run: Checkout) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Rules of a run by their number, and which number another one follows from."""
    graph = run.smoke("--rulegraph", "dot").stdout
    names = dict(re.findall(r"(\d+)\[label = \"(\w+)\"", graph))
    return names, re.findall(r"(\d+) -> (\d+)", graph)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1))


def test_a_finished_run_has_nothing_to_do(run: Checkout) -> None:
    assert run.waiting() == {}


def test_touching_every_file_reruns_nothing(edited: Checkout) -> None:
    for part in ("src", "rules", "workflow", "config"):
        for path in (edited.folder / part).rglob("*.*"):
            path.touch()
    assert edited.waiting() == {}


def test_remarks_in_every_module_rerun_nothing(edited: Checkout) -> None:
    for path in (edited.folder / "src/nodeflow").rglob("*.py"):
        path.write_text(f"# A remark.\n{path.read_text()}\n\n# Another one.\n")
    assert edited.waiting() == {}


PRIORS = {"train_prior_zoo", "fit_prior", "evaluate_prior"}

CHANGES = {
    "graphs/s1.py": {
        "sample_graphs",
        "train_prior_zoo",
        "fit_prior",
        "evaluate_prior",
        "collect_theory",
    },
    "graphs/measures.py": {"sample_graphs", "sample_network", "evaluate_rewired", "check_own"},
    "dynamics/ensemble.py": {
        "simulate_trajectories",
        "simulate_network",
        "evaluate_neural_ode",
        "evaluate_law",
        "evaluate_tailed",
        "evaluate_rewired",
    },
    "neural_ode/train.py": {"train_neural_ode", "train_own", "forecast_own", *PRIORS},
    "neural_ode/evaluate.py": {
        "evaluate_neural_ode",
        "evaluate_law",
        "evaluate_tailed",
        "evaluate_snapshots",
        "evaluate_rewired",
        "evaluate_prior",
    },
    "neural_ode/tails.py": {
        "evaluate_prior",
        "evaluate_tailed",
        "examine_tailed",
        "perturb_tailed",
    },
    "laws/discover.py": {"discover_law", "discover_own", "evaluate_prior"},
    "neural_ode/estimate.py": {"train_neural_ode", "train_own", "forecast_own", *PRIORS},
    "priors/learn.py": {"train_own", "fit_prior", "evaluate_prior"},
    "judge/claims.py": {"judge_claims", "judge_priors"},
    "zoo/train.py": {
        "train_zoo",
        "train_flow",
        "sample_flow",
        "train_shorter",
        "transfer_samples",
        "compare_solvers",
    },
    "canonical/barrier.py": {"measure_barrier"},
    "judge/novelty.py": {"judge_samples", "judge_distances", "evaluate_prior"},
    "judge/error_schemas.py": {
        "evaluate_neural_ode",
        "evaluate_law",
        "evaluate_tailed",
        "judge_warning",
        "evaluate_prior",
        "judge_claims",
        "collect_tests",
        "draw_degree_errors",
        "draw_conjecture",
        "draw_warning",
    },
    "priors/zoo.py": {*PRIORS},
    "priors/conditional.py": {"evaluate_prior"},
    "priors/claims.py": {"judge_priors"},
    "figures/runtime.py": {"draw_runtime"},
    "figures/neural_ode.py": {
        "draw_clustering_effect",
        "draw_training",
        "draw_error_over_training",
        "draw_size_errors",
        "draw_structure_errors",
        "draw_degree_errors",
    },
    "figures/laws.py": {"draw_law_errors", "draw_law_recovery", "draw_law_functions"},
    "figures/speed.py": {"draw_speed", "draw_payoff"},
    "flow/spectra.py": {"collect_flow_training"},
    "plan/figures.py": set(),
    "plan/tables.py": set(),
    "payoff.py": {"compare_payoff", "draw_payoff", "draw_speed"},
    "zoo/shorter.py": {"train_shorter"},
    "resources.py": {"compare_resources", "draw_runtime"},
}


SCRIPTS = ROOT / "workflow/scripts"
CODE = {
    **{rule: (SCRIPTS / f"{stage.script or rule}.py", []) for rule, stage in STAGES.items()},
    **{
        f"{test}_{learned.folder}": (SCRIPTS / f"{test}_learned.py", [learned.read])
        for test in ("evaluate", "examine", "perturb")
        for learned in (NeuralODEs, Laws, Tails)
    },
    **{f"draw_{figure.name}": (SCRIPTS / "draw.py", figure.entries) for figure in FIGURES},
    **{
        f"collect_{job}": (SCRIPTS / "collect.py", [x for made in tables for x in made.entries])
        for job, tables in collections()
    },
}
"""Every rule with its script and with what the script is handed by name."""

ON_DEMAND = {
    "draw_error_over_training",
    "evaluate_snapshots",
    "compare_solvers",
    "simulate_network",
    "check_own",
    "train_own",
    "discover_own",
    "forecast_own",
    "report_own",
    *(f"draw_{figure.name}" for figure in FIGURES if figure.question == "own"),
}
"""Rules whose files no figure of the smoke run needs."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the library for edits that each test takes back, so that it is read once."""
    copy = tmp_path_factory.mktemp("source") / "nodeflow"
    shutil.copytree(ROOT / "src/nodeflow", copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.mark.parametrize("module", CHANGES)
def test_a_change_is_seen_by_exactly_the_rules_that_use_it(source: Path, module: str) -> None:
    def digests() -> dict[str, str]:
        return {rule: code_digest(file, source, names) for rule, (file, names) in CODE.items()}

    before, text = digests(), (source / module).read_text()
    (source / module).write_text(text + ADDED)
    after = digests()
    (source / module).write_text(text)
    assert {rule for rule in CODE if before[rule] != after[rule]} == CHANGES[module]
    assert digests() == before


# Measures leave some of what follows alone: see the test of them below.
@pytest.mark.parametrize("module", [x for x in CHANGES if x != "graphs/measures.py"])
def test_a_change_reruns_its_users_and_what_follows(
    edited: Checkout, after: Callable[[set[str]], set[str]], module: str
) -> None:
    path = edited.folder / "src/nodeflow" / module
    path.write_text(path.read_text() + ADDED)
    concerned = CHANGES[module] - ON_DEMAND
    assert set(edited.waiting()) == after(concerned)


@pytest.mark.parametrize(
    ("file", "old", "new", "rules"),
    [
        ("smoke.yaml", "pairs: 5", "pairs: 4", {"measure_barrier"}),
        ("smoke.yaml", "count: 20", "count: 21", {"sample_flow"}),
        (
            "config.yaml",
            "mean_degree: 10",
            "mean_degree: 9",
            {"sample_graphs", "train_prior_zoo"},
        ),
        (
            "config.yaml",
            "rtol: 1.0e-6",
            "rtol: 1.0e-5",
            {"simulate_trajectories", "evaluate_prior"},
        ),
        ("smoke.yaml", "seeds: 2", "seeds: 3", {"train_neural_ode"}),
        (
            "smoke.yaml",
            "controls: 20",
            "controls: 21",
            {"judge_samples", "judge_distances", "evaluate_prior"},
        ),
    ],
)
def test_a_configuration_key_reruns_its_consumers(
    edited: Checkout,
    after: Callable[[set[str]], set[str]],
    file: str,
    old: str,
    new: str,
    rules: set[str],
) -> None:
    replace(edited.folder / "config" / file, old, new)
    assert set(edited.waiting()) == after(rules)


@pytest.mark.parametrize(
    ("file", "old", "new", "rules", "aside"),
    [
        ("config.yaml", "sweeps: 100", "sweeps: 50", {"align_zoo", "evaluate_prior"}, set()),
        (
            "smoke.yaml",
            "steps: 500",
            "steps: 400",
            {"train_flow"},
            {"judge_distances", "collect_distances", "draw_distances"},
        ),
    ],
)
@pytest.mark.slow
def test_a_descent_and_its_transfer_do_not_follow_from_flows_over_aligned_members(
    edited: Checkout,
    after: Callable[[set[str]], set[str]],
    file: str,
    old: str,
    new: str,
    rules: set[str],
    aside: set[str],
) -> None:
    replace(edited.folder / "config" / file, old, new)
    alone = {"transfer_samples", "collect_transfer", "draw_transfer"}
    assert set(edited.waiting()) == after(rules) - alone - aside


@pytest.mark.slow
def test_another_entry_redraws_its_figure(edited: Checkout) -> None:
    entries = edited.folder / "src/nodeflow/plan/figures.py"
    replace(entries, '"Training on hub states"', '"Hub states"')
    replace(entries, '"Error against degree"', '"Where on a graph"')
    assert edited.waiting() == {}
    replace(entries, '{"size": plan.cells.detail_size}', '{"size": plan.cells.training_size}')
    assert edited.waiting() == {"draw_conjecture": 1}


def test_one_figure_is_drawn_anew_by_name(run: Checkout) -> None:
    assert run.waiting("--forcerun", "draw_size_errors") == {"draw_size_errors": 1}


def test_one_system_more_leaves_the_others_alone(edited: Checkout) -> None:
    models = list((edited.folder / "results/neural_ode/models/SIS").rglob("*.safetensors"))
    replace(edited.folder / "config/smoke.yaml", "systems: [SIS]", "systems: [SIS, MM]")
    before = edited.waiting()
    assert before["train_neural_ode"] == len(models)
    assert "sample_graphs" not in before
    assert "train_zoo" not in before


@pytest.mark.parametrize("module", ["graphs/measures.py", "graphs/ensemble.py"])
def test_graphs_depend_on_how_they_are_sampled_not_on_how_they_are_measured(module: str) -> None:
    """Files of the library that are passed over for the graphs' own digest are truly not theirs."""
    without = {"graphs/measures.py"}
    for reader in ("graphs/ensemble.py", "graphs/store.py"):
        sampling = imported_modules(ROOT / "src/nodeflow" / reader)
        assert ROOT / "src/nodeflow/graphs/measures.py" not in sampling
    script = ROOT / "workflow/scripts/sample_graphs.py"
    left = imported_modules(script, without=without)
    assert (ROOT / "src/nodeflow" / module in left) == (module not in without)


@pytest.mark.slow
def test_other_measures_leave_graphs_and_what_is_simulated_on_them(
    edited: Checkout, after: Callable[[set[str]], set[str]]
) -> None:
    path = edited.folder / "src/nodeflow/graphs/measures.py"
    path.write_text(path.read_text() + ADDED)
    waiting = set(edited.waiting())
    measured = {"evaluate_neural_ode", "collect_graphs", "collect_theory", "sample_network"}
    assert waiting >= {"sample_graphs"} | after(measured)
    assert not waiting & {
        "simulate_trajectories",
        "train_neural_ode",
        "examine_neural_ode",
        "train_prior_zoo",
    }


TWO_SYSTEMS = """
dynamics:
  systems: [SIS, MM]
  parameters: {SIS: {R: 1.2}}
"""
MODELS = {
    system: f"results/neural_ode/models/{system}/plain/"
    "trained_beta~1.1/trained_gamma~2.1.safetensors"
    for system in ("SIS", "MM")
}
TESTS = {system: f"results/neural_ode/noise/{system}/plain.parquet" for system in MODELS}


@pytest.mark.slow
def test_one_system_s_parameter_leaves_the_models_of_the_others(fresh: Checkout) -> None:
    """In real runs: the job of a cell runs for one system; what follows from the other stays."""
    overlay = fresh.folder / "two.yaml"
    overlay.write_text(TWO_SYSTEMS)
    asked = (*TESTS.values(), "--configfile", "config/smoke.yaml", str(overlay), "--cores", "2")
    fresh.snakemake(*asked)

    def results(system: str) -> dict[Path, bytes]:
        folders = (fresh.folder / "results" / part for part in ("trajectories", "neural_ode"))
        paths = [path for folder in folders for path in folder.rglob("*") if system in path.parts]
        return {path: path.read_bytes() for path in paths if path.is_file()}

    before = {system: results(system) for system in MODELS}
    trained = (fresh.folder / MODELS["MM"]).stat().st_mtime_ns
    replace(overlay, "R: 1.2", "R: 1.3")
    fresh.snakemake(*asked)
    after = {system: results(system) for system in MODELS}
    assert len(before["MM"]) == len(before["SIS"]) == 5
    assert after["MM"] == before["MM"]
    assert (fresh.folder / MODELS["MM"]).stat().st_mtime_ns == trained
    assert after["SIS"].keys() == before["SIS"].keys()
    assert all(content != before["SIS"][path] for path, content in after["SIS"].items())
    again = fresh.snakemake(*asked)
    assert "Nothing to be done" in again.stdout + again.stderr


@pytest.mark.slow
def test_a_rule_that_is_forced_makes_anew_what_it_would_leave_alone(fresh: Checkout) -> None:
    file = "results/trajectories/test/SIS/N~64/beta~1.1/gamma~2.1.parquet"
    asked = (file, "--configfile", "config/smoke.yaml", "--cores", "1")
    fresh.snakemake(*asked)
    before = fresh.folder / "before"
    before.hardlink_to(fresh.folder / file)
    fresh.snakemake(*asked)
    assert (fresh.folder / file).samefile(before)
    fresh.snakemake(*asked, "--forcerun", "simulate_trajectories")
    assert not (fresh.folder / file).samefile(before)
    assert (fresh.folder / file).read_bytes() == before.read_bytes()
