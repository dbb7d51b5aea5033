"""One OpenAPI 3.1 document for everything: the native API from its code, the vendor API from data, and examples.

The vendor paths are plain routes for speed, so their part stands in `openapi_data/vendor.json`. Examples stand in
`openapi_data/examples.json`; a test sends every one of them to a running app. docs/reference/openapi.json is this
document, checked in so that a change of the surface is seen in review.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, Final

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from loa.api.problems import KINDS, MEDIA_TYPE

PATH: Final = "/openapi.json"
API_VERSION: Final = "1.0.0"
"""The version of the surface, not of the program: additions raise the second number."""
_DESCRIPTION: Final = (
    "Two faces of one gateway. The vendor API is wire-compatible with the family it comes from: one envelope, its"
    " documented statuses. The native API reads, follows, cancels and explains; its errors are problems (RFC 9457)."
)
_TAGS: Final = (
    ("Vendor API", "The send call and delivery reports, as the vendor documents them."),
    ("Submissions", "Accepted requests, their status, and the dry run."),
    ("Messages", "One destination each: the unit of state."),
    ("Events", "The feed, and warnings."),
    ("Callbacks", "Endpoints, replay, and what is posted to them."),
    ("Templates", "What providers have approved for the channels of the tenant's routes."),
    ("Health", "For machines."),
)
_OPEN: Final = frozenset({"readStatus", "livez", "readyz", "metrics"})
"""Operations without a key."""
_PROBLEM: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Where this problem is explained."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "code": {"type": "string", "description": "Stable; test this, not the texts.", "examples": sorted(KINDS)},
        "request_id": {"type": "string", "description": "As in `X-Request-Id`."},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemField"}},
    },
}
_PROBLEM_FIELD: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["code", "detail"],
    "properties": {
        "pointer": {"type": "string", "description": "JSON pointer into the body."},
        "parameter": {"type": "string", "description": "A parameter of path or query."},
        "header": {"type": "string"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
}


def install(app: FastAPI) -> None:
    """Serve the document of an app, made when it is first asked for."""

    @lru_cache(maxsize=1)
    def body() -> str:
        return dump(document(app))

    async def serve(_: Request) -> Response:
        # Making it takes a tenth of a second, which the requests beside it must not wait for.
        return Response(await run_in_threadpool(body), media_type="application/json")

    app.add_route(PATH, serve, ["GET"], include_in_schema=False)


def dump(described: Mapping[str, Any]) -> str:
    """Write a document as it is checked in."""
    return json.dumps(described, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def document(app: FastAPI) -> dict[str, Any]:
    """Describe an app and the vendor API beside it."""
    described = app.openapi()
    vendor = _data("vendor.json")
    described["info"]["version"] = API_VERSION
    described["info"]["description"] = _DESCRIPTION
    described["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    described["tags"] = [{"name": name, "description": text} for name, text in _TAGS]
    for operations in described["paths"].values():
        for operation in operations.values():
            _complete(operation)
    described["paths"] = {**vendor["paths"], **described["paths"]}
    described["webhooks"] = vendor["webhooks"]
    _join_components(described["components"], vendor["components"])
    _add_examples(described)
    return described


@lru_cache(maxsize=1)
def examples() -> Mapping[str, Any]:
    """Give the examples by operation id: parameters, body, and the answer by status."""
    found: Mapping[str, Any] = _data("examples.json")
    return found


def _data(name: str) -> Any:
    return json.loads(resources.files("loa.api").joinpath("openapi_data", name).read_text("utf-8"))


def _join_components(own: dict[str, Any], vendor: Mapping[str, Mapping[str, Any]]) -> None:
    for kind, entries in vendor.items():
        own[kind] = {**own.get(kind, {}), **entries}
    schemas = own["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    schemas["ProblemField"] = _PROBLEM_FIELD


def _complete(operation: dict[str, Any]) -> None:
    """Say what every operation may answer beside its result."""
    name, responses = operation["operationId"], operation["responses"]
    responses.pop("422", None)
    if name not in _OPEN:
        _may_answer(responses, 401, 403)
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())) or name in {
        "metrics",
        "replayCallbacks",
    }:
        _may_answer(responses, 404)
    if name.startswith("cancel"):
        _may_answer(responses, 409)
    if "requestBody" in operation:
        _may_answer(responses, 413)
    if name not in {"livez", "readyz", "metrics"}:
        _may_answer(responses, 422, 500, 503)
    for answer in responses.values():
        answer.setdefault("headers", {})["X-Request-Id"] = {"$ref": "#/components/headers/RequestId"}


def _may_answer(responses: dict[str, Any], *statuses: int) -> None:
    for status in statuses:
        titles = dict.fromkeys(kind.title.en for kind in KINDS.values() if kind.status == status)
        responses[str(status)] = {
            "description": "; ".join(titles),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        if status == 503:
            responses[str(status)]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "required": True}}


def _add_examples(described: dict[str, Any]) -> None:
    for operations in described["paths"].values():
        for operation in operations.values():
            example = examples()[operation["operationId"]]
            for parameter in operation.get("parameters", ()):
                if parameter.get("name") in example.get("parameters", {}):
                    parameter["example"] = example["parameters"][parameter["name"]]
            if "body" in example:
                operation["requestBody"]["content"]["application/json"]["example"] = example["body"]
            for status, body in example["answers"].items():
                _add_answer(described, operation["responses"], status, body)


def _add_answer(described: Mapping[str, Any], responses: dict[str, Any], status: str, body: Any) -> None:
    answer = responses[status]
    if "$ref" in answer:
        # A shared answer gets its own copy, because the example is this operation's alone.
        shared = described["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        answer = responses[status] = json.loads(json.dumps(shared))
    for content in answer.get("content", {}).values():
        content["example"] = body
