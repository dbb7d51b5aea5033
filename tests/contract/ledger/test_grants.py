"""The custody of grants: one right to renew at a time, a late holder changes nothing, no token lies open."""

import asyncio
from dataclasses import replace

import pytest

from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.grants import Consent, Grant, Renewal, Tokens
from loa.ports.ledger import Ledger
from tests.contract.ledger.conftest import Opener
from tests.support.fakes import EPOCH

LONG = 120_000
FIRST = Tokens("access-1", "refresh-1", EPOCH + 90_000_000, EPOCH + 7_776_000_000)
SECOND = Tokens("access-2", "refresh-2", EPOCH + 180_000_000)
THIRD = Tokens("access-3", "refresh-3", EPOCH + 270_000_000)
ASKED = Consent(3, "state-1", "verifier-1", "https://loa.example/v1/consent/callback", EPOCH, EPOCH + 600_000)


async def begin(ledger: Ledger, ms: int = LONG) -> Renewal:
    renewal = await ledger.begin_renewal(3, EPOCH, EPOCH + ms)
    assert renewal is not None
    return renewal


async def kept(ledger: Ledger) -> Grant:
    grant = await ledger.grant(3)
    assert grant is not None
    return grant


async def raw(ledger: Ledger) -> str:
    """Read the tables as they lie there."""
    queries = [f"SELECT * FROM {table}" for table in ("channel_grant", "consent")]
    if isinstance(ledger, SqliteLedger):
        return str([await ledger._readers.read(lambda c, q=query: c.execute(q).fetchall()) for query in queries])
    assert isinstance(ledger, PostgresLedger)
    return str([await ledger._readers.read(lambda c, q=query: c.fetch(q)) for query in queries])


@pytest.fixture(autouse=True)
async def granted(ledger: Ledger) -> None:
    assert await ledger.keep(3, FIRST, EPOCH)


async def test_a_grant_is_read_as_it_was_kept(ledger: Ledger) -> None:
    assert await ledger.grant(3) == Grant(3, FIRST, EPOCH, 1)
    assert await ledger.grant(4) is None
    await ledger.keep(4, SECOND, EPOCH + 1)
    assert await ledger.grants() == [Grant(3, FIRST, EPOCH, 1), Grant(4, SECOND, EPOCH + 1, 1)]


async def test_it_is_there_after_a_restart(ledger: Ledger, open_ledger: Opener) -> None:
    await ledger.mark_spent(await begin(ledger), EPOCH + 1)
    await ledger.ask_consent(ASKED)
    await ledger.close()
    again = await open_ledger()
    try:
        assert await again.grant(3) == Grant(3, FIRST, EPOCH, 1, spent_at=EPOCH + 1)
        assert await again.begin_renewal(3, EPOCH + 2, EPOCH + LONG + 2) is None, "the right outlives its holder"
        assert await again.take_consent("state-1", EPOCH + 2) == ASKED
    finally:
        await again.close()


async def test_nothing_of_it_lies_open(ledger: Ledger) -> None:
    await ledger.ask_consent(ASKED)
    await ledger.keep(3, SECOND, EPOCH, await begin(ledger))
    seen = await raw(ledger)
    assert ASKED.redirect_uri in seen
    for secret in ("access-", "refresh-", "verifier-1", "state-1"):
        assert secret not in seen, secret


async def test_a_grant_moves_no_revision(ledger: Ledger) -> None:
    before = await ledger.revision()
    await ledger.keep(3, SECOND, EPOCH, await begin(ledger))
    await ledger.need_consent(3, "refused")
    assert await ledger.revision() == before


async def test_one_holder_at_a_time(ledger: Ledger) -> None:
    begun = await asyncio.gather(*(ledger.begin_renewal(3, EPOCH, EPOCH + LONG) for _ in range(5)))
    assert sum(each is not None for each in begun) == 1
    (renewal,) = [each for each in begun if each is not None]
    assert renewal.grant == Grant(3, FIRST, EPOCH, 1)
    await ledger.end_renewal(renewal)
    assert (await begin(ledger)).fence > renewal.fence
    assert await ledger.begin_renewal(9, EPOCH, EPOCH + LONG) is None, "there is no such grant"


async def test_the_token_is_marked_before_it_is_sent_and_only_by_the_holder(ledger: Ledger) -> None:
    renewal = await begin(ledger)
    assert await ledger.mark_spent(renewal, EPOCH + 1)
    assert (await kept(ledger)).spent_at == EPOCH + 1
    assert not await ledger.mark_spent(renewal, EPOCH + 2), "once"
    assert await ledger.mark_unspent(renewal)
    assert (await kept(ledger)).spent_at is None
    assert await ledger.mark_spent(renewal, EPOCH + 3)
    await ledger.end_renewal(renewal)
    assert (await begin(ledger)).grant.spent_at == EPOCH + 3, "who comes next sees it"


