"""Calls of the vendor API as clients make them, good and hostile."""

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

from loa.ports.records import MessageFilter
from tests.support.native_api import Answer, House

SEND = "/api/vendor/v1/sms/send-message"
CALLBACK = "/api/vendor/v1/sms/callback"


def page_body(**given: Any) -> dict[str, Any]:
    """The body of the vendor's page, with a real number and a known sender in it."""
    body = {
        "destinations": ["84912345678"],
        "from": "LOA",
        "text": "string",
        "scheduled": "2024-12-20T03:33:44.757Z",
        "requestId": "string",
        "useUnicode": 0,
        "type": 0,
        "ext": {},
    }
    return {**body, **given}


async def post(house: House, body: Any, **given: Any) -> Answer:
    """Send a body, JSON or bytes, to the send call."""
    return await house.call("POST", SEND, body, **given)


async def stored(house: House) -> int:
    """Count the messages of both tenants."""
    rows = [await house.ledger.messages(each.id, MessageFilter(), None, 1_000) for each in (house.tenant, house.other)]
    return sum(map(len, rows))


async def stream(
    house: House, chunks: Iterable[bytes] | AsyncIterator[bytes], *, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Send a body in many parts and give status and envelope; the parts are made as they are asked for."""
    sent = {"api-key": house.key, "content-type": "application/json", **(headers or {})}
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": SEND,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 4711),
    }
    source = iter(chunks) if isinstance(chunks, Iterable) else None
    events: list[Any] = []

    async def receive() -> dict[str, Any]:
        try:
            body = next(source) if source is not None else await anext(chunks)  # type: ignore[arg-type]
        except (StopIteration, StopAsyncIteration):
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": body, "more_body": True}

    async def send(event: Any) -> None:
        events.append(event)

    await house.app(scope, receive, send)
    return events[0]["status"], json.loads(events[1]["body"])
