"""Receipts: takes what channels receive, stores it in groups, and only then lets the channel acknowledge it.

What matches nothing is parked, and tried again for as long as it is kept.
"""

from collections import Counter
from collections.abc import Callable
from typing import Protocol

from loa.domain.latency import Wait
from loa.domain.receipt import Receipt
from loa.errors import StorageError
from loa.observe import metrics
from loa.ports.clock import Clock
from loa.ports.ledger import Receipts, Silence
from loa.ports.probe import Point, Probe
from loa.stages.loop import keep_running
from loa.stages.signal import Signal

WAITING_MAX = 20_000
"""Receipts held in memory at most; past it the peer is asked to send them again later."""
REMATCH_S = 1.0
LEARN_S = 15.0
REMATCHED_AT_ONCE = 500


class ReceiptLedger(Receipts, Silence, Protocol):
    """The roles receipts work on."""


class ReceiptStage:
    """One for the whole process; `offer` is the sink handed to every channel."""

    def __init__(
        self, ledger: ReceiptLedger, *, clock: Clock, probe: Probe, batch_max: int, applied: Callable[[], None]
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._probe = probe
        self._batch_max = batch_max
        self._applied = applied
        self._waiting: list[tuple[Receipt, Callable[[bool], None]]] = []
        self._signal = Signal()
        self._storing = False
        self._waits: Counter[Wait] = Counter()

    def offer(self, receipt: Receipt, acknowledge: Callable[[bool], None]) -> None:
        """Take a receipt; `acknowledge` is called with True once it is on disk, with False when it was not stored."""
        if len(self._waiting) >= WAITING_MAX:
            acknowledge(False)
            return
        self._waiting.append((receipt, acknowledge))
        self._signal.set()

    async def drain(self) -> None:
        """Wait until every receipt taken so far is stored, or was given back because it could not be."""
        while self._waiting or self._storing:
            await self._clock.sleep(0.01)

    async def run(self) -> None:
        """Store receipts until cancelled."""
        await keep_running("receipts", self._turn, self._clock)

    async def run_learning(self) -> None:
        """Write down now and then how long receipts took, until cancelled."""
        await keep_running("learning", self._learn, self._clock)

    async def _learn(self) -> None:
        await self._clock.sleep(LEARN_S)
        await self.learn()

    async def learn(self) -> None:
        """Write down how long receipts took since the last time. Errors: StorageError, and nothing is forgotten."""
        waits, self._waits = self._waits, Counter()
        if not waits:
            return
        try:
            await self._ledger.learn(waits)
        except StorageError:
            self._waits.update(waits)
            raise

    async def _turn(self) -> None:
        if not self._waiting:
            await self._signal.wait(1.0)
        group, self._waiting = self._waiting[: self._batch_max], self._waiting[self._batch_max :]
        if not group:
            return
        receipts = [receipt for receipt, _ in group]
        self._storing = True
        try:
            counts = await self._ledger.store(receipts)
        except StorageError:
            for _, acknowledge in group:
                acknowledge(False)
            raise
        finally:
            self._storing = False
        self._probe.reached(Point.RECEIPT_STORED)
        for _, acknowledge in group:
            acknowledge(True)
        for state, count in Counter(r.state.label if r.state is not None else "none" for r in receipts).items():
            metrics.receipts_total.labels(state).inc(count)
        metrics.receipts_repeat_total.inc(counts.repeated)
        metrics.receipts_conflict_total.inc(counts.conflicts)
        metrics.double_reach_total.inc(counts.doubles)
        self._waits.update(counts.waits)
        self._applied()


class Rematching:
    """Tries parked receipts again, for processes that have no upkeep, which does so itself before a wait ends."""

    def __init__(self, ledger: Receipts, clock: Clock, applied: Callable[[], None]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._applied = applied

    async def run(self) -> None:
        """Tick until cancelled."""
        await keep_running("rematching", self._turn, self._clock)

    async def _turn(self) -> None:
        await self.tick()
        await self._clock.sleep(REMATCH_S)

    async def tick(self) -> None:
        """Do one round."""
        if (await self._ledger.rematch(REMATCHED_AT_ONCE, self._clock.now())).applied:
            self._applied()
