"""Waiting for work: woken when it is there, at the bound otherwise, and with one timer for many waits."""

import asyncio

from loa.stages.signal import Signal

LONG_S = 3_600.0


async def test_what_was_set_before_is_not_waited_for_and_is_then_forgotten() -> None:
    signal = Signal()
    signal.set()
    await signal.wait(LONG_S)
    waiting = asyncio.ensure_future(signal.wait(LONG_S))
    await asyncio.sleep(0)
    assert not waiting.done()
    signal.set()
    await waiting


async def test_the_bound_ends_a_wait_also_when_an_earlier_one_was_longer() -> None:
    signal = Signal()
    waiting = asyncio.ensure_future(signal.wait(LONG_S))
    await asyncio.sleep(0)
    signal.set()
    await waiting
    await signal.wait(0.001)


async def test_a_timer_that_rings_for_an_earlier_wait_does_not_end_a_later_one() -> None:
    signal = Signal()
    for _ in range(3):
        waiting = asyncio.ensure_future(signal.wait(0.02))
        await asyncio.sleep(0)
        signal.set()
        await waiting
    first = signal._timer
    waiting = asyncio.ensure_future(signal.wait(LONG_S))
    await asyncio.sleep(0)
    assert signal._timer is first, "one timer serves them all"
    while signal._timer is first:
        await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()


async def test_a_wait_that_is_cancelled_leaves_the_signal_good_for_the_next() -> None:
    signal = Signal()
    waiting = asyncio.ensure_future(signal.wait(LONG_S))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    signal.set()
    await signal.wait(LONG_S)
