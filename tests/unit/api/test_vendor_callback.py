"""Reports of an upstream gateway, in the vendor's own body."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.native_api import House, call
from tests.support.vendor_calls import CALLBACK

from loa.api.auth import Authenticator
from loa.api.boundary import Boundary
from loa.api.vendor import callback, envelope
from loa.api.vendor.callback import ReportCallback
from loa.api.vendor.router import VendorApi
from loa.channels.vendor.provider import PROVIDER
from loa.domain.outcome import Accepted
from loa.domain.receipt import Receipt
from loa.domain.traffic import TrafficClass
from loa.ports.channel import ReceiptSink
from loa.ports.records import Settlement

SEVEN = ["msisdn", "requestId", "sendTime", "responseTimeTelco", "status", "referentId", "retryCount"]


def report(**given: Any) -> dict[str, Any]:
    body = {
        "msisdn": "84912345678",
        "requestId": "r-1",
        "sendTime": "2026-11-18 18:06:40",
        "responseTimeTelco": "2026-11-18 18:06:41",
        "status": 2,
        "referentId": "up-1",
        "retryCount": 0,
    }
    return {**body, **given}


async def post_report(house: House, body: Any, target: str = CALLBACK, **given: Any) -> Any:
    return await house.call("POST", target, body, **given)


async def orphans(house: House) -> int:
    return sum(row["count"] for row in await house.ledger.orphans())


async def test_a_report_is_stored_and_answered_in_the_older_envelope(house: House) -> None:
    answer = await post_report(house, report())
    body = answer.json()
    assert answer.status == 200
    assert list(body) == ["code", "data", "message", "errors", "total_record", "current_page"]
    assert (body["code"], body["data"]) == (200, report())
    assert list(body["data"]) == SEVEN
    assert await orphans(house) == 1


async def test_a_report_moves_the_message_it_speaks_of(house: House) -> None:
    message_id = await _hand_over(house, ref="up-1")
    assert (await post_report(house, report())).status == 200
    message = await house.ledger.message(house.tenant.id, message_id)
    assert message is not None
    assert message["state"] == "delivered"
    assert await orphans(house) == 0


async def _hand_over(house: House, ref: str) -> int:
    """Have a message accepted by the upstream channel."""
    [channel_id] = [each.id for each in await house.ledger.channels() if each.provider == "vendor"]
    await house.send(ext={"channels": ["upstream"]})
    now = house.clock.now()
    [attempt] = await house.ledger.claim(channel_id, [(each, 10) for each in TrafficClass], 10, now, now + 90_000)
    settled = Settlement(attempt.message_id, attempt.number, channel_id, Accepted((ref,)), now)
    assert await house.ledger.record([settled]) == 1
    return attempt.message_id


@pytest.mark.parametrize("status", [2, "2", -2, "-1", 6, 0, 1])
async def test_statuses_come_as_numbers_and_as_numerals(house: House, status: Any) -> None:
    assert (await post_report(house, report(status=status))).status == 200
    assert await orphans(house) == 1


async def test_only_what_identifies_the_message_is_needed(house: House) -> None:
    answer = await post_report(house, {"msisdn": "84912345678", "referentId": "up-1", "status": 2, "errorInfo": "x"})
    assert answer.status == 200
    assert answer.json()["data"]["requestId"] is None


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"msisdn": "84912345678"}, "referentId"),
        (report(msisdn=None), "msisdn"),
        (report(referentId=["x"]), "referentId"),
        (report(status=True), "status"),
        (report(status="delivered"), "body"),
        (report(status=None), "body"),
        (b"[]", "body"),
        (b'{"msisdn":"1","msisdn":"2","referentId":"3","status":2}', "msisdn"),
        (json.dumps(report(requestId="x" * 70_000)).encode(), "body"),
    ],
)
async def test_a_report_that_cannot_be_read_is_400_and_not_stored(house: House, body: Any, where: str) -> None:
    answer = await post_report(house, body)
    assert (answer.status, where in answer.json()["errors"]) == (400, True)
    assert await orphans(house) == 0


async def test_a_key_needs_the_permission_to_report(house: House) -> None:
    sender = await house.new_key(frozenset({"send", "manage", "read:messages"}))
    assert (await post_report(house, report(), key=sender)).status == 403
    assert (await post_report(house, report(), key=None)).status == 401
    assert await orphans(house) == 0


async def test_a_tenant_without_an_upstream_gateway_may_not_report(house: House) -> None:
    for route in await house.ledger.routes():
        await house.ledger.remove_route(route.id)
    await house.registry.refresh()
    answer = await post_report(house, report())
    assert (answer.status, list(answer.json()["errors"])) == (403, ["channel"])


async def test_with_several_upstream_gateways_the_report_names_its_own(house: House) -> None:
    second = await house.ledger.add_channel("second one", "vendor", {})
    await house.ledger.add_route(house.tenant.id, [second.id])
    await house.registry.refresh()
    assert (await post_report(house, report())).status == 400
    assert (await post_report(house, report(), f"{CALLBACK}?channel=none")).status == 403
    assert (await post_report(house, report(), f"{CALLBACK}?x=1&channel=second%20one")).status == 200
    [row] = await house.ledger.orphans()
    assert row["channel"] == "second one"


def deaf(_: Receipt, __: Callable[[bool], None]) -> None:
    """Take a receipt and never say what became of it."""


def failing(_: Receipt, done: Callable[[bool], None]) -> None:
    """Take a receipt that cannot be stored, and say so twice."""
    done(False)
    done(False)


@pytest.mark.parametrize("sink", [deaf, failing])
async def test_a_report_that_is_not_on_disk_is_asked_for_again(
    house: House, monkeypatch: pytest.MonkeyPatch, sink: ReceiptSink
) -> None:
    monkeypatch.setattr(callback, "STORE_WAIT_S", 0.01)
    readers = {"vendor": PROVIDER.read_report}
    handler = ReportCallback(Authenticator(house.registry), house.registry, readers, sink, house.clock)
    app = Boundary(VendorApi({CALLBACK: handler}), envelope.fault)
    headers = {"api-key": house.key, "content-type": "application/json"}
    answer = await call(app, "POST", CALLBACK, headers, json.dumps(report()).encode())
    assert (answer.status, answer.headers["retry-after"], answer.json()["code"]) == (503, "5", 503)
