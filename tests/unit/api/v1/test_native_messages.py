"""Messages over the native API: list, filter, timeline, cancel."""

from urllib.parse import quote

import pytest
from tests.support.history import deliver, hand_over, post_callback
from tests.support.native_api import House

from loa.domain.callback_body import callback_public_id

DAY_S = 86_400


async def listed(house: House, query: str = "") -> list[str]:
    body = (await house.call("GET", f"/api/v1/messages?{query}")).json()
    return [each["destination"][-2:] for each in body["messages"]]


@pytest.fixture
async def three(house: House) -> House:
    """Three messages a minute apart: 01 sent long ago as otp, 02 queued care, 03 queued advertising."""
    await house.send(["0912345601"], type=2, requestId="a")
    await hand_over(house)
    house.clock.advance(60)
    await house.send(["0912345602"], type=0, requestId="b")
    house.clock.advance(60)
    await house.send(["0912345603"], type=1, requestId="c")
    return house


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["03", "02", "01"]),
        ("state=sent", ["01"]),
        ("state=sent,queued", ["03", "02", "01"]),
        ("class=otp", ["01"]),
        ("class=advertising&state=queued", ["03"]),
        ("destination=0912345602", ["02"]),
        ("destination=%2B84912345602", ["02"]),
        ("requestId=c", ["03"]),
        ("sender=LOA", ["03", "02", "01"]),
        ("sender=OTHER", []),
        ("channel=vina&state=queued", ["03", "02"]),
        ("channel=none", []),
        ("since=2026-11-18T11:07:40Z", ["03", "02"]),
        ("since=2026-11-18T18:07:40%2B07:00", ["03", "02"]),
        ("until=2026-11-18T11:07:40Z", ["01"]),
        ("dead=true", []),
        ("dead=false", ["03", "02", "01"]),
    ],
)
async def test_a_filter_gives_what_it_says(three: House, query: str, expected: list[str]) -> None:
    assert await listed(three, query) == expected


async def test_the_link_header_leads_through_the_list_with_its_filters(three: House) -> None:
    seen, target = [], "/api/v1/messages?limit=1&state=sent,queued"
    while target:
        answer = await three.call("GET", target)
        seen += [each["destination"][-2:] for each in answer.json()["messages"]]
        link = answer.headers.get("link", "")
        assert bool(link) == (answer.json()["nextCursor"] is not None)
        target = link.partition("<")[2].partition(">")[0]
    assert seen == ["03", "02", "01"]


async def test_a_list_shows_one_tenants_messages_alone(three: House) -> None:
    answer = await three.call("GET", "/api/v1/messages", key=three.other_key)
    assert answer.json() == {"messages": [], "nextCursor": None}


async def test_a_timeline_tells_the_whole_life(house: House) -> None:
    endpoint = await house.call("POST", "/api/v1/endpoints", {"url": "https://example.com/in", "default": True})
    assert endpoint.status == 201
    sent = await house.send(["0912345678"])
    await hand_over(house)
    await deliver(house)
    callback_id = await post_callback(house, delivered=False, over=False)
    (message_id,) = await house.message_ids(sent["referentId"])
    body = (await house.call("GET", f"/api/v1/messages/{message_id}")).json()
    assert (body["state"], body["text"], body["attemptCount"], body["noReceipt"]) == ("delivered", "hello", 1, False)
    (attempt,) = body["attempts"]
    assert (attempt["number"], attempt["channel"], attempt["outcome"]) == (1, "vina", "accepted")
    assert attempt["doneAt"] == "2026-11-18T11:06:40.040Z"
    assert [(each["number"], each["providerRef"], each["state"]) for each in attempt["segments"]] == [
        (1, "ref-1", "delivered")
    ]
    (receipt,) = body["receipts"]
    assert (receipt["stat"], receipt["state"], receipt["result"], receipt["repeats"]) == (
        "DELIVRD",
        "delivered",
        "applied",
        0,
    )
    assert receipt["raw"]["text"].endswith("text:hello")
    assert bytes.fromhex(receipt["raw"]["hex"]).endswith(b"text:hello")
    (event,) = body["events"]
    assert (event["sequence"], event["state"]) == (1, "delivered")
    (callback,) = body["callbacks"]
    assert (callback["callbackId"], callback["url"]) == (callback_public_id(callback_id), "https://example.com/in")
    assert (callback["result"], callback["doneAt"]) == (None, None)
    (tried,) = callback["tries"]
    assert (tried["number"], tried["status"], tried["error"], tried["excerpt"]) == (1, 503, "status", "no")


