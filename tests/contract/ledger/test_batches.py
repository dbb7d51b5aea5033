"""Batches: rows are kept as they came, one process works on one, a slice is recorded once, time takes rows away."""

import asyncio
from dataclasses import replace
from typing import Any

from loa.domain.rules import Finding
from loa.ports.batches import Batch, BatchNote, BatchPart, BatchRows, BatchState, NewBatch
from loa.ports.ledger import Ledger
from tests.contract.ledger.conftest import Opener
from tests.contract.ledger.values import submission
from tests.support.fakes import EPOCH

NEW = NewBatch(1, "Tết \0 <b>", "lan", ("phone", "tên"), True, EPOCH)
ROWS = [(f"09{n:08}", f"Ngọc \0 {n}") for n in range(25)]
DAY = 86_400_000
KEEP = {
    **dict.fromkeys(("request_ids", "parked", "content_otp", "receipts"), DAY),
    "content": 30 * DAY,
    "numbers": 60 * DAY,
    "history": 90 * DAY,
}


async def loaded(ledger: Ledger, rows: int = 25, chunk: int = 10) -> Batch:
    batch = await ledger.add_batch(NEW)
    for first in range(0, rows, chunk):
        await ledger.add_batch_rows(batch, first, ROWS[first : min(first + chunk, rows)])
    await ledger.end_loading(batch.id, rows)
    return await again(ledger, batch)


async def again(ledger: Ledger, batch: Batch) -> Batch:
    found = await ledger.batch(1, batch.id)
    assert found is not None
    return found


async def checked(ledger: Ledger, batch: Batch) -> Batch:
    assert await ledger.set_batch_plan(batch.id, {"destination": 0})
    assert await ledger.claim_batch(batch.id, "a", EPOCH, EPOCH + 10) is not None
    for first in range(0, batch.row_count, 10):
        count = min(10, batch.row_count - first)
        bad = {first + 1: Finding("destination", "not_a_number", {"detail": "x", "found": object()})}
        note = BatchNote(first, count, bad, {"good": count - 1, "bad": 1}, {"not_a_number": 1})
        assert await ledger.note_checked(batch.id, "a", note)
    return await again(ledger, batch)


async def running(ledger: Ledger, **given: Any) -> Batch:
    batch = await checked(ledger, await loaded(ledger, **given))
    assert await ledger.start_batch(batch.id, 50, EPOCH, EPOCH)
    return await again(ledger, batch)


async def test_rows_come_back_as_they_went_in_chunk_by_chunk(ledger: Ledger) -> None:
    batch = await loaded(ledger)
    assert (batch.name, batch.who, batch.columns, batch.live) == ("Tết � <b>", "lan", ("phone", "tên"), True)
    assert (batch.state, batch.row_count, batch.plan, batch.counts) == (BatchState.DRAFT, 25, {}, {})
    assert await ledger.batch_rows(batch, 0) == BatchRows(0, ROWS[:10])
    assert await ledger.batch_rows(batch, 19) == BatchRows(10, ROWS[10:20])
    assert await ledger.batch_rows(batch, 24) == BatchRows(20, ROWS[20:])
    assert await ledger.batch_rows(batch, 25) is None
    assert await ledger.batch_rows(replace(batch, tenant_id=2), 0) is None


async def test_a_tenant_sees_its_own_batches_newest_first(ledger: Ledger) -> None:
    made = [await ledger.add_batch(NEW) for _ in range(3)]
    other = await ledger.add_batch(replace(NEW, tenant_id=2))
    assert [each.id for each in await ledger.batches(1, None, 2)] == [made[2].id, made[1].id]
    assert [each.id for each in await ledger.batches(1, made[1].id, 2)] == [made[0].id]
    assert await ledger.batch(1, other.id) is None
    assert await ledger.batch(2, other.id) == other


async def test_checking_marks_rows_and_adds_up_until_the_last_one(ledger: Ledger) -> None:
    batch = await loaded(ledger)
    note = BatchNote(0, 10, {}, {"good": 10}, {})
    assert not await ledger.note_checked(batch.id, "a", note), "nobody said what becomes of the columns"
    batch = await checked(ledger, batch)
    assert (batch.state, batch.checked) == (BatchState.CHECKED, 25)
    assert (batch.counts, batch.findings) == ({"good": 22, "bad": 3}, {"not_a_number": 3})
    rows = await ledger.batch_rows(batch, 12)
    assert rows is not None
    assert rows.bad == {11: Finding("destination", "not_a_number", {"detail": "x"})}
    assert await ledger.set_batch_plan(batch.id, {"destination": 1}), "another plan, and all is checked again"
    batch = await again(ledger, batch)
    assert (batch.state, batch.checked, batch.counts, batch.findings) == (BatchState.CHECKING, 0, {}, {})
    rows = await ledger.batch_rows(batch, 12)
    assert rows is not None
    assert rows.bad == {}


