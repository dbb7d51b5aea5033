"""The edge of a face, and which face a path belongs to."""

import io
import json
from typing import Any

import pytest
from tests.support.native_api import House, call

from loa.api.boundary import Boundary, answer
from loa.api.texts import Language
from loa.api.vendor import envelope

CANARY = "loa_live_canary"


async def works(_scope: Any, _receive: Any, send: Any) -> None:
    await answer(send, 200, b"ok", [])


async def fails(_scope: Any, _receive: Any, _send: Any) -> None:
    raise LookupError(CANARY)


async def fails_late(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise LookupError(CANARY)


async def test_each_request_gets_an_id_of_its_own_on_its_answer() -> None:
    app = Boundary(works, envelope.fault)
    ids = {(await call(app, "GET", "/", {"x-request-id": "mine"}, b"")).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(each.startswith("req_") for each in ids)


@pytest.mark.parametrize(("asked", "language"), [({}, "vi"), ({"accept-language": "en"}, "en")])
async def test_a_fault_is_answered_in_the_callers_language(asked: dict[str, str], language: str) -> None:
    app = Boundary(fails, envelope.fault, Language.VIETNAMESE)
    failed = await call(app, "GET", "/", asked, b"")
    assert (failed.status, failed.headers["content-language"]) == (500, language)
    assert failed.headers["x-request-id"] in failed.json()["message"]
    assert CANARY not in failed.body.decode()


async def test_a_fault_is_logged_with_its_place_and_without_what_was_asked(log_lines: io.StringIO) -> None:
    await call(Boundary(fails, envelope.fault), "GET", "/api/v1/status/secret-token?key=1", {"api-key": CANARY}, b"")
    [line] = log_lines.getvalue().splitlines()
    written = json.loads(line)
    assert (written["error_type"], written["path"]) == ("builtins.LookupError", "/api/v1/status")
    assert any("test_boundary.py" in place for place in written["trace"])
    assert CANARY not in line
    assert "secret-token" not in line


async def test_an_answer_that_has_begun_is_broken_off() -> None:
    with pytest.raises(LookupError):
        await call(Boundary(fails_late, envelope.fault), "GET", "/", {}, b"")


async def test_what_is_not_http_passes_through() -> None:
    seen: list[str] = []

    async def inner(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    app: Any = Boundary(inner, envelope.fault)
    await app({"type": "lifespan"}, None, None)
    assert seen == ["lifespan"]


async def test_each_path_is_answered_by_its_own_face(house: House) -> None:
    vendor = await house.call("GET", "/api/vendor/nothing")
    native = await house.call("GET", "/api/vendored")
    assert (vendor.status, vendor.json()["code"]) == (404, 404)
    assert (native.status, native.headers["content-type"]) == (404, "application/problem+json")
    assert (await house.call("GET", "/livez", key=None)).status == 200