async def test_raw_receipts_and_text_are_hidden_without_read_content(house: House) -> None:
    sent = await house.send(["0912345678"])
    await hand_over(house)
    await deliver(house)
    (message_id,) = await house.message_ids(sent["referentId"])
    key = await house.new_key(frozenset({"read:messages"}))
    answer = await house.call("GET", f"/api/v1/messages/{message_id}", key=key)
    assert answer.json()["receipts"][0]["raw"] is None
    assert b"hello" not in answer.body


async def test_bytes_of_a_receipt_are_shown_harmlessly(house: House) -> None:
    sent = await house.send(["0912345678"])
    await hand_over(house)
    await deliver(house, raw=b"\x00\xff<script>\\\x1b[31m\r\n")
    (message_id,) = await house.message_ids(sent["referentId"])
    body = (await house.call("GET", f"/api/v1/messages/{message_id}")).json()
    assert body["receipts"][0]["raw"] == {
        "hex": "00ff3c7363726970743e5c1b5b33316d0d0a",
        "text": "\\x00\\xff<script>\\x5c\\x1b[31m\\x0d\\x0a",
    }


async def test_a_receipt_that_never_came_is_said_a_day_after_the_lifetime(house: House) -> None:
    sent = await house.send(["0912345678"])
    await hand_over(house)
    (message_id,) = await house.message_ids(sent["referentId"])
    house.clock.advance(2 * DAY_S)
    assert (await house.call("GET", f"/api/v1/messages/{message_id}")).json()["noReceipt"] is False
    house.clock.advance(1)
    assert (await house.call("GET", f"/api/v1/messages/{message_id}")).json()["noReceipt"] is True


async def test_one_message_is_cancelled_alone(house: House) -> None:
    sent = await house.send(["0912345678", "0987654321"])
    first, second = await house.message_ids(sent["referentId"])
    assert (await house.call("DELETE", f"/api/v1/messages/{first}")).status == 204
    assert (await house.call("DELETE", f"/api/v1/messages/{first}")).status == 409
    assert (await house.call("GET", f"/api/v1/messages/{second}")).json()["state"] == "queued"


async def test_a_message_that_is_gone_out_cannot_be_cancelled(house: House) -> None:
    sent = await house.send(["0912345678"])
    (message_id,) = await house.message_ids(sent["referentId"])
    await hand_over(house)
    answer = await house.call("DELETE", f"/api/v1/messages/{message_id}")
    assert (answer.status, answer.json()["code"]) == (409, "not_cancellable")
    assert (await house.call("GET", f"/api/v1/messages/{message_id}")).json()["state"] == "sent"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_another_tenants_message_is_not_there(house: House, method: str) -> None:
    sent = await house.send(["0912345678"])
    (message_id,) = await house.message_ids(sent["referentId"])
    assert (await house.call(method, f"/api/v1/messages/{message_id}", key=house.other_key)).status == 404


@pytest.mark.parametrize(
    "message_id", ["1", "msg_", "msg_0001", "msg_l", "msg_ZZZZZZZZZZZZZ", "msg_ZZZ", "%00", "msg_1%2F"]
)
async def test_what_is_no_message_id_is_not_found(house: House, message_id: str) -> None:
    assert (await house.call("GET", f"/api/v1/messages/{quote(message_id, safe='%')}")).status == 404
