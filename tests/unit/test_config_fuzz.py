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

from nodeflow.config import ConfigProblem, check_config
from nodeflow.grid import WILDCARDS
from nodeflow.plan import Plan
from tests.unit.test_config import DEFAULT, ROOT, SCHEMA, junk, overlaid
from tests.workflow.conftest import copy_checkout

SMOKE = overlaid(DEFAULT, yaml.safe_load((ROOT / "config/smoke.yaml").read_text()))
NAMES = sorted({*DEFAULT["zoo"]["zoos"], *DEFAULT["flow"]["flows"], *DEFAULT["bridge"]["zoos"]})
# Names that are folders elsewhere, end lines, or mean something to Snakemake.
STRANGE = ["..", "../x", "/etc/passwd", "a\n", "", "a b", "{N}", "~", "a/../../b", "ZOO", "x" * 300]


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    return SCHEMA["$defs"][reference.split("/")[-1]] if reference else schema


def fitting(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema allows, at its bounds and beyond what anyone would choose."""
    schema = resolved(schema)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    types = schema.get("type", "object")
    types = [types] if isinstance(types, str) else types
    return st.one_of([_fitting(kind, schema) for kind in types])


def _fitting(kind: str, schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    if kind == "integer":
        numbers = st.integers(low or 0, (low or 0) + 200)
        most = [schema["maximum"]] if "maximum" in schema else []
        return st.one_of(numbers, numbers.map(float), st.sampled_from([*most, 10**9, 10**20]))
    if kind == "number":
        return st.one_of(
            st.floats(low, allow_nan=False, exclude_min="exclusiveMinimum" in schema),
            st.sampled_from([1e-300, 0.1 + 0.2, 3, 3.0, float("nan"), float("inf")]),
        )
    if kind == "string":
        return st.one_of(st.sampled_from(NAMES), st.sampled_from(STRANGE), st.text(max_size=4))
    if kind == "array":
        return st.lists(
            fitting(schema["items"]), min_size=schema.get("minItems", 0),
            max_size=min(schema.get("maxItems", 3), 3),
        )  # fmt: skip
    if kind == "object":
        own = {name: fitting(child) for name, child in schema.get("properties", {}).items()}
        needed = {name: own.pop(name) for name in schema.get("required", ()) if name in own}
        free = schema.get("additionalProperties")
        if isinstance(free, Mapping):
            return st.dictionaries(fitting({"type": "string"}), fitting(free), max_size=2)
        return st.fixed_dictionaries(needed, optional=own)
    return {"boolean": st.booleans(), "null": st.none()}[kind]


def keys(
    config: Any, schema: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Every key of a configuration with what the schema says about it."""
    schema = resolved(schema)
    yield path, schema
    if isinstance(config, dict) and schema.get("type") == "object":
        for name, value in config.items():
            child = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            yield from keys(value, child, (*path, name))


BASES = [(base, [x for x in keys(base, SCHEMA) if x[0]]) for base in (DEFAULT, SMOKE)]


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """One of the shipped configurations with one to four keys replaced, removed or added."""
    base, known = draw(st.sampled_from(BASES))
    config: dict[str, Any] = copy.deepcopy(base)
    for _ in range(draw(st.integers(1, 4))):
        path, schema = draw(st.sampled_from(known))
        place: Any = config
        for name in path[:-1]:
            place = place.get(name) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            continue  # an earlier change took the section away
        change = draw(st.sampled_from(["fitting"] * 8 + ["junk", "remove", "add"]))
        if change == "remove":
            place.pop(path[-1], None)
        elif change == "add":
            place[draw(st.sampled_from(STRANGE + NAMES))] = draw(fitting(schema))
        else:
            place[path[-1]] = draw(junk if change == "junk" else fitting(schema))
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
    """Whether a configuration is accepted; then it must be possible to plan its run."""
    try:
        check_config(config, SCHEMA)
    except ConfigProblem as problem:
        text = str(problem)
        assert "\n" not in text
        assert text.endswith(".")
        return False
    for answer in everything(Plan(config, ROOT)):
        for path in paths(answer):
            for part in Path(path).parts[1:]:
                name, _, value = part.partition("=")
                if name in WILDCARDS and value:  # "" is a name that a pattern leaves out
                    assert re.fullmatch(WILDCARDS[name], value), (path, name)
    return True


def fuzz(examples: int) -> int:
    """Checks so many configurations; returns how many were accepted."""
    accepted = 0

    @given(configurations())
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
    assert fuzz(1000) > 100  # mostly nonsense would test the schema alone


def test_a_hundred_configurations_are_refused_in_a_sentence_or_planned() -> None:
    assert fuzz(100) > 10


@pytest.mark.slow
def test_what_is_accepted_can_be_planned_by_snakemake(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path / "checkout")

    @given(configurations().filter(check))
    @settings(max_examples=15, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    def run(config: dict[str, Any]) -> None:
        (checkout.folder / "drawn.yaml").write_text(yaml.safe_dump(config, allow_unicode=True))
        checkout.snakemake("all_figures", "-n", "-q", "--cores", "1", "--configfile", "drawn.yaml")

    run()
