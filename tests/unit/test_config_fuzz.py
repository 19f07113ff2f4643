"""Configurations drawn from the schema: each is refused in a sentence or can be planned."""

import copy
import inspect
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice, product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nodeflow.config import ConfigProblem, read_config
from nodeflow.config.document import schema
from nodeflow.grid import WILDCARDS
from nodeflow.plan import Plan
from nodeflow.settings import resolved
from tests.unit.config_settings import built
from tests.unit.test_config import DEFAULT, ROOT, junk, overlaid
from tests.workflow.conftest import copy_checkout

NAMES = sorted({*DEFAULT["zoo"]["zoos"], *DEFAULT["flow"]["flows"], *DEFAULT["bridge"]["zoos"]})
# Names that are folders elsewhere, end lines, or mean something to Snakemake.
STRANGE = ["..", "../x", "/etc/passwd", "a\n", "", "a b", "{N}", "~", "a/../../b", "ZOO", "x" * 300]


SCHEMA = schema()


def _methods() -> Mapping[str, str]:
    """Where the schema describes flows of each method."""
    flows = SCHEMA["$defs"]["Flows"]["properties"]["flows"]["additionalProperties"]
    mapping: Mapping[str, str] = flows["discriminator"]["mapping"]
    return mapping


def fitting(part: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema allows, at its bounds and beyond what anyone would choose."""
    part = resolved(part, SCHEMA)
    if "enum" in part or "const" in part:
        return st.sampled_from(part.get("enum", [part.get("const")]))
    for alternatives in ("anyOf", "oneOf"):
        if alternatives in part:
            return st.one_of([fitting(one) for one in part[alternatives]])
    return _fitting(part.get("type", "object"), part)


def _fitting(kind: str, part: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    low = part.get("minimum", part.get("exclusiveMinimum"))
    if kind == "integer":
        numbers = st.integers(low or 0, min((low or 0) + 200, part.get("maximum", 10**9)))
        most = [part["maximum"]] if "maximum" in part else []
        return st.one_of(numbers, numbers.map(float), st.sampled_from([*most, 10**9, 10**20]))
    if kind == "number":
        return st.one_of(
            st.floats(low, allow_nan=False, exclude_min="exclusiveMinimum" in part),
            st.sampled_from([1e-300, 0.1 + 0.2, 3, 3.0, float("nan"), float("inf")]),
        )
    if kind == "string":
        return st.one_of(st.sampled_from(NAMES), st.sampled_from(STRANGE), st.text(max_size=4))
    if kind == "array":
        return st.lists(
            fitting(part["items"]), min_size=part.get("minItems", 0),
            max_size=min(part.get("maxItems", 3), 3),
        )  # fmt: skip
    if kind == "object":
        own = {name: fitting(child) for name, child in part.get("properties", {}).items()}
        needed = {name: own.pop(name) for name in part.get("required", ()) if name in own}
        free = part.get("additionalProperties")
        if isinstance(free, Mapping):
            return st.dictionaries(fitting({"type": "string"}), fitting(free), max_size=2)
        return st.fixed_dictionaries(needed, optional=own)
    return {"boolean": st.booleans(), "null": st.none()}[kind]


def keys(
    config: Any, part: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Every key of a configuration with what the schema says about it."""
    part = resolved(part, SCHEMA)
    yield path, part
    if "discriminator" in part:
        tag = config[part["discriminator"]["propertyName"]]
        part = resolved({"$ref": part["discriminator"]["mapping"][tag]}, SCHEMA)
    if isinstance(config, dict) and part.get("type") == "object":
        absent = {name: None for name in part.get("properties", {}) if name not in config}
        for name, value in {**config, **absent}.items():
            child = part.get("properties", {}).get(name, part.get("additionalProperties"))
            yield from (
                keys(value, child, (*path, name))
                if name in config
                else [((*path, name), resolved(child, SCHEMA))]
            )


BASES = [
    (base, [x for x in keys(base, SCHEMA) if x[0]])
    for base in (
        overlaid(DEFAULT, yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()))
        for name in ("config", "smoke", "generation", "resnet")
    )
]
FLOWS = [
    (base, path)
    for base, known in BASES
    for path, part in known
    if "discriminator" in part and part["discriminator"]["propertyName"] == "method"
]
SETTINGS = {
    method: resolved({"$ref": reference}, SCHEMA)["properties"]
    for method, reference in _methods().items()
}


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """One of the shipped configurations with one to four keys replaced, removed or added."""
    base, known = draw(st.sampled_from(BASES))
    config: dict[str, Any] = copy.deepcopy(base)
    for _ in range(draw(st.integers(1, 4))):
        path, part = draw(st.sampled_from(known))
        place = within(config, path[:-1])
        if not isinstance(place, dict):
            continue  # an earlier change took the section away
        change = draw(st.sampled_from(["fitting"] * 8 + ["junk", "remove", "add"]))
        if change == "remove":
            place.pop(path[-1], None)
        elif change == "add":
            place[draw(st.sampled_from(STRANGE + NAMES))] = draw(fitting(part))
        else:
            place[path[-1]] = draw(junk if change == "junk" else fitting(part))
    return config


