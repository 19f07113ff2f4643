"""Bad configurations end in one sentence that names the key and what is allowed."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nodeflow.canonical.settings import MatchSettings
from nodeflow.config import ConfigProblem, read_config
from nodeflow.config.command_line import typed
from nodeflow.config.document import key_table, schema, written_schema
from nodeflow.dynamics.systems import SYSTEMS
from nodeflow.graphs.networks import NULL_MODELS
from nodeflow.graphs.settings import NULLS
from nodeflow.judge.settings import PanelSettings, TransferSettings
from nodeflow.neural_ode.settings import GaussNewtonSettings, MatchingSettings, PaperSettings

ROOT = Path(__file__).parents[2]
DEFAULT: dict[str, Any] = yaml.safe_load((ROOT / "config/config.yaml").read_text())


def overlaid(base: Any, overlay: Any) -> Any:
    """What Snakemake makes of `--configfile`: mappings merge, everything else is replaced."""
    if isinstance(base, dict) and isinstance(overlay, dict):
        keys = {*base, *overlay}
        return {k: overlaid(base.get(k), overlay[k]) if k in overlay else base[k] for k in keys}
    return copy.deepcopy(overlay)


def changed(key: str, value: Any) -> dict[str, Any]:
    config = copy.deepcopy(DEFAULT)
    *parents, last = key.split(".")
    place = config
    for name in parents:
        place = place[name]
    place[last] = value
    return config


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_configurations_that_we_ship_are_good(path: Path) -> None:
    read_config(overlaid(DEFAULT, yaml.safe_load(path.read_text())))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("sed", 1, ["sed is not a key", "seed"]),
        ("graphs.size", [64], ["graphs.size is not a key", "sizes"]),
        ("seed", "x", ["seed", '"x"', "a whole number"]),
        ("device", "tpu", ["device", "auto, cpu, cuda"]),
        ("graphs.sizes", [], ["graphs.sizes is empty", "at least 1"]),
        ("graphs.sizes", [1], ["graphs.sizes[0]", "≥ 2"]),
        ("graphs.sizes", [64, 64], ["graphs.sizes", "once"]),
        ("graphs.mean_degree", 63, ["graphs.mean_degree", "< 63"]),
        ("neural_ode.structure.beta", [0], ["neural_ode.structure.beta[0]", "> 0"]),
        ("neural_ode.structure.beta", [-1.0], ["neural_ode.structure.beta[0]", "> 0"]),
        ("neural_ode.structure.gamma", [2], ["neural_ode.structure.gamma[0]", "> 2"]),
        ("neural_ode.cells", [], ["neural_ode.cells is empty"]),
        ("neural_ode.cells", [{"beta": 1.1}], ["neural_ode.cells[0].gamma is missing"]),
        (
            "neural_ode.cells",
            [{"beta": 1.1, "gamma": 3.9}],
            ["neural_ode.structure.trained", "neural_ode.cells"],
        ),
        ("dynamics.systems", ["SIR"], ["dynamics.systems[0]", "SIS, MAK, MM, BD, ND"]),
        (
            "dynamics.parameters",
            {"SIS": {"Q": 1.0}},
            ["dynamics.parameters.SIS.Q is not a key", "B, R"],
        ),
        ("dynamics.initial", [0.5, 0.0], ["dynamics.initial", "lower"]),
        ("zoo.use", ["nothing"], ["zoo.use", "digits"]),
        ("zoo.zoos.digits.data", "cifar", ["zoo.zoos.digits.data", "digits"]),
        ("zoo.zoos.digits.data", "digits:up", ["zoo.zoos.digits.data", "up", "inverted"]),
        ("zoo.zoos.digits.data", "a b", ["zoo.zoos.digits.data", '"a b"']),
        ("flow.use", ["nothing"], ["flow.use", "digits"]),
        ("flow.flows.digits.zoo", "x", ["flow.flows.digits.zoo", "digits"]),
        ("flow.flows.digits_descent.alignment", ["aligned"], ["digits_descent.alignment", "raw"]),
        ("flow.transfer.flows", ["x"], ["flow.transfer.flows", "digits"]),
        ("flow.transfer.tasks", ["upside"], ["flow.transfer.tasks", "upside", "rotated"]),
        ("flow.transfer.tasks", ["cifar10"], ["flow.transfer.tasks", "digits_descent", "none"]),
        ("flow.distances.flows", ["x"], ["flow.distances.flows", "digits"]),
        ("flow.distances.factors", [0.0], ["flow.distances.factors[0]", "> 0"]),
        ("flow.solvers.flows", ["x"], ["flow.solvers.flows", "digits"]),
        ("flow.solvers.flows", ["digits_descent"], ["flow.solvers.flows", "descent"]),
        ("flow.flows.digits.zoos", ["digits", "iris"], ["digits holds both zoo and zoos"]),
        ("flow.flows.digits.guidance", [1.0], ["digits.guidance and zoos", "has neither"]),
        ("flow.flows.digits.settings.label_dropout", 0.1, ["label_dropout is for several zoos"]),
        (
            "flow.flows.digits.capacities",
            [1.5],
            ["flow.flows.digits.capacities[0]", "whole number"],
        ),
        ("zoo.use", ["iris"], ["flow.use names digits", "zoo.use"]),
        ("zoo.downloads", {"digits": None}, ["digits"]),
        ("zoo.downloads", {"yelp": None}, ["zoo.downloads.yelp", "url and sha256"]),
        ("zoo.downloads", {"yelp": [{"url": "ftp://x", "sha256": "0" * 64}]}, ["url", "https"]),
        ("zoo.downloads", {"yelp": [{"url": "https://x", "sha256": "0"}]}, ["sha256", "64"]),
        ("zoo.zoos.digits.data", "california", ["flow.flows.digits", "predict a number"]),
        ("canonical.balance", "yes", ["canonical.balance", "true or false"]),
        ("canonical.matching.signs", 1, ["canonical.matching.signs", "true or false"]),
        ("judge.statistics", ["own"], ["judge.statistics[0]", "recalibrated, reference, none"]),
        ("graphs", None, ["graphs", "null", "a mapping"]),
        ("graphs.sizes", [10**20], ["graphs.sizes[0]", "≥ 2 and ≤ 100,000,000"]),
        ("judge.controls", 10**20, ["judge.controls", "≥ 1 and ≤ 1,000,000,000"]),
        ("zoo.zoos.digits.members", 10**9, ["digits.block", "10,000", "larger blocks"]),
        ("zoo.zoos", {}, ["zoo.zoos is empty"]),
        ("zoo.zoos", {1: {}}, ["zoo.zoos holds the key 1", "quotes"]),
        ("zoo.zoos", {"a\n": {}}, ["zoo.zoos holds the name", "^[a-z0-9_]{1,60}$"]),
        ("graphs.files", {"mine": "x" * 5000}, ["graphs.files.mine", "not a file"]),
        ("graphs.files", {"mine": "a\0b"}, ["graphs.files.mine", "not a file"]),
        ("zoo.folders.mnist", "a\0b", ["zoo.folders.mnist", "cannot be a folder"]),
        (
            "zoo.folders",
            {"imagenet": "x"},
            ["zoo.folders", '"imagenet"', "cifar100, fashion_mnist"],
        ),
        # What no job can run.
        ("flow.flows.digits.settings.items", 64, ["settings.items is not a key", "method paper"]),
        ("flow.flows.digits_descent.settings.codec", {}, ["settings.codec is not", "descent"]),
        ("flow.flows.iris.settings.codec", {"kind": "raw", "rank": 5}, ["codec.rank is 5", "raw"]),
        ("flow.flows.iris.settings.codec", {"rank": 5}, ["codec.rank is 5", "kind raw"]),
        ("flow.flows.iris.method", "ddpm", ["iris.sampling.solver", '"rk4"', "allowed: ddpm"]),
        (
            "flow.flows.iris.method",
            "flow",
            ["iris.method", '"flow"', "codes, ddpm, descent, paper"],
        ),
        (
            "flow.flows.iris_descent.sampling.steps",
            12,
            ["sampling.steps is 12", "24", "evaluations"],
        ),
        ("flow.flows.digits.settings.codec.rank", 100, ["codec.rank is 100", "at most 99"]),
        ("flow.flows.digits_descent.zoo", "digits_resnet", ["judge.soup", "digits_resnet"]),
        (
            "flow.flows.digits_descent",
            {
                "zoo": "topics",
                "alignment": ["raw"],
                "capacities": [8],
                "method": "descent",
                "settings": {"axes_learning_rate": 0.1},
                "sampling": {"count": 1, "solver": "euler", "steps": 24},
            },
            ["digits_descent.settings.axes_learning_rate is 0.1", "no axes"],
        ),
        ("judge.soup", 101, ["judge.soup is 101", "iris has 100 members"]),
        ("dynamics.training.times", 6, ["dynamics.training.times is 6", "at least 7"]),
        ("dynamics.rtol", 1.0, ["dynamics.rtol", "< 1"]),
        ("dynamics.parameters", {"MM": {"a": 0}}, ["dynamics.parameters.MM", "exponent of 0"]),
        ("priors.data.times", 6, ["priors.data.times is 6", "at least 7"]),
        ("priors.training.knots", 2, ["priors.training.knots", "≥ 8"]),
        ("priors.members", 9, ["priors.members is 9", "≥ 10"]),
        ("priors.use", ["KUR"], ["priors.use names KUR", "BD, MAK, MM, ND, SIS"]),
        ("priors.families.MM.q", [1.0, 2.0], ["MM.q is no coefficient of MM", "B, a, R, h"]),
        ("priors.families.MM.h", [3.0, 1.0], ["MM.h is [3.0, 1.0]", "the first lower"]),
        ("priors.strangers.regulated_population.f", "KUR", ["regulated_population.f names KUR"]),
        ("priors.tests.studied", 7, ["priors.tests.studied is 7", "priors.tests.frames"]),
        ("priors.tests.frames", [1, 10], ["priors.tests.frames", "≥ 2"]),
        ("priors.tests.members", 17, ["priors.tests.members is 17", "only 16 draws"]),
        ("priors.graph.gamma", 2.5, ["priors.graph.gamma is 2.5", "priors.tests.gamma"]),
        (
            "priors.flow.method",
            "paper",
            ["priors.flow.method", "batch, steps, velocity"],
        ),
        ("zoo.zoos.iris.architecture", {"kind": "vit"}, ["iris.architecture.", "is missing"]),
        ("zoo.zoos.digits_vit.architecture.heads", 5, ["architecture.heads is 5", "divide 24"]),
        ("zoo.zoos.digits_vit.architecture.patch", 3, ["digits_vit.architecture", "side 3"]),
        ("zoo.zoos.digits_vit.data", "iris", ["digits_vit.architecture", "read images"]),
        ("zoo.zoos.digits_vit.hidden", [4], ["digits_vit holds both hidden and architecture"]),
        ("zoo.zoos.digits_resnet.architecture.heads", 2, ["architecture.heads", "kind resnet"]),
        ("zoo.zoos.digits_resnet.architecture.blocks", [1], ["blocks has 1 value", "3 widths"]),
        ("zoo.zoos.digits_resnet.architecture.kind", "lenet", ["kind", '"lenet"', "mlp"]),
        ("zoo.zoos.digits_resnet.training.batch_size", 1258, ["batch_size", "1,257"]),
        ("zoo.zoos.digits.hidden", [10**9, 10**9], ["digits.hidden", "10,000,000,000"]),
        ("zoo.zoos.digits.block", 1, ["digits.block", "≥ 2"]),
        ("zoo.zoos.topics.hidden", [4], ["topics holds both"]),
        ("zoo.zoos.digits.data", "fortunes", ["digits.hidden", "numbers, but items are none"]),
    ],
)
def test_a_fault_is_named(key: str, value: Any, words: list[str]) -> None:
    with pytest.raises(ConfigProblem) as caught:
        read_config(changed(key, value))
    text = str(caught.value)
    for word in words:
        assert word in text
    assert "\n" not in text


def conditional(**changes: Any) -> dict[str, Any]:
    overlay = yaml.safe_load((ROOT / "config/generation.yaml").read_text())
    config: dict[str, Any] = overlaid(DEFAULT, overlay)
    config["flow"]["flows"]["digits_tasks"] |= changes
    return config


@pytest.mark.parametrize(
    ("zoos", "words"),
    [
        (["digits", "nowhere"], ["digits_tasks.zoos names nowhere", "iris"]),
        (["digits", "digits_resnet"], ["networks differ", "digits_resnet"]),
        (["digits", "fashion_large"], ["networks differ", "one architecture"]),
    ],
)
def test_zoos_of_a_conditional_flow_must_fit(zoos: list[str], words: list[str]) -> None:
    with pytest.raises(ConfigProblem) as caught:
        read_config(conditional(zoos=zoos))
    for word in words:
        assert word in str(caught.value)


def test_a_conditional_descent_needs_members_as_trained() -> None:
    descent = {"method": "descent", "sampling": {"count": 5, "solver": "euler", "steps": 24}}
    with pytest.raises(ConfigProblem, match=r"flow\.flows\.digits_tasks\.alignment .*\[raw\]"):
        read_config(conditional(**descent))
    read_config(conditional(**descent, alignment=["raw"]))


def test_all_zoos_of_a_conditional_flow_must_be_trained() -> None:
    config = conditional()
    config["zoo"]["use"].remove("digits_inverted")
    with pytest.raises(ConfigProblem, match=r"digits_tasks.*needs the zoo digits_inverted; add"):
        read_config(config)


def test_a_run_of_conditional_flows_alone_is_refused() -> None:
    config = conditional()
    config["flow"] |= {"use": ["digits_tasks"]}
    with pytest.raises(ConfigProblem, match=r"flow\.use names flows over several zoos alone"):
        read_config(config)


def test_a_flow_over_several_zoos_is_not_moved_to_tasks_sampled_in_several_ways_or_compared() -> (
    None
):
    for key in ("transfer", "solvers", "distances"):
        config = conditional()
        config["flow"][key]["flows"] = ["digits_tasks"]
        with pytest.raises(ConfigProblem, match=rf"flow\.{key}\.flows names digits_tasks"):
            read_config(config)


def test_a_conditional_flow_of_networks_that_predict_a_number_is_refused() -> None:
    config = conditional(zoos=["digits", "digits_inverted"])
    config["zoo"]["zoos"]["digits_inverted"] = {
        **config["zoo"]["zoos"]["digits_inverted"],
        "data": "california",
    }
    with pytest.raises(ConfigProblem, match="digits_inverted, whose networks predict a number"):
        read_config(config)


def leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if isinstance(value, dict):
        return [path, *(leaf for k, v in value.items() for leaf in leaves(v, (*path, k)))]
    return [path]


junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(allow_nan=True),
    st.text(max_size=5),
    st.lists(st.one_of(st.integers(-2, 70), st.text(max_size=3), st.none()), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)


@given(st.sampled_from([leaf for leaf in leaves(DEFAULT) if leaf]), junk)
@settings(max_examples=300, deadline=None)
def test_no_value_brings_a_traceback(path: tuple[str, ...], value: Any) -> None:
    try:
        read_config(changed(".".join(path), value))
    except ConfigProblem as problem:
        assert "\n" not in str(problem)


def test_what_follows_from_the_models_is_written() -> None:
    # `python -m nodeflow.config` writes both.
    assert (ROOT / "config/schema/config.schema.yaml").read_text() == written_schema()
    assert key_table() in (ROOT / "config/README.md").read_text()
    assert yaml.safe_load(written_schema()) == schema()


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.stem)
def test_editors_are_told_the_same_as_the_models(path: Path) -> None:
    validator = Draft202012Validator(schema())
    assert list(validator.iter_errors(overlaid(DEFAULT, yaml.safe_load(path.read_text())))) == []
    wrong = [changed("seed", "x"), changed("flow.flows.iris.settings", {"items": 3})]
    assert all(list(validator.iter_errors(config)) for config in wrong)


def test_every_key_has_a_meaning() -> None:
    rows = key_table().splitlines()[2:]
    assert len(rows) > 200
    assert [row for row in rows if row.split(" | ")[-1].strip(" |") == ""] == []


def test_no_key_has_two_values() -> None:
    # Of classes that config.yaml has to spell out, callers of the library get the same by default.
    config = read_config(DEFAULT)
    assert config.neural_ode.gauss_newton == GaussNewtonSettings()
    assert config.neural_ode.matching == MatchingSettings()
    assert config.neural_ode.paper == PaperSettings()
    assert config.canonical.matching == MatchSettings()
    assert replace(config.judge, statistics=PanelSettings().statistics) == PanelSettings()
    transfer = config.flow.transfer
    assert TransferSettings(transfer.epochs, transfer.networks) == TransferSettings()


def test_every_system_of_the_library_can_be_configured() -> None:
    rows = key_table()
    assert f"a list, each {', '.join(SYSTEMS)};" in rows
    for name, system in SYSTEMS.items():
        assert read_config(DEFAULT).dynamics.parameters_of(name) == dict(system.parameters)
        for parameter, value in system.parameters.items():
            assert f"| `dynamics.parameters.{name}.{parameter}` | a number | {value} |" in rows
    other = read_config(changed("dynamics.parameters", {"SIS": {"R": 2.0}}))
    assert other.dynamics.parameters_of("SIS") == {"B": 1.0, "R": 2.0}


def test_every_null_model_can_be_configured() -> None:
    assert list(NULLS) == list(NULL_MODELS)


def test_files_of_the_user_are_looked_for(tmp_path: Path) -> None:
    (tmp_path / "e.txt").write_text("0 1\n")
    read_config(changed("graphs.files", {"mine": str(tmp_path / "e.txt")}))
    with pytest.raises(ConfigProblem, match=r"graphs\.files\.mine is .*none\.txt, which is not"):
        read_config(changed("graphs.files", {"mine": str(tmp_path / "none.txt")}))
    with pytest.raises(ConfigProblem, match="choose another name"):
        read_config(changed("graphs.files", {"karate": str(tmp_path / "e.txt")}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", 64.0),
        ("graphs.mean_degree", float("nan")),
        ("dynamics.horizon", float("inf")),
        ("judge.soup", True),
    ],
)
def test_a_number_that_cannot_be_counted_with_is_refused(key: str, value: Any) -> None:
    with pytest.raises(ConfigProblem, match=key):
        read_config(changed(key, value))


def test_values_of_the_command_line_are_what_yaml_makes_of_them() -> None:
    # Snakemake reads `--config 'neural_ode={seeds: 2, structure: {beta: [0.6, 1.1]}}'` so:
    given = {"neural_ode": {"seeds": "2", "structure": {"beta": ["0.6", "1.1"]}}, "seed": 3}
    config = overlaid(DEFAULT, given)
    with pytest.raises(ConfigProblem, match="seeds"):
        read_config(config)
    checked = read_config(typed(config, given))
    assert checked.neural_ode.seeds == 2 and checked.seed == 3
    assert list(checked.neural_ode.structure.beta) == [0.6, 1.1]


def test_texts_of_the_command_line_stay_texts_where_they_are_names() -> None:
    given = {"own": {"mine": {"network": "7", "series": "8", "split": {"time": "0.2"}}}}
    told = typed(overlaid(DEFAULT, given), given)["own"]["mine"]
    assert told == {"network": "7", "series": "8", "split": {"time": 0.2}}
    odd = {"a": "007x", "b": "2020-01-01", "c": "{", "d": "null"}
    assert typed(odd, odd) == {**odd, "d": None}


def test_values_of_files_stay_what_they_are() -> None:
    assert typed({"a": {"b": "2", "c": "3"}}, {"a": {"c": "3"}}) == {"a": {"b": "2", "c": 3}}
