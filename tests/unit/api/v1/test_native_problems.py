"""Problems: every way to fail has one form, in the caller's language."""

import logging
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import structlog
from tests.support.native_api import EVERYTHING, House

from loa.api.problems import FIELD_TEXTS, KINDS
from loa.errors import StorageFull, StorageUnavailable
from loa.observe.log import configure

ROOT = Path(__file__).parents[4]
MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}
CLOSED = [
    ("GET", "/api/v1/submissions/sub_x", "read:messages"),
    ("DELETE", "/api/v1/submissions/sub_x", "send"),
    ("GET", "/api/v1/messages", "read:messages"),
    ("GET", "/api/v1/messages/msg_1", "read:messages"),
    ("DELETE", "/api/v1/messages/msg_1", "send"),
    ("GET", "/api/v1/events", "read:messages"),
    ("GET", "/api/v1/warnings", "read:messages"),
    ("GET", "/api/v1/endpoints", "manage"),
    ("POST", "/api/v1/endpoints", "manage"),
    ("POST", "/api/v1/callbacks/replay", "manage"),
    ("GET", "/api/v1/templates", "read:messages"),
    ("POST", "/api/v1/explain", "send"),
]
OPEN = {"/api/v1/status/{token}", "/livez", "/readyz", "/metrics"}


async def test_every_path_of_the_document_is_either_closed_or_known_to_be_open(house: House) -> None:
    paths = (await house.call("GET", "/openapi.json")).json()["paths"]
    native = {(method.upper(), path) for path, one in paths.items() for method in one if "/vendor/" not in path}
    closed = {(m, p.replace("sub_x", "{referentId}").replace("msg_1", "{messageId}")) for m, p, _ in CLOSED}
    assert native == closed | {("GET", path) for path in OPEN}


@pytest.mark.parametrize(("method", "path", "_permission"), CLOSED)
async def test_no_key_opens_nothing(house: House, method: str, path: str, _permission: str) -> None:
    for key in (None, "nonsense", house.key[:-1] + ("A" if house.key[-1] != "A" else "B")):
        answer = await house.call(method, path, {} if method == "POST" else None, key=key)
        assert answer.status == 401
        assert answer.json()["code"] == "unauthorised"
        assert answer.headers["www-authenticate"].startswith("API-KEY")


@pytest.mark.parametrize(("method", "path", "permission"), CLOSED)
async def test_every_operation_needs_its_permission(house: House, method: str, path: str, permission: str) -> None:
    body = {} if method == "POST" else None
    weak = await house.new_key(EVERYTHING - {permission})
    assert (await house.call(method, path, body, key=weak)).status == 403
    strong = await house.new_key(frozenset({permission}))
    assert (await house.call(method, path, body, key=strong)).status in {200, 404, 422}


@pytest.mark.parametrize("path", ["/api/v1/endpoints", "/api/v1/callbacks/replay", "/api/v1/explain"])
async def test_a_body_is_not_looked_at_before_the_caller_is_known(house: House, path: str) -> None:
    for body in (b"{", b" " * 5_000_000, b"[" * 100_000):
        assert (await house.call("POST", path, body, key=None)).status == 401


async def test_a_key_from_another_network_gets_the_same_answer_as_none(house: House) -> None:
    key = await house.new_key(EVERYTHING, networks=("10.0.0.0/8",))
    outside = await house.call("GET", "/api/v1/messages", key=key, client="192.0.2.1")
    without = await house.call("GET", "/api/v1/messages", key=None)
    assert outside.status == without.status == 401
    assert {**outside.json(), "request_id": ""} == {**without.json(), "request_id": ""}
    assert (await house.call("GET", "/api/v1/messages", key=key, client="10.1.2.3")).status == 200


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("GET", "/api/v1/messages/msg_1", None, 404),
        ("GET", "/nowhere", None, 404),
        ("GET", "/api/v1", None, 404),
        ("GET", "/api/v1/messages/", None, 404),
        ("PATCH", "/api/v1/messages", None, 405),
        ("GET", "/api/v1/messages?limit=501", None, 422),
        ("POST", "/api/v1/endpoints", b"{", 422),
        ("POST", "/api/v1/endpoints", b"[" * 500_000, 422),
        ("POST", "/api/v1/endpoints", b" " * 2_000_000, 413),
        ("POST", "/api/v1/explain", b"\xff\xfe", 422),
        ("POST", "/api/v1/explain", b" " * 5_000_000, 413),
    ],
)
async def test_a_problem_has_all_its_members(
    house: House, method: str, target: str, body: bytes | None, status: int
) -> None:
    answer = await house.call(method, target, body)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() == MEMBERS
    assert problem["status"] == status
    assert problem["instance"] == urlsplit(target).path
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert KINDS[problem["code"]].status == status


