"""What is wrong with settings, as one sentence in the words of who wrote them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

__all__ = ["Schema", "Words", "allowed_values", "dotted", "explain", "plain_schema", "resolved"]

Schema = Mapping[str, Any]


def plain_schema(schema: Any) -> Any:
    """A JSON schema of pydantic's in fewer words; only keys that may be left out have a default."""
    if isinstance(schema, list):
        return [plain_schema(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    plain: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            plain[key] = {name: plain_schema(item) for name, item in value.items()}
        elif key == "patternProperties":
            [(pattern, child)] = value.items()
            plain["propertyNames"] = {"pattern": pattern}
            plain["additionalProperties"] = plain_schema(child)
        elif key == "minLength" and schema.get("type") == "array":
            plain["minItems"] = value
        elif key == "description":
            plain[key] = " ".join(value.split("\n\n")[0].split())
        elif key != "title" and not (key == "required" and not value):
            plain[key] = plain_schema(value)
    for name, child in plain.get("properties", {}).items():
        nullable = any(part.get("type") == "null" for part in child.get("anyOf", ()))
        if name in plain.get("required", ()) or (child.get("default", 0) is None and not nullable):
            child.pop("default", None)
    return plain


def resolved(schema: Schema, root: Schema) -> Schema:
    """A part of a schema with what it refers to in its place."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    rest = {key: value for key, value in schema.items() if key != "$ref"}
    return {**resolved(root["$defs"][reference.split("/")[-1]], root), **rest}


@dataclass(frozen=True)
class Words:
    """How sentences call what was checked.

    Attributes:
        subject: stands before a key whose value is not allowed.
        root: the same where it is no key but the whole.
        unknown: stands behind a key that there is not.
        missing: stands behind a key that should be there.
        start: of each key.
    """

    subject: str
    root: str
    unknown: str
    missing: str
    start: str = ""


def explain(error: ValidationError, data: Any, schema: Schema, words: Words) -> str:
    """The sentence on the fault that a user should read first.

    A misspelt key is also a missing one, and the misspelling is what the user wants to read; what
    does not fit together comes last.

    Args:
        error: what pydantic found.
        data: what was checked, in plain dictionaries and lists.
        schema: JSON schema of what it was checked against.
        words: how to call it.
    """
    faults = [_found(entry, data, schema) for entry in error.errors(include_url=False)]
    # Where items are refused, pydantic says as well that too few are left.
    faults = [fault for fault in faults if fault.kind != "too_short" or not fault.value] or faults
    first = min(faults, key=lambda fault: (*fault.order, fault.path))
    return " ".join(first.sentence(words).split())


@dataclass(frozen=True)
class _Fault:
    """One entry of a pydantic error, in terms of the user's file.

    Attributes:
        kind: pydantic's name of the fault.
        path: keys and indices that lead to it.
        value: what stands there; for a key that is missing or unknown, what it should stand in.
        schema: what is allowed there.
        tag: the alternative that was taken on the way, e.g. "method descent"; "" if there was none.
        text: of a fault of one of our own checks.
    """

    kind: str
    path: tuple[str | int, ...]
    value: Any
    schema: Schema
    tag: str
    text: str

    @property
    def order(self) -> tuple[int, int]:
        rank = {"missing": 1, "fault": 2}.get(self.kind, 0)
        return rank, len(self.path)

    def sentence(self, words: Words) -> str:
        full = words.start + dotted(self.path)
        where = f"{words.subject}{full}" if self.path else words.root
        shown = json.dumps(self.value, ensure_ascii=False, default=str)
        if self.kind == "fault":
            return f"{where} {self.text}"
        if self.kind == "extra":
            kind = f" with {self.tag}" if self.tag else ""
            allowed = ", ".join(sorted(self.schema.get("properties", {})))
            return f"{full} {words.unknown}; allowed here{kind}: {allowed}."
        if self.kind == "missing":
            return f"{full} {words.missing}."
        if self.kind == "name":
            limit = self.schema["propertyNames"]
            if "enum" in limit:
                return f"{where} holds the name {shown}; allowed are {', '.join(limit['enum'])}."
            return (
                f"{where} holds the name {shown}; names there are of the form {limit['pattern']}."
            )
        if self.kind == "string_pattern_mismatch":
            form = self.schema["pattern"]
            return f"{where} holds the name {shown}; names there are of the form {form}."
        if self.kind == "too_short" and not self.value:
            entries = "entry" if self.schema.get("type") == "object" else "value(s)"
            return f"{where} is empty; it needs at least 1 {entries}."
        if self.kind == "not_unique":
            return f"{where} is {shown}; each value may stand there once."
        return f"{where} is {shown}; allowed: {allowed_values(self.schema)}."


_OURS = {"extra_key": "extra", "missing_key": "missing", "fault": "fault"}
_THEIRS = {
    "unexpected_keyword_argument": "extra",
    "extra_forbidden": "extra",
    "missing": "missing",
    "union_tag_not_found": "missing",
}


def _found(entry: ErrorDetails, data: Any, root: Schema) -> _Fault:
    kind, context = entry["type"], entry.get("ctx", {})
    trail, tag = _trail(entry["loc"], data, root)
    path = tuple(part for part, _, _ in trail[1:])
    step, value, schema = trail[-1]
    text = ""
    if kind in _OURS:
        text = str(context.get("text", "")).replace("{here}", dotted(path))
        path = (*path, *str(context["key"]).split(".")) if context["key"] else path
    elif kind.startswith("union_tag"):
        chosen = _chosen(schema, root)["discriminator"]
        path = (*path, chosen["propertyName"])
        value = value.get(chosen["propertyName"])
        schema = {"enum": list(chosen["mapping"])}
    elif kind in _THEIRS:
        _, value, schema = trail[-2]
    elif entry["loc"] and entry["loc"][-1] == "[key]":
        kind, path, value, schema = "name", path[:-1], step, trail[-2][2]
    return _Fault({**_OURS, **_THEIRS}.get(kind, kind), path, value, schema, tag, text)


def _trail(
    loc: Sequence[str | int], data: Any, root: Schema
) -> tuple[list[tuple[Any, Any, Schema]], str]:
    """Key, value and schema of every step of a location; alternatives are no steps."""
    tag = ""
    trail: list[tuple[Any, Any, Schema]] = [("", data, root)]
    for step in loc:
        name, value, schema = trail[-1]
        schema = _chosen(schema, root)
        tags = schema.get("discriminator", {}).get("mapping", {})
        if step == "[key]":
            break
        if step in tags:
            tag = f"{schema['discriminator']['propertyName']} {step}"
            trail[-1] = (name, value, resolved({"$ref": tags[step]}, root))
            continue
        if len(_alternatives(schema)) > 1:  # steps name them from here on: the whole is at fault
            break
        if isinstance(step, int):
            child = schema.get("items", {})
            value = value[step] if isinstance(value, list | tuple) and step < len(value) else None
        else:
            free = schema.get("additionalProperties")
            free = free if isinstance(free, Mapping) else {}
            child = schema.get("properties", {}).get(step, free)
            value = value.get(step) if isinstance(value, Mapping) else None
        trail.append((step, value, resolved(child, root)))
    return trail, tag


def _alternatives(schema: Schema) -> list[Schema]:
    """What a schema chooses from, null aside."""
    return [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]


def _chosen(schema: Schema, root: Schema) -> Schema:
    """What is left of a schema that allows null as well, without the null."""
    parts = _alternatives(schema)
    return resolved(parts[0], root) if len(parts) == 1 else schema


def dotted(path: Iterable[str | int]) -> str:
    """Keys and indices as they are written in sentences: zoo.zoos.digits.hidden[0]."""
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


def allowed_values(schema: Schema) -> str:
    """What a JSON schema allows, in words."""
    if "enum" in schema:
        return ", ".join(str(x) for x in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        return " or ".join(allowed_values(part) for part in schema["anyOf"])
    words = _TYPES[schema.get("type", "object")]
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {schema[name]:,}" for name, sign in signs.items() if name in schema]
    for name, sign in (("minItems", "at least"), ("maxItems", "at most")):
        if name in schema:
            bounds.append(f"{sign} {schema[name]} value(s)")
    items = schema.get("items", {})
    if {"enum", "anyOf"} & set(items) or items.get("type", "object") != "object":
        words += f", each {allowed_values(schema['items'])};"
    return " ".join([words, " and ".join(bounds)]).strip().rstrip(";")
