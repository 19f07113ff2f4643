"""The configuration, checked before the first job; every fault is one sentence with its key."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from nodeflow.datasets import SOURCES, VIEWS, DataProblem, form
from nodeflow.datasets.door import can_be_read, task_data
from nodeflow.problems import Problem

__all__ = ["ConfigProblem", "check_config", "key_table", "load_schema"]

Config = Mapping[str, Any]


class ConfigProblem(Problem):
    """A key of the configuration is missing, unknown, or has a value that is not allowed."""


def _is_whole(_: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_: Any, value: Any) -> bool:
    return _is_whole(_, value) or (isinstance(value, float) and math.isfinite(value))


def _pattern(_: Any, pattern: str, text: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(text, str) and not re.fullmatch(pattern, text):
        yield ValidationError(f"{text!r} is not of the form {pattern}")


# JSON Schema takes 64.0 for a whole number, and YAML writes infinities and NaN: neither can be
# counted with. In Python `$` also matches before a line break at the end.
_VALIDATOR = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_whole, "number": _is_number}
    ),
)


def load_schema(path: str | Path) -> dict[str, Any]:
    """The JSON schema in a YAML file."""
    return dict(yaml.safe_load(Path(path).read_text(encoding="utf-8")))


def check_config(config: Config, schema: Mapping[str, Any]) -> None:
    """Check a configuration against its schema and then against itself.

    Raises:
        ConfigProblem: names the first faulty key and what is allowed there.
    """
    # Names and paths are quoted as they are; one with a line break must not break the sentence.
    for problem in _unnamed(config, ""):
        raise ConfigProblem(" ".join(problem.split()))
    errors = sorted(_VALIDATOR(schema).iter_errors(_plain(config)), key=_order)
    if errors:
        raise ConfigProblem(" ".join(_sentence(errors[0]).split()))
    for problem in _contradictions(config):
        raise ConfigProblem(" ".join(problem.split()))


def key_table(schema: Mapping[str, Any]) -> str:
    """The keys of a schema as a Markdown table: key, allowed values, meaning."""
    rows = [
        f"| `{key}` | {allowed} | {text} |"
        for key, allowed, text in (
            (word.replace("|", "\\|") for word in row) for row in _keys(schema, "", schema)
        )
    ]
    return "\n".join(["| key | allowed | meaning |", "|---|---|---|", *rows]) + "\n"


def _order(error: ValidationError) -> tuple[bool, int, str]:
    # A misspelt key is also a missing one: the misspelling is what the user wants to read.
    path = ".".join(str(part) for part in error.absolute_path)
    return (error.validator == "required", len(error.absolute_path), path)


def _sentence(error: ValidationError) -> str:
    key = _dotted(error.absolute_path)
    rule = error.validator
    value: Any = error.instance
    limit: Any = error.validator_value
    shown = json.dumps(value, ensure_ascii=False)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    where = f"the configuration key {key}" if key else "the configuration"
    if rule == "additionalProperties":
        known = schema.get("properties", {})
        unknown = sorted(set(value) - set(known))[0]
        full = f"{key}.{unknown}" if key else unknown
        allowed = ", ".join(sorted(known))
        return f"{full} is not a key of the configuration; allowed here: {allowed}."
    if rule == "required":
        missing = sorted(set(limit) - set(value))[0]
        full = f"{key}.{missing}" if key else missing
        return f"{full} is missing from the configuration; see config/README.md."
    if rule == "pattern":
        return f"{where} holds the name {shown}; names there are of the form {limit}."
    if rule == "minProperties":
        return f"{where} is empty; it needs at least {limit} entry."
    if rule == "minItems":
        return f"{where} is empty; it needs at least {limit} value(s)."
    if rule == "uniqueItems":
        return f"{where} is {shown}; each value may stand there once."
    return f"{where} is {shown}; allowed: {_allowed(schema)}."


def _dotted(path: Any) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}


def _allowed(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(str(x) for x in schema["enum"])
    if "oneOf" in schema:
        return " or ".join(dict.fromkeys(_allowed(x) for x in schema["oneOf"]))
    types = schema.get("type", "object")
    words = " or ".join(_TYPES[t] for t in ([types] if isinstance(types, str) else types))
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {schema[name]:,}" for name, sign in signs.items() if name in schema]
    for name, sign in (("minItems", "at least"), ("maxItems", "at most")):
        if name in schema:
            bounds.append(f"{sign} {schema[name]} value(s)")
    if "items" in schema and "$ref" not in schema["items"]:
        words += f", each {_allowed(schema['items'])};"
    return " ".join([words, " and ".join(bounds)]).strip().rstrip(";")


def _keys(
    schema: Mapping[str, Any], prefix: str, root: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    for name, child in schema.get("properties", {}).items():
        yield from _key(f"{prefix}{name}", child, root)
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _key(f"{prefix}*", schema["additionalProperties"], root)


def _key(
    key: str, schema: Mapping[str, Any], root: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    if "$ref" in schema:
        schema = {**root["$defs"][schema["$ref"].split("/")[-1]], **schema}
    if schema.get("type") == "object":
        yield from _keys(schema, f"{key}.", root)
    elif schema.get("items", {}).get("type") == "object":
        yield key, "a list of mappings", schema.get("description", "")
        yield from _keys(schema["items"], f"{key}[].", root)
    else:
        near = {name: limit for name, limit in schema.items() if name != "maximum" or limit < _FAR}
        yield key, _allowed(near), schema.get("description", "")


_FAR = 100_000_000
"""Upper limits from here on only keep nonsense out; the table of keys leaves them away."""

_MOST_JOBS = 10_000
"""Jobs that a zoo may be made of: Snakemake plans so many in a minute."""


def _unnamed(value: Any, where: str) -> Iterator[str]:
    """Keys that are no texts, as YAML reads 1, yes or null."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                place = f"the configuration key {where}" if where else "the configuration"
                yield f"{place} holds the key {key!r}, which is no text; put it in quotes."
            yield from _unnamed(item, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _unnamed(item, f"{where}[{index}]")


def _contradictions(config: Config) -> Iterator[str]:
    """What no schema can say: keys that must fit each other."""
    graphs, node, zoo = config["graphs"], config["node"], config["zoo"]
    bridge = [size for zoo in config["bridge"]["zoos"].values() for size in zoo["tests"]["sizes"]]
    sizes = [*graphs["sizes"], graphs["training"]["size"], node["structure"]["size"], *bridge]
    if graphs["mean_degree"] >= min(sizes) - 1:
        yield (
            f"the configuration key graphs.mean_degree is {graphs['mean_degree']}; it must be "
            f"< {min(sizes) - 1}, the number of possible neighbours in the smallest graph."
        )
    for name, path in graphs["files"].items():
        if not _is_file(path):
            yield f"the configuration key graphs.files.{name} is {path}, which is not a file."
        if name in graphs["networks"]:
            yield (
                f"the configuration key graphs.files.{name} has the name of a network that is in "
                "graphs.networks; choose another name."
            )
    for name, path in zoo["folders"].items():
        if path is not None and not _is_path(path):
            yield f"the configuration key zoo.folders.{name} is {path}, which cannot be a folder."
    for name, settings in zoo["zoos"].items():
        try:
            form(settings["data"])
        except DataProblem as problem:
            key = f"zoo.zoos.{name}.data"
            yield f"the configuration key {key} is {settings['data']}. {problem}"
        jobs = -(-(settings["members"] + settings["held_out"]) // settings["block"])
        if jobs > _MOST_JOBS:
            yield (
                f"the configuration key zoo.zoos.{name}.block is {settings['block']}, which makes "
                f"{jobs:,} jobs of this zoo; allowed are {_MOST_JOBS:,}, so choose larger blocks."
            )
    low, high = config["dynamics"]["initial"]
    if low >= high:
        yield f"the configuration key dynamics.initial is [{low}, {high}]; the first must be lower."
    if node["structure"]["trained"] not in node["cells"]:
        yield (
            f"the configuration key node.structure.trained is {dict(node['structure']['trained'])};"
            " it must be one of node.cells."
        )
    for cell in node["detail"]["cells"]:
        if cell not in node["cells"]:
            yield (
                f"the configuration key node.detail.cells holds {dict(cell)}; it must be one of "
                "node.cells."
            )
    detail = node["detail"]["size"]
    if detail not in graphs["sizes"]:
        yield (
            f"the configuration key node.detail.size is {detail}; it must be one of graphs.sizes."
        )
    if max(node["hidden"]["removed"]) >= detail:
        yield (
            f"the configuration key node.hidden.removed holds {max(node['hidden']['removed'])}; "
            f"it must be < {detail}, the number of nodes (node.detail.size)."
        )
    conditional = config["flow"]["conditional"]
    for key, names, defined in (
        ("zoo.use", zoo["use"], zoo["zoos"]),
        ("zoo.where_found", zoo["where_found"], zoo["zoos"]),
        ("flow.use", config["flow"]["use"], config["flow"]["flows"]),
        ("flow.transfer.flows", config["flow"]["transfer"]["flows"], config["flow"]["flows"]),
        ("flow.solvers.flows", config["flow"]["solvers"]["flows"], config["flow"]["flows"]),
        ("flow.conditional.use", conditional["use"], conditional["flows"]),
        ("bridge.use", config["bridge"]["use"], config["bridge"]["zoos"]),
    ):
        for name in names:
            if name not in defined:
                allowed = ", ".join(sorted(defined)) or "none"
                yield f"the configuration key {key} names {name}; defined are: {allowed}."
    for name, sources in zoo["downloads"].items():
        if sources is None and name not in SOURCES:
            yield (
                f"the configuration key zoo.downloads.{name} is null, but no address with a digest "
                "is known for it; list url and sha256 of its files."
            )
    for name, flow in config["flow"]["flows"].items():
        if flow["zoo"] not in zoo["zoos"]:
            yield (
                f"the configuration key flow.flows.{name}.zoo is {flow['zoo']}; "
                f"defined are: {', '.join(sorted(zoo['zoos']))}."
            )
        elif form(zoo["zoos"][flow["zoo"]]["data"])[1] == 1:
            yield (
                f"the configuration key flow.flows.{name}.zoo is {flow['zoo']}, whose networks "
                "predict a number; generated networks are judged as classifiers."
            )
    for key, flows in (
        ("flow.flows", config["flow"]["flows"]),
        ("flow.conditional.flows", conditional["flows"]),
    ):
        for name, flow in flows.items():
            if flow["method"] == "descent" and flow["weights"] != ["raw"]:
                yield (
                    f"the configuration key {key}.{name}.weights is {list(flow['weights'])}; a "
                    "descent pairs members with their initializations and needs [raw]."
                )
    yield from _flow_contradictions(config)
    yield from _bridge_contradictions(config)
    for name in config["flow"]["use"]:
        wanted = config["flow"]["flows"][name]["zoo"]
        if wanted not in [*zoo["use"], *zoo["where_found"]]:
            yield (
                f"the configuration key flow.use names {name}, which needs the zoo {wanted}; "
                "add that zoo to zoo.use or take the flow out."
            )


def _flow_contradictions(config: Config) -> Iterator[str]:
    """What is done with flows: transfer, other solvers, conditional flows."""
    flows, zoos = config["flow"]["flows"], config["zoo"]["zoos"]
    transfer = config["flow"]["transfer"]
    for task in transfer["tasks"]:
        if task == "same" or task in VIEWS:
            continue
        try:
            form(task)
        except DataProblem as problem:
            yield (
                f"the configuration key flow.transfer.tasks names {task}; a task is same, "
                f"{', '.join(VIEWS)}, or a data set. {problem}"
            )
    for name in transfer["flows"]:
        own = zoos[flows[name]["zoo"]]["data"]
        if not any(can_be_read(task_data(task, own), own) for task in transfer["tasks"]):
            yield (
                f"the configuration key flow.transfer.tasks is {list(transfer['tasks'])}; networks "
                f"of the flow {name}, which read items of {own}, can read none of these tasks."
            )
    for name in config["flow"]["solvers"]["flows"]:
        if flows[name]["method"] in ("descent", "ddpm"):
            yield (
                f"the configuration key flow.solvers.flows names {name}, of method "
                f"{flows[name]['method']}, whose steps are those that it learned."
            )
    conditional = config["flow"]["conditional"]
    for name, flow in conditional["flows"].items():
        key = f"flow.conditional.flows.{name}.zoos"
        networks = []
        for zoo in flow["zoos"]:
            if zoo not in zoos:
                allowed = ", ".join(sorted(zoos))
                yield f"the configuration key {key} names {zoo}; defined are: {allowed}."
            elif name in conditional["use"] and zoo not in [
                *config["zoo"]["use"],
                *config["zoo"]["where_found"],
            ]:
                yield f"the configuration key {key} names {zoo}; add that zoo to zoo.use."
            else:
                settings = zoos[zoo]
                shape, classes = form(settings["data"])
                if classes == 1:
                    yield (
                        f"the configuration key {key} names {zoo}, whose networks predict a "
                        "number; generated networks are judged as classifiers."
                    )
                chosen = settings.get("architecture") or settings["hidden"]
                networks.append((math.prod(shape), classes, _plain(chosen)))
        if any(network != networks[0] for network in networks):
            yield (
                f"the configuration key {key} is {list(flow['zoos'])}, whose networks differ; a "
                "conditional flow learns zoos of one architecture."
            )


def _bridge_contradictions(config: Config) -> Iterator[str]:
    zoos = config["bridge"]["zoos"]
    for name in config["bridge"]["use"]:
        zoo, tests, key = zoos[name], zoos[name]["tests"], f"bridge.zoos.{name}"
        if zoo["held_out"] >= zoo["graphs"]:
            yield (
                f"the configuration key {key}.held_out is {zoo['held_out']}; it must be < "
                f"{zoo['graphs']}, the number of training graphs in {key}.graphs."
            )
        if tests["detail_size"] not in tests["sizes"]:
            yield (
                f"the configuration key {key}.tests.detail_size is {tests['detail_size']}; it must "
                f"be one of {key}.tests.sizes."
            )
        if max(tests["ensembles"]) > tests["models"]:
            yield (
                f"the configuration key {key}.tests.ensembles holds {max(tests['ensembles'])}; "
                f"there are only {tests['models']} neural ODEs, {key}.tests.models."
            )
        if tests["structure"] and len(zoo["cells"]) > 1:
            yield (
                f"the configuration key {key}.tests.structure is not empty; that needs a single "
                f"cell in {key}.cells."
            )
        if any(cell in zoo["cells"] for cell in zoo["unseen"]):
            yield f"the configuration keys {key}.cells and unseen share a cell; name each once."


def _is_file(path: str) -> bool:
    return _is_path(path) and Path(path).is_file()


def _is_path(text: str) -> bool:
    """Whether the system can be asked about it: names can be too long, or hold zeros."""
    try:
        Path(text).stat()
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _plain(value: Any) -> Any:
    """The same content in plain dicts and lists, with every mapping key as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
