"""What follows from the models: the JSON schema for editors, and the table of keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from nodeflow.config.read import config_schema
from nodeflow.settings.sentences import allowed_values, resolved

__all__ = ["key_table", "schema", "write_documents", "written_schema"]

_FAR = 100_000_000
"""Upper limits from here on only keep nonsense out; the table of keys leaves them away."""

_Row = tuple[str, str, str, str]
_HEAD = "# Written by python -m nodeflow.config from the models in src/nodeflow/config.\n"


def schema() -> dict[str, Any]:
    """The JSON schema of the configuration."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **config_schema()}


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
    lines = ["| key | allowed | default | meaning |", "|---|---|---|---|"]
    for key, *cells in _keys(root, "", root):
        told = " | ".join(cell.replace("|", "\\|") for cell in (f"`{key}`", *cells))
        lines.append(f"| {told} |")
    return "\n".join(lines) + "\n"


def _keys(part: Mapping[str, Any], prefix: str, root: Mapping[str, Any]) -> Iterator[_Row]:
    """Rows of the table for all keys of a mapping."""
    for name, child in part.get("properties", {}).items():
        optional = name not in part.get("required", ())
        yield from _key(f"{prefix}{name}", child, root, optional)
    if isinstance(part.get("additionalProperties"), Mapping):
        yield from _key(f"{prefix}*", part["additionalProperties"], root, False)


def _key(
    key: str, part: Mapping[str, Any], root: Mapping[str, Any], optional: bool
) -> Iterator[_Row]:
    part = resolved(part, root)
    text = part.get("description", "")
    if "discriminator" in part:
        yield from _alternatives(key, part["discriminator"], root, text)
    elif part.get("type") == "object":
        yield from _keys(part, f"{key}.", root)
    elif (inner := _items(part, root)) is not None:
        yield key, "a list of mappings", "", text
        yield from _keys(inner, f"{key}[].", root)
    else:
        near = {name: limit for name, limit in part.items() if name != "maximum" or limit < _FAR}
        default = json.dumps(part["default"]) if optional and "default" in part else ""
        yield key, allowed_values(near), default, text
        for one in part.get("anyOf", ()):  # a mapping or null
            yield from _keys(resolved(one, root), f"{key}.", root)


def _alternatives(
    key: str, chosen: Mapping[str, Any], root: Mapping[str, Any], text: str
) -> Iterator[_Row]:
    """Rows of mappings that are told apart by one of their keys; each row stands once."""
    by, tags = chosen["propertyName"], chosen["mapping"]
    tags_of: dict[_Row, list[str]] = {}
    for tag, reference in tags.items():
        one = resolved({"$ref": reference}, root)
        keys = {name: child for name, child in one["properties"].items() if name != by}
        text = one["properties"][by].get("description", text)
        for row in _keys({**one, "properties": keys}, f"{key}.", root):
            tags_of.setdefault(row, []).append(tag)
    yield f"{key}.{by}", ", ".join(tags), "", text
    for (name, allowed, default, meaning), its_tags in tags_of.items():
        where = "" if len(its_tags) == len(tags) else f"with {by} {', '.join(its_tags)}: "
        yield name, allowed, default, where + meaning


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
