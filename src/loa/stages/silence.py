"""Silence: steps of route plans that were given a time to speak in. The provider is asked before they are given up."""

from collections.abc import Callable
from typing import Final, Protocol

from loa.observe import metrics
from loa.observe.log import get_logger
from loa.ports.channel import Asks, Channel
from loa.ports.clock import Clock
from loa.ports.ledger import Receipts
from loa.ports.ledger import Silence as SilenceRole
from loa.ports.probe import Point, Probe
from loa.stages.loop import keep_running

TICK_S: Final = 0.5
QUESTIONS_PER_TICK: Final = 500
ABANDONED_MS: Final = 15_000
"""So long after its time a step is given up whose channel works in no process, so that nobody can ask."""

log = get_logger("loa.stages.silence")


class SilenceLedger(SilenceRole, Receipts, Protocol):
    """The roles this works on."""


class Listening:
    """One for each running channel: asks what became of silent messages, and has the rest go on."""

    def __init__(
        self,
        channel_id: int,
        channel: Channel,
        ledger: SilenceLedger,
        *,
        clock: Clock,
        probe: Probe,
        went_on: Callable[[], None],
    ) -> None:
        self._channel_id = channel_id
        self._channel = channel
        self._ledger = ledger
        self._clock = clock
        self._probe = probe
        self._went_on = went_on

    async def run(self) -> None:
        """Look until cancelled."""
        await keep_running("silence", self._turn, self._clock)

    async def _turn(self) -> None:
        if not await self.tick():
            await self._clock.sleep(TICK_S)

    async def tick(self) -> int:
        """Do one round; give how many messages were silent."""
        questions = await self._ledger.silent(self._channel_id, QUESTIONS_PER_TICK, self._clock.now())
        if not questions:
            return 0
        if isinstance(self._channel, Asks):
            receipts = await self._channel.ask([each for each in questions if each.ref])
            if receipts:
                # What it knows is on disk before anything else is sent.
                await self._ledger.store(receipts)
        self._probe.reached(Point.SILENCE_ASKED)
        moved = await self._ledger.go_on(questions, self._clock.now())
        if moved:
            metrics.silent_total.inc(moved)
            self._went_on()
        return len(questions)


class Abandoned:
    """Has messages go on whose channel nobody works on any more. One for each process with upkeep."""

    def __init__(self, ledger: SilenceLedger, clock: Clock, went_on: Callable[[], None]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._went_on = went_on

    async def run(self) -> None:
        """Look until cancelled."""
        await keep_running("abandoned", self._turn, self._clock)

    async def _turn(self) -> None:
        await self._clock.sleep(TICK_S)
        await self.tick()

    async def tick(self) -> None:
        """Do one round."""
        before = self._clock.now() - ABANDONED_MS
        for channel_id in await self._ledger.silent_channels(before):
            questions = await self._ledger.silent(channel_id, QUESTIONS_PER_TICK, before)
            moved = await self._ledger.go_on(questions, self._clock.now())
            if moved:
                log.warning("messages went on without their channel, which nobody works on", count=moved)
                metrics.silent_total.inc(moved)
                self._went_on()
