"""One channel of the ledger in this process: what of it may run here, what does, and how the one becomes the other."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from loa.errors import ConfigError
from loa.observe import metrics
from loa.observe.log import get_logger
from loa.ports.channel import Channel, Provider, part_of
from loa.ports.grants import AccessTokens
from loa.ports.records import ChannelRecord, SlotUse
from loa.stages.dispatch import ChannelDispatch

log = get_logger("loa.app.channels")


@dataclass(frozen=True, slots=True)
class Plan:
    """A channel as the ledger has it, its settings checked. `slots`: into how many it is divided."""

    record: ChannelRecord
    provider: Provider
    settings: Mapping[str, Any]
    slots: int


@dataclass(slots=True)
class Running:
    """The part of a channel that is at work here, with its dispatch loops. `held`: how many slots make it."""

    plan: Plan
    held: int
    channel: Channel
    dispatch: ChannelDispatch
    tasks: list["asyncio.Task[None]"]
    links_shown: int = 0
    tokens: AccessTokens | None = None

    def measure(self) -> None:
        """Set the metrics of windows and links."""
        status, name = self.channel.status(), self.plan.record.name
        metrics.window_in_use.labels(name).set(status.window_in_use)
        metrics.window_size.labels(name).set(status.window_size)
        metrics.slots_held.labels(name).set(self.held)
        for link in range(status.links):
            metrics.link_up.labels(name, str(link + 1)).set(1 if link < status.links_up else 0)
        self.links_shown = max(self.links_shown, status.links)

    def forget(self) -> None:
        """Take back the metrics: what runs elsewhere from now on is measured there."""
        name = self.plan.record.name
        for gauge in (metrics.window_in_use, metrics.window_size, metrics.slots_held):
            gauge.labels(name).set(0)
        for link in range(self.links_shown):
            metrics.link_up.remove(name, str(link + 1))

    async def stop(self, drain_s: float) -> None:
        """Claim no more, let the answers come in, record them, then end."""
        await self.dispatch.stop_claiming()
        await self.channel.stop(drain_s)
        await self.dispatch.drain()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.forget()


Build = Callable[[Plan, Mapping[str, Any], int], Running]
"""Builds the part of a channel: its plan, the settings of the part, the slots that make it. Errors: ConfigError."""


class Seat:
    """Makes what runs of one channel follow its plan and the slots that this process may use."""

    def __init__(self, build: Build, drain_s: float) -> None:
        self._build = build
        self._drain_s = drain_s
        self._turn = asyncio.Lock()
        self._plan: Plan | None = None
        self._share = 0
        self.running: Running | None = None
        self.problem = ""

    def give(self, plan: Plan | None, problem: str = "") -> None:
        """Take what the ledger says now: None when the channel is gone, or cannot run for the problem named."""
        if plan is None or self._plan is None or plan.slots != self._plan.slots:
            # A share was of slots that are no more: what this process may use has to be asked anew.
            self._share = 0
        self._plan, self.problem = plan, problem
        if plan is not None and self.running is not None and plan.record.version == self.running.plan.record.version:
            self._pause(plan)

    def _pause(self, plan: Plan) -> None:
        running, record = self.running, plan.record
        assert running is not None
        if record.paused != running.dispatch.paused:
            running.dispatch.paused = record.paused
            running.dispatch.wake()
            log.info("a channel was paused" if record.paused else "a channel goes on", channel=record.name)
        running.plan = plan

    def share(self, slots: int, held: int) -> None:
        """Take how many of so many slots this process may use; an answer to an older plan is left alone."""
        if self._plan is not None and self._plan.slots == slots:
            self._share = held

    @property
    def use(self) -> SlotUse | None:
        """How this process uses the channel, None where it does not and will not.

        What it was given counts as used from then on, and what it gave up until the last link is unbound.
        """
        plan = self._plan or (self.running.plan if self.running is not None else None)
        if plan is None or (self.problem and self.running is None):
            return None
        held = self.running.held if self.running is not None else 0
        return SlotUse(plan.slots, min(plan.slots, max(held, self._share)))

    @property
    def over(self) -> bool:
        """Whether the channel is gone, and nothing of it runs."""
        return self._plan is None and self.running is None and not self.problem

    @property
    def settled(self) -> bool:
        """Whether what runs is what should."""
        plan, running = self._plan, self.running
        wanted = 0 if plan is None or self.problem else self._share
        if running is None or plan is None:
            return running is None and wanted == 0
        return running.held == wanted and running.plan.record.version == plan.record.version

    async def settle(self) -> None:
        """Stop and start until what runs is what should. One at a time; what changes meanwhile is followed."""
        async with self._turn:
            while not self.settled:
                if self.running is not None:
                    await self.running.stop(self._drain_s)
                    self.running = None
                elif self._plan is not None:
                    await self._start(self._plan, self._share)

    async def _start(self, plan: Plan, held: int) -> None:
        name = plan.record.name
        try:
            running = self._build(plan, part_of(plan.provider, plan.settings, held), held)
        except ConfigError as error:
            self.problem, self._share = str(error), 0
            log.warning("a channel cannot start", channel=name, error=error)
            return
        self.running = running
        await running.channel.start()
        log.info("a channel was started", channel=name, provider=plan.record.provider, held=held, slots=plan.slots)
