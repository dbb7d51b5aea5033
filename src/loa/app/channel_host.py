"""Keeps the running channels in step with the ledger: builds, pauses, divides, replaces and stops them as it says."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from loa.app.channel_seat import Plan, Running, Seat
from loa.errors import ConfigError
from loa.observe.log import get_logger
from loa.ports.channel import ChannelContext, Provider, ReceiptSink, slots_of
from loa.ports.clock import Clock
from loa.ports.grants import AccessTokens
from loa.ports.ledger import Claims
from loa.ports.probe import Probe
from loa.ports.records import ChannelRecord, SlotUse, UnknownPolicy
from loa.stages.dispatch import ChannelDispatch, DispatchRules
from loa.stages.silence import Listening, SilenceLedger

Tokens = Callable[[int, Callable[[], None]], AccessTokens | None]
"""Gives a channel's view of its grant, by its id and what to call when there is another token."""

log = get_logger("loa.app.channels")


class HostLedger(Claims, SilenceLedger, Protocol):
    """The roles that channels are worked on with."""


def no_tokens(_channel_id: int, _wake: Callable[[], None]) -> AccessTokens | None:
    """Give none: no grant is kept here."""
    return None


class ChannelHost:
    """Owns every running channel of this process.

    A channel runs while this process has a share of its slots, and is stopped in order and started again when the share
    changes. `reconcile` brings the channels of the ledger, `take` the shares.
    """

    def __init__(
        self,
        ledger: HostLedger,
        providers: Mapping[str, Provider],
        *,
        clock: Clock,
        probe: Probe,
        receipts: ReceiptSink,
        policy: UnknownPolicy,
        rules: DispatchRules,
        told: Callable[[], None],
        went_on: Callable[[], None],
        drain_s: float,
        tokens: Tokens = no_tokens,
    ) -> None:
        self._ledger = ledger
        self._providers = providers
        self._clock = clock
        self._probe = probe
        self._receipts = receipts
        self._policy = policy
        self._rules = rules
        self._told = told
        self._went_on = went_on
        self._drain_s = drain_s
        self._tokens = tokens
        self._seats: dict[int, Seat] = {}
        self._moves: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def running(self) -> dict[int, Running]:
        """What runs here, by the channel's id."""
        return {channel_id: seat.running for channel_id, seat in self._seats.items() if seat.running is not None}

    @property
    def broken(self) -> dict[int, str]:
        """What cannot run here, by the channel's id, and why."""
        return {channel_id: seat.problem for channel_id, seat in self._seats.items() if seat.problem}

    def reconcile(self, records: Mapping[int, ChannelRecord]) -> None:
        """Take what channels there are now; what has to stop for that stops in its own time."""
        if self._stopping:
            return
        for channel_id in self._seats.keys() - records.keys():
            self._seats[channel_id].give(None)
        for channel_id, record in records.items():
            seat = self._seats.setdefault(channel_id, Seat(self._build, self._drain_s))
            try:
                seat.give(self._plan(record))
            except ConfigError as error:
                if str(error) != seat.problem:
                    log.warning("a channel cannot start", channel=record.name, error=error)
                seat.give(None, str(error))
        self._move()

    def uses(self) -> dict[int, SlotUse]:
        """Tell how each channel is used, by its id."""
        uses = {channel_id: seat.use for channel_id, seat in self._seats.items()}
        return {channel_id: use for channel_id, use in uses.items() if use is not None}

    def take(self, asked: Mapping[int, SlotUse], shares: Mapping[int, int]) -> None:
        """Take how many slots of each channel this process may use, as answered to what was asked."""
        for channel_id, use in asked.items():
            seat = self._seats.get(channel_id)
            if seat is not None:
                seat.share(use.total, shares.get(channel_id, 0))
        self._move()

    def _move(self) -> None:
        """Begin to make what runs follow what should; channels do not wait for each other."""
        self._seats = {channel_id: seat for channel_id, seat in self._seats.items() if not seat.over}
        for seat in self._seats.values():
            if not seat.settled:
                task = asyncio.create_task(seat.settle())
                self._moves.add(task)
                task.add_done_callback(self._moves.discard)

    async def settle(self) -> None:
        """Wait until what runs is what should."""
        while self._moves:
            await asyncio.gather(*self._moves)

    def _plan(self, record: ChannelRecord) -> Plan:
        provider = self._providers.get(record.provider)
        if provider is None:
            raise ConfigError(f"there is no provider {record.provider!r}; known are {', '.join(self._providers)}")
        settings = provider.check(record.settings)
        return Plan(record, provider, settings, max(1, slots_of(provider, settings)))

    def _build(self, plan: Plan, settings: Mapping[str, Any], held: int) -> Running:
        record = plan.record
        dispatch: ChannelDispatch | None = None

        def wake() -> None:
            if dispatch is not None:
                dispatch.wake()

        def late(attempt: Any, outcome: Any) -> None:
            if dispatch is not None:
                dispatch.late(attempt, outcome)

        context = ChannelContext(
            channel_id=record.id,
            name=record.name,
            clock=self._clock,
            probe=self._probe,
            receipts=self._receipts,
            wake=wake,
            settings=settings,
            tokens=self._tokens(record.id, wake) if plan.provider.info.needs_grant else None,
            late=late,
        )
        channel = plan.provider.build(context)
        dispatch = ChannelDispatch(
            record.id,
            record.provider,
            channel,
            self._ledger,
            clock=self._clock,
            probe=self._probe,
            policy=self._policy,
            rules=self._rules,
            answered=self._told,
            went_on=self._went_on,
        )
        dispatch.paused = record.paused
        listening = Listening(
            record.id, channel, self._ledger, clock=self._clock, probe=self._probe, went_on=self._went_on
        )
        loops: list[Coroutine[Any, Any, None]] = [dispatch.run(), dispatch.run_recorder(), listening.run()]
        tasks = [asyncio.create_task(loop, name=f"dispatch {record.name}") for loop in loops]
        return Running(plan, held, channel, dispatch, tasks, tokens=context.tokens)

    def wake(self) -> None:
        """Have every channel look for due messages."""
        for seat in self._seats.values():
            if seat.running is not None:
                seat.running.dispatch.wake()

    def measure(self) -> None:
        """Set the metrics of windows, links and slots."""
        for running in self.running.values():
            running.measure()

    async def stop(self) -> None:
        """Stop every channel, all at once."""
        self._stopping = True
        for seat in self._seats.values():
            seat.give(None)
        self._move()
        await self.settle()