@st.composite
def crossed(draw: st.DrawFn) -> dict[str, Any]:
    """A shipped configuration in which a flow has another method, or keys of others."""
    base, path = draw(st.sampled_from(FLOWS))
    config: dict[str, Any] = copy.deepcopy(base)
    flow = within(config, path)
    flow["method"] = draw(st.sampled_from(list(SETTINGS)))
    own = SETTINGS[draw(st.sampled_from([*SETTINGS, *[flow["method"]] * 6]))]
    if draw(st.booleans()):
        flow["settings"] = draw(fitting(own["settings"]))
    if draw(st.booleans()):
        flow["sampling"] = draw(fitting(own["sampling"]))
    if draw(st.booleans()):
        flow["weights"] = ["raw"]
    if draw(st.booleans()):
        flow["sampling"] = {"count": 5, "solver": "euler", "steps": 24}
    return config


def within(config: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path, None if nothing does."""
    for name in path:
        config = config.get(name) if isinstance(config, dict) else None
    return config


class Pattern(str):
    """A pattern of whatever names it is filled with."""

    def format(self, *_: object, **names: object) -> str:
        return "results/" + "/".join(f"{name}={value}" for name, value in names.items())


def arguments(plan: Plan, names: list[str], flows: list[str]) -> Iterator[dict[str, Any]]:
    """Some of the values that the rules would ask a plan about."""
    cell, (beta, gamma) = plan.test_cells[-1], plan.trained[-1]
    pools: dict[str, list[Any]] = {
        "role": ["training", "test"], "system": plan.systems, "network": plan.networks,
        "N": [cell.N], "beta": [str(cell.beta)], "gamma": [cell.gamma], "cell": [cell],
        "trained_beta": [beta], "trained_gamma": [gamma],
        "variant": ["plain", "covering", *plan.noise_variants],
        "zoo": plan.zoos, "block": [0], "weights": ["raw", "aligned"],
        "flow": flows, "width": [8], "nodes": plan.bridges, "kind": ["cells", "unseen"],
        "pattern": [Pattern()], "data": list(plan.config["zoo"]["downloads"]),
    }  # fmt: skip
    for values in islice(product(*(pools[name] for name in names)), 12):
        yield dict(zip(names, values, strict=True))


def everything(plan: Plan) -> Iterator[Any]:
    """All that a plan can be asked, found by what it has."""
    for name, member in vars(Plan).items():
        if name.startswith("_") or name == "code":  # code reads scripts, not the configuration
            continue
        if isinstance(member, property | cached_property):
            yield getattr(plan, name)
        elif inspect.isfunction(member):
            asked = [
                p.name
                for p in list(inspect.signature(member).parameters.values())[1:]
                if p.default is inspect.Parameter.empty
            ]
            conditional = name == "labels" or name.startswith("conditional")
            flows = plan.conditionals if conditional else plan.flows
            for given_ in arguments(plan, asked, flows):
                yield getattr(plan, name)(**given_)


def paths(value: Any) -> Iterator[str]:
    """All paths in what a plan says."""
    if isinstance(value, str) and value.startswith("results/"):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from paths(item)


def check(config: dict[str, Any]) -> bool:
    """Whether a configuration is accepted; then its run can be planned and all settings built."""
    try:
        checked = read_config(config)
    except ConfigProblem as problem:
        text = str(problem)
        assert "\n" not in text
        assert text.endswith(".")
        return False
    assert checked.dump() == config
    for _ in built(checked):
        pass
    for answer in everything(Plan(config, ROOT)):
        for path in paths(answer):
            for part in Path(path).parts[1:]:
                name, _, value = part.partition("=")
                if name in WILDCARDS and value:  # "" is a name that a pattern leaves out
                    assert re.fullmatch(WILDCARDS[name], value), (path, name)
    return True


def fuzz(examples: int, drawn: st.SearchStrategy[dict[str, Any]]) -> int:
    """Checks so many configurations; returns how many were accepted."""
    accepted = 0

    @given(drawn)
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    def run(config: dict[str, Any]) -> None:
        nonlocal accepted
        accepted += check(config)

    run()
    return accepted


def test_the_fuzz_reaches_every_key() -> None:
    reached = {".".join(path) for _, known in BASES for path, _ in known}
    assert len(reached) > 150
    assert check(copy.deepcopy(DEFAULT))


@pytest.mark.slow
def test_a_thousand_configurations_are_refused_in_a_sentence_or_planned() -> None:
    assert (
        fuzz(1000, configurations() | crossed()) > 100
    )  # mostly nonsense would test the schema alone


def test_methods_with_keys_of_others_are_refused_in_a_sentence_or_planned() -> None:
    assert fuzz(60, crossed()) > 3


def test_a_hundred_configurations_are_refused_in_a_sentence_or_planned() -> None:
    assert fuzz(100, configurations()) > 10


@pytest.mark.slow
def test_what_is_accepted_can_be_planned_by_snakemake(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path / "checkout")

    @given(configurations().filter(check))
    @settings(max_examples=15, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    def run(config: dict[str, Any]) -> None:
        (checkout.folder / "drawn.yaml").write_text(yaml.safe_dump(config, allow_unicode=True))
        checkout.snakemake("all_figures", "-n", "-q", "--cores", "1", "--configfile", "drawn.yaml")

    run()
