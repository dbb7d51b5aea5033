"""Batches: rows are checked by the planner and sent once, whatever happens between one step and the next."""

import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.batch_desk import COLUMNS, DAY, ONE_TEXT, BatchRoom, plan, rows
from tests.support.fakes import ActingProbe
from tests.support.intake_desk import open_desk

from loa.domain.batch_plan import Source, as_json
from loa.errors import CallerError, StorageUnavailable
from loa.ports.batches import BatchState, NewBatch
from loa.ports.probe import Point
from loa.stages.batch_checks import Seen


class Killed(BaseException):
    """Stands for SIGKILL."""


def killed() -> None:
    raise Killed


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[BatchRoom]:
    desk = await open_desk(tmp_path / "loa.db")
    yield BatchRoom(desk)
    await desk.ledger.close()


async def test_a_batch_is_checked_sent_and_finished(room: BatchRoom) -> None:
    batch = await room.checked(rows(1_200))
    assert (batch.state, batch.counts) == (BatchState.CHECKED, {"good": 1_200, "segments": 1_200})
    assert await room.desk.messages() == [], "checking sends nothing"
    await room.admin.start(tenant=room.desk.tenant.name, batch=batch.id)
    batch = await room.finished(batch)
    assert (batch.state, batch.position) == (BatchState.FINISHED, 1_200)
    assert (batch.counts["sent"], batch.counts.get("left", 0)) == (1_200, 0)
    parts = await room.desk.ledger.batch_parts(batch, -1, 10)
    assert [(part.first, part.count) for part in parts] == [(0, 500), (500, 500), (1_000, 200)]


async def test_rows_that_say_the_same_go_as_one_request(room: BatchRoom) -> None:
    batch = await room.running(rows(700), ONE_TEXT)
    batch = await room.finished(batch)
    parts = await room.desk.ledger.batch_parts(batch, -1, 10)
    assert [len(part.sent) for part in parts] == [1, 1]
    assert len(await room.numbers()) == 700
    referent, sent = parts[1].sent[0]
    found = await room.desk.ledger.sent_messages(room.desk.tenant.id, [referent])
    assert (len(found), sent) == (200, tuple(range(500, 700)))


async def test_every_row_that_cannot_be_sent_is_named_and_left_out(room: BatchRoom) -> None:
    table = [
        ("0912345678", "Lan"),
        ("0912345678", "Lan"),
        ("+84 91 234 5678", "Lan"),
        ("0912345678", "Mai"),
        ("12", "Mai"),
        ("", "Mai"),
        ("0912345679",),
        ("0912345679", "An", "more"),
        ("0912345679", "\0"),
        ("0912345679", "Ngọc"),
        ("0912345680", "x" * 3_000),
        ("0912345681", "An"),
    ]
    batch = await room.checked(table)
    why = await room.why(batch)
    assert why == {
        1: "batch_repeated",
        2: "batch_repeated",
        4: "number_short_code",
        5: "empty",
        6: "batch_ragged",
        7: "batch_ragged",
        8: "contains_nul",
        9: "text_not_plain",
        10: "too_long",
    }
    assert batch.counts["good"] == 3
    assert sum(batch.findings.values()) == batch.counts["bad"] == 9
    await room.admin.start(tenant=room.desk.tenant.name, batch=batch.id)
    batch = await room.finished(batch)
    assert await room.numbers() == [84912345678, 84912345678, 84912345681]
    (part,) = await room.desk.ledger.batch_parts(batch, -1, 10)
    assert {row: each.code for row, each in part.left.items()} == why


async def test_columns_say_sender_class_schedule_and_request_id(room: BatchRoom) -> None:
    columns = ("phone", "text", "from", "kind", "when", "id")
    table = [
        ("0912345678", "một", "LOA", "transactional", "", "r-1"),
        ("0912345679", "hai", "LOA", "0", "2099-01-01T00:00", "r-2"),
        ("0912345680", "ba", "LOA", "otp", "", "r-3"),
        ("0912345681", "bốn", "NOBODY", "0", "", "r-4"),
        ("0912345682", "năm", "LOA", "0", "", "r" * 51),
        ("0912345683", "sáu", "LOA", "0", "", "r-6"),
    ]
    wanted = plan(
        text=Source(1), sender=Source(2), traffic_class=Source(3), schedule=Source(4), request_id=5, use_unicode=1
    )
    batch = await room.checked(table, wanted, columns)
    why = await room.why(batch)
    assert {row: why[row] for row in (2, 3, 4)} == {2: "not_allowed", 3: "sender_unknown", 4: "too_long"}
    assert 1 in why, "too far ahead"
    await room.admin.start(tenant=room.desk.tenant.name, batch=batch.id)
    await room.finished(batch)
    assert sorted(row["request_id"] for row in await room.desk.messages()) == ["r-1", "r-6"]


