"""Lists of callbacks: by endpoint, result, message and time, page after page; and one callback as it is posted."""

from typing import Any

from loa.domain.callback_body import callback_body
from loa.ledger import delivering
from loa.ports.ledger import Ledger
from loa.ports.records import CallbackFilter
from tests.contract.ledger.test_inbound import incoming
from tests.contract.ledger.values import DAY, EPOCH, MINUTE, NUMBER, receipt, sent, tried

SOON = EPOCH + 2_000
URL = "https://a.example/"


async def owed(ledger: Ledger, count: int, url: str = URL, *, at: int = EPOCH, number: int = NUMBER) -> list[int]:
    """Have callbacks owed, one for each of some messages; give their ids, oldest first."""
    endpoint = await ledger.add_endpoint(1, url, "whsec_first")
    for each in range(count):
        ref = f"{url}-{number + each}"
        await sent(ledger, ref, now=at, endpoint_id=endpoint.id, numbers=[number + each], request_id=ref)
        await ledger.store([receipt(ref, destination=number + each, received_at=at)])
    found = await listed(ledger, endpoint_id=endpoint.id)
    return sorted(row["id"] for row in found)[-count:]


async def listed(ledger: Ledger, limit: int = 100, tenant_id: int = 1, **wanted: Any) -> list[dict[str, Any]]:
    """Read every page."""
    rows: list[Any] = []
    further = None
    while True:
        page = await ledger.callbacks(tenant_id, CallbackFilter(**wanted), further, limit)
        assert len(page.rows) <= limit
        rows += page.rows
        further = page.further
        if further is None:
            return rows


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return [row["id"] for row in rows]


async def failed(ledger: Ledger, *numbers: int, status: int = 500) -> None:
    tries = [tried(each, at=SOON, status=status, error="status", excerpt="<oops>", delivered=False) for each in numbers]
    await ledger.record_tries(tries)


async def test_callbacks_are_listed_newest_first_by_result_and_endpoint_page_after_page(ledger: Ledger) -> None:
    first, second, third, fourth, fifth = await owed(ledger, 5)
    (other,) = await owed(ledger, 1, "https://b.example/", number=NUMBER + 50)
    await ledger.record_tries([tried(second)])
    await failed(ledger, first, fourth)
    assert ids(await listed(ledger, 2)) == [other, fifth, fourth, third, second, first]
    assert ids(await listed(ledger, 1, result="delivered")) == [second]
    assert ids(await listed(ledger, 1, result="failed")) == [fourth, first]
    assert ids(await listed(ledger, 2, result="due")) == [third, fifth, other]
    endpoint = (await listed(ledger, result="delivered"))[0]["endpoint_id"]
    assert ids(await listed(ledger, 2, endpoint_id=endpoint)) == [fifth, fourth, third, second, first]
    assert ids(await listed(ledger, endpoint_id=endpoint, result="due")) == [third, fifth]
    assert ids(await listed(ledger, endpoint_id=endpoint + 1, result="failed")) == []
    assert await listed(ledger, tenant_id=2) == await listed(ledger, tenant_id=2, result="due") == []


async def test_a_row_says_how_the_callback_stands_and_what_its_latest_try_was(ledger: Ledger) -> None:
    (number,) = await owed(ledger, 1)
    await ledger.record_tries([tried(number, at=SOON, status=503, error="status", delivered=False, next_at=SOON + 9)])
    (row,) = await listed(ledger)
    assert (row["state"], row["result"], row["due_at"], row["tries_made"], row["sequence"]) == (
        *("delivered", "due", SOON + 9),
        *(1, 1),
    )
    assert row["last"] == {"number": 1, "at": SOON, "status": 503, "error": "status", "elapsed_ms": 3}
    await ledger.record_tries([tried(number, 2, at=SOON + 9)])
    (row,) = await listed(ledger)
    assert (row["result"], row["due_at"], row["done_at"], row["tries_made"]) == ("delivered", None, SOON + 9, 2)


async def test_after_a_replay_the_latest_try_is_the_latest_in_time(ledger: Ledger) -> None:
    (number,) = await owed(ledger, 1)
    await ledger.record_tries([tried(number, n, at=SOON + n, status=500, delivered=False) for n in (1, 2, 3)])
    await ledger.replay(1, [number], None, 0, SOON + 60)
    await ledger.record_tries([tried(number, 1, at=SOON + 61)])
    (row,) = await listed(ledger)
    assert (row["result"], row["last"]["status"]) == ("delivered", 200)
    read = await ledger.callback(1, number)
    assert read is not None
    assert [each["at"] - SOON for each in read["tries"]] == [2, 3, 61]


