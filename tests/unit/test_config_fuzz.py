"""Configurations drawn from the schema: each is refused in a sentence or can be planned."""

import copy
import inspect
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nodeflow.config import ConfigProblem, read_config
from nodeflow.grid import WILDCARDS
from nodeflow.plan import Plan, fill, paths
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


def stages(plan: Plan) -> dict[str, Any]:
    """The stages of a plan by name."""
    names = [name for name, x in vars(Plan).items() if isinstance(x, cached_property)]
    return {name: getattr(plan, name) for name in names}


def rows_of(plan: Plan) -> dict[str, list[dict[str, Any]]]:
    """Some rows of each stage."""
    found = {
        "graphs": plan.graphs.training + plan.graphs.tests,
        "dynamics": plan.dynamics.training + plan.dynamics.tests,
        "networks": plan.networks.all,
        "node": plan.node.trainings,
        "experiments": plan.node.trainings,
        "cells": plan.node.trainings,
        "data": [{"data": name} for name in plan.config.zoo.downloads],
        "zoos": plan.canonical.members,
        "canonical": plan.canonical.members,
        "flows": plan.flows.all,
        "transfers": plan.flows.all,
        "conditional": plan.conditional.all,
        "bridge": plan.bridge.all,
    }
    return {name: [*rows[:6], *rows[-6:]] for name, rows in found.items()}


def everything(plan: Plan) -> Iterator[Any]:
    """All that a plan can be asked about its rows, found by what its stages have."""
    rows = rows_of(plan)
    for stage, asked in stages(plan).items():
        for name, member in vars(type(asked)).items():
            if name.startswith("_"):
                continue
            if isinstance(member, property | cached_property):
                yield getattr(asked, name)
            elif inspect.isfunction(member):
                wanted = list(inspect.signature(member).parameters)[1:]
                if wanted == ["row"]:
                    yield [getattr(asked, name)(row) for row in rows[stage]]
                elif not wanted:
                    yield getattr(asked, name)()


def filled(plan: Plan) -> Iterator[tuple[str, str]]:
    """Every pattern of a path with what it becomes for rows that have its wildcards."""
    patterns = [x for name, x in vars(paths).items() if name.isupper() and isinstance(x, str)]
    for rows in rows_of(plan).values():
        for pattern in patterns:
            needed = set(re.findall(r"{(\w+)}", pattern))
            for row in rows:
                if needed <= set(row):
                    yield pattern, fill(pattern, [row])[0]


def check(config: dict[str, Any]) -> bool:
    """Whether a configuration is accepted; then it must be possible to plan its run."""
    try:
        plan = Plan(read_config(config), ROOT)
    except ConfigProblem as problem:
        text = str(problem)
        assert "\n" not in text
        assert text.endswith(".")
        return False
    for _ in everything(plan):
        pass
    for pattern, path in filled(plan):
        form = re.sub(r"{(\w+)}", lambda x: f"(?:{WILDCARDS[x[1]]})", pattern)
        assert re.fullmatch(form, path), path
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