async def test_a_request_id_that_came_with_another_body_is_refused_and_said(room: BatchRoom) -> None:
    table = [("0912345678", "r-1"), ("0912345679", "r-1")]
    batch = await room.running(table, plan(text=Source(value="Chao"), request_id=1))
    batch = await room.finished(batch)
    (part,) = await room.desk.ledger.batch_parts(batch, -1, 10)
    assert {row: each.code for row, each in part.left.items()} == {1: "request_id_reused"}
    assert await room.numbers() == [84912345678]


@pytest.mark.parametrize("point", [Point.BATCH_SUBMITTED, Point.BATCH_RECORDED])
@pytest.mark.parametrize("wanted", [plan(), ONE_TEXT], ids=["own texts", "one text"])
async def test_killed_at_a_point_nothing_is_sent_twice_and_nothing_lost(
    room: BatchRoom, point: Point, wanted: object
) -> None:
    batch = await room.running(rows(1_100), wanted)  # type: ignore[arg-type]
    first = room.another(probe=ActingProbe(point, killed, count=2))
    with pytest.raises(Killed):
        await room.finished(batch, first)
    room.desk.clock.advance(16)
    batch = await room.finished(batch)
    assert batch.state is BatchState.FINISHED
    assert await room.numbers() == sorted(84_910_000_000 + n for n in range(1_100))
    assert batch.counts["sent"] == 1_100


async def test_a_slice_whose_request_ids_are_forgotten_is_recognised_by_its_submissions(room: BatchRoom) -> None:
    batch = await room.running(rows(30))
    first = room.another(probe=ActingProbe(Point.BATCH_SUBMITTED, killed))
    with pytest.raises(Killed):
        await first.tick()
    room.desk.clock.advance(3 * 86_400)
    keep = dict.fromkeys(("request_ids", "parked", "content_otp", "receipts"), DAY)
    keep |= dict.fromkeys(("content", "numbers", "history"), 30 * DAY)
    await room.desk.ledger.purge(2_000, room.desk.clock.now(), keep)
    batch = await room.finished(batch)
    assert len(await room.numbers()) == 30
    assert (batch.state, batch.counts["sent"]) == (BatchState.FINISHED, 30)


async def test_what_was_sent_before_the_crash_is_known_though_it_would_be_refused_now(room: BatchRoom) -> None:
    batch = await room.running(rows(30))
    first = room.another(probe=ActingProbe(Point.BATCH_SUBMITTED, killed))
    with pytest.raises(Killed):
        await first.tick()
    room.desk.clock.advance(16)
    await room.desk.ledger.purge(
        1,
        room.desk.clock.now(),
        dict.fromkeys(("request_ids", "parked", "content_otp", "receipts", "content", "numbers", "history"), 30 * DAY),
    )
    for route in await room.desk.ledger.routes():
        await room.desk.ledger.remove_route(route.id)
    await room.desk.registry.refresh()
    batch = await room.finished(batch)
    assert (batch.counts["sent"], batch.counts.get("left", 0)) == (30, 0)


