"""What follows from the models: the JSON schema for editors, and the table of keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from nodeflow.config.root import Config
from nodeflow.settings.sentences import allowed_values, plain_schema, resolved

__all__ = ["key_table", "schema", "write_documents", "written_schema"]

_FAR = 100_000_000
"""Upper limits from here on only keep nonsense out; the table of keys leaves them away."""

_HEAD = "# Written by python -m nodeflow.config from the models in src/nodeflow/config.\n"


def schema() -> dict[str, Any]:
    """The JSON schema of the configuration."""
    found: dict[str, Any] = plain_schema(Config.model_json_schema())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def written_schema() -> str:
    """The JSON schema as YAML, one line a key."""
    whole = schema()
    parts = {name: _written(part, "  ") for name, part in whole.pop("$defs").items()}
    defined = "".join(f"  {name}: {text}\n" for name, text in parts.items())
    return f"{_HEAD}$defs:\n{defined}" + "".join(
        f"{name}: {_written(part, '')}\n" for name, part in whole.items()
    )


def _written(part: Any, indent: str) -> str:
    """A part of a schema in one line, but for keys, each of which has one more."""
    if not isinstance(part, Mapping) or "properties" not in part:
        text: str = yaml.safe_dump(
            part, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False
        )
        return text.removesuffix("...\n").strip()
    inner = {name: _written(child, indent + "  ") for name, child in part["properties"].items()}
    facts = _written({k: v for k, v in part.items() if k != "properties"}, "")
    lines = ",\n".join(f"{indent}  {name}: {text}" for name, text in inner.items())
    return f"{facts.removesuffix('}')}, properties: {{\n{lines}}}}}"


def key_table() -> str:
    """The keys as a Markdown table: key, allowed values, default if it may be left out, meaning."""
    root = schema()
    rows: dict[tuple[str, ...], list[str]] = {}
    for row, tag in _keys(root, "", root, ""):
        rows.setdefault(row, []).append(tag)
    alternatives = {
        key: {tag for row, tags in rows.items() if row[0] == key for tag in tags}
        for key, *_ in rows
    }
    lines = []
    for (key, allowed, default, text), tags in rows.items():
        parts = tags[0].rpartition(" ")
        values = ", ".join(tag.rpartition(" ")[2] for tag in tags)
        everywhere = not tags[0] or set(tags) == _siblings(key, alternatives)
        text = text if everywhere else f"with {parts[0]} {values}: {text}"
        cells = (f"`{key}`", allowed, default, text)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    head = ["| key | allowed | default | meaning |", "|---|---|---|---|"]
    return "\n".join([*head, *lines]) + "\n"


def _siblings(key: str, alternatives: Mapping[str, set[str]]) -> set[str]:
    """All alternatives of the mapping that a key is in."""
    found: set[str] = set()
    for other, tags in alternatives.items():
        if other.split(".")[:3] == key.split(".")[:3]:
            found |= tags
    return found


def _keys(
    part: Mapping[str, Any], prefix: str, root: Mapping[str, Any], tag: str
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Rows of the table, each with the alternative in which it stands."""
    for name, child in part.get("properties", {}).items():
        optional = name not in part.get("required", ())
        yield from _key(f"{prefix}{name}", child, root, tag, optional)
    if isinstance(part.get("additionalProperties"), Mapping):
        yield from _key(f"{prefix}*", part["additionalProperties"], root, tag, False)


def _key(
    key: str, part: Mapping[str, Any], root: Mapping[str, Any], tag: str, optional: bool
) -> Iterator[tuple[tuple[str, ...], str]]:
    part = resolved(part, root)
    text = part.get("description", "")
    if "discriminator" in part:
        chosen = part["discriminator"]
        first = resolved({"$ref": next(iter(chosen["mapping"].values()))}, root)
        by = first["properties"][chosen["propertyName"]]
        values = ", ".join(chosen["mapping"])
        yield (f"{key}.{chosen['propertyName']}", values, "", by.get("description", text)), tag
        for value, reference in chosen["mapping"].items():
            one = resolved({"$ref": reference}, root)
            told = {k: v for k, v in one["properties"].items() if k != chosen["propertyName"]}
            one = {**one, "properties": told}
            yield from _keys(one, f"{key}.", root, f"{chosen['propertyName']} {value}")
    elif part.get("type") == "object":
        yield from _keys(part, f"{key}.", root, tag)
    elif (inner := _items(part, root)) is not None:
        yield (key, "a list of mappings", "", text), tag
        yield from _keys(inner, f"{key}[].", root, tag)
    else:
        near = {name: limit for name, limit in part.items() if name != "maximum" or limit < _FAR}
        default = json.dumps(part["default"]) if optional and "default" in part else ""
        yield (key, allowed_values(near), default, text), tag
        for one in part.get("anyOf", ()):  # a mapping or null
            yield from _keys(resolved(one, root), f"{key}.", root, tag)


def _items(part: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a list of mappings holds, whether it may be null or not."""
    for one in (part, *part.get("anyOf", ())):
        inner = resolved(one.get("items", {}), root)
        if inner.get("type") == "object":
            return inner
    return None


def write_documents(root: Path) -> None:
    """Write the schema and the table of keys of a checkout anew."""
    (root / "config/schema/config.schema.yaml").write_text(written_schema(), encoding="utf-8")
    readme = root / "config/README.md"
    before = readme.read_text(encoding="utf-8").partition("| key |")[0]
    readme.write_text(before + key_table(), encoding="utf-8")
