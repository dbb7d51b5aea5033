"""The operations of an OpenAPI document, laid out for reading and for trying."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from loa.console.schema_rows import SchemaRow, kind_of, resolved, row_of, rows_of
from loa.console.snippets import Call, as_json, curl

METHODS: Final = ("get", "post", "put", "patch", "delete")
SAFE_POSTS: Final = frozenset({"explain"})
"""Posts that change nothing."""
BY_TEST_KEY: Final = frozenset({"sendMessage"})
"""What a test key does for the sandbox only; what other calls change, a test key changes as well."""
FIRST: Final = frozenset({"sendMessage", "messageReport"})
"""What people look for first, and so stands first under its tag."""
ALWAYS, LIVE, NEVER = "always", "live", "never"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `where`: path, query or header; `example`: what stands in the field at first."""

    where: str
    row: SchemaRow
    example: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What may be answered with one status."""

    status: str
    about: str
    kind: str
    example: str
    rows: tuple[SchemaRow, ...]
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, or what is posted to an endpoint (`hook`). `asks`: when trying it needs a tick first."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    about: str
    keyed: bool
    hook: bool
    asks: str
    parameters: tuple[Parameter, ...]
    body: tuple[SchemaRow, ...]
    body_kind: str
    body_example: str
    answers: tuple[Answer, ...]

    @property
    def words(self) -> str:
        """Everything that a search looks through."""
        names = [each.row.name for each in self.parameters] + [each.name for each in self.body]
        return " ".join((self.id, self.method, self.path, self.tag, self.summary, self.about, *names))


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Lay out all operations in the order of their tags, then what is posted to endpoints."""
    order = [each["name"] for each in document.get("tags", ())]
    found = [_operation(document, path, method, raw, hook=False) for path, method, raw in _each(document["paths"])]
    found += [_operation(document, "", method, raw, hook=True) for _, method, raw in _each(document["webhooks"])]

    def place(each: Operation) -> tuple[bool, int, bool, str, str]:
        known = order.index(each.tag) if each.tag in order else len(order)
        return each.hook, known, each.id not in FIRST, each.path, each.method

    return sorted(found, key=place)


def example_curl(operation: Operation, origin: str, body: Any) -> str:
    """Write a call with the operation's own examples."""
    path = operation.path
    for each in operation.parameters:
        if each.where == "path":
            path = path.replace(f"{{{each.row.name}}}", each.example)
    return curl(Call(operation.method, origin + path, body, operation.keyed))


def example_body(document: Mapping[str, Any], operation: Operation) -> Any:
    """Give the body of the operation's example, None where it has none."""
    raw = next(raw for _, _, raw in _each(document["paths"]) if raw["operationId"] == operation.id)
    return _json_of(raw.get("requestBody", {})).get("example")


def _each(paths: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in paths.items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _operation(document: Mapping[str, Any], path: str, method: str, raw: Mapping[str, Any], *, hook: bool) -> Operation:
    name = raw["operationId"]
    content = _json_of(raw.get("requestBody", {}))
    schema = content.get("schema", {})
    return Operation(
        id=name,
        method=method.upper(),
        path=path,
        tag=raw.get("tags", [""])[0],
        summary=raw.get("summary", name),
        about=raw.get("description", ""),
        keyed=bool(raw.get("security")),
        hook=hook,
        asks=_asks(name, method),
        parameters=tuple(_parameter(resolved(each, document), document) for each in raw.get("parameters", ())),
        body=tuple(rows_of(schema, document)),
        body_kind=kind_of(schema, document) if schema else "",
        body_example=as_json(content["example"]) if "example" in content else "",
        answers=tuple(_answer(status, resolved(each, document), document) for status, each in raw["responses"].items()),
    )


def _asks(name: str, method: str) -> str:
    if method == "get" or name in SAFE_POSTS:
        return NEVER
    return LIVE if name in BY_TEST_KEY else ALWAYS


def _parameter(raw: Mapping[str, Any], document: Mapping[str, Any]) -> Parameter:
    described = {**raw.get("schema", {}), **({"description": raw["description"]} if raw.get("description") else {})}
    row = row_of(raw["name"], described, document, required=raw.get("required", False))
    example = str(raw.get("example", "")) if row.required else ""
    return Parameter(raw["in"], row, example)


def _answer(status: str, raw: Mapping[str, Any], document: Mapping[str, Any]) -> Answer:
    content = _json_of(raw)
    schema = content.get("schema", {})
    headers = {name: resolved(each, document) for name, each in raw.get("headers", {}).items()}
    return Answer(
        status,
        raw.get("description", ""),
        kind_of(schema, document) if schema else "",
        as_json(content["example"]) if "example" in content else "",
        tuple(rows_of(schema, document)) if status.startswith("2") else (),
        tuple((name, str(each.get("description", ""))) for name, each in headers.items()),
    )


def _json_of(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the JSON of a body or an answer."""
    found: Mapping[str, Any] = next(
        (each for kind, each in raw.get("content", {}).items() if kind.endswith("json")), {}
    )
    return found