async def test_a_check_that_begins_anew_forgets_what_it_had_added_up(ledger: Ledger) -> None:
    batch = await loaded(ledger)
    await ledger.set_batch_plan(batch.id, {})
    await ledger.claim_batch(batch.id, "a", EPOCH, EPOCH + 10)
    await ledger.note_checked(batch.id, "a", BatchNote(0, 10, {3: Finding("text", "empty")}, {"bad": 1}, {"empty": 1}))
    await ledger.restart_check(batch.id, "b")
    assert (await again(ledger, batch)).checked == 10, "not its own"
    await ledger.restart_check(batch.id, "a")
    found = await again(ledger, batch)
    assert (found.checked, found.counts, found.findings) == (0, {}, {})
    rows = await ledger.batch_rows(batch, 0)
    assert rows is not None
    assert rows.bad == {}


async def test_one_process_works_on_a_batch_until_its_claim_is_over(ledger: Ledger) -> None:
    batch = await running(ledger)
    assert [each.id for each in await ledger.open_batches(EPOCH)] == [batch.id]
    took = await asyncio.gather(*(ledger.claim_batch(batch.id, name, EPOCH, EPOCH + 10) for name in "pqrs"))
    assert [each is not None for each in took].count(True) == 1
    owner = "pqrs"["".join("x" if each else "." for each in took).index("x")]
    assert await ledger.claim_batch(batch.id, owner, EPOCH + 5, EPOCH + 15) is not None, "it keeps it"
    assert await ledger.claim_batch(batch.id, "z", EPOCH + 14, EPOCH + 24) is None
    assert await ledger.begin_slice(batch.id, "z", 5, EPOCH + 14, EPOCH + 24) is None
    assert await ledger.claim_batch(batch.id, "z", EPOCH + 15, EPOCH + 25) is not None
    assert await ledger.claim_batch(batch.id, "y", EPOCH - DAY, EPOCH - DAY + 10) is not None, "a clock was ahead"


async def test_a_batch_waits_for_its_time(ledger: Ledger) -> None:
    batch = await checked(ledger, await loaded(ledger))
    assert await ledger.open_batches(EPOCH) == []
    assert await ledger.start_batch(batch.id, 0, EPOCH + 100, EPOCH)
    assert not await ledger.start_batch(batch.id, 0, EPOCH, EPOCH), "it is started"
    assert await ledger.open_batches(EPOCH + 99) == []
    assert [each.id for each in await ledger.open_batches(EPOCH + 100)] == [batch.id]


async def test_a_slice_that_was_begun_keeps_its_bounds_until_it_is_recorded_once(ledger: Ledger) -> None:
    batch = await running(ledger)
    await ledger.claim_batch(batch.id, "a", EPOCH, EPOCH + 10)
    begun = await ledger.begin_slice(batch.id, "a", 7, EPOCH + 1, EPOCH + 11)
    assert begun is not None
    assert (begun.position, begun.slice_end, begun.slice_begun_at, begun.unfinished) == (0, 7, EPOCH + 1, True)
    await ledger.claim_batch(batch.id, "b", EPOCH + 11, EPOCH + 21)
    found = await ledger.begin_slice(batch.id, "b", 20, EPOCH + 12, EPOCH + 22)
    assert found is not None
    assert (found.slice_end, found.slice_begun_at) == (7, EPOCH + 1)
    left = {1: Finding("destination", "not_a_number", {"detail": "x"})}
    part = BatchPart(0, 7, EPOCH + 13, [("sub_1", (0, 2, 3)), ("sub_2", (4, 5, 6))], left, {"sent": 6, "left": 1})
    took = await asyncio.gather(*(ledger.record_slice(batch.id, part) for _ in range(3)))
    assert sorted(took) == [False, False, True]
    batch = await again(ledger, batch)
    assert (batch.position, batch.unfinished, batch.counts["sent"], batch.counts["left"]) == (7, False, 6, 1)
    assert await ledger.batch_parts(batch, -1, 10) == [part]
    assert await ledger.batch_parts(batch, 0, 10) == []


