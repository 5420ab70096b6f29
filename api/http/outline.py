"""The OpenAPI document as something to read: operations with their fields and examples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from api.http.examples import cut

_JSON: Final = "application/json"
TAKES_PICTURE: Final = (
    "With a picture, send `multipart/form-data`: the part `image` is a picture file, the part "
    "`query` the same fields as JSON text."
)
_PLAIN: Final = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}


@final
@dataclass(frozen=True)
class Row:
    """A parameter, or a field of a body."""

    name: str
    kind: str
    is_required: bool
    said: str


@final
@dataclass(frozen=True)
class Shown:
    """A worked example: what was sent, as lines for a shell, and what came back, cut short."""

    summary: str
    command: str
    answer: str


@final
@dataclass(frozen=True)
class Operation:
    """One thing that can be asked of a server."""

    name: str
    summary: str
    description: str
    scope: str | None
    parameters: Sequence[Row]
    fields: Sequence[Row]
    takes_picture: bool
    statuses: Sequence[tuple[str, str]]
    examples: Sequence[Shown]


@final
@dataclass(frozen=True)
class Chapter:
    """Operations that belong together."""

    name: str
    description: str
    operations: Sequence[Operation]


def chapters(document: Mapping[str, Any]) -> list[Chapter]:
    """What a document holds, by tag, in its order."""
    told = [
        (operation["tags"][0], _operation(document, f"{method.upper()} {path}", operation))
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    return [
        Chapter(tag["name"], tag["description"], [one for name, one in told if name == tag["name"]])
        for tag in document["tags"]
    ]


def _operation(document: Mapping[str, Any], name: str, said: Mapping[str, Any]) -> Operation:
    content = said.get("requestBody", {}).get("content", {})
    return Operation(
        name=name,
        summary=said["summary"],
        description=said.get("description", ""),
        scope=said["x-scope"],
        parameters=[_parameter(document, one) for one in said.get("parameters", ())],
        fields=list(_fields(document, content)),
        takes_picture=len(content) > 1,
        statuses=[(status, one["description"]) for status, one in said["responses"].items()],
        examples=list(_examples(name, said)),
    )


def _parameter(document: Mapping[str, Any], one: Mapping[str, Any]) -> Row:
    kind = _kind(document, one["schema"])
    return Row(one["name"], kind, one.get("required", False), _said(one, one["schema"]))


def _fields(document: Mapping[str, Any], content: Mapping[str, Any]) -> Iterator[Row]:
    for media in content.values():
        yield from _rows(document, _followed(document, media["schema"]), "")
        return  # A form holds the same JSON in a part.


def _rows(document: Mapping[str, Any], schema: Mapping[str, Any], inside: str) -> Iterator[Row]:
    """Fields of an object, and below each those of the object that it may be."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield Row(inside + name, _kind(document, field), name in required, _said(field, field))
        for one in (field, *field.get("anyOf", ()), *field.get("oneOf", ())):
            if "$ref" in one:
                yield from _rows(document, _followed(document, one), f"{inside}{name}.")


def _said(one: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Description and default."""
    parts = [one.get("description", "")]
    if schema.get("default") is not None:
        parts.append(f"Default: {json.dumps(schema['default'])}.")
    return " ".join(part for part in parts if part)


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """A schema's type in a few words."""
    if "$ref" in schema:
        return "object"
    if "enum" in schema or "const" in schema:
        return " | ".join(f'"{one}"' for one in schema.get("enum", [schema.get("const")]))
    if choices := schema.get("anyOf", schema.get("oneOf")):
        kinds = [_kind(document, one) for one in choices if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if schema.get("type") == "array":
        items = schema.get("items", {})
        return f"list of {_kind(document, items)}" if items else "list"
    if schema.get("type") == "object":
        inside = schema.get("additionalProperties")
        return f"name → {_kind(document, inside)}" if isinstance(inside, dict) else "object"
    if schema.get("format") == "binary":
        return "file"
    return _PLAIN.get(str(schema.get("type")), "any") + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    """The least and the greatest of a number, where they are small enough to say."""
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None or high is None or abs(high) > 1e15:
        return ""
    return f" ({low:g} to {high:g})"


def _followed(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _examples(name: str, said: Mapping[str, Any]) -> Iterator[Shown]:
    asked = said.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("examples", {})
    good = next(one for status, one in said["responses"].items() if status < "3")
    answered = good.get("content", {}).get(_JSON, {}).get("examples", {})
    given = {
        one: {
            parameter["name"]: (parameter["in"], parameter["examples"][one]["value"])
            for parameter in said.get("parameters", ())
            if one in parameter.get("examples", {})
        }
        for one in answered
    }
    for one, answer in answered.items():
        body = asked[one]["value"] if one in asked else None
        yield Shown(
            answer["summary"],
            _command(name, given[one], body),
            json.dumps(answer["value"], indent=1, ensure_ascii=False),
        )


def _command(name: str, given: Mapping[str, tuple[str, Any]], body: Any) -> str:
    """A request as curl sends it."""
    method, _, path = name.partition(" ")
    query = []
    words = ["curl", "-H 'Authorization: Bearer ldb_…'"]
    for parameter, (place, value) in given.items():
        if place == "path":
            path = path.replace(f"{{{parameter}}}", str(value))
        elif place == "query":
            query.append(f"{parameter}={value}")
        else:
            words.append(f"-H '{parameter}: {value}'")
    if method not in {"GET", "POST"} or (method == "POST" and body is None):
        words.append(f"-X {method}")
    address = f"http://localhost:8000{path}{'?' if query else ''}{'&'.join(query)}"
    words.append(f"'{address}'" if query else address)
    if body is not None:
        words.append(f"\\\n  --json '{json.dumps(cut(body), ensure_ascii=False)}'")
    return " ".join(words)
