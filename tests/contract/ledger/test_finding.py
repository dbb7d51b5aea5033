"""Lists of messages: what is found is the same however far one look reaches, and spans of time are found by bisection."""

from collections.abc import AsyncIterator

import pytest

from loa.domain.lifecycle import State
from loa.ledger import reading
from loa.ports.ledger import Ledger
from loa.ports.records import MessageFilter, Row
from tests.contract.ledger.conftest import Opener
from tests.contract.ledger.values import MINUTE, NUMBER, OTP, TRANSACTIONAL, submission
from tests.support.fakes import EPOCH

EVERY = MessageFilter()


@pytest.fixture
async def ledger(open_ledger: Opener) -> AsyncIterator[Ledger]:
    """Twenty submissions of two tenants in turns, of one to three messages, a quarter of an hour apart, some cancelled."""
    opened = await open_ledger()
    for number in range(20):
        new = submission(
            numbers=[NUMBER + 10 * number + each for each in range(1 + number % 3)],
            tenant_id=1 + number % 2,
            at=EPOCH - 20 * 15 * MINUTE + number * 15 * MINUTE,
            sender=f"S{number % 4}",
            traffic_class=OTP if number % 5 == 0 else TRANSACTIONAL,
        )
        await opened.accept(new)
        if number % 3 == 0:
            await opened.cancel(new.tenant_id, new.referent_id, EPOCH)
    yield opened
    await opened.close()


async def all_of(ledger: Ledger, wanted: MessageFilter, reach: int, limit: int = 3) -> list[Row]:
    """Turn page after page, and search further back, to the end."""
    found: list[Row] = []
    before = None
    for _ in range(100):
        page = await ledger.find_messages(1, wanted, before, limit, reach)
        found += page.rows
        if page.further is None and len(page.rows) < limit:
            return found
        before = page.further if page.further is not None else page.rows[-1]["id"]
    raise AssertionError("it does not end")


WANTED = {
    "all": EVERY,
    "state": MessageFilter(states=(State.CANCELLED,)),
    "class": MessageFilter(traffic_class=OTP),
    "sender": MessageFilter(sender="S2"),
    "nothing": MessageFilter(sender="nobody"),
    "error": MessageFilter(error="none such"),
    "destination": MessageFilter(destination=NUMBER + 40),
    "dead": MessageFilter(dead=True),
    "since": MessageFilter(since=EPOCH - 2 * 60 * MINUTE),
    "until": MessageFilter(states=(State.CANCELLED,), until=EPOCH - 2 * 60 * MINUTE),
    "span": MessageFilter(sender="S0", since=EPOCH - 4 * 60 * MINUTE, until=EPOCH - 60 * MINUTE),
}


@pytest.mark.parametrize("name", WANTED)
@pytest.mark.parametrize("bisected", [False, True])
async def test_all_that_match_are_found_in_order_and_once(
    ledger: Ledger, name: str, bisected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = WANTED[name]
    whole = await ledger.messages(1, EVERY, None, 100)
    expected = [
        row["id"]
        for row in whole
        if (not wanted.states or row["state"] in {state.label for state in wanted.states})
        and (wanted.traffic_class is None or row["class"] == wanted.traffic_class.label)
        and wanted.sender in {"", row["sender"]}
        and wanted.error in {"", row["error"]}
        and wanted.destination in {None, row["destination"]}
        and wanted.dead in {None, row["dead"]}
        and (wanted.since is None or row["accepted_at"] >= wanted.since)
        and (wanted.until is None or row["accepted_at"] < wanted.until)
    ]
    monkeypatch.setattr(reading, "DISORDER_MS", 0)
    monkeypatch.setattr(reading, "BISECT_FROM", 1 if bisected else 10_000)
    assert [row["id"] for row in await ledger.messages(1, wanted, None, 100)] == expected
    for reach in (1, 4, 1_000):
        assert [row["id"] for row in await all_of(ledger, wanted, reach)] == expected


async def test_the_last_event_is_where_a_feed_goes_on(ledger: Ledger) -> None:
    assert await ledger.last_event(9) == 0
    events = await ledger.events(1, 0, 100)
    last = await ledger.last_event(1)
    assert last == events[-1]["id"]
    new = submission()
    await ledger.accept(new)
    await ledger.cancel(1, new.referent_id, EPOCH)
    assert [row["state"] for row in await ledger.events(1, last, 100)] == ["cancelled"]


async def test_a_look_ends_where_its_reach_ends(ledger: Ledger) -> None:
    found = await ledger.find_messages(1, MessageFilter(sender="nobody"), None, 50, 5)
    newest = [row["id"] for row in await ledger.messages(1, EVERY, None, 100)]
    assert not found.rows
    assert found.further in newest[4:8]