@pytest.mark.parametrize("sent", [0, 100, 500])
async def test_a_stop_after_a_crash_records_what_of_the_slice_was_sent(room: BatchRoom, sent: int) -> None:
    batch = await room.running(rows(1_100))
    submit, left = room.desk.intake.submit, [sent]

    async def sometimes(*given: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return await submit(*given)

    room.desk.intake.submit = sometimes  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await room.another(probe=ActingProbe(Point.BATCH_SUBMITTED, killed)).tick()
    room.desk.intake.submit = submit  # type: ignore[method-assign]
    await room.admin.stop(tenant=room.desk.tenant.name, batch=batch.id)
    assert not await room.stage.tick(), "whoever had it may still be at it"
    room.desk.clock.advance(16)
    batch = await room.finished(batch)
    assert (batch.state, batch.position, len(await room.numbers())) == (BatchState.STOPPED, 500, sent)
    assert (batch.counts.get("sent", 0), batch.counts.get("left", 0)) == (sent, 500 - sent)
    (part,) = await room.desk.ledger.batch_parts(batch, -1, 10)
    assert {each.code for each in part.left.values()} == ({"batch_stopped"} if sent < 500 else set())


@pytest.mark.parametrize("later", [120, -120], ids=["late", "clock set back"])
async def test_a_slice_that_was_begun_long_before_it_was_sent_is_recognised(room: BatchRoom, later: float) -> None:
    batch = await room.running(rows(30))
    await room.desk.ledger.claim_batch(batch.id, "gone", room.desk.clock.now(), room.desk.clock.now())
    await room.desk.ledger.begin_slice(batch.id, "gone", 30, room.desk.clock.now(), room.desk.clock.now())
    room.desk.clock.advance(later)
    second = room.another(probe=ActingProbe(Point.BATCH_SUBMITTED, killed))
    with pytest.raises(Killed):
        await second.tick()
    room.desk.clock.advance(3 * 86_400)
    keep = dict.fromkeys(("request_ids", "parked", "content_otp", "receipts"), DAY)
    keep |= dict.fromkeys(("content", "numbers", "history"), 30 * DAY)
    await room.desk.ledger.purge(2_000, room.desk.clock.now(), keep)
    batch = await room.finished(batch)
    assert len(await room.numbers()) == 30
    assert (batch.state, batch.counts["sent"]) == (BatchState.FINISHED, 30)


async def test_who_has_lost_a_batch_in_the_middle_of_a_slice_leaves_the_rest_of_it(room: BatchRoom) -> None:
    batch = await room.running(rows(300))
    submit, taken = room.desk.intake.submit, [0]

    async def slow(*given: Any) -> Any:
        taken[0] += 1
        if taken[0] == 50:
            room.desk.clock.advance(20)
            now = room.desk.clock.now()
            assert await room.desk.ledger.claim_batch(batch.id, "another", now, now + 15_000) is not None
        return await submit(*given)

    room.desk.intake.submit = slow  # type: ignore[method-assign]
    await room.stage.tick()
    assert taken[0] == 100


async def test_a_batch_whose_number_was_another_s_is_sent(room: BatchRoom) -> None:
    tenant = room.desk.tenant.name
    await room.finished(first := await room.running(rows(2)))
    await room.admin.remove(tenant=tenant, batch=first.id)
    await room.finished(await room.running(rows(2)))
    assert len(await room.numbers()) == 4


async def test_a_batch_that_nobody_loads_any_more_can_be_removed(room: BatchRoom) -> None:
    desk, tenant = room.desk, room.desk.tenant
    batch = await desk.ledger.add_batch(NewBatch(tenant.id, "x", "lan", COLUMNS, True, desk.clock.now()))
    with pytest.raises(CallerError):
        await room.admin.remove(tenant=tenant.name, batch=batch.id)
    desk.clock.advance(3_601)
    await room.admin.remove(tenant=tenant.name, batch=batch.id)
    assert await desk.ledger.batch(tenant.id, batch.id) is None


async def test_two_processes_share_the_work_without_doing_any_twice(room: BatchRoom) -> None:
    batch = await room.running(rows(1_600))
    other = room.another()
    await room.stage.tick()
    assert not await other.tick(), "it has the batch to itself"
    room.desk.clock.advance(16)
    assert await other.tick(), "its claim is over"
    assert not await room.stage.tick(), "and it sees that"
    batch = await room.finished(batch, other)
    assert batch.state is BatchState.FINISHED
    assert len(await room.numbers()) == 1_600


async def test_a_ledger_that_is_away_loses_and_repeats_nothing(
    room: BatchRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = await room.running(rows(300))
    accept = room.desk.ledger.accept
    left = [120]

    async def sometimes(submission: object) -> object:
        left[0] -= 1
        if left[0] == 0:
            raise StorageUnavailable("away")
        return await accept(submission)  # type: ignore[arg-type]

    monkeypatch.setattr(room.desk.ledger, "accept", sometimes)
    with pytest.raises(StorageUnavailable):
        await room.stage.tick()
    batch = await room.finished(batch)
    assert batch.state is BatchState.FINISHED
    assert len(await room.numbers()) == 300


async def test_a_rate_is_kept(room: BatchRoom) -> None:
    batch = await room.running(rows(100), rate=20)
    sent = []
    for _ in range(16):
        await room.stage.tick()
        sent.append((await room.again(batch.id)).position)
        room.desk.clock.advance(0.25)
    assert max(b - a for a, b in zip(sent, sent[4:], strict=False)) <= 25
    assert 70 <= sent[-1] <= 85


async def test_pause_resume_and_stop_take_effect_at_the_next_slice(room: BatchRoom) -> None:
    batch = await room.running(rows(100), rate=20)
    tenant = room.desk.tenant.name
    await room.stage.tick()
    await room.admin.pause(tenant=tenant, batch=batch.id)
    room.desk.clock.advance(5)
    assert not await room.stage.tick()
    assert (await room.again(batch.id)).position == 5
    await room.admin.resume(tenant=tenant, batch=batch.id)
    assert await room.stage.tick()
    await room.admin.stop(tenant=tenant, batch=batch.id)
    room.desk.clock.advance(5)
    assert not await room.stage.tick()
    batch = await room.again(batch.id)
    assert (batch.state, batch.position) == (BatchState.STOPPED, 10)
    with pytest.raises(CallerError):
        await room.admin.resume(tenant=tenant, batch=batch.id)


async def test_nothing_is_sent_before_its_time(room: BatchRoom) -> None:
    at = room.desk.clock.now() + 60_000
    batch = await room.running(rows(10), start_at=at)
    assert not await room.stage.tick()
    room.desk.clock.advance(60)
    assert (await room.finished(batch)).state is BatchState.FINISHED


async def test_a_check_that_another_process_began_begins_anew(room: BatchRoom) -> None:
    batch = await room.loaded([*rows(500), *rows(500)])
    await room.admin.check(tenant=room.desk.tenant.name, batch=batch.id, plan=as_json(plan()))
    await room.another().tick()
    room.desk.clock.advance(16)
    while (batch := await room.again(batch.id)).state is BatchState.CHECKING:
        await room.stage.tick()
    assert batch.counts == {"good": 500, "bad": 500, "segments": 500}


async def test_a_batch_that_cannot_go_on_does_not_hold_up_another(room: BatchRoom) -> None:
    first = await room.running(rows(600))
    second = await room.running(rows(600, first=5_000))
    await room.stage.tick()
    assert (await room.again(second.id)).position == 500
    assert (await room.finished(first)).state is BatchState.FINISHED


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (plan(destination=2), "batch_column"),
        (plan(text=Source(value="Chao {nobody}")), "batch_names"),
        (plan(text=Source(value="Chao {")), "batch_names"),
    ],
)
async def test_a_plan_that_fits_no_column_is_refused(room: BatchRoom, wanted: object, code: str) -> None:
    with pytest.raises(CallerError) as refused:
        await room.checked(rows(2), wanted)  # type: ignore[arg-type]
    assert refused.value.code == code


