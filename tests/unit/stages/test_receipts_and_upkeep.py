"""Receipts are acknowledged only when they are on disk; upkeep does what time brings about."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.contract.ledger.values import MINUTE, NUMBER, OTP, claim, keep, receipt, resend, sent, state_of, submission
from tests.support.fakes import EPOCH, ActingProbe, FakeClock, QuietProbe

from loa.domain.receipt import Receipt
from loa.errors import StorageUnavailable
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.observe import metrics
from loa.observe.clock import SystemClock
from loa.ports.probe import Point
from loa.ports.records import ReceiptCounts
from loa.stages import receipts as receipts_stage
from loa.stages.receipts import ReceiptStage, Rematching
from loa.stages.upkeep import Upkeep


async def _open(path: Path) -> SqliteLedger:
    return await SqliteLedger.open(path / "loa.db", probe=QuietProbe())


async def test_a_receipt_is_acknowledged_after_it_is_on_disk(tmp_path: Path) -> None:
    ledger, order, done = await _open(tmp_path), [], asyncio.Event()
    attempt = await sent(ledger, "A1")
    probe = ActingProbe(Point.RECEIPT_STORED, lambda: order.append("stored"))
    stage = ReceiptStage(ledger, clock=FakeClock(), probe=probe, batch_max=100, applied=lambda: None)

    def acknowledge(on_disk: bool) -> None:
        order.append(on_disk)
        done.set()

    stage.offer(receipt("A1"), acknowledge)
    task = asyncio.create_task(stage.run())
    async with asyncio.timeout(10):
        await done.wait()
    assert order == ["stored", True]
    assert await state_of(ledger, attempt.message_id) == "delivered"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await ledger.close()


async def test_a_receipt_that_could_not_be_stored_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, answers = await _open(tmp_path), asyncio.Queue[bool]()

    async def away(_: Sequence[Receipt]) -> ReceiptCounts:
        raise StorageUnavailable("away")

    monkeypatch.setattr(ledger, "store", away)
    stage = ReceiptStage(ledger, clock=FakeClock(), probe=QuietProbe(), batch_max=10, applied=lambda: None)
    for _ in range(3):
        stage.offer(receipt("A1"), answers.put_nowait)
    task = asyncio.create_task(stage.run())
    async with asyncio.timeout(10):
        assert [await answers.get() for _ in range(3)] == [False] * 3
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await ledger.close()


async def test_past_the_bound_receipts_are_asked_for_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, answers = await _open(tmp_path), list[bool]()
    monkeypatch.setattr(receipts_stage, "WAITING_MAX", 2)
    stage = ReceiptStage(ledger, clock=FakeClock(), probe=QuietProbe(), batch_max=10, applied=lambda: None)
    for _ in range(4):
        stage.offer(receipt("A1"), answers.append)
    assert answers == [False, False]
    await ledger.close()


def _upkeep(ledger: SqliteLedger, clock: FakeClock, requeued: list[str]) -> Upkeep:
    return Upkeep(
        ledger,
        clock=clock,
        policy=resend,
        keep_ms=keep(content_otp=MINUTE),
        channel_names=lambda channel_id: f"channel-{channel_id}",
        requeued=lambda: requeued.append("requeued"),
        told=lambda: requeued.append("told"),
    )


async def test_what_a_former_run_left_open_is_unknown_and_then_sent_once_more(tmp_path: Path) -> None:
    ledger = await _open(tmp_path)
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    await ledger.close()

    ledger, clock, said = await _open(tmp_path), FakeClock(), list[str]()
    upkeep = _upkeep(ledger, clock, said)
    assert await upkeep.recover() == 1
    assert await state_of(ledger, attempt.message_id) == "unknown"
    clock.advance(120)
    await upkeep.tick()
    assert said == ["requeued"]
    (again,) = await claim(ledger, clock.now())
    assert again.possible_duplicate
    await ledger.close()


async def test_evidence_that_is_here_comes_before_the_end_of_the_wait(tmp_path: Path) -> None:
    ledger = await _open(tmp_path)
    await ledger.accept(submission(traffic_class=OTP))
    (attempt,) = await claim(ledger)
    assert (await ledger.store([receipt("lost-ref")])).parked == 1
    await ledger.close()

    ledger, clock = await _open(tmp_path), FakeClock(EPOCH + 2_000)
    await _upkeep(ledger, clock, []).recover()
    assert await state_of(ledger, attempt.message_id) == "delivered"
    await ledger.close()


async def test_where_there_is_no_upkeep_parked_receipts_are_matched_all_the_same(tmp_path: Path) -> None:
    ledger, said = await _open(tmp_path), list[str]()
    await ledger.accept(submission(traffic_class=OTP))
    (attempt,) = await claim(ledger)
    assert (await ledger.store([receipt("lost-ref")])).parked == 1
    now = EPOCH + 10 * MINUTE
    assert await ledger.settle_stale(now, resend) == 1
    rematching = Rematching(ledger, FakeClock(now), lambda: said.append("applied"))
    await rematching.tick()
    assert await state_of(ledger, attempt.message_id) == "delivered"
    await rematching.tick()
    assert said == ["applied"]
    await ledger.close()


async def test_a_drain_ends_when_what_was_taken_is_stored(tmp_path: Path) -> None:
    ledger, answers = await _open(tmp_path), list[bool]()
    stage = ReceiptStage(ledger, clock=SystemClock(), probe=QuietProbe(), batch_max=1, applied=lambda: None)
    for ref in ("A1", "A2", "A3"):
        stage.offer(receipt(ref), answers.append)
    task = asyncio.create_task(stage.run())
    async with asyncio.timeout(10):
        await stage.drain()
    assert answers == [True] * 3
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await ledger.close()


async def test_a_tick_expires_purges_in_turn_and_measures_lanes(tmp_path: Path) -> None:
    ledger, clock, said = await _open(tmp_path), FakeClock(), list[str]()
    code = submission(traffic_class=OTP, numbers=[NUMBER, NUMBER + 1], expires_at=EPOCH + MINUTE)
    await ledger.accept(code)
    upkeep = _upkeep(ledger, clock, said)
    depth = metrics.queue_depth.labels("channel-1/otp")
    await upkeep.tick()
    assert depth._value.get() == 2
    clock.advance(10 * 60)
    await upkeep.tick()
    assert said == ["told"]
    assert depth._value.get() == 0
    for _ in range(58):
        await upkeep.tick()
    row = await ledger.submission(1, code.referent_id)
    assert row is not None
    assert row["text"] == ""
    await ledger.close()
