"""Remembers the addresses of a name for a moment, and asks for each name once at a time.

A receiver that hangs up after every answer would otherwise cost a look-up for every callback, and a slow name server
one for each callback that waits. What is remembered has passed the guard, and meets it again when it is connected to.
"""

import asyncio
import socket
from collections.abc import Callable

from loa.notify.guard import GuardedResolver

REMEMBER_S = 5.0
NAMES_MAX = 1_024


class Names:
    """Gives the addresses of names, checked. Errors: BlockedAddress; OSError when there is none."""

    def __init__(self, resolver: GuardedResolver, now: Callable[[], float]) -> None:
        self._resolver = resolver
        self._now = now
        self._known: dict[str, tuple[float, list[str]]] = {}
        self._asking: dict[str, asyncio.Task[list[str]]] = {}

    async def addresses(self, host: str, port: int) -> list[str]:
        """Give the addresses of a name, in the order of the resolver."""
        known = self._known.get(host)
        if known is not None and self._now() < known[0]:
            return known[1]
        task = self._asking.get(host)
        if task is None:
            task = self._asking[host] = asyncio.create_task(self._ask(host, port))
            task.add_done_callback(_heard)
        # Not the task itself: who gives up waiting must not take the answer from the others.
        await asyncio.wait((task,))
        if task.cancelled():
            raise socket.gaierror(socket.EAI_AGAIN, "the look-up was given up")
        return task.result()

    async def close(self) -> None:
        """Give up the look-ups that are under way."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, host: str, port: int) -> list[str]:
        try:
            found = await self._resolver.resolve(host, port)
        finally:
            del self._asking[host]
        if len(self._known) >= NAMES_MAX:
            self._known.clear()
        self._known[host] = (self._now() + REMEMBER_S, found)
        return found


def _heard(task: asyncio.Task[list[str]]) -> None:
    """Take note of a failure that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
