"""Reading callbacks with what came of them. One that was taken is known by its event and its tries alone."""

from abc import abstractmethod
from typing import Any, Final

from loa.domain.cost import read_bill
from loa.domain.lifecycle import State
from loa.domain.standing import POSSIBLE_DUPLICATE
from loa.ledger.delivering import HIGHEST, LOOK, SLACK_MS, Place, by_time, lay_out, merged, of_message, page
from loa.ledger.postgres import directory, search
from loa.ledger.postgres.days import day_of, day_start, first_id
from loa.ledger.postgres.search import many, one
from loa.ledger.postgres.statements import IMPORTED, by_day, part_of_id
from loa.ports.records import CallbackFilter, CallbackPage, DueCallback, Row
from loa.seal.sealer import Sealer

DAYS: Final = 31
"""How many days one page looks through at most."""


class DeliveryReading:
    """The part of the ledger that reads callbacks."""

    _sealer: Sealer

    @abstractmethod
    async def _read(self, query: Any, tenant_id: int | None = None) -> Any:
        """Run a query on a reading connection. Errors: StorageError."""

    async def callbacks(self, tenant_id: int, wanted: CallbackFilter, after: Place | None, limit: int) -> CallbackPage:
        """See ports.watching.Deliveries."""
        return await self._read(lambda c: _callbacks(c, tenant_id, wanted, after, limit), tenant_id)  # type: ignore[no-any-return]

    async def callback(self, tenant_id: int, callback_id: int) -> Row | None:
        """See ports.watching.Deliveries."""
        return await self._read(lambda c: _callback(c, self._sealer, tenant_id, callback_id), tenant_id)  # type: ignore[no-any-return]

    async def count_failed(self, tenant_id: int, endpoint_id: int, since: int, limit: int) -> int:
        """See ports.watching.Deliveries."""
        values = (tenant_id, endpoint_id, since, limit)
        return int((await self._read(lambda c: one(c, "count_failed", *values), tenant_id))["count"])


async def _callbacks(
    connection: Any, tenant_id: int, wanted: CallbackFilter, after: Place | None, limit: int
) -> CallbackPage:
    if wanted.message_id is not None:
        number = wanted.message_id
        found = await many(connection, "callbacks_of_message", tenant_id, number, day_start(abs(number)))
        return of_message(await _rows(connection, tenant_id, [row["id"] for row in found]), wanted, after, limit)
    if wanted.result in ("due", "failed"):
        values = (tenant_id, wanted.endpoint_id, *by_time(wanted, after), limit)
        found = await many(connection, f"{wanted.result}_of_endpoints", *values)
        places = merged([[(row["at"], row["id"]) for row in found]], limit, latest_first=wanted.result == "failed")
        ids = [number for _, number in places]
        return page(await _rows(connection, tenant_id, ids), ids, places[-1] if len(places) == limit else None)
    ids, further = await _newest(connection, tenant_id, wanted, after, limit)
    return page(await _rows(connection, tenant_id, ids), ids, further)


async def _rows(connection: Any, tenant_id: int, ids: list[int]) -> list[dict[str, Any]]:
    rows = []
    for day, group in by_day(ids, int):
        rows += [_with_last(row) for row in await many(connection, "callback_rows", tenant_id, group, day=day)]
    return rows


def _with_last(row: dict[str, Any]) -> dict[str, Any]:
    names = {"number": "number", "tried_at": "at", "status": "status", "fault": "error", "elapsed_ms": "elapsed_ms"}
    last = {name: row.pop(column) for column, name in names.items()}
    return {**row, "last": None if last["number"] is None else last}