async def test_the_last_slice_finishes_a_batch(ledger: Ledger) -> None:
    batch = await running(ledger)
    await ledger.claim_batch(batch.id, "a", EPOCH, EPOCH + 10)
    await ledger.begin_slice(batch.id, "a", 25, EPOCH, EPOCH + 10)
    assert await ledger.record_slice(batch.id, BatchPart(0, 25, EPOCH + 5, counts={"sent": 25}))
    batch = await again(ledger, batch)
    assert (batch.state, batch.done_at) == (BatchState.FINISHED, EPOCH + 5)
    assert await ledger.open_batches(EPOCH + 9) == []


async def test_a_pause_lets_what_was_begun_be_recorded_and_nothing_begin(ledger: Ledger) -> None:
    batch = await running(ledger)
    await ledger.claim_batch(batch.id, "a", EPOCH, EPOCH + 10)
    await ledger.begin_slice(batch.id, "a", 10, EPOCH, EPOCH + 10)
    assert await ledger.move_batch(batch.id, [BatchState.RUNNING], BatchState.PAUSED, EPOCH + 1)
    assert not await ledger.move_batch(batch.id, [BatchState.RUNNING], BatchState.PAUSED, EPOCH + 1)
    assert await ledger.begin_slice(batch.id, "a", 20, EPOCH + 2, EPOCH + 12) is None
    assert await ledger.record_slice(batch.id, BatchPart(0, 10, EPOCH + 2, counts={"sent": 10}))
    assert (await again(ledger, batch)).state is BatchState.PAUSED
    assert await ledger.move_batch(batch.id, [BatchState.PAUSED], BatchState.RUNNING, EPOCH + 3)
    assert await ledger.claim_batch(batch.id, "b", EPOCH + 3, EPOCH + 13) is not None, "nobody has to wait for a claim"
    assert await ledger.move_batch(batch.id, [BatchState.RUNNING], BatchState.STOPPED, EPOCH + 4)
    batch = await again(ledger, batch)
    assert (batch.state, batch.done_at, batch.position) == (BatchState.STOPPED, EPOCH + 4, 10)


async def test_what_nobody_works_on_can_be_removed(ledger: Ledger) -> None:
    batch = await running(ledger)
    assert not await ledger.remove_batch(batch.id)
    await ledger.move_batch(batch.id, [BatchState.RUNNING], BatchState.STOPPED, EPOCH)
    assert await ledger.remove_batch(batch.id)
    assert await ledger.batch(1, batch.id) is None
    assert await ledger.batch_rows(batch, 0) is None


async def test_a_number_is_given_to_one_batch_only(ledger: Ledger) -> None:
    first = await loaded(ledger)
    assert await ledger.remove_batch(first.id)
    assert (await ledger.add_batch(NEW)).id > first.id


async def test_what_is_loading_cannot_be_removed_and_nothing_is_added_to_what_is_not(ledger: Ledger) -> None:
    batch = await ledger.add_batch(NEW)
    assert not await ledger.remove_batch(batch.id)
    assert await ledger.add_batch_rows(batch, 0, ROWS[:10])
    assert await ledger.move_batch(batch.id, [BatchState.LOADING], BatchState.STOPPED, EPOCH)
    assert not await ledger.add_batch_rows(batch, 10, ROWS[10:20])
    assert await ledger.remove_batch(batch.id)
    assert not await ledger.add_batch_rows(batch, 10, ROWS[10:20])
    assert await ledger.batch_rows(batch, 10) is None


async def test_a_slice_that_a_stop_meets_is_left_to_whoever_has_it_and_then_to_anybody(ledger: Ledger) -> None:
    batch = await running(ledger)
    await ledger.claim_batch(batch.id, "a", EPOCH, EPOCH + 10)
    await ledger.begin_slice(batch.id, "a", 10, EPOCH, EPOCH + 10)
    assert await ledger.move_batch(batch.id, [BatchState.RUNNING], BatchState.STOPPED, EPOCH + 1)
    assert [each.id for each in await ledger.open_batches(EPOCH + 2)] == [batch.id]
    assert await ledger.claim_batch(batch.id, "b", EPOCH + 9, EPOCH + 19) is None
    assert await ledger.claim_batch(batch.id, "a", EPOCH + 9, EPOCH + 19) is not None
    assert await ledger.claim_batch(batch.id, "b", EPOCH + 19, EPOCH + 29) is not None
    assert await ledger.begin_slice(batch.id, "b", 10, EPOCH + 19, EPOCH + 29) is None
    assert await ledger.record_slice(batch.id, BatchPart(0, 10, EPOCH + 20, counts={"sent": 10}))
    assert await ledger.open_batches(EPOCH + 30) == []
    assert await ledger.claim_batch(batch.id, "b", EPOCH + 30, EPOCH + 40) is None
    assert (await again(ledger, batch)).state is BatchState.STOPPED


