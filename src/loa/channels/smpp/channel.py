"""An SMPP channel: its links together, as the stages see them.

All links share one pace, so the contract's rate holds for the account. Messages to one destination prefer one link,
which keeps their order as long as it has room.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from loa.channels.pace import Pace
from loa.channels.smpp import settings as own
from loa.channels.smpp.compose import Composer
from loa.channels.smpp.dial import Trial, tls_context
from loa.channels.smpp.keeper import Keeper
from loa.channels.smpp.known import KnownRefs
from loa.channels.smpp.link import Link
from loa.channels.smpp.linklog import LinkLog
from loa.channels.smpp.references import References
from loa.domain.outcome import Deferred
from loa.observe.log import get_logger
from loa.ports.channel import Attempt, ChannelContext, ChannelStatus, Settle, Step
from loa.smpp import commands as c

UNBIND_S: Final = 6.0
"""Time for all links together to unbind after the drain."""


class SmppChannel:
    """Several links to one SMSC, with one pace for all of them."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._settings = own.read(context.settings)
        self._tls = tls_context(self._settings)
        self._pace = Pace(self._settings.rate)
        self._known = KnownRefs(self._settings.ref_mode)
        self._composer = Composer(self._settings, References())
        self._tasks: list[asyncio.Task[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._stopping = False
        numbers = range(1, self._settings.links + 1)
        if self._settings.mode == "transceiver":
            self._senders = [self._keep(f"{number}", c.BIND_TRANSCEIVER) for number in numbers]
            self._keepers = self._senders
        else:
            self._senders = [self._keep(f"{number}-tx", c.BIND_TRANSMITTER) for number in numbers]
            self._keepers = self._senders + [self._keep(f"{number}-rx", c.BIND_RECEIVER) for number in numbers]

    async def start(self) -> None:
        """Begin to connect all links."""
        self._tasks = [asyncio.create_task(keeper.run()) for keeper in self._keepers]

    def free(self, now: int) -> int:  # noqa: ARG002 - the pace follows the monotonic clock
        """Tell how many segments may be handed over now; a long message takes several."""
        if self._stopping:
            return 0
        slots = queued = 0
        for keeper in self._senders:
            if keeper.link is not None:
                slots += keeper.link.free
                queued += keeper.link.window.queued
        if not slots:
            return 0
        room = self._pace.room(self._now()) - queued
        if room <= 0:
            self._hold_back()
            return 0
        return min(slots, room)

    def submit(self, attempts: Sequence[Attempt], settle: Settle) -> None:
        """Hand attempts to the links.

        Errors: Deferred when no link is up; otherwise as the answers say, see `flight`.
        """
        links = [keeper.link for keeper in self._senders if keeper.link is not None and keeper.link.usable]
        if not links or self._stopping:
            for attempt in attempts:
                asyncio.get_running_loop().call_soon(settle, attempt, Deferred("link_down", counts=False))
        elif len(links) == 1:
            links[0].submit(attempts, settle)
        else:
            self._spread(attempts, settle, links)

    def _spread(self, attempts: Sequence[Attempt], settle: Settle, links: list[Link]) -> None:
        room = [link.free for link in links]
        shares: list[list[Attempt]] = [[] for _ in links]
        count = len(links)
        for attempt in attempts:
            chosen = attempt.destination % count
            if room[chosen] <= 0:
                chosen = max(range(count), key=room.__getitem__)
            room[chosen] -= attempt.segment_count
            shares[chosen].append(attempt)
        for link, share in zip(links, shares, strict=True):
            if share:
                link.submit(share, settle)

    def status(self) -> ChannelStatus:
        """Describe the channel now."""
        up = [keeper.link for keeper in self._senders if keeper.link is not None and keeper.link.up]
        notes = [f"link {keeper.name}: {keeper.note}" for keeper in self._keepers if keeper.note != "bound"]
        if self._pace.paused(self._now()):
            notes.append("throttled by the peer")
        return ChannelStatus(
            ready=bool(up) and not self._stopping,
            links_up=sum(keeper.up for keeper in self._keepers),
            links=len(self._keepers),
            window_in_use=sum(link.window.in_use for link in up),
            window_size=self._settings.window * len(self._senders),
            detail="; ".join(notes),
            window_free=sum(link.free for link in up),
            rate=self._pace.told(self._now()),
        )

    async def test(self) -> list[Step]:
        """Try the connection step by step, apart from the live links."""
        if self._settings.mode == "transceiver":
            return await Trial(self._settings, c.BIND_TRANSCEIVER).run()
        steps = await Trial(self._settings, c.BIND_TRANSMITTER).run()
        received = await Trial(self._settings, c.BIND_RECEIVER).run()
        return steps + [Step(f"receiver {step.name}", step.ok, step.detail) for step in received]

    async def stop(self, drain_s: float) -> None:
        """Take no more, wait up to `drain_s` for answers and acknowledgements, unbind, settle what is left."""
        self._stopping = True
        links = [keeper.link for keeper in self._keepers if keeper.link is not None]
        for link in links:
            link.drain()
        self._look_if_idle()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                await self._idle.wait()
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(UNBIND_S):
                await asyncio.gather(*(link.unbind() for link in links))
        for link in links:
            link.abort("stopped")
            await link.closed
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        for keeper in self._keepers:
            keeper.link = None

    # --- told by the links ---

    def _freed(self) -> None:
        self._hold_back()
        if self._stopping:
            self._look_if_idle()
        else:
            self._context.wake()

    def _changed(self) -> None:
        """Let the dispatcher look: a link came or went."""
        self._freed()

    def _hold_back(self) -> None:
        """Look again when the pace has room."""
        now = self._now()
        if self._timer is None and not self._pace.room(now):
            self._timer = asyncio.get_running_loop().call_later(self._pace.next_at(now) - now, self._go_on)

    def _go_on(self) -> None:
        self._timer = None
        for keeper in self._senders:
            if keeper.link is not None:
                keeper.link.pump()
        self._freed()

    def _look_if_idle(self) -> None:
        links = [keeper.link for keeper in self._keepers if keeper.link is not None]
        if all(link.window.idle and not link.deliveries.pending for link in links):
            self._idle.set()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _keep(self, name: str, bind: int) -> Keeper:
        log = LinkLog(get_logger("loa.channels.smpp"), self._context.name, name)

        def make() -> Link:
            return Link(
                self._settings,
                self._context,
                bind=bind,
                composer=self._composer,
                pace=self._pace,
                known=self._known,
                freed=self._freed,
                held_back=self._hold_back,
                log=log,
            )

        return Keeper(
            self._settings,
            self._context.clock,
            name=name,
            make=make,
            tls=self._tls,
            changed=self._changed,
            log=log,
        )