async def test_a_wrong_method_names_the_right_one(house: House) -> None:
    answer = await house.call("PATCH", "/api/v1/messages")
    assert answer.headers["allow"] == "GET"
    assert "GET" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "language", "title"),
    [("vi", "vi", "Không tìm thấy"), ("en-GB, vi;q=0.5", "en", "Not found"), ("", "en", "Not found")],
)
async def test_problems_speak_the_callers_language(house: House, asked: str, language: str, title: str) -> None:
    answer = await house.call("GET", "/nowhere", headers={"accept-language": asked} if asked else {})
    assert (answer.headers["content-language"], answer.json()["title"]) == (language, title)


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("limit=0", "limit", "too_small"),
        ("limit=501", "limit", "too_great"),
        ("limit=ten", "limit", "wrong_form"),
        ("limit=9999999999999999999999", "limit", "too_great"),
        ("state=delivred", "state", "wrong_form"),
        ("state=", "state", "wrong_form"),
        ("state=SENT", "state", "wrong_form"),
        ("class=voice", "class", "wrong_form"),
        ("since=yesterday", "since", "wrong_form"),
        ("since=2026-11-18T00:00:00", "since", "wrong_form"),
        ("destination=12", "destination", "wrong_form"),
        ("destination=%F0%9F%98%80", "destination", "wrong_form"),
        ("dead=perhaps", "dead", "wrong_form"),
        ("cursor=x", "cursor", "invalid_cursor"),
        ("status=sent", "status", "unknown_field"),
    ],
)
async def test_a_bad_parameter_is_named(house: House, query: str, parameter: str, code: str) -> None:
    answer = await house.call("GET", f"/api/v1/messages?{query}")
    assert answer.status == 422
    (error,) = answer.json()["errors"]
    assert (error["parameter"], error["code"]) == (parameter, code)
    assert error["detail"]


@pytest.mark.parametrize(
    ("error", "code", "wait"),
    [
        (StorageUnavailable("disk I/O error"), "storage_unavailable", "5"),
        (StorageFull("database or disk is full"), "storage_full", "60"),
        (StorageUnavailable("overloaded", retry_after_s=1), "overloaded", "1"),
    ],
)
async def test_storage_that_cannot_serve_asks_to_come_again(
    house: House, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str, wait: str
) -> None:
    async def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(house.ledger, "warnings", broken)
    answer = await house.call("GET", "/api/v1/warnings")
    assert (answer.status, answer.json()["code"], answer.headers["retry-after"]) == (503, code, wait)


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """Everything that is logged, as JSON lines."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    lines = StringIO()
    configure(json=True, stream=lines)
    yield lines
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


async def test_a_fault_is_answered_as_a_problem_and_says_nothing_of_itself(
    house: House, monkeypatch: pytest.MonkeyPatch, logged: StringIO
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("84912345678")

    monkeypatch.setattr(house.ledger, "warnings", broken)
    answer = await house.call("GET", "/api/v1/warnings")
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() == MEMBERS
    assert problem["code"] == "internal"
    assert answer.headers["x-request-id"] == problem["request_id"]
    assert problem["request_id"] in problem["detail"]
    assert b"84912345678" not in answer.body
    assert problem["request_id"] in logged.getvalue()
    for secret in ("84912345678", house.key):
        assert secret not in logged.getvalue()


async def test_no_answer_may_be_kept_by_a_cache(house: House) -> None:
    for target in ("/api/v1/messages", "/nowhere", "/livez"):
        answer = await house.call("GET", target)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/api/v1/endpoints", "/api/v1/callbacks/replay"])
async def test_broken_json_is_refused_as_a_whole(house: House, path: str) -> None:
    for body in (b"", b"{", b'{"url": 1', b"\xff", b"nul"):
        (error,) = (await house.call("POST", path, body)).json()["errors"]
        assert (error["pointer"], error["code"]) == ("", "body_not_json")


def test_every_problem_has_its_section_in_the_reference() -> None:
    page = (ROOT / "docs/reference/native-api.md").read_text()
    assert set(re.findall(r"^#### ([a-z_]+)$", page, re.MULTILINE)) == set(KINDS)
    assert set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE)) >= set(FIELD_TEXTS)