async def test_callbacks_are_found_by_their_message(ledger: Ledger) -> None:
    first, second = await owed(ledger, 2)
    rows = {row["id"]: row for row in await listed(ledger)}
    message = rows[first]["message_id"]
    assert ids(await listed(ledger, message_id=message)) == [first]
    assert ids(await listed(ledger, message_id=message, result="failed")) == []
    assert ids(await listed(ledger, message_id=rows[second]["message_id"], result="due")) == [second]
    assert await listed(ledger, tenant_id=2, message_id=message) == []


async def test_callbacks_are_found_by_their_time(ledger: Ledger) -> None:
    old = await owed(ledger, 2)
    new = await owed(ledger, 2, at=EPOCH + DAY, number=NUMBER + 10)
    newest = await owed(ledger, 1, at=EPOCH + DAY + 2 * 60 * MINUTE, number=NUMBER + 20)
    assert ids(await listed(ledger, until=EPOCH + MINUTE)) == old[::-1]
    assert ids(await listed(ledger, since=EPOCH + 1)) == [*newest, *new[::-1]]
    assert ids(await listed(ledger, since=EPOCH + 1, until=EPOCH + DAY + 1)) == new[::-1]
    await failed(ledger, *old, *new)
    assert ids(await listed(ledger, 1, result="failed", since=EPOCH + 1)) == new[::-1]
    assert ids(await listed(ledger, 1, result="failed", until=EPOCH + 1)) == old[::-1]


async def test_a_page_looks_through_no_more_than_it_may_and_goes_on(ledger: Ledger, monkeypatch: Any) -> None:
    numbers = await owed(ledger, 6)
    await ledger.record_tries([tried(numbers[0])])
    for engine in ("sqlite", "postgres"):
        monkeypatch.setattr(f"loa.ledger.{engine}.deliveries.LOOK", 2)
    page = await ledger.callbacks(1, CallbackFilter(result="delivered"), None, 10)
    assert (page.rows, page.further) == ([], (0, numbers[4]))
    assert ids(await listed(ledger, result="delivered")) == [numbers[0]]
    assert delivering.LOOK == 2_000


async def test_one_callback_is_read_as_it_was_posted(ledger: Ledger) -> None:
    (number,) = await owed(ledger, 1)
    (due,) = await ledger.claim_due(10, 10, SOON, SOON + MINUTE, [])
    await ledger.record_tries([tried(number, at=SOON)])
    read = await ledger.callback(1, number)
    assert read is not None
    told = read["told"]
    assert (told.url, told.secrets, told.id) == (due.url, due.secrets, due.id)
    assert callback_body(told) == callback_body(due)
    assert [(each["number"], each["at"], each["status"]) for each in read["tries"]] == [(1, SOON, 200)]
    assert await ledger.callback(2, number) is None
    assert await ledger.callback(1, number + 1) is None


async def test_a_callback_that_tells_of_an_inbound_event_is_read_too(ledger: Ledger) -> None:
    await ledger.add_endpoint(1, URL, "whsec_first", inbound=True)
    await ledger.take_inbound([incoming()])
    (due,) = await ledger.claim_due(10, 10, SOON, SOON + MINUTE, [])
    (row,) = await listed(ledger)
    assert (row["state"], row["result"]) == ("", "due")
    read = await ledger.callback(1, due.id)
    assert read is not None
    assert read["told"].inbound == due.inbound


async def test_failed_callbacks_are_counted_up_to_a_limit(ledger: Ledger) -> None:
    numbers = await owed(ledger, 3)
    await failed(ledger, *numbers)
    endpoint = (await listed(ledger))[0]["endpoint_id"]
    assert await ledger.count_failed(1, endpoint, 0, 100) == 3
    assert await ledger.count_failed(1, endpoint, 0, 2) == 2
    assert await ledger.count_failed(1, endpoint, EPOCH + 1, 100) == 0
    assert await ledger.count_failed(2, endpoint, 0, 100) == 0


async def test_flags_and_secrets_of_an_endpoint_change_alone(ledger: Ledger) -> None:
    made = await ledger.add_endpoint(1, URL, "whsec_first")
    assert await ledger.change_endpoint(made.id + 1, every_step=True) is None
    changed = await ledger.change_endpoint(made.id, every_step=True)
    assert changed is not None
    assert (changed.every_step, changed.inbound, changed.secrets) == (True, False, ("whsec_first",))
    before = await ledger.revision()
    changed = await ledger.change_endpoint(made.id, inbound=True, secrets=["whsec_second", "whsec_first"])
    assert [changed] == await ledger.endpoints(1)
    assert changed is not None
    assert (changed.every_step, changed.inbound, changed.secrets) == (True, True, ("whsec_second", "whsec_first"))
    assert await ledger.revision() > before
