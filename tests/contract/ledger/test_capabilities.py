"""What one engine can and another cannot, said once and held to: nothing else may differ."""

from dataclasses import dataclass

import pytest

from loa.errors import LedgerBusy
from loa.ports.ledger import Ledger
from loa.ports.records import MessageFilter, SlotUse
from tests.contract.ledger.conftest import Opener
from tests.contract.ledger.values import DAY, EPOCH, MINUTE, NUMBER, claim, receipt, sent, submission, told


@dataclass(frozen=True)
class Capabilities:
    """`shared`: several processes may have it open at once. `knows_its_disk`: it can say how much room is left."""

    shared: bool
    knows_its_disk: bool


OF_ENGINES = {
    "sqlite": Capabilities(shared=False, knows_its_disk=True),
    "postgres": Capabilities(shared=True, knows_its_disk=False),
}


async def test_an_engine_says_its_name(ledger: Ledger, engine: str) -> None:
    assert ledger.engine == engine


async def test_a_second_process_is_let_in_or_refused_as_the_engine_says(open_ledger: Opener, engine: str) -> None:
    first = await open_ledger()
    if OF_ENGINES[engine].shared:
        second = await open_ledger()
        await second.accept(submission())
        assert len(await claim(first)) == 1
        await second.close()
    else:
        with pytest.raises(LedgerBusy):
            await open_ledger()
    await first.close()


async def test_free_room_is_known_or_not_as_the_engine_says(ledger: Ledger, engine: str) -> None:
    assert (ledger.disk_free() is not None) is OF_ENGINES[engine].knows_its_disk
    assert ledger.writable()
    assert not ledger.failed.is_set()
    await ledger.ping()


async def test_a_process_alone_holds_every_slot(ledger: Ledger) -> None:
    uses = {1: SlotUse(4, 0), 2: SlotUse(1, 1), 7: SlotUse(30, 12)}
    assert await ledger.share(uses) == {1: 4, 2: 1, 7: 30}
    assert await ledger.share({1: SlotUse(6, 4), 2: SlotUse(1, 1)}) == {1: 6, 2: 1}
    assert await ledger.share({1: SlotUse(2, 6)}) == {1: 2}
    assert await ledger.share({}) == {}


async def test_i9_nothing_of_one_tenant_is_shown_to_another_even_by_its_id(ledger: Ledger) -> None:
    """Every call that reads or changes for a tenant, with the ids of another one."""
    endpoint = await ledger.add_endpoint(1, "https://a.example/", "whsec_x", every_step=True)
    attempt = await sent(ledger, "A1", endpoint_id=endpoint.id, request_id="r", fingerprint=b"1")
    await ledger.store([receipt("A1")])
    theirs = submission(request_id="r", fingerprint=b"2", due_at=EPOCH + DAY)
    await ledger.accept(theirs)
    (waiting,) = await ledger.submission_messages(1, theirs.referent_id, 0, 10)
    events = await ledger.events(1, 0, 10)
    assert [event["state"] for event in events] == ["sent", "delivered"]
    assert len(await ledger.warnings(1, 10)) == 1
    assert await ledger.submission(2, theirs.referent_id) is None
    assert await ledger.submission_messages(2, theirs.referent_id, 0, 10) == []
    assert await ledger.message(2, attempt.message_id) is None
    assert await ledger.timeline(2, attempt.message_id) is None
    assert await ledger.messages(2, MessageFilter(), None, 10) == []
    assert await ledger.messages(2, MessageFilter(destination=NUMBER), None, 10) == []
    assert await ledger.events(2, 0, 10) == []
    assert await ledger.events(2, events[0]["id"], 10) == []
    assert await ledger.warnings(2, 10) == []
    assert await ledger.endpoints(2) == []
    assert await ledger.cancel(2, theirs.referent_id, EPOCH) is None
    assert await ledger.cancel_message(2, waiting["id"], EPOCH) is None
    assert await ledger.replay(2, [event["id"] for event in events], endpoint.id, 0, EPOCH) == 0
    assert [row["state"] for row in await ledger.submission_messages(1, theirs.referent_id, 0, 10)] == ["queued"]
    assert await told(ledger) == ["sent", "delivered"]


async def test_equal_things_of_two_tenants_stay_apart(ledger: Ledger) -> None:
    both = {}
    for tenant in (1, 2):
        endpoint = await ledger.add_endpoint(tenant, "https://same.example/", f"whsec_{tenant}")
        one = submission(tenant_id=tenant, request_id="r", fingerprint=b"f", endpoint_id=endpoint.id)
        await ledger.accept(one)
        both[tenant] = (endpoint.id, one.referent_id)
    assert await claim(ledger, EPOCH + 2 * DAY) == []
    due = await ledger.claim_due(10, 10, EPOCH + 2 * DAY, EPOCH + 2 * DAY + MINUTE, [])
    assert {c.tenant_id: (c.endpoint_id, c.referent_id) for c in due} == both
    assert {c.tenant_id: c.secrets for c in due} == {1: ("whsec_1",), 2: ("whsec_2",)}
    for tenant, (_, referent_id) in both.items():
        assert [row["referent_id"] for row in await ledger.messages(tenant, MessageFilter(), None, 10)] == [referent_id]
        assert await told(ledger, tenant) == ["expired"]
