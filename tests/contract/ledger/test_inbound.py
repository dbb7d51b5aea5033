"""Inbound events are stored once, told to their tenant in the feed, and to each endpoint that asked, and forgotten in time."""

import asyncio
from typing import Any

from loa.ports.ledger import Ledger
from loa.ports.records import InboundEvent, NewInbound
from tests.contract.ledger.conftest import Opener
from tests.contract.ledger.values import DAY, EPOCH, MINUTE, NUMBER, keep, no_resend, receipt, sent, tried

SOON = EPOCH + 2_000
LATER = EPOCH + 10 * DAY
USER = -1_867_296_517_606_832
RAW = b'{"event_name":"user_send_text","odd":"\x00\xff"}'


def incoming(key: str = "user_send_text:1", **given: Any) -> NewInbound:
    values: dict[str, Any] = {
        "channel_id": 1,
        "kind": key.partition(":")[0],
        "key": key,
        "subject": USER,
        "tenant_id": 1,
        "body": {"text": 'Xin chào 🙂 "x"', "raw": {"a": [1, None]}},
        "raw": RAW,
        "received_at": EPOCH,
        "at": EPOCH - 5,
    }
    return NewInbound(**{**values, **given})


async def told_of(ledger: Ledger, tenant_id: int = 1, after: int = 0) -> list[InboundEvent]:
    rows = await ledger.events(tenant_id, after, 1_000)
    return [row["inbound"] for row in rows if row["inbound"]]


async def due(ledger: Ledger, now: int = SOON) -> list[Any]:
    return await ledger.claim_due(100, 100, now, now + MINUTE, [])


async def test_an_event_is_read_as_it_came(ledger: Ledger) -> None:
    channel = await ledger.add_channel("oa", "zalo", {})
    assert await ledger.take_inbound([incoming(channel_id=channel.id)]) == 1
    (found,) = await told_of(ledger)
    assert found == InboundEvent(found.id, "user_send_text", "oa", USER, incoming().body, RAW, EPOCH, EPOCH - 5)


async def test_a_repeat_is_stored_and_told_once(open_ledger: Opener) -> None:
    ledger = await open_ledger()
    await ledger.add_endpoint(1, "https://a.example/", "whsec_x", inbound=True)
    twice = [incoming("a:1"), incoming("a:1", received_at=EPOCH + 1)]
    assert await ledger.take_inbound([*twice, incoming("a:2"), incoming("a:1", channel_id=2)]) == 3
    assert await ledger.take_inbound([incoming("a:1", received_at=EPOCH + 2)]) == 0
    await ledger.close()
    again = await open_ledger()
    assert await again.take_inbound([incoming("a:1", received_at=EPOCH + 3), incoming("a:3")]) == 1
    assert len(await told_of(again)) == len(await due(again)) == 4
    await again.close()


async def test_of_calls_that_come_together_one_is_the_first(ledger: Ledger) -> None:
    counts = await asyncio.gather(*(ledger.take_inbound([incoming("a:1"), incoming(f"b:{n}")]) for n in range(20)))
    assert sum(counts) == 21
    assert len(await told_of(ledger)) == 21


async def test_keys_of_any_length_and_text_that_no_ledger_holds_are_taken(ledger: Ledger) -> None:
    odd = incoming("k" * 5_000, kind="nul\0", body={"text": "half \ud83d, nul \0"})
    assert await ledger.take_inbound([odd]) == 1
    assert await ledger.take_inbound([odd, incoming("k" * 5_001)]) == 1
    found, _ = await told_of(ledger)
    assert (found.kind, found.body) == ("nul\ufffd", {"text": "half ?, nul \0"})


async def test_the_feed_has_messages_and_inbound_events_in_the_order_they_were_written(ledger: Ledger) -> None:
    for url in ("https://a.example/", "https://b.example/"):
        await ledger.add_endpoint(1, url, "whsec_x", inbound=True)
    await ledger.take_inbound([incoming("a:1"), incoming("a:2")])
    await sent(ledger, "A1")
    await ledger.store([receipt("A1")])
    await ledger.take_inbound([incoming("a:3")])
    rows = await ledger.events(1, 0, 10)
    kinds = [row["inbound"].body["text"] if row["inbound"] else row["state"] for row in rows]
    assert kinds == ['Xin chào 🙂 "x"', 'Xin chào 🙂 "x"', "delivered", 'Xin chào 🙂 "x"']
    page = await ledger.events(1, rows[1]["id"], 1)
    assert [row["id"] for row in page] == [rows[2]["id"]]
    assert [each.id for each in await told_of(ledger, after=rows[2]["id"])] == [rows[3]["inbound"].id]


async def test_every_endpoint_that_asked_is_owed_one_callback(ledger: Ledger) -> None:
    await ledger.add_endpoint(1, "https://messages.example/", "whsec_m")
    for letter in "ab":
        await ledger.add_endpoint(1, f"https://{letter}.example/", f"whsec_{letter}", inbound=True)
    await ledger.add_endpoint(2, "https://other.example/", "whsec_o", inbound=True)
    await ledger.take_inbound([incoming("a:1"), incoming("a:2", received_at=EPOCH + 1)])
    assert await ledger.next_callback_due() == EPOCH
    found = await due(ledger)
    assert sorted((c.url, c.secrets, c.occurred_at) for c in found) == [
        ("https://a.example/", ("whsec_a",), EPOCH),
        ("https://a.example/", ("whsec_a",), EPOCH + 1),
        ("https://b.example/", ("whsec_b",), EPOCH),
        ("https://b.example/", ("whsec_b",), EPOCH + 1),
    ]
    assert sorted({c.inbound.id for c in found}) == [each.id for each in await told_of(ledger)]
    assert len({c.id for c in found}) == 4
    assert await due(ledger) == []


