"""The writing thread: one wrong call harms no other, and closing ends whatever waits."""

import asyncio
import threading
from pathlib import Path

import pytest
from tests.contract.ledger.values import submission
from tests.support.fakes import ActingProbe, QuietProbe

from loa.errors import StorageUnavailable
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.probe import Point


async def test_a_call_that_no_one_foresaw_fails_alone_and_the_thread_goes_on(tmp_path: Path) -> None:
    ledger = await SqliteLedger.open(tmp_path / "loa.db", probe=QuietProbe())
    wrong = ledger.set_endpoint_health(2**80, None, None, "")
    answers = await asyncio.gather(wrong, ledger.ping(), ledger.accept(submission()), return_exceptions=True)
    assert isinstance(answers[0], OverflowError)
    assert not any(isinstance(answer, Exception) for answer in answers[1:])
    await ledger.ping()
    await ledger.close()


async def test_closing_ends_although_accepts_and_others_wait_together(tmp_path: Path) -> None:
    """The probe holds the thread in a first commit until a second accept, another call and the end are in line."""
    in_line, reached = threading.Event(), threading.Event()

    def hold() -> None:
        reached.set()
        in_line.wait(10)

    ledger = await SqliteLedger.open(tmp_path / "loa.db", probe=ActingProbe(Point.LEDGER_IN_ACCEPT, hold))
    first = asyncio.create_task(ledger.accept(submission()))
    await asyncio.to_thread(reached.wait, 10)
    rest = [asyncio.create_task(call) for call in (ledger.accept(submission()), ledger.ping())]
    closing = asyncio.create_task(ledger.close())
    asyncio.get_running_loop().call_soon(in_line.set)
    async with asyncio.timeout(20):
        await asyncio.gather(first, *rest, closing)
    with pytest.raises(StorageUnavailable, match="closed"):
        await ledger.ping()
