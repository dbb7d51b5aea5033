"""What an admin reads: messages of any tenant without a key, and how the ledger does."""

import os
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from loa import __version__
from loa.api.v1 import models, views
from loa.app.admin_messages import message_number
from loa.app.admin_people import DEFAULT_TENANT, Name, Shown, instant, tenant_named
from loa.domain.lifecycle import State
from loa.domain.traffic import TrafficClass
from loa.errors import CallerError, NotFound
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.ports.records import MessageFilter

PageLimit = Annotated[int, Field(ge=1, le=500)]


class Reading:
    """Messages and the state of the ledger. `read_number` gives a number's normal form, None where it has none."""

    def __init__(self, ledger: Ledger, clock: Clock, read_number: Callable[[str], str | None], url: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._read_number = read_number
        self._url = url

    async def messages(
        self,
        *,
        tenant: Name = DEFAULT_TENANT,
        states: tuple[str, ...] = (),
        traffic_class: Literal["otp", "transactional", "advertising"] | None = None,
        destination: str = "",
        sender: str = "",
        channel: str = "",
        request_id: str = "",
        since: int | None = None,
        until: int | None = None,
        dead: bool | None = None,
        before: str = "",
        limit: PageLimit = 100,
    ) -> Shown:
        """List messages, newest first; `before` is the id of the last message of the page before.

        Errors: NotFound, CallerError.
        """
        owner = await tenant_named(self._ledger, tenant)
        wanted = MessageFilter(
            states=tuple(_state(label) for label in states),
            traffic_class=None if traffic_class is None else TrafficClass[traffic_class.upper()],
            destination=self._number(destination) if destination else None,
            sender=sender,
            channel=channel,
            request_id=request_id,
            since=since,
            until=until,
            dead=dead,
        )
        position = message_number(before) if before else None
        rows = await self._ledger.messages(owner.id, wanted, position, limit)
        now = self._clock.now()
        shown = [_plain(views.message(row, now)) for row in rows]
        return {"messages": shown, "before": shown[-1]["messageId"] if len(shown) == limit else None}

    async def message(self, *, message_id: str, tenant: Name = DEFAULT_TENANT) -> Shown:
        """Show a message with everything that happened to it. Errors: NotFound, CallerError."""
        owner = await tenant_named(self._ledger, tenant)
        row = await self._ledger.timeline(owner.id, message_number(message_id))
        if row is None:
            raise NotFound(f"tenant {owner.name} has no message {message_id}")
        return _plain(views.timeline(row, now=self._clock.now(), with_content=True))

    async def ping(self) -> Shown:
        """Make one empty commit. Errors: StorageError."""
        before = self._clock.monotonic()
        await self._ledger.ping()
        return {"ok": True, "elapsedMs": round((self._clock.monotonic() - before) * 1000, 2)}

    async def orphans(self) -> list[Shown]:
        """Say which channels have receipts that match no message."""
        names = await self._channel_names()
        return [
            {
                "channel": names.get(row["channel_id"], str(row["channel_id"])),
                "count": row["count"],
                "oldestAt": instant(row["oldest_at"]),
            }
            for row in await self._ledger.orphans()
        ]

    async def lanes(self) -> list[Shown]:
        """Say what waits, by channel and class, and since when the oldest is due."""
        names = await self._channel_names()
        return [
            {
                "channel": names.get(row["channel_id"], str(row["channel_id"])),
                "class": row["class"],
                "queued": row["count"],
                "oldestDueAt": instant(row["oldest_due_at"]),
            }
            for row in await self._ledger.depths()
        ]

    async def about(self) -> Shown:
        """Say which process answers: its id, its version, and its address where it is a gateway."""
        return {"pid": os.getpid(), "version": __version__, "url": self._url or None}

    async def _channel_names(self) -> dict[int, str]:
        return {record.id: record.name for record in await self._ledger.channels()}

    def _number(self, written: str) -> int:
        known = self._read_number(written)
        if known is None:
            raise CallerError("destination", f"{written!r} is no phone number")
        return int(known)


def _state(label: str) -> State:
    labels = {state.label: state for state in State}
    if label not in labels:
        raise CallerError("state", f"there is no state {label!r}; choose of: {', '.join(labels)}")
    return labels[label]


def _plain(model: models.Wire) -> Shown:
    return model.model_dump(mode="json", by_alias=True)
