"""Keeps the running channels in step with the ledger: builds, pauses, replaces and stops them without a restart."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from loa.errors import ConfigError
from loa.observe import metrics
from loa.observe.log import get_logger
from loa.ports.channel import Channel, ChannelContext, Provider, ReceiptSink
from loa.ports.clock import Clock
from loa.ports.ledger import Claims
from loa.ports.probe import Probe
from loa.ports.records import ChannelRecord, UnknownPolicy
from loa.stages.dispatch import ChannelDispatch, DispatchRules

log = get_logger("loa.app.channels")


@dataclass(slots=True)
class Running:
    """One channel at work with its dispatch loops."""

    record: ChannelRecord
    channel: Channel
    dispatch: ChannelDispatch
    tasks: list["asyncio.Task[None]"]


class ChannelHost:
    """Owns every running channel of this process."""

    def __init__(
        self,
        ledger: Claims,
        providers: Mapping[str, Provider],
        *,
        clock: Clock,
        probe: Probe,
        receipts: ReceiptSink,
        policy: UnknownPolicy,
        rules: DispatchRules,
        told: Callable[[], None],
        drain_s: float,
    ) -> None:
        self._ledger = ledger
        self._providers = providers
        self._clock = clock
        self._probe = probe
        self._receipts = receipts
        self._policy = policy
        self._rules = rules
        self._told = told
        self._drain_s = drain_s
        self._turn = asyncio.Lock()
        self.running: dict[int, Running] = {}
        self.broken: dict[int, str] = {}

    async def reconcile(self, records: Mapping[int, ChannelRecord]) -> None:
        """Make the running channels what the ledger says."""
        async with self._turn:
            for channel_id, running in list(self.running.items()):
                record = records.get(channel_id)
                if record is None or record.version != running.record.version:
                    await self._stop(running)
                    del self.running[channel_id]
            for channel_id, record in records.items():
                if channel_id not in self.running:
                    await self._start(record)
                elif (known := self.running[channel_id]).record.paused != record.paused:
                    known.record = record
                    known.dispatch.paused = record.paused
                    known.dispatch.wake()
                    log.info("a channel was paused" if record.paused else "a channel goes on", channel=record.name)

    async def _start(self, record: ChannelRecord) -> None:
        try:
            provider = self._provider(record)
            running = self._build(record, provider, provider.check(record.settings))
        except ConfigError as error:
            self.broken[record.id] = str(error)
            log.warning("a channel cannot start", channel=record.name, error=error)
            return
        self.broken.pop(record.id, None)
        self.running[record.id] = running
        await running.channel.start()
        log.info("a channel was started", channel=record.name, provider=record.provider)

    def _provider(self, record: ChannelRecord) -> Provider:
        provider = self._providers.get(record.provider)
        if provider is None:
            raise ConfigError(f"there is no provider {record.provider!r}; known are {', '.join(self._providers)}")
        return provider

    def _build(self, record: ChannelRecord, provider: Provider, settings: Mapping[str, Any]) -> Running:
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
            late=late,
        )
        channel = provider.build(context)
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
        )
        dispatch.paused = record.paused
        loops: list[Coroutine[Any, Any, None]] = [dispatch.run(), dispatch.run_recorder()]
        tasks = [asyncio.create_task(loop, name=f"dispatch {record.name}") for loop in loops]
        return Running(record, channel, dispatch, tasks)

    def wake(self) -> None:
        """Have every channel look for due messages."""
        for running in self.running.values():
            running.dispatch.wake()

    def measure(self) -> None:
        """Set the metrics of windows and links."""
        for running in self.running.values():
            status, name = running.channel.status(), running.record.name
            metrics.window_in_use.labels(name).set(status.window_in_use)
            metrics.window_size.labels(name).set(status.window_size)
            for link in range(status.links):
                metrics.link_up.labels(name, str(link + 1)).set(1 if link < status.links_up else 0)

    async def _stop(self, running: Running) -> None:
        """Claim no more, let the answers come in, record them, then end."""
        running.dispatch.stopping = True
        await running.channel.stop(self._drain_s)
        await running.dispatch.drain()
        for task in running.tasks:
            task.cancel()
        await asyncio.gather(*running.tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Stop every channel."""
        async with self._turn:
            await asyncio.gather(*(self._stop(running) for running in self.running.values()))
            self.running.clear()