async def test_nothing_is_left_of_a_table_that_breaks_off(room: BatchRoom) -> None:
    def broken() -> object:
        yield from rows(700)
        raise CallerError("table_quotes")

    with pytest.raises(CallerError):
        await room.admin.add(tenant=room.desk.tenant.name, name="x", who="lan", columns=COLUMNS, rows=broken())
    with pytest.raises(CallerError):
        await room.admin.add(tenant=room.desk.tenant.name, name="x", who="lan", columns=COLUMNS, rows=iter(()))
    assert await room.desk.ledger.batches(room.desk.tenant.id, None, 10) == []


async def test_a_table_is_read_beside_the_loop_in_chunks_of_bounded_size(room: BatchRoom) -> None:
    loop, table = threading.current_thread(), [("0912345678", "x" * 30_000)] * 70

    def slow() -> Iterator[tuple[str, ...]]:
        assert threading.current_thread() is not loop
        yield from table

    made = await room.admin.add(tenant=room.desk.tenant.name, name="x", who="lan", columns=COLUMNS, rows=slow())
    batch = await room.again(made["batch"])
    assert batch.row_count == 70
    chunk = await room.desk.ledger.batch_rows(batch, 69)
    assert chunk is not None
    assert (chunk.first, len(chunk.rows)) == (68, 2)


def test_what_was_met_is_known_again_and_nothing_else() -> None:
    seen = Seen(1_000)
    assert [seen.met(n, "a") for n in range(1_000)] == [False] * 1_000
    assert all(seen.met(n, "a") for n in range(1_000))
    assert not seen.met(1, "b")
