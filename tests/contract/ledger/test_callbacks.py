"""Callbacks are due until a try is on record as taken, and fair between endpoints."""

from loa.ports.ledger import Ledger
from tests.contract.ledger.conftest import Opener
from tests.contract.ledger.values import EPOCH, MINUTE, NUMBER, claim, no_resend, receipt, sent, submission, tried

SOON = EPOCH + 2_000


async def _delivered(ledger: Ledger, url: str, ref: str, number: int = NUMBER) -> int:
    endpoint = await ledger.add_endpoint(1, url, "whsec_first")
    await sent(ledger, ref, endpoint_id=endpoint.id, numbers=[number], request_id=f"req-{ref}", ext={"metadata": [1]})
    await ledger.store([receipt(ref, destination=number)])
    return endpoint.id


async def test_a_callback_carries_the_message_as_it_stands(ledger: Ledger) -> None:
    await ledger.add_channel("main", "smpp", {})
    await _delivered(ledger, "https://a.example/", "A1")
    (due,) = await ledger.claim_due(10, 10, SOON, SOON + MINUTE, [])
    assert (due.url, due.secrets, due.state.label, due.sequence) == (
        "https://a.example/",
        ("whsec_first",),
        "delivered",
        1,
    )
    assert (due.destination, due.request_id, due.channel, due.metadata) == (NUMBER, "req-A1", "main", [1])
    assert due.sent_at == due.handed_over_at == EPOCH


async def test_a_claimed_callback_comes_back_when_its_time_is_over(ledger: Ledger) -> None:
    await _delivered(ledger, "https://a.example/", "A1")
    (first,) = await ledger.claim_due(10, 10, SOON, SOON + MINUTE, [])
    assert await ledger.claim_due(10, 10, SOON, SOON + MINUTE, []) == []
    (again,) = await ledger.claim_due(10, 10, SOON + MINUTE, SOON + 2 * MINUTE, [])
    assert again.id == first.id


async def test_after_a_restart_claimed_callbacks_are_due_at_once(open_ledger: Opener) -> None:
    ledger = await open_ledger()
    await _delivered(ledger, "https://a.example/", "A1")
    assert await ledger.claim_due(10, 10, SOON, SOON + MINUTE, [])
    await ledger.close()
    again = await open_ledger()
    await again.settle_stale(SOON, no_resend, former=True)
    assert len(await again.claim_due(10, 10, SOON, SOON + MINUTE, [])) == 1
    await again.close()


async def test_tries_are_kept_and_the_next_one_is_due_as_asked(ledger: Ledger) -> None:
    await _delivered(ledger, "https://a.example/", "A1")
    (due,) = await ledger.claim_due(10, 10, SOON, SOON + MINUTE, [])
    failed = tried(due.id, status=500, error="status", excerpt="<oops>", delivered=False, next_at=SOON + 5_000)
    await ledger.record_tries([failed])
    assert await ledger.next_callback_due() == SOON + 5_000
    (second,) = await ledger.claim_due(10, 10, SOON + 5_000, SOON + MINUTE, [])
    assert second.tries == 1
    await ledger.record_tries([tried(due.id, 2)])
    assert await ledger.next_callback_due() is None
    timeline = await ledger.timeline(1, due.message_id)
    assert timeline is not None
    (callback,) = timeline["callbacks"]
    assert callback["result"] == "delivered"
    assert [(t["number"], t["status"], t["excerpt"]) for t in callback["tries"]] == [(1, 500, "<oops>"), (2, 200, "")]


async def test_one_endpoint_s_backlog_does_not_hide_another_s_callback(ledger: Ledger) -> None:
    busy = await ledger.add_endpoint(1, "https://busy.example/", "whsec_x")
    one = submission(numbers=[NUMBER + i for i in range(50)], endpoint_id=busy.id, expires_at=EPOCH + 1)
    await ledger.accept(one)
    await claim(ledger, EPOCH + 1)
    quiet = await _delivered(ledger, "https://quiet.example/", "Q1", NUMBER + 99)
    due = await ledger.claim_due(10, 10, SOON, SOON + MINUTE, [])
    assert quiet in {callback.endpoint_id for callback in due}
    assert len(due) <= 10


async def test_resting_and_disabled_endpoints_are_left_alone(ledger: Ledger) -> None:
    first = await _delivered(ledger, "https://a.example/", "A1")
    second = await _delivered(ledger, "https://b.example/", "B1", NUMBER + 1)
    assert {c.endpoint_id for c in await ledger.claim_due(10, 10, SOON, SOON, [first])} == {second}
    await ledger.set_endpoint_health(second, SOON, SOON, "gone")
    assert {c.endpoint_id for c in await ledger.claim_due(10, 10, SOON, SOON, [])} == {first}
    (row,) = [e for e in await ledger.endpoints(1) if e.id == second]
    assert (row.disabled_at, row.disabled_reason) == (SOON, "gone")


async def test_failed_callbacks_can_be_replayed_by_their_owner_only(ledger: Ledger) -> None:
    endpoint = await _delivered(ledger, "https://a.example/", "A1")
    (due,) = await ledger.claim_due(10, 10, SOON, SOON + MINUTE, [])
    await ledger.record_tries([tried(due.id, delivered=False, status=500, error="status")])
    assert await ledger.replay(2, [due.id], None, 0, SOON) == 0
    assert await ledger.replay(1, [], endpoint, EPOCH, SOON) == 1
    (again,) = await ledger.claim_due(10, 10, SOON, SOON + MINUTE, [])
    assert (again.id, again.tries) == (due.id, 0)


async def test_a_callback_url_of_the_request_wins_and_shares_the_tenant_s_secret(ledger: Ledger) -> None:
    usual = await ledger.add_endpoint(1, "https://usual.example/", "whsec_usual")
    await sent(ledger, "A1", endpoint_id=usual.id, callback_url="https://own.example/cb")
    await ledger.store([receipt("A1")])
    (due,) = await ledger.claim_due(10, 10, SOON, SOON + MINUTE, [])
    assert (due.url, due.secrets) == ("https://own.example/cb", ("whsec_usual",))


async def test_events_after_a_cursor_are_one_tenant_s_in_order(ledger: Ledger) -> None:
    await _delivered(ledger, "https://a.example/", "A1")
    await _delivered(ledger, "https://a.example/", "A2", NUMBER + 1)
    await ledger.accept(submission(tenant_id=2, expires_at=EPOCH + 1))
    await claim(ledger, EPOCH + 1)
    first, second = await ledger.events(1, 0, 10)
    assert first["id"] < second["id"]
    assert (first["state"], first["destination"], first["metadata"]) == ("delivered", NUMBER, [1])
    assert [row["id"] for row in await ledger.events(1, first["id"], 10)] == [second["id"]]
    assert [row["state"] for row in await ledger.events(2, 0, 10)] == ["expired"]