async def test_callbacks_of_messages_and_of_inbound_events_share_a_claim(ledger: Ledger) -> None:
    endpoint = await ledger.add_endpoint(1, "https://a.example/", "whsec_a", inbound=True)
    await ledger.take_inbound([incoming("a:1")])
    await sent(ledger, "A1", endpoint_id=endpoint.id)
    await ledger.store([receipt("A1", received_at=EPOCH + 1)])
    await ledger.take_inbound([incoming("a:2", received_at=EPOCH + 2)])
    first, message, last = await due(ledger, EPOCH + MINUTE)
    assert (first.inbound.received_at, message.inbound, last.inbound.received_at) == (EPOCH, None, EPOCH + 2)
    assert message.destination == NUMBER


async def test_a_callback_goes_on_until_it_is_taken_and_can_be_asked_for_again(ledger: Ledger) -> None:
    endpoint = await ledger.add_endpoint(1, "https://a.example/", "whsec_a", inbound=True)
    await ledger.take_inbound([incoming()])
    (callback,) = await due(ledger)
    await ledger.record_tries([tried(callback.id, delivered=False, next_at=SOON + 5_000)])
    (again,) = await due(ledger, SOON + 5_000)
    assert (again.id, again.tries, again.inbound) == (callback.id, 1, callback.inbound)
    await ledger.record_tries([tried(callback.id, 2)])
    assert await ledger.next_callback_due() is None
    assert await ledger.replay(2, [callback.id], None, 0, LATER) == 0
    assert await ledger.replay(1, [callback.id], None, 0, LATER) == 1
    (more,) = await due(ledger, LATER)
    await ledger.record_tries([tried(more.id, 3, delivered=False)])
    assert await ledger.replay(1, [], endpoint.id, 0, LATER) == 1
    assert [c.inbound for c in await due(ledger, LATER + MINUTE)] == [callback.inbound]


async def test_callbacks_claimed_by_a_run_that_ended_are_due_at_once(open_ledger: Opener) -> None:
    ledger = await open_ledger()
    await ledger.add_endpoint(1, "https://a.example/", "whsec_a", inbound=True)
    await ledger.take_inbound([incoming()])
    (first,) = await due(ledger)
    await ledger.close()
    again = await open_ledger()
    await again.settle_stale(SOON, no_resend, former=True)
    assert [c.id for c in await due(again)] == [first.id]
    await again.close()


async def test_an_event_is_its_tenant_s_alone_and_one_of_nobody_is_told_to_nobody(ledger: Ledger) -> None:
    for tenant in (1, 2):
        await ledger.add_endpoint(tenant, f"https://{tenant}.example/", "whsec_x", inbound=True)
    assert await ledger.take_inbound([incoming("a:1", tenant_id=2), incoming("a:2", tenant_id=None)]) == 2
    assert await told_of(ledger) == []
    (found,) = await told_of(ledger, 2)
    assert [c.tenant_id for c in await due(ledger)] == [2]
    assert await ledger.take_inbound([incoming("a:2", tenant_id=1)]) == 0
    assert found.kind == "a"


async def test_content_goes_first_then_the_subject_then_the_event(ledger: Ledger) -> None:
    await ledger.add_endpoint(1, "https://a.example/", "whsec_x", inbound=True)
    await ledger.take_inbound([incoming("a:1"), incoming("a:2")])
    (first, second) = await due(ledger)
    await ledger.record_tries([tried(first.id, 1, delivered=False, next_at=LATER), tried(second.id)])
    assert await ledger.purge(100, LATER, keep()) == 0
    assert await ledger.purge(100, LATER, keep(content=DAY)) == 2
    assert [(e.body, e.raw, e.subject) for e in await told_of(ledger)] == [({}, b"", USER)] * 2
    assert await ledger.purge(100, LATER, keep(content=DAY)) == 0
    assert await ledger.purge(100, LATER, keep(content=DAY, numbers=DAY)) == 2
    assert [(e.kind, e.subject) for e in await told_of(ledger)] == [("a", 0)] * 2
    assert await ledger.purge(1_000, LATER, keep(history=DAY)) > 0
    assert await told_of(ledger) == []
    assert await ledger.next_callback_due() is None
    assert await ledger.take_inbound([incoming("a:1", received_at=LATER)]) == 1


async def test_where_numbers_go_sooner_than_content_both_go(ledger: Ledger) -> None:
    await ledger.take_inbound([incoming("a:1"), incoming("a:2", received_at=LATER)])
    await ledger.purge(100, LATER, keep(numbers=DAY))
    assert [(e.body == {}, e.subject) for e in await told_of(ledger)] == [(True, 0), (False, USER)]


async def test_an_old_event_goes_and_younger_ones_and_messages_stay(ledger: Ledger) -> None:
    await ledger.take_inbound([incoming("a:1")])
    await sent(ledger, "A1", now=LATER - MINUTE)
    await ledger.store([receipt("A1", received_at=LATER - MINUTE)])
    await ledger.take_inbound([incoming("a:2", received_at=LATER - MINUTE)])
    await ledger.purge(1_000, LATER, keep(history=DAY))
    rows = await ledger.events(1, 0, 10)
    assert [row["inbound"].kind if row["inbound"] else row["state"] for row in rows] == ["delivered", "a"]
    assert await ledger.take_inbound([incoming("a:2", received_at=LATER)]) == 0
