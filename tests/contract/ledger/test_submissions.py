"""Accepting, recognising repeats, cancelling."""

import asyncio

import pytest

from loa.errors import LoaError
from loa.ports.ledger import Ledger
from loa.ports.records import Clash, MessageFilter, Repeat, Stored
from tests.contract.ledger.conftest import Opener
from tests.contract.ledger.values import ADVERTISING, DAY, EPOCH, NUMBER, OTP, claim, state_of, submission, told

KEEP = DAY


async def test_what_was_accepted_is_there_after_closing_and_opening(open_ledger: Opener) -> None:
    ledger = await open_ledger()
    wanted = submission(numbers=[NUMBER + i for i in range(250)], ext={"metadata": {"a": [1, "đ"]}}, answer={"x": 1})
    await ledger.accept(wanted)
    await ledger.close()

    again = await open_ledger()
    row = await again.submission(1, wanted.referent_id)
    assert row is not None
    assert (row["text"], row["message_count"], row["ext"], row["answer"]) == (
        wanted.text,
        250,
        {"metadata": {"a": [1, "đ"]}},
        {"x": 1},
    )
    messages = await again.submission_messages(1, wanted.referent_id, 0, 500)
    assert sorted(m["destination"] for m in messages) == [NUMBER + i for i in range(250)]
    assert {m["state"] for m in messages} == {"queued"}
    await again.close()


async def test_many_callers_at_once_all_get_their_own_answer(ledger: Ledger) -> None:
    wanted = [submission(numbers=[NUMBER + i]) for i in range(300)]
    results = await asyncio.gather(*(ledger.accept(one) for one in wanted))
    assert set(results) == {Stored()}
    for one in wanted[::37]:
        assert await ledger.submission(1, one.referent_id) is not None


async def test_the_same_id_and_body_is_the_same_submission(ledger: Ledger) -> None:
    first = submission(request_id="r-1", fingerprint=b"\x01" * 16, answer={"skipped": 2})
    assert await ledger.accept(first) == Stored()
    again = await ledger.accept(submission(request_id="r-1", fingerprint=b"\x01" * 16))
    assert again == Repeat(first.referent_id, first.token, {"skipped": 2})
    assert len(await claim(ledger)) == 1


async def test_repeats_within_one_commit_are_recognised(ledger: Ledger) -> None:
    wanted = [submission(request_id="r-1", fingerprint=b"\x07" * 16) for _ in range(40)]
    results = await asyncio.gather(*(ledger.accept(one) for one in wanted))
    assert sum(isinstance(one, Stored) for one in results) == 1
    assert len({one.referent_id for one in results if isinstance(one, Repeat)}) == 1
    assert len(await claim(ledger)) == 1


async def test_the_same_id_with_another_body_is_new_and_warned_of(ledger: Ledger) -> None:
    await ledger.accept(submission(request_id="r-1", fingerprint=b"\x01" * 16))
    other = submission(request_id="r-1", fingerprint=b"\x02" * 16)
    assert await ledger.accept(other) == Stored(reused_request_id=True)
    (warning,) = await ledger.warnings(1, 10)
    assert (warning["kind"], warning["detail"]) == ("request_id_reused", "r-1")
    assert isinstance(await ledger.accept(submission(request_id="r-1", fingerprint=b"\x02" * 16)), Repeat)


async def test_strict_mode_refuses_another_body_and_stores_nothing(ledger: Ledger) -> None:
    await ledger.accept(submission(request_id="r-1", fingerprint=b"\x01" * 16))
    refused = submission(request_id="r-1", fingerprint=b"\x02" * 16, strict=True)
    assert await ledger.accept(refused) == Clash()
    assert await ledger.submission(1, refused.referent_id) is None


async def test_an_id_is_free_again_after_a_day_and_never_shared_between_tenants(ledger: Ledger) -> None:
    await ledger.accept(submission(request_id="r-1", fingerprint=b"\x01" * 16))
    other_tenant = submission(tenant_id=2, request_id="r-1", fingerprint=b"\x01" * 16)
    assert await ledger.accept(other_tenant) == Stored()
    next_day = submission(at=EPOCH + KEEP + 1, request_id="r-1", fingerprint=b"\x01" * 16)
    assert await ledger.accept(next_day) == Stored()
    repeat = await ledger.accept(submission(at=EPOCH + KEEP + 2, request_id="r-1", fingerprint=b"\x01" * 16))
    assert isinstance(repeat, Repeat)
    assert repeat.referent_id == next_day.referent_id


