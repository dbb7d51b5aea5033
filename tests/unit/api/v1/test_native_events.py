"""The event feed and warnings."""

import json

from tests.support.history import deliver, hand_over
from tests.support.native_api import House

from loa.domain.callback_body import callback_body, inbound_bytes
from loa.ports.records import NewInbound


async def test_the_feed_gives_what_the_callback_posts(house: House) -> None:
    await house.call("POST", "/api/v1/endpoints", {"url": "https://example.com/in", "default": True})
    await house.send(["0912345678"], requestId="order-1", ext={"metadata": {"shop": 4}})
    await hand_over(house)
    await deliver(house)
    now = house.clock.now() + 1_000
    (due,) = await house.ledger.claim_due(1, 1, now, now + 1_000, [])
    (event,) = (await house.call("GET", "/api/v1/events")).json()["events"]
    assert event == json.loads(json.dumps(callback_body(due)))
    assert (event["state"], event["status"], event["metadata"]) == ("delivered", 2, {"shop": 4})


async def test_an_inbound_event_stands_in_the_feed_as_its_callback_posts_it(house: House) -> None:
    await house.call("POST", "/api/v1/endpoints", {"url": "https://example.com/in", "inbound": True})
    now = house.clock.now()
    body = {"text": "chào 👍", "raw": {"a": [1, None]}}
    await house.ledger.take_inbound([NewInbound(1, "user_send_text", "k", -186, house.tenant.id, body, b"{}", now)])
    (due,) = await house.ledger.claim_due(1, 1, now, now + 1_000, [])
    assert due.inbound is not None
    (event,) = (await house.call("GET", "/api/v1/events")).json()["events"]
    assert event == json.loads(inbound_bytes(due.inbound))
    assert (event["type"], event["from"], event["text"]) == ("inbound", "zalo:186", "chào 👍")
    without = await house.new_key(frozenset({"read:messages"}))
    (shown,) = (await house.call("GET", "/api/v1/events", key=without)).json()["events"]
    assert (shown["id"], shown["raw"], "text" in shown) == (event["id"], None, False)


async def test_a_receiver_that_was_away_catches_up_page_by_page(house: House) -> None:
    numbers = [f"09123456{tail:02d}" for tail in range(5)]
    sent = await house.send(numbers)
    await house.call("DELETE", f"/api/v1/submissions/{sent['referentId']}")
    seen, after = [], ""
    for expected in (2, 2, 1, 0, 0):
        target = "/api/v1/events?limit=2" + (f"&after={after}" if after else "")
        body = (await house.call("GET", target)).json()
        assert len(body["events"]) == expected
        seen += [event["msisdn"] for event in body["events"]]
        after = body["nextCursor"]
    assert sorted(seen) == sorted("84" + number[1:] for number in numbers)
    await house.call("DELETE", f"/api/v1/submissions/{(await house.send(['0987654321']))['referentId']}")
    news = (await house.call("GET", f"/api/v1/events?after={after}")).json()["events"]
    assert [event["msisdn"] for event in news] == ["84987654321"]


async def test_the_feed_shows_one_tenants_events_alone(house: House) -> None:
    sent = await house.send()
    await house.call("DELETE", f"/api/v1/submissions/{sent['referentId']}")
    assert (await house.call("GET", "/api/v1/events", key=house.other_key)).json()["events"] == []


async def test_a_cursor_of_another_list_is_refused_by_name(house: House) -> None:
    await house.send(["0912345601", "0912345602"])
    cursor = (await house.call("GET", "/api/v1/messages?limit=1")).json()["nextCursor"]
    for wrong in (cursor, "zz", "ZTA=", "ZS0x", "ZTAx", "%C4%91", "e"):
        answer = await house.call("GET", f"/api/v1/events?after={wrong}")
        assert answer.status == 422, wrong
        assert answer.json()["errors"][0]["parameter"] == "after"
        assert answer.json()["errors"][0]["code"] == "invalid_cursor"


async def test_a_request_id_that_came_with_another_body_is_warned_of(house: House) -> None:
    await house.send(text="one", requestId="order-1")
    await house.send(text="two", requestId="order-1")
    (warning,) = (await house.call("GET", "/api/v1/warnings")).json()["warnings"]
    assert (warning["kind"], warning["detail"]) == ("request_id_reused", "order-1")
    assert (await house.call("GET", "/api/v1/warnings", key=house.other_key)).json() == {"warnings": []}