async def _newest(
    connection: Any, tenant_id: int, wanted: CallbackFilter, after: Place | None, limit: int
) -> tuple[list[int], Place | None]:
    """Look back day after day until the page is full or enough was looked through."""
    high, low = HIGHEST if after is None else after[1], 0
    if wanted.until is not None:
        high = min(high, await _position(connection, tenant_id, wanted.until + SLACK_MS))
    if wanted.since is not None:
        low = await _position(connection, tenant_id, wanted.since - SLACK_MS)
    window = (wanted.since or 0, HIGHEST if wanted.until is None else wanted.until)
    ids: list[int] = []
    left = LOOK
    for place, day in enumerate(await _days(connection, low, high)):
        if place == DAYS:
            return ids, (0, high)
        span = (tenant_id, high, low, left)
        values = (*span, wanted.endpoint_id, *window, limit - len(ids), wanted.result == "delivered")
        ids += [row["id"] for row in await many(connection, "newest_callbacks", *values, day=day)]
        if len(ids) == limit:
            return ids, (0, ids[-1])
        seen = await one(connection, "looked_through", *span, day=day)
        left -= seen["count"] if seen else 0
        if left == 0 and seen:
            return ids, (0, seen["last"])
        high = first_id(day)
    return ids, None


async def _days(connection: Any, low: int, high: int) -> list[int]:
    """Name the days that may hold events between two ids, newest first; what was imported comes last."""
    days = [row["day"] for row in await many(connection, "days_of_messages")]
    kept = [day for day in days if first_id(day) < high and first_id(day + 1) > low]
    return [*kept, *([IMPORTED] if low < first_id(1) else [])]


async def _position(connection: Any, tenant_id: int, at: int) -> int:
    """Find the first event from a time on, by halves: events are written in about the order of their times."""
    day = day_of(at)
    newest = await one(connection, "newest_event", tenant_id, first_id(day + 1), day=day)
    if newest is None:
        return first_id(day)
    low, high = first_id(day), newest["id"] + 1
    while low < high:
        middle = (low + high) // 2
        found = await one(connection, "event_from", tenant_id, middle, day=day)
        if found is None or found["at"] >= at:
            high = middle
        else:
            low = found["id"] + 1
    return low


async def _callback(connection: Any, sealer: Sealer, tenant_id: int, callback_id: int) -> Row | None:
    rows = await _rows(connection, tenant_id, [callback_id])
    if not rows:
        return None
    tries = await many(connection, "tries_of", tenant_id, callback_id, day=part_of_id(callback_id))
    told = await _told(connection, sealer, tenant_id, rows[0])
    return {**lay_out(dict(rows[0])), "tries": tries, "told": told}


async def _told(connection: Any, sealer: Sealer, tenant_id: int, row: dict[str, Any]) -> DueCallback | None:
    """Put together what a callback tells of, as it is posted."""
    endpoints = await directory.endpoints(connection, tenant_id, sealer)
    endpoint = next(each for each in endpoints if each.id == row["endpoint_id"])
    due = DueCallback(
        id=row["id"],
        tenant_id=tenant_id,
        endpoint_id=endpoint.id,
        url=endpoint.url,
        secrets=endpoint.secrets,
        tries=row["tries_made"],
        sequence=row["sequence"],
        occurred_at=row["at"],
    )
    number = row["message_id"]
    if number < 0:
        due.inbound = (await search.told_inbound(connection, tenant_id, {number})).get(number)
        return due if due.inbound is not None else None
    told = (await search.told_of(connection, tenant_id, {number})).get(number)
    if told is None:
        return None
    due.message_id, due.state, due.error, due.channel = number, State(row["state"]), row["error"], row["channel"]
    due.possible_duplicate = bool(row["flags"] & POSSIBLE_DUPLICATE)
    due.double_reach = read_bill(told["bill"]).double_reach if told["bill"] else False
    due.cost = (await search.costs_of(connection, tenant_id, [told])).get(number, 0)
    for name in ("destination", "segment_count", "referent_id", "request_id", "sent_at", "metadata"):
        setattr(due, name, told[name])
    due.handed_over_at = told["handed_over_at"] or 0
    return due