async def test_a_call_that_cannot_be_written_spares_the_others_of_its_commit(ledger: Ledger) -> None:
    broken = submission(traffic_class=OTP, sender=None)
    good = [submission(numbers=[NUMBER + i]) for i in range(20)]
    results = await asyncio.gather(*(ledger.accept(one) for one in [*good, broken]), return_exceptions=True)
    assert results[:-1] == [Stored()] * 20
    assert isinstance(results[-1], LoaError)
    assert await ledger.submission(1, broken.referent_id) is None
    assert len(await claim(ledger)) == 20


async def test_cancelling_takes_back_what_is_not_yet_sending(ledger: Ledger) -> None:
    one = submission(numbers=[NUMBER, NUMBER + 1, NUMBER + 2])
    await ledger.accept(one)
    (sending,) = await claim(ledger, limit=1)
    assert await ledger.cancel(1, one.referent_id, EPOCH) == 2
    assert await ledger.cancel(1, one.referent_id, EPOCH) == 0
    assert await ledger.cancel(2, one.referent_id, EPOCH) is None
    assert await state_of(ledger, sending.message_id) == "sending"
    assert await told(ledger) == ["cancelled", "cancelled"]
    assert await claim(ledger) == []


async def test_cancelling_one_message_leaves_its_neighbours(ledger: Ledger) -> None:
    one = submission(numbers=[NUMBER, NUMBER + 1])
    await ledger.accept(one)
    first, second = await ledger.submission_messages(1, one.referent_id, 0, 10)
    assert await ledger.cancel_message(1, first["id"], EPOCH) is True
    assert await ledger.cancel_message(1, first["id"], EPOCH) is False
    assert await ledger.cancel_message(2, second["id"], EPOCH) is None
    assert [a.message_id for a in await claim(ledger)] == [second["id"]]


async def test_a_submission_is_read_by_its_whole_token_only(ledger: Ledger) -> None:
    one = submission()
    await ledger.accept(one)
    found = await ledger.submission_by_token(one.token)
    assert found is not None
    assert found["referent_id"] == one.referent_id
    for wrong in (one.token[:-1], one.token[:26], "", one.token + "x", "é"):
        assert await ledger.submission_by_token(wrong) is None


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (MessageFilter(), 4),
        (MessageFilter(destination=NUMBER), 2),
        (MessageFilter(sender="ACME"), 1),
        (MessageFilter(traffic_class=ADVERTISING), 1),
        (MessageFilter(request_id="r-9"), 1),
        (MessageFilter(since=EPOCH + 500), 1),
        (MessageFilter(until=EPOCH + 500), 3),
        (MessageFilter(dead=True), 0),
        (MessageFilter(channel="nowhere"), 0),
    ],
)
async def test_lists_are_narrowed_by_what_is_asked_for(ledger: Ledger, wanted: MessageFilter, count: int) -> None:
    await ledger.accept(submission(numbers=[NUMBER, NUMBER + 1]))
    await ledger.accept(submission(sender="ACME", traffic_class=ADVERTISING, numbers=[NUMBER + 2]))
    await ledger.accept(submission(at=EPOCH + 1_000, request_id="r-9"))
    await ledger.accept(submission(tenant_id=2))
    rows = await ledger.messages(1, wanted, None, 100)
    assert len(rows) == count
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)


async def test_pages_of_a_list_join_without_gap_or_overlap(ledger: Ledger) -> None:
    for i in range(7):
        await ledger.accept(submission(numbers=[NUMBER + 10 * i + j for j in range(5)]))
    seen: list[int] = []
    before = None
    while page := await ledger.messages(1, MessageFilter(), before, 4):
        seen += [row["id"] for row in page]
        before = seen[-1]
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 35
