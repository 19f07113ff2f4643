"""The plan: which files a configuration asks for, and what each is made with."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.config import read_config
from nodeflow.grid import CELL_PATH, WILDCARDS, Cell
from nodeflow.plan import SAMPLING, Plan, fill, narrow, paths
from nodeflow.plan.cells import cell_of, rows
from nodeflow.provenance import imported_modules
from tests.unit.test_config import changed, overlaid

ROOT = Path(__file__).parents[2]
DEFAULT: dict[str, Any] = yaml.safe_load((ROOT / "config/config.yaml").read_text())


def planned(config: dict[str, Any]) -> Plan:
    return Plan(read_config(config), ROOT)


plan = planned(DEFAULT)


SIS = {"system": "SIS", "variant": "plain", "trained_beta": 1.1, "trained_gamma": 3.0}
IRIS = {"zoo": "iris", "block": 0, "alignment": "raw"}
DIGITS = {"flow": "digits", "alignment": "aligned", "capacity": 64}


def test_a_pattern_is_filled_once_for_every_row_that_differs_in_it() -> None:
    rows = [{"N": 64, "beta": beta, "kind": "x"} for beta in (1.1, 3.0, 1.1, 1e-5)]
    assert fill("{N}/beta~{beta}", rows) == ["64/beta~1.1", "64/beta~3.0", "64/beta~1e-05"]
    assert fill("{N}", rows) == ["64"]
    with pytest.raises(KeyError, match="gamma"):
        fill("{gamma}", rows)
    assert narrow("{N}/beta~{beta}/{kind}", beta=3.0, kind="{other}") == "{N}/beta~3.0/{other}"


def test_every_number_of_a_path_reads_back_as_itself() -> None:
    for cell in plan.cells.tests:
        [path] = fill(CELL_PATH, rows([cell]))
        assert path == cell.path
        assert Cell.from_path(path) == cell


def patterns() -> list[str]:
    return [x for name, x in vars(paths).items() if name.isupper() and isinstance(x, str)]


def test_every_pattern_has_wildcards_that_are_constrained_and_none_has_two_meanings() -> None:
    assert len(patterns()) > 40
    for pattern in patterns():
        names = re.findall(r"{(\w+)}", pattern)
        assert len(names) == len(set(names))
        assert {*names} <= {*WILDCARDS, "table", "figure", "kind"}, pattern


def test_no_rule_spells_a_path_that_has_a_pattern() -> None:
    for file in [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]:
        spelled = re.findall(r'"results/[^"]*{\w+}[^"]*"', file.read_text())
        assert not spelled, f"{file.name}: {spelled}"


def test_a_job_is_named_by_the_wildcards_of_its_output() -> None:
    assert paths.log("train_zoo", paths.METRICS) == "results/logs/train_zoo/{zoo}/block~{block}.log"
    assert paths.benchmark("find_universe", paths.UNIVERSE) == (
        "results/benchmarks/find_universe/{zoo}.tsv"
    )
    assert paths.log("judge_claims") == "results/logs/judge_claims/all.log"
    for pattern in patterns():
        names = re.findall(r"{(\w+)}", pattern)
        if {*names} <= {*WILDCARDS}:
            assert re.findall(r"{(\w+)}", paths.job(pattern)) == names, pattern


def test_every_rule_names_its_script_in_plain_text() -> None:
    """An expression is evaluated when a job runs: in a loop over rules, with its last item."""
    for file in (ROOT / "rules").glob("*.smk"):
        for named in re.findall(r"^ *script:\n(.*)", file.read_text(), re.MULTILINE):
            path = re.fullmatch(r' *"\.\./(workflow/scripts/\w+\.py)"', named)
            assert path is not None and (ROOT / path[1]).is_file(), f"{file.name}: {named}"


def test_no_stage_is_longer_than_two_hundred_lines() -> None:
    for file in (ROOT / "src/nodeflow/plan").glob("*.py"):
        if file.stem in ("figures", "tables"):
            continue  # no stages: lists of as many entries as there are of them
        assert len(file.read_text().splitlines()) <= 200, file.name


def test_tests_cover_both_experiments_once() -> None:
    cells = plan.cells
    for trained in cells.training:
        found = cells.tested("plain", trained)
        assert len(found) == len(set(found))
        sizes = DEFAULT["graphs"]["sizes"]
        assert {Cell(N, trained.beta, trained.gamma) for N in sizes} <= set(found)
        assert set(found) <= set(cells.tests)
        assert (set(cells.structure) <= set(found)) == (trained == cells.structure_trained)


def test_every_variant_is_trained_and_tested_where_its_experiment_is() -> None:
    cells, names = plan.cells, [tuple(row.values()) for row in plan.neural_ode.trainings]
    assert len(names) == len(set(names))
    for row in plan.neural_ode.trainings:
        assert cells.trained(row) in cells.training
        assert set(map(cell_of, plan.experiments.tested(row))) <= set(cells.tests)
    covering = [row for row in plan.neural_ode.trainings if row["variant"] == "covering"]
    assert {cells.trained(row) for row in covering} == set(cells.detail)
    assert plan.neural_ode.params({**SIS, "variant": "noise~0.05"})["noise"] == 0.05
    reach = plan.neural_ode.params({**SIS, "variant": "covering"})["reach"]
    assert reach["on"]["N"] == cells.detail_size


@given(members=st.integers(16, 300), held_out=st.integers(0, 90), size=st.integers(2, 120))
def test_blocks_cover_every_member_once(members: int, held_out: int, size: int) -> None:
    config = changed("zoo.zoos.iris.members", members)
    config["zoo"]["zoos"]["iris"] |= {"held_out": held_out, "block": size}
    other = planned(config)
    made = [other.zoos.params(row) for row in other.zoos.blocks("iris")]
    numbers = [n for m in made for n in range(m["first"], m["first"] + m["count"])]
    assert numbers == list(range(members + held_out))


@pytest.mark.parametrize(("sizes", "expected"), [([64, 256, 1024], [64, 1024]), ([1024], [1024])])
def test_snapshots_are_tested_where_models_are(sizes: list[int], expected: list[int]) -> None:
    config = changed("neural_ode.recipe", "paper")
    config["graphs"]["sizes"] = sizes
    config["neural_ode"]["cells"].append({"beta": 0.6, "gamma": 3.0})
    other = planned(config)
    row = {"system": "SIS", "trained_beta": "1.1", "trained_gamma": "2.1"}
    found = other.experiments.snapshots_tested(row)
    assert list(map(cell_of, found)) == [Cell(N, 1.1, 2.1) for N in expected]
    made = other.experiments.snapshot_params(row)
    assert [truth["on"]["N"] for truth in made["truths"]] == expected
    assert made["models"] == other.neural_ode.params({**SIS, "trained_gamma": 2.1})
    assert made["graphs"] == min(10, config["graphs"]["test"]["graphs"])
    # Those of other β are drawn in no figure.
    shown = other.experiments.snapshots
    assert len(shown) == len(fill(paths.OVER_TRAINING, shown)) == len(other.dynamics.systems) * 4
    assert {row["trained_beta"] for row in shown} == {1.1}


@pytest.mark.parametrize(("key", "value"), [("recipe", "gauss_newton"), ("paper.snapshots", 0)])
def test_without_snapshots_there_is_nothing_to_test(key: str, value: Any) -> None:
    config = changed("neural_ode.recipe", "paper")
    assert planned(config).neural_ode.keeps_snapshots
    path, _, last = f"neural_ode.{key}".rpartition(".")
    section = config["neural_ode"] if path == "neural_ode" else config["neural_ode"]["paper"]
    section[last] = value
    assert planned(config).experiments.snapshots == []
    assert not planned(config).neural_ode.keeps_snapshots


def values(made: Any) -> list[Any]:
    if isinstance(made, dict):
        return [x for value in made.values() for x in values(value)]
    return [x for value in made for x in values(value)] if isinstance(made, list) else [made]


def test_wildcards_and_numbers_give_the_same_values() -> None:
    text = {"trained_beta": "1.1", "trained_gamma": "3.0"}
    for params in (plan.experiments.test_params, plan.experiments.hidden_params):
        assert params({**SIS, **text}) == params(SIS)
    assert plan.flows.params({**DIGITS, "capacity": "64"}) == plan.flows.params(DIGITS)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", 1),
        ("graphs.mean_degree", 7),
        ("dynamics.rtol", 1e-3),
        ("dynamics.training.times", 9),
        ("dynamics.parameters", {"SIS": {"R": 3.0}}),
    ],
)
def test_what_made_an_input_is_part_of_what_made_the_output(key: str, value: Any) -> None:
    other = planned(changed(key, value))
    assert other.experiments.test_params(SIS) != plan.experiments.test_params(SIS)
    assert other.experiments.hidden_params(SIS) != plan.experiments.hidden_params(SIS)


def test_only_builtin_values_reach_the_rules() -> None:
    made = [
        plan.experiments.test_params(SIS),
        plan.experiments.fixed_point_params(SIS),
        plan.experiments.noise_params({"system": "SIS", "variant": "noise~0.05"}),
        plan.evaluated.claim_params(),
        plan.flows.judgement_params(DIGITS),
        plan.canonical.barrier_params({"zoo": "digits", "alignment": "raw"}),
    ]
    assert {type(value) for value in values(made)} <= {str, int, float, bool, type(None)}


def test_a_zoo_without_its_data_is_left_out_with_its_flows() -> None:
    config = changed("zoo.folders.fashion_mnist", "/nowhere")
    config["zoo"]["folders"]["fortunes"] = "/nowhere"
    other = planned(config)
    assert other.zoos.names == ["iris", "digits", "digits_large", "digits_resnet", "digits_vit"]
    assert other.flows.names == ["digits_descent", "iris", "digits"]


def test_networks_know_what_they_are_made_from(tmp_path: Path) -> None:
    path = str(tmp_path / "e.txt")
    Path(path).write_text("0 1\n")
    other = planned(changed("graphs.files", {"mine": path}))
    networks = {name: {"network": name} for name in other.networks.names}
    assert other.networks.file(networks["mine"]) == [path]
    assert other.networks.params(networks["mine"])["kind"] == "file"
    assert other.networks.params(networks["karate"])["kind"] == "real"
    assert other.networks.file(networks["karate"]) == []
    for name, cell in other.networks.cells.items():
        assert cell.beta == other.cells.structure_trained.beta
        [row] = other.networks.graphs(networks[name])
        assert cell_of(row) == cell
        assert row in other.graphs.tests, "its graphs are sampled anyway"
        assert other.networks.params(networks[name])["from"] == other.graphs.params(row)
    files = fill(paths.NETWORK_TRAJECTORIES, other.networks.all)
    assert len(files) == len(other.networks.all) == len(other.dynamics.systems) * len(networks)
    assert len(fill(paths.NETWORK_EDGES, other.networks.all)) == len(networks)


def test_every_file_of_a_job_has_the_parameters_that_its_readers_expect() -> None:
    row = plan.dynamics.tests[0]
    made = plan.graphs.files(row)
    assert set(made) == {narrow(x, **row) for x in (
        paths.EDGES, paths.COORDINATES, paths.NODES, paths.SUMMARY
    )}  # fmt: skip
    assert made[narrow(paths.EDGES, **row)] == plan.dynamics.params(row)["on"]
    for system in plan.dynamics.systems:
        here = {**row, "system": system}
        found = plan.dynamics.files(row)[narrow(paths.TRAJECTORIES, **here)]
        assert found == plan.dynamics.params(here)


def test_a_data_set_is_downloaded_where_no_folder_is_named() -> None:
    own = [{"url": "https://example.org/yelp.tgz", "sha256": "0" * 64}]
    config = changed("zoo.downloads", {"fashion_mnist": None, "cifar10": None, "yelp": own})
    config["zoo"]["folders"]["cifar10"] = "here"
    for data in ("cifar10", "yelp"):
        config["zoo"]["zoos"][data] = {
            **config["zoo"]["zoos"]["digits_resnet"],
            "data": data,
            "architecture": {"kind": "bert" if data == "yelp" else "resnet20"},
        }
    other = planned(config)
    zoos, fashion = other.zoos, {"zoo": "fashion"}
    assert zoos.downloads(fashion) == ["results/data/fashion_mnist/downloaded.json"]
    assert zoos.folder(fashion) == "results/data/fashion_mnist" and "fashion" in zoos.names
    cifar = {"zoo": "cifar10"}
    assert zoos.downloads(cifar) == [] and zoos.folder(cifar) == "here"
    assert zoos.downloads(IRIS) == [] and zoos.folder(IRIS) is None
    assert len(other.data.params({"data": "fashion_mnist"})["sources"]) == 4
    assert other.data.params({"data": "yelp"})["sources"] == own
    assert zoos.architecture("yelp")["settings"]["vocabulary"] == 30_522


def test_only_streamed_flows_need_their_zoo_to_be_sampled() -> None:
    assert plan.flows.streamed_members(DIGITS) == []
    config = changed("flow.flows.digits.settings", {"codec": {"kind": "span"}})
    blocks = planned(config).flows.streamed_members(DIGITS)
    assert blocks == ["results/zoo/digits/aligned/block~0.safetensors"]


def test_a_zoo_is_matched_to_its_first_member_or_to_the_centre_of_those_that_flows_learn() -> None:
    centred = planned(changed("canonical.reference", "universe"))
    assert plan.canonical.reference(IRIS) == "results/zoo/iris/raw/block~0.safetensors"
    assert centred.canonical.reference(IRIS) == "results/zoo/iris/universe.safetensors"
    centre = centred.canonical.alignment_params(IRIS)["reference"]
    assert centre == centred.canonical.universe_params(IRIS)
    assert plan.canonical.alignment_params(IRIS)["reference"] == plan.zoos.params(IRIS)
    sizes = {"members": 100, "held_out": 50, "block": 40}
    some = planned(changed("zoo.zoos.iris", {**DEFAULT["zoo"]["zoos"]["iris"], **sizes}))
    assert [row["block"] for row in some.zoos.blocks("iris")] == [0, 1, 2, 3]
    assert [row["block"] for row in some.zoos.learned("iris")] == [0, 1, 2]


def generation() -> dict[str, Any]:
    config: dict[str, Any] = overlaid(
        DEFAULT, yaml.safe_load((ROOT / "config/generation.yaml").read_text())
    )
    return config


def test_transfer_goes_to_what_networks_can_read_and_what_is_there() -> None:
    config = generation()
    config["flow"]["transfer"]["tasks"] = ["same", "rotated", "digits", "mnist", "mnist:8x8"]
    other = planned(config)
    row = {"flow": "digits_descent", "alignment": "raw", "capacity": 64}
    expected = {"same": "digits", "rotated": "digits:rotated"}
    assert other.transfers.tasks(row) == expected
    config["zoo"]["downloads"] = {"mnist": None}
    other = planned(config)
    tasks = other.transfers.tasks(row)
    assert tasks["mnist:8x8"] == "mnist:8x8" and "mnist" not in tasks
    assert other.transfers.downloads(row) == ["results/data/mnist/downloaded.json"]
    assert other.transfers.folders(row)["mnist:8x8"] == "results/data/mnist"
    made = other.transfers.params(row)
    assert made["tasks"] == tasks and "tasks" not in made["settings"]
    config["flow"]["transfer"]["tasks"] = ["mnist:8x8"]
    config["zoo"]["downloads"] = {}
    assert planned(config).transfers.all == [], "no task, no table"


def test_a_conditional_flow_is_made_of_all_its_zoos() -> None:
    config = generation()
    config["zoo"]["folders"]["fashion_mnist"] = "/nowhere"
    other = planned(config)
    names = [row["flow"] for row in other.flows.conditional]
    assert names == ["digits_tasks_descent", "digits_tasks"], (
        "a flow of which a zoo is missing is left out"
    )
    row = {"flow": "digits_tasks", "alignment": "aligned", "capacity": "256"}
    made = other.flows.params(row)
    assert made["data"] == "digits, digits:inverted, digits:rotated"
    assert [len(blocks) for blocks in made["from"]] == [1, 1, 1] and made["members"] == [100] * 3
    blocks = other.flows.members(row)
    assert blocks[1] == "results/zoo/digits_inverted/aligned/block~0.safetensors"
    solvers = [row["flow"] for row in other.flows.solvers]
    assert solvers == ["digits_widths"] * 8
    found = [
        other.flows.judgement_params(row),
        other.flows.solver_params({"flow": "digits_widths", "alignment": "raw", "capacity": 64}),
    ]
    assert {type(value) for value in values(found)} <= {str, int, float, bool, type(None)}


def test_a_flow_depends_on_the_code_of_its_own_method_alone() -> None:
    script = ROOT / "workflow/scripts/train_flow.py"
    for row, own in ((DIGITS, True), ({**DIGITS, "flow": "digits_descent"}, False)):
        others = plan.flows.other_methods(row)
        reached = {
            f"{path.parent.name}/{path.name}" for path in imported_modules(script, without=others)
        }
        assert ("flow/train.py" in reached, "flow/lessons.py" in reached) == (own, not own)
        known = (*others, *SAMPLING)
        assert plan.flow_code("train_flow")(row) == plan.code("train_flow", without=known)
        assert plan.flow_code("sample_flow")(row) == plan.code("sample_flow", without=others)


@pytest.mark.parametrize(
    ("script", "light"), [("train_neural_ode", ()), ("train_flow", SAMPLING), ("train_zoo", ())]
)
def test_no_training_follows_from_what_is_tested_judged_or_drawn_of_it(
    script: str, light: tuple[str, ...]
) -> None:
    """An edit of a sampler, or of the columns of a table of tests, trains nothing anew."""
    reached = imported_modules(ROOT / f"workflow/scripts/{script}.py", without=light)
    files = {path.relative_to(ROOT / "src/nodeflow").as_posix() for path in reached}
    tests = {"neural_ode/schemas.py", "flow/schemas.py", "flow/solvers.py", "flow/samples.py"}
    assert not files & tests and not any(x.startswith(("judge/", "figures/")) for x in files)


def test_the_jobs_that_make_networks_are_jobs_of_the_run() -> None:
    for made in plan.costs.made:
        for rule, name in [*made["jobs"], *made.get("once", [])]:
            pattern, rows = (
                (paths.METRICS, plan.canonical.members)
                if rule == "train_zoo"
                else (paths.FLOW, plan.flows.all)
            )
            wanted = f"results/benchmarks/{rule}/{name}.tsv"
            assert wanted in fill(paths.benchmark(rule, pattern), rows)
