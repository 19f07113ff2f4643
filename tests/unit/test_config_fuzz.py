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
from nodeflow.config.document import schema
from nodeflow.grid import WILDCARDS
from nodeflow.plan import Plan, fill, paths
from nodeflow.settings.sentences import resolved
from tests.unit.config_settings import built
from tests.unit.test_config import DEFAULT, ROOT, junk, overlaid
from tests.workflow.conftest import copy_checkout

NAMES = sorted({*DEFAULT["zoo"]["zoos"], *DEFAULT["flow"]["flows"], *DEFAULT["priors"]["families"]})
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
        flow["alignment"] = ["raw"]
    if draw(st.booleans()):
        flow["sampling"] = {"count": 5, "solver": "euler", "steps": 24}
    return config


def within(config: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path, None if nothing does."""
    for name in path:
        config = config.get(name) if isinstance(config, dict) else None
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
        "neural_ode": plan.neural_ode.trainings,
        "experiments": plan.neural_ode.trainings,
        "laws": plan.laws.all,
        "law_experiments": plan.laws.trainings,
        "tail_experiments": plan.tail_experiments.models.trainings,
        "evaluated": plan.evaluated.tests,
        "rewired": plan.experiments.noise,
        "cells": plan.neural_ode.trainings,
        "data": [{"data": name} for name in plan.config.zoo.downloads],
        "zoos": plan.canonical.members,
        "canonical": plan.canonical.members,
        "flows": plan.flows.all,
        "costs": plan.costs.zoos,
        "exports": plan.flows.all,
        "transfers": plan.flows.all,
        "conditional": plan.flows.conditional,
        "priors": plan.priors.families,
        "own": plan.own.all,
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
    plan = Plan(checked, ROOT)
    for _ in everything(plan):
        pass
    for pattern, path in filled(plan):
        form = re.sub(r"{(\w+)}", lambda x: f"(?:{WILDCARDS[x[1]]})", pattern)
        assert re.fullmatch(form, path), path
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
        fuzz(1000, configurations() | crossed()) > 50
    )  # mostly nonsense would test the schema alone


def test_methods_with_keys_of_others_are_refused_in_a_sentence_or_planned() -> None:
    assert fuzz(40, crossed()) > 2


def test_some_configurations_are_refused_in_a_sentence_or_planned() -> None:
    assert fuzz(60, configurations()) > 3


@pytest.mark.slow
def test_what_is_accepted_can_be_planned_by_snakemake(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path / "checkout")

    @given(configurations().filter(check))
    @settings(max_examples=15, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    def run(config: dict[str, Any]) -> None:
        (checkout.folder / "drawn.yaml").write_text(yaml.safe_dump(config, allow_unicode=True))
        checkout.snakemake("all_figures", "-n", "-q", "--cores", "1", "--configfile", "drawn.yaml")

    run()
