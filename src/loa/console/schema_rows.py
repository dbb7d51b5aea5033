"""A JSON schema as the rows of a table: each member with its type, whether it must be there, and what it means."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

DEEPEST: Final = 6
_KEYWORDS: Final = (
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "format",
    "default",
)
_VALUES: Final = 12

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SchemaRow:
    """One member. `depth`: how far inside it stands; `kind`: such as `string[] | null`; `limits`: keyword and value."""

    depth: int
    name: str
    kind: str
    required: bool
    about: str
    values: tuple[str, ...]
    limits: tuple[tuple[str, str], ...]


def rows_of(schema: Schema, document: Schema, depth: int = 0, inside: tuple[str, ...] = ()) -> list[SchemaRow]:
    """Lay a schema out, outer members before inner ones; a schema inside itself is named and not followed."""
    found, refs = _members_of(schema, document)
    if depth > DEEPEST or refs & set(inside):
        return []
    required = set(found.get("required", ()))
    rows = []
    for name, member in found.get("properties", {}).items():
        rows.append(row_of(name, member, document, depth, required=name in required))
        rows += rows_of(member, document, depth + 1, (*inside, *refs))
    return rows


def row_of(name: str, schema: Schema, document: Schema, depth: int = 0, *, required: bool) -> SchemaRow:
    """Describe one member, or a parameter."""
    choices = [resolved(each, document) for each in _choices(schema, document)]
    values = [str(value) for each in choices for value in each.get("enum", ()) if value is not None]
    limits = {word: each[word] for each in (*choices, schema) for word in _KEYWORDS if each.get(word) not in (None, "")}
    about = schema.get("description") or next((each["description"] for each in choices if "description" in each), "")
    return SchemaRow(
        depth,
        name,
        kind_of(schema, document),
        required,
        about,
        tuple(dict.fromkeys(values))[:_VALUES],
        tuple((word, str(value)) for word, value in limits.items()),
    )


def kind_of(schema: Schema, document: Schema) -> str:
    """Name a type: `string`, `integer[]`, `object | null`."""
    kinds = [_kind(resolved(each, document), document) for each in _choices(schema, document)]
    return " | ".join(dict.fromkeys(kinds))


def resolved(schema: Schema, document: Schema) -> Schema:
    """Follow a reference."""
    while (ref := schema.get("$ref")) is not None:
        found: Any = document
        for step in str(ref).removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def _choices(schema: Schema, document: Schema) -> Iterator[Schema]:
    """Give what a value may be."""
    whole = resolved(schema, document)
    inner = whole.get("anyOf") or whole.get("oneOf") or whole.get("allOf")
    if inner:
        for each in inner:
            yield from _choices(each, document)
    elif isinstance(whole.get("type"), list):
        for name in whole["type"]:
            yield {**whole, "type": name}
    else:
        yield whole


def _kind(schema: Schema, document: Schema) -> str:
    if schema.get("type") == "array":
        inner = kind_of(schema.get("items", {}), document)
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    return str(schema.get("type", "any"))


def _members_of(schema: Schema, document: Schema) -> tuple[Schema, frozenset[str]]:
    """Give the schema whose members a value has, itself or as one of several, and the references on the way there."""
    refs: set[str] = set()
    open_schemas = [schema]
    while open_schemas:
        each = open_schemas.pop(0)
        if "$ref" in each:
            refs.add(str(each["$ref"]))
            each = resolved(each, document)
        if each.get("properties"):
            return each, frozenset(refs)
        open_schemas += [*each.get("anyOf", ()), *each.get("oneOf", ()), *each.get("allOf", ())]
        open_schemas += [each["items"]] if "items" in each else []
    return {}, frozenset(refs)
