"""The plan: which files a configuration asks for, and what each is made with."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.grid import Cell
from nodeflow.plan import Plan
from tests.unit.test_config import changed, overlaid

ROOT = Path(__file__).parents[2]
DEFAULT: dict[str, Any] = yaml.safe_load((ROOT / "config/config.yaml").read_text())
plan = Plan(DEFAULT, ROOT)


def test_tests_cover_both_experiments_once() -> None:
    for trained in plan.trained:
        found = plan.tested("plain", *trained)
        assert len(found) == len(set(found))
        assert {Cell(N, *trained) for N in DEFAULT["graphs"]["sizes"]} <= set(found)
        assert set(found) <= set(plan.test_cells)
        assert (set(plan.structure_cells) <= set(found)) == (trained == plan.structure_trained)


def test_every_variant_is_trained_and_tested_where_its_experiment_is() -> None:
    assert len(plan.trainings) == len(set(plan.trainings))
    for variant, trained in plan.trainings:
        assert trained in plan.trained
        assert set(plan.tested(variant, *trained)) <= set(plan.test_cells)
    assert {cell for variant, cell in plan.trainings if variant == "covering"} == set(
        plan.detail_cells
    )
    assert plan.models("SIS", 1.1, 3.0, "noise~0.05")["noise"] == 0.05
    assert plan.models("SIS", 1.1, 2.1, "covering")["reach"]["on"]["N"] == plan.detail_size


@given(members=st.integers(3, 300), held_out=st.integers(0, 90), size=st.integers(1, 120))
def test_blocks_cover_every_member_once(members: int, held_out: int, size: int) -> None:
    config = changed("zoo.zoos.iris.members", members)
    config["zoo"]["zoos"]["iris"] |= {"held_out": held_out, "block": size}
    other = Plan(config, ROOT)
    made = [other.zoo("iris", block) for block in other.blocks("iris")]
    numbers = [n for m in made for n in range(m["first"], m["first"] + m["count"])]
    assert numbers == list(range(members + held_out))


@pytest.mark.parametrize(("sizes", "expected"), [([64, 256, 1024], [64, 1024]), ([1024], [1024])])
def test_snapshots_are_tested_where_models_are(sizes: list[int], expected: list[int]) -> None:
    config = changed("node.recipe", "paper")
    config["graphs"]["sizes"] = sizes
    config["node"]["cells"].append({"beta": 0.6, "gamma": 3.0})
    other = Plan(config, ROOT)
    found = other.snapshot_cells("1.1", "2.1")
    assert found == [Cell(N, 1.1, 2.1) for N in expected]
    made = other.snapshots("SIS", "1.1", "2.1")
    assert [truth["on"]["N"] for truth in made["truths"]] == expected
    assert made["models"] == other.models("SIS", 1.1, 2.1)
    assert made["graphs"] == min(10, config["graphs"]["test"]["graphs"])
    # Those of other β are drawn in no figure.
    shown = other.over_snapshots("{system} {trained_beta} {trained_gamma}")
    assert len(shown) == len(set(shown)) == len(other.systems) * 4
    assert all(" 1.1 " in name for name in shown)


@pytest.mark.parametrize(("key", "value"), [("recipe", "gauss_newton"), ("paper.snapshots", 0)])
def test_without_snapshots_there_is_nothing_to_test(key: str, value: Any) -> None:
    config = changed("node.recipe", "paper")
    assert Plan(config, ROOT).keeps_snapshots
    path, _, last = f"node.{key}".rpartition(".")
    section = config["node"] if path == "node" else config["node"]["paper"]
    section[last] = value
    assert Plan(config, ROOT).over_snapshots("{system}") == []
    assert not Plan(config, ROOT).keeps_snapshots


def values(made: Any) -> list[Any]:
    if isinstance(made, dict):
        return [x for value in made.values() for x in values(value)]
    return [x for value in made for x in values(value)] if isinstance(made, list) else [made]


def test_wildcards_and_numbers_give_the_same_values() -> None:
    assert plan.test("SIS", "plain", "1.1", "3.0") == plan.test("SIS", "plain", 1.1, 3.0)
    assert plan.hidden("SIS", "1.1", "2.1") == plan.hidden("SIS", 1.1, 2.1)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", 1),
        ("graphs.mean_degree", 7),
        ("dynamics.rtol", 1e-3),
        ("dynamics.training.times", 9),
        ("dynamics.parameters.SIS.R", 3.0),
    ],
)
def test_what_made_an_input_is_part_of_what_made_the_output(key: str, value: Any) -> None:
    other = Plan(changed(key, value), ROOT)
    models = ("SIS", "plain", 1.1, 3.0)
    assert other.test(*models) != plan.test(*models)
    assert other.hidden("SIS", 1.1, 2.1) != plan.hidden("SIS", 1.1, 2.1)


def test_only_builtin_values_reach_the_rules() -> None:
    made = [
        plan.test("SIS", "plain", 1.1, 3.0),
        plan.fixed_points("SIS", 1.1, 2.1),
        plan.noise("SIS", "noise~0.05"),
        plan.claims(),
        plan.judgement("digits", "aligned", 64),
        plan.barrier("digits", "raw"),
    ]
    assert {type(value) for value in values(made)} <= {str, int, float, bool, type(None)}


def test_a_zoo_without_its_data_is_left_out_with_its_flows() -> None:
    config = changed("zoo.folders.fashion_mnist", "/nowhere")
    config["zoo"]["folders"]["fortunes"] = "/nowhere"
    other = Plan(config, ROOT)
    assert other.zoos == ["iris", "digits", "digits_large", "digits_resnet", "digits_vit"]
    assert other.flows == ["digits_descent", "iris", "digits"]


def test_networks_know_what_they_are_made_from(tmp_path: Path) -> None:
    path = str(tmp_path / "e.txt")
    other = Plan(changed("graphs.files", {"mine": path}), ROOT)
    assert other.network_file("mine") == [path]
    assert other.network("mine")["kind"] == "file"
    assert other.network("karate")["kind"] == "real"
    assert other.network_file("karate") == []
    beta, _ = other.structure_trained
    for name, cell in other.network_cells.items():
        assert cell.beta == beta
        assert other.network_file(name) == []
        assert other.network(name)["from"] == other.graphs("test", cell.N, cell.beta, cell.gamma)
        assert cell in other.test_cells, "its graphs are sampled anyway"
    files = other.over_networks("{system}/{network}")
    assert len(files) == len(set(files)) == len(other.systems) * len(other.networks)
    assert len(other.over_networks("{network}")) == len(other.networks)


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
    other = Plan(config, ROOT)
    assert other.downloads("fashion") == ["results/data/fashion_mnist/downloaded.json"]
    assert other.folder("fashion") == "results/data/fashion_mnist" and "fashion" in other.zoos
    assert other.downloads("cifar10") == [] and other.folder("cifar10") == "here"
    assert other.downloads("iris") == [] and other.folder("iris") is None
    assert len(other.download("fashion_mnist")["sources"]) == 4
    assert other.download("yelp")["sources"] == own
    assert other.architecture("yelp")["settings"]["vocabulary"] == 30_522
    values(other.download("yelp"))


def test_only_streamed_flows_need_their_zoo_to_be_sampled() -> None:
    assert plan.streamed_blocks("digits", "aligned") == []
    config = changed("flow.flows.digits.settings", {"codec": {"kind": "span"}})
    blocks = Plan(config, ROOT).streamed_blocks("digits", "aligned")
    assert blocks == ["results/zoo/digits/aligned/block~0.safetensors"]


def test_a_zoo_is_matched_to_its_first_member_or_to_the_centre_of_those_that_flows_learn() -> None:
    centred = Plan(changed("canonical.reference", "universe"), ROOT)
    assert plan.reference_file("iris") == "results/zoo/iris/raw/block~0.safetensors"
    assert centred.reference_file("iris") == "results/zoo/iris/universe.safetensors"
    assert centred.alignment("iris", 0)["reference"] == centred.universe("iris")
    assert plan.alignment("iris", 0)["reference"] == plan.zoo("iris", 0)
    sizes = {"members": 100, "held_out": 50, "block": 40}
    some = Plan(changed("zoo.zoos.iris", {**DEFAULT["zoo"]["zoos"]["iris"], **sizes}), ROOT)
    assert list(some.blocks("iris")) == [0, 1, 2, 3] and some.learned_blocks("iris") == [0, 1, 2]


def generation() -> dict[str, Any]:
    config: dict[str, Any] = overlaid(
        DEFAULT, yaml.safe_load((ROOT / "config/generation.yaml").read_text())
    )
    return config


def test_transfer_goes_to_what_networks_can_read_and_what_is_there() -> None:
    config = generation()
    config["flow"]["transfer"]["tasks"] = ["same", "rotated", "digits", "mnist", "mnist:8x8"]
    other = Plan(config, ROOT)
    assert other.transfer_tasks("digits_descent") == {"same": "digits", "rotated": "digits:rotated"}
    config["zoo"]["downloads"] = {"mnist": None}
    tasks = other.transfer_tasks("digits_descent")
    assert tasks["mnist:8x8"] == "mnist:8x8" and "mnist" not in tasks
    assert other.transfer_downloads("digits_descent") == ["results/data/mnist/downloaded.json"]
    assert other.transfer_folders("digits_descent")["mnist:8x8"] == "results/data/mnist"
    made = other.transfer("digits_descent", "raw", 64)
    assert made["tasks"] == tasks and "tasks" not in made["settings"]
    config["flow"]["transfer"]["tasks"] = ["mnist"]
    assert other.over_transfers("{flow}") == [], "no task, no table"


def test_a_conditional_flow_is_made_of_all_its_zoos() -> None:
    config = generation()
    config["zoo"]["folders"]["fashion_mnist"] = "/nowhere"
    other = Plan(config, ROOT)
    assert other.conditionals == ["digits_tasks_descent", "digits_tasks"], (
        "one of whose zoos one is not there is left out"
    )
    made = other.conditional("digits_tasks", "aligned", "256")
    assert made["data"] == "digits, digits:inverted, digits:rotated"
    assert [len(blocks) for blocks in made["from"]] == [1, 1, 1] and made["members"] == [100] * 3
    blocks = other.conditional_blocks("digits_tasks", "aligned")
    assert blocks[1] == "results/zoo/digits_inverted/aligned/block~0.safetensors"
    assert len(other.over_conditionals("{flow}/{width}")) == 2
    assert other.over_solvers("{flow}") == ["digits_widths"] * 8
    found = [
        other.conditional_judgement("digits_tasks", "aligned", 256),
        other.solvers("digits_widths", "raw", 64),
    ]
    assert {type(value) for value in values(found)} <= {str, int, float, bool, type(None)}
