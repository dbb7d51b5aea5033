"""Keeping one link up: connect, bind, wait until it ends, wait with jitter, again.

Waits double from `reconnect_first_s` to `reconnect_longest_s`; after a refused bind they start high, because some SMSCs
lock an account that keeps trying. A link that was bound for a while starts the waits anew.
"""

import asyncio
import random
import ssl
from collections.abc import Callable
from typing import Final

from loa.channels.smpp.dial import server_name, why
from loa.channels.smpp.link import Link
from loa.channels.smpp.linklog import LinkLog
from loa.channels.smpp.settings import SmppSettings
from loa.ports.clock import Clock
from loa.smpp.outcomes import StatusClass, classify
from loa.smpp.status import status_name

STEADY_S: Final = 30.0
"""A link that was bound this long counts as having worked."""

BIND_REFUSED_S: Final = 30.0
ALREADY_BOUND_S: Final = 5.0
"""Least waits after these answers, as far as `reconnect_longest_s` allows."""


class Keeper:
    """Keeps one link of a channel up until it is stopped. `note` says for people how it stands."""

    def __init__(
        self,
        settings: SmppSettings,
        clock: Clock,
        *,
        name: str,
        make: Callable[[], Link],
        tls: ssl.SSLContext | None,
        changed: Callable[[], None],
        log: LinkLog,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._make = make
        self._tls = tls
        self._changed = changed
        self._log = log
        self.name = name
        self.link: Link | None = None
        self.note = "not started"
        self._wait_s = settings.reconnect_first_s
        self._statuses = settings.statuses

    @property
    def up(self) -> bool:
        """Whether the link is bound."""
        return self.link is not None and self.link.up

    async def run(self) -> None:
        """Keep the link up for ever; cancel to stop."""
        while True:
            self.note = "connecting"
            began = self._clock.monotonic()
            reason, least_s = await self._hold()
            if self._clock.monotonic() - began >= STEADY_S:
                self._wait_s = self._settings.reconnect_first_s
            wait_s = max(self._wait_s, min(least_s, self._settings.reconnect_longest_s))
            self._wait_s = min(self._wait_s * 2, self._settings.reconnect_longest_s)
            wait_s *= 0.8 + 0.4 * random.random()
            self.note = f"{reason}, next try in {wait_s:.0f} s"
            self._changed()
            self._log.warning("link is down", reason=reason, retry_s=round(wait_s, 1))
            await self._clock.sleep(wait_s)

    async def _hold(self) -> tuple[str, float]:
        """Connect, bind and wait for the end; give the reason of the end and the least wait after it."""
        link = self._make()
        try:
            status = await self._bind(link)
        except (OSError, TimeoutError, UnicodeError) as error:
            return why(error), 0.0
        finally:
            if not link.up:
                link.abort("given_up")
        if status:
            return self._refused(status)
        self.link = link
        self.note = "bound"
        self._changed()
        self._log.info("link is up")
        reason = await asyncio.shield(link.closed)
        self.link = None
        return reason, 0.0

    async def _bind(self, link: Link) -> int:
        async with asyncio.timeout(self._settings.bind_timeout_s):
            await asyncio.get_running_loop().create_connection(
                lambda: link,
                self._settings.host,
                self._settings.port,
                ssl=self._tls,
                server_hostname=server_name(self._settings),
            )
            return await asyncio.shield(link.bound)

    def _refused(self, status: int) -> tuple[str, float]:
        if status < 0:
            return "peer closed the connection during the bind", 0.0
        kind = classify(status, self._statuses)
        if kind is StatusClass.ALREADY_BOUND:
            return f"bind refused: {status_name(status)}", ALREADY_BOUND_S
        if kind in (StatusClass.BIND_REFUSED, StatusClass.REFUSED):
            self._log.error("bind refused: check system_id, password and the network rules", status=status_name(status))
            return f"bind refused: {status_name(status)}", BIND_REFUSED_S
        return f"bind refused: {status_name(status)}", 0.0
