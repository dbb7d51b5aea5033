"""What the console does to many messages, piece by piece, while people may leave the page.

Errands are kept in memory: after a restart nobody knows them, and what they were about is begun again from its address.
That is safe, because whatever a piece does to a message is done to it once.
"""

import asyncio
import secrets
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from loa.errors import CallerError

KEPT: Final = 100
RUNNING_MAX: Final = 8
MADE_SHOWN: Final = 20


class Stage(StrEnum):
    """How far an errand is."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    BROKEN = "broken"


@dataclass(slots=True)
class Errand:
    """One piece of work. `expected`: how many messages, at least so many where `more`; `counts`: by effect.

    `made`: messages that were sent again, with what they became, the first few; `problems`: why some were refused.
    """

    tenant_id: int
    action: str
    expected: int
    more: bool
    begun_at: int
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    stage: Stage = Stage.RUNNING
    counts: Counter[str] = field(default_factory=Counter)
    made: list[tuple[str, str]] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    error: BaseException | None = None
    wants_stop: bool = False

    @property
    def looked_at(self) -> int:
        """How many messages it has come to."""
        return self.counts.total()


class Errands:
    """The errands of this process: those that run, and the newest that are over."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Errand] = OrderedDict()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def get(self, errand_id: str, tenant_id: int) -> Errand | None:
        """Give an errand of a tenant's messages."""
        errand = self._kept.get(errand_id)
        return errand if errand is not None and errand.tenant_id == tenant_id else None

    def start(self, errand: Errand, work: Callable[[Errand], Awaitable[None]]) -> "asyncio.Task[None]":
        """Begin an errand. Errors: CallerError where too many run."""
        if len(self._tasks) >= RUNNING_MAX:
            raise CallerError("too_many_errands", "too many of these run at once: wait until one is over")

        async def run() -> None:
            await work(errand)

        self._kept[errand.id] = errand
        for each in list(self._kept)[: max(0, len(self._kept) - KEPT)]:
            if each not in self._tasks:
                del self._kept[each]
        task = asyncio.create_task(run())
        self._tasks[errand.id] = task
        task.add_done_callback(lambda ended: self._over(errand, ended))
        return task

    def _over(self, errand: Errand, task: "asyncio.Task[None]") -> None:
        del self._tasks[errand.id]
        errand.error = None if task.cancelled() else task.exception()
        if errand.error is not None:
            errand.stage = Stage.BROKEN
        else:
            errand.stage = Stage.STOPPED if task.cancelled() or errand.wants_stop else Stage.DONE