async def test_messages_are_found_by_the_submissions_they_went_into(ledger: Ledger) -> None:
    tenant = await ledger.add_tenant("own", EPOCH)
    other = await ledger.add_tenant("other", EPOCH)
    made = [
        submission(numbers=[84_900_000_000 + 10 * n, 84_900_000_001 + 10 * n], tenant_id=each.id, at=EPOCH + n)
        for n, each in enumerate((tenant, tenant, other))
    ]
    for each in made:
        await ledger.accept(each)
    found = await ledger.sent_messages(tenant.id, [each.referent_id for each in made] + ["sub_nothing"])
    known = sorted((each.referent_id, each.destination, each.state, each.error) for each in found)
    assert known == sorted(
        (each.referent_id, number, 0, "") for each in made[:2] for _, group in each.plans for number in group
    )
    assert len({each.id for each in found}) == 4


async def test_rows_go_with_texts_and_numbers_and_the_batch_with_its_history(ledger: Ledger) -> None:
    batch = await running(ledger)
    await ledger.claim_batch(batch.id, "a", EPOCH, EPOCH + 10)
    await ledger.begin_slice(batch.id, "a", 25, EPOCH, EPOCH + 10)
    late = EPOCH + 31 * DAY
    await ledger.purge(2_000, late, KEEP)
    assert await ledger.batch_rows(batch, 0) is not None, "it runs"
    await ledger.record_slice(batch.id, BatchPart(0, 25, EPOCH, [("sub_1", (0,))], counts={"sent": 25}))
    paused = await loaded(ledger)
    await ledger.purge(2_000, EPOCH + 29 * DAY, KEEP)
    assert await ledger.batch_rows(batch, 0) is not None
    await ledger.purge(2_000, late, KEEP)
    found, left = await again(ledger, batch), await again(ledger, paused)
    assert await ledger.batch_rows(batch, 0) is None
    assert await ledger.batch_parts(batch, -1, 10) == []
    assert (found.forgotten, found.state, found.columns, found.plan) == (True, BatchState.FINISHED, (), {})
    assert found.counts["sent"] == 25
    assert (left.state, await ledger.set_batch_plan(paused.id, {})) == (BatchState.STOPPED, False)
    await ledger.purge(2_000, EPOCH + 91 * DAY, KEEP)
    assert await ledger.batches(1, None, 10) == []


async def test_a_batch_of_a_restored_ledger_that_is_held_goes_no_further(ledger: Ledger) -> None:
    for batch in (await running(ledger), await checked(ledger, await loaded(ledger)), await loaded(ledger)):
        await ledger.hold(100, EPOCH + 9)
        found = await again(ledger, batch)
        assert (found.state, found.done_at) == (BatchState.STOPPED, EPOCH + 9)
        assert not await ledger.start_batch(batch.id, 0, EPOCH, EPOCH + 10)


async def test_a_batch_is_found_as_it_was_after_a_restart(open_ledger: Opener) -> None:
    ledger = await open_ledger()
    batch = await running(ledger)
    await ledger.claim_batch(batch.id, "a", EPOCH, EPOCH + 10)
    await ledger.begin_slice(batch.id, "a", 7, EPOCH, EPOCH + 10)
    batch = await again(ledger, batch)
    await ledger.close()
    ledger = await open_ledger()
    assert await ledger.batch(1, batch.id) == batch
    await ledger.close()


async def test_a_batch_stays_until_it_is_known_what_of_a_slice_was_sent(ledger: Ledger) -> None:
    batch = await running(ledger)
    await ledger.claim_batch(batch.id, "a", EPOCH, EPOCH + 10)
    await ledger.begin_slice(batch.id, "a", 7, EPOCH, EPOCH + 10)
    assert await ledger.move_batch(batch.id, (BatchState.RUNNING,), BatchState.STOPPED, EPOCH + 1)
    assert not await ledger.remove_batch(batch.id)
    assert await ledger.record_slice(batch.id, BatchPart(0, 7, EPOCH + 2, counts={"sent": 7}))
    assert await ledger.remove_batch(batch.id)