async def test_a_holder_whose_time_is_over_may_not_send(ledger: Ledger) -> None:
    over = await begin(ledger, 0)
    assert not await ledger.mark_spent(over, EPOCH)
    assert (await kept(ledger)).spent_at is None


async def test_a_late_holder_changes_nothing(ledger: Ledger) -> None:
    late = await begin(ledger, 0)
    holder = await begin(ledger)
    assert await ledger.mark_spent(holder, EPOCH + 1)
    assert not await ledger.mark_spent(late, EPOCH + 2)
    assert not await ledger.mark_unspent(late)
    assert not await ledger.need_consent(3, "late", late)
    await ledger.end_renewal(late)
    assert await kept(ledger) == Grant(3, FIRST, EPOCH, 1, spent_at=EPOCH + 1)
    assert await ledger.begin_renewal(3, EPOCH, EPOCH + LONG) is None, "the right is still held"
    assert await ledger.keep(3, SECOND, EPOCH + 5, holder)
    assert not await ledger.keep(3, THIRD, EPOCH + 6, late)
    assert await kept(ledger) == Grant(3, SECOND, EPOCH + 5, 2)


async def test_a_pair_that_comes_late_is_kept_where_no_newer_one_is(ledger: Ledger) -> None:
    late = await begin(ledger, 0)
    await ledger.need_consent(3, "interrupted", await begin(ledger))
    assert await ledger.keep(3, SECOND, EPOCH + 5, late)
    assert await kept(ledger) == Grant(3, SECOND, EPOCH + 5, 2)


async def test_a_new_pair_ends_the_renewal_and_all_that_was_said_of_the_old_one(ledger: Ledger) -> None:
    renewal = await begin(ledger)
    await ledger.mark_spent(renewal, EPOCH + 1)
    assert await ledger.need_consent(3, "silence", renewal)
    assert await kept(ledger) == Grant(3, FIRST, EPOCH, 1, EPOCH + 1, "silence")
    assert await ledger.keep(3, SECOND, EPOCH + 2, renewal)
    assert await kept(ledger) == Grant(3, SECOND, EPOCH + 2, 2)
    await begin(ledger)


async def test_a_fresh_consent_is_kept_whoever_renews_and_what_they_bring_is_old(ledger: Ledger) -> None:
    renewal = await begin(ledger)
    await ledger.mark_spent(renewal, EPOCH + 1)
    await ledger.need_consent(3, "silence", renewal)
    assert await ledger.keep(3, THIRD, EPOCH + 2)
    assert not await ledger.keep(3, SECOND, EPOCH + 3, renewal)
    assert not await ledger.mark_spent(renewal, EPOCH + 3)
    assert await kept(ledger) == Grant(3, THIRD, EPOCH + 2, 2)


async def test_anybody_may_say_that_a_person_is_needed(ledger: Ledger) -> None:
    renewal = await begin(ledger)
    assert await ledger.need_consent(3, "revoked")
    assert (await kept(ledger)).consent_needed == "revoked"
    assert (await begin(ledger)).fence > renewal.fence
    assert not await ledger.need_consent(9, "revoked")


@pytest.mark.parametrize("half", [replace(SECOND, access_token=""), replace(SECOND, refresh_token="")])
async def test_half_a_pair_replaces_nothing(ledger: Ledger, half: Tokens) -> None:
    renewal = await begin(ledger)
    for given in (None, renewal):
        with pytest.raises(ValueError, match="half a pair"):
            await ledger.keep(3, half, EPOCH, given)
    assert (await kept(ledger)).tokens == FIRST


async def test_a_right_taken_before_the_clock_was_set_back_is_over(ledger: Ledger) -> None:
    ahead = await ledger.begin_renewal(3, EPOCH, EPOCH + 3 * LONG)
    assert ahead is not None
    assert (await begin(ledger)).fence > ahead.fence


async def test_a_consent_is_taken_once_and_in_time(ledger: Ledger) -> None:
    await ledger.ask_consent(ASKED)
    assert await ledger.take_consent("state-2", EPOCH) is None
    taken = await asyncio.gather(*(ledger.take_consent("state-1", EPOCH + 1) for _ in range(5)))
    assert [each for each in taken if each is not None] == [ASKED]
    await ledger.ask_consent(ASKED)
    assert await ledger.take_consent("state-1", ASKED.expires_at) is None
    assert await ledger.take_consent("state-1", EPOCH) is None, "late ones are gone too"


async def test_consents_that_nobody_gave_are_forgotten(ledger: Ledger) -> None:
    await ledger.ask_consent(ASKED)
    await ledger.ask_consent(replace(ASKED, state="state-2", asked_at=ASKED.expires_at, expires_at=EPOCH + LONG * 10))
    assert await ledger.take_consent("state-1", EPOCH) is None


async def test_a_restored_ledger_spends_no_token_that_the_original_may_have_spent(ledger: Ledger) -> None:
    await ledger.hold(100, EPOCH + 7)
    assert await kept(ledger) == Grant(3, FIRST, EPOCH, 1, spent_at=EPOCH + 7)
