"""Reading for people and programs."""

import json
from collections.abc import Iterable
from typing import Any, Final

import asyncpg

from loa.domain.cost import Attempted, costs_at_once, costs_by_attempts, read_bill
from loa.domain.lifecycle import State
from loa.domain.receipt import stored_form
from loa.ledger import reading
from loa.ledger.contents import handed_over
from loa.ledger.postgres.accept import days_around
from loa.ledger.postgres.days import IMPORTED_END, INDEX_BITS, day_of, day_of_id, day_start, first_id
from loa.ledger.postgres.inbound import read_told
from loa.ledger.postgres.statements import IMPORTED, by_day, part_of_id, statement
from loa.ledger.reading import Read
from loa.ports.channel import Attempt
from loa.ports.records import Found, InboundEvent, MessageFilter, Row

UNKNOWN_AT_ONCE: Final = 2_000
LAST_ID: Final = 2**63 - 1


async def many(connection: Any, name: str, *values: Any, day: int | None = None) -> list[Read]:
    """Give the rows of a query; of a day that is not kept there are none."""
    try:
        return [dict(row) for row in await connection.fetch(statement(name, day), *values)]
    except asyncpg.UndefinedTableError:
        if day is None:
            raise
        return []


async def one(connection: Any, name: str, *values: Any, day: int | None = None) -> Read | None:
    """Give the first row of a query."""
    rows = await many(connection, name, *values, day=day)
    return rows[0] if rows else None


async def submission(connection: Any, tenant_id: int | None, referent_id: str) -> Read | None:
    """Read one submission; without a tenant for the caller who holds its token."""
    row = await one(connection, "submission_of_tenant", referent_id, tenant_id, *days_around(referent_id))
    if row is None:
        return None
    row["ext"], row["answer"] = json.loads(row["ext"]), json.loads(row["answer"])
    return reading.submission(row)


async def submission_by_token(connection: Any, token: str) -> Row | None:
    """Read a submission for whoever holds its token; the token begins with the sortable part of the referent id."""
    row = await submission(connection, None, reading.referent_of(token))
    return row if reading.holds(row, token) else None


async def submission_messages(connection: Any, tenant_id: int, referent_id: str, after: int, limit: int) -> list[Row]:
    """Read a page of a submission's messages, after an id."""
    found = await submission(connection, tenant_id, referent_id)
    if found is None:
        return []
    span = (found["first_message_id"], found["message_count"])
    day = part_of_id(found["id"])
    rows = await many(connection, "messages_in_span", tenant_id, *span, after, limit, day=day)
    return [reading.message(row) for row in rows]


async def message(connection: Any, tenant_id: int, message_id: int) -> Read | None:
    """Read one message."""
    row = await one(connection, "one_message", tenant_id, message_id, day=part_of_id(message_id))
    return None if row is None else reading.message(row)


async def timeline(connection: Any, tenant_id: int, message_id: int) -> Row | None:
    """Read a message with everything that happened to it."""
    row = await message(connection, tenant_id, message_id)
    if row is None:
        return None
    attempts = await many(connection, "attempts_of", tenant_id, message_id, day=part_of_id(message_id))
    if row["attempts"] > len(attempts):
        attempts += await many(connection, "open_attempt_of", message_id, row["attempts"])
    for attempt in attempts:
        attempt["refs"] = json.loads(attempt["refs"] or "[]")
    refs = reading.refs_of(attempts)
    if any(a["outcome"] == "unknown" for a in attempts):
        found = await many(connection, "refs_of_evidence", message_id, day_start(message_id))
        refs = list(dict.fromkeys([*refs, *((one["channel_id"], one["ref"]) for one in found)]))
    pairs = ([channel_id for channel_id, _ in refs], [ref for _, ref in refs])
    rulings = await many(connection, "rulings_of", tenant_id, message_id)
    segments = await many(connection, "segments_of", message_id, *pairs)
    receipts = await many(connection, "receipts_of", message_id, *pairs)
    events = await many(connection, "events_of", tenant_id, message_id, day_start(message_id))
    for event in events:
        event["tries"] = json.loads(event["tries"])
    tried = await _tried(connection, tenant_id, [message_id]) if reading.arrived_before(row) else []
    return reading.timeline(row, attempts, segments, receipts, rulings, events, tried)


async def _tried(connection: Any, tenant_id: int, ids: list[int]) -> list[Attempted]:
    """Read the attempts of messages of one day, each with whether it proves to have arrived."""
    values = ([tenant_id] * len(ids), ids, day_start(ids[0]))
    rows = await many(connection, "tried_of", *values, day=part_of_id(ids[0]))
    return [(*row.values(),) for row in rows]


async def attempt(connection: Any, tenant_id: int, message_id: int, number: int) -> Attempt | None:
    """Read one attempt that ended as its channel was handed it."""
    row = await one(connection, "handed_over", tenant_id, message_id, number, day=part_of_id(message_id))
    if row is None:
        return None
    values = tuple(row.values())
    return handed_over(values[:7], values[7], values[8], values[9:])


async def messages_by_ref(connection: Any, tenant_id: int, ref: str, limit: int) -> list[int]:
    """Find messages by what a provider calls a segment of theirs."""
    return [row["message_id"] for row in await many(connection, "messages_by_ref", tenant_id, stored_form(ref), limit)]


async def unknown_by_channel(connection: Any, tenant_id: int) -> list[Row]:
    """Count unknown messages by channel."""
    return list(await many(connection, "unknown_by_channel", tenant_id))


async def messages(connection: Any, tenant_id: int, wanted: MessageFilter, before: int | None, limit: int) -> list[Row]:
    """List messages, newest first, day after day until the page is full."""
    return list((await find(connection, tenant_id, wanted, before, limit, None)).rows)


async def find(
    connection: Any, tenant_id: int, wanted: MessageFilter, before: int | None, limit: int, reach: int | None
) -> Found:
    """List messages, newest first, looking at `reach` of them at most where no index leads to them."""
    if wanted.states == (State.UNKNOWN,) and wanted.destination is None:
        return Found(await _unknown(connection, tenant_id, wanted, before, limit))
    by_index = wanted.destination is not None or not reading.is_narrow(wanted)
    rows: list[Row] = []
    left = None if by_index else reach
    for day in await _days_back(connection, before, wanted):
        low, high = await _span(connection, day, tenant_id, wanted, before)
        looked_at, floor = await _reached(connection, day, tenant_id, (low, high), left)
        span = (low if floor is None else floor, high)
        rows += await _messages_of(connection, day, tenant_id, wanted, span, limit - len(rows))
        if len(rows) >= limit:
            break
        if left is not None:
            left -= looked_at
            if left <= 0:
                return Found(rows, floor)
    return Found(rows)


async def _reached(
    connection: Any, day: int, tenant_id: int, span: tuple[int, int], left: int | None
) -> tuple[int, int | None]:
    """Give how many messages of a day a look may reach, and the last of them."""
    rows = [] if left is None else await many(connection, "reached", tenant_id, *span, left, day=day)
    return (rows[0]["n"], rows[0]["low"]) if rows else (0, None)


async def _span(
    connection: Any, day: int, tenant_id: int, wanted: MessageFilter, before: int | None
) -> tuple[int, int]:
    """Give the ids of a day between which a list may speak of messages: from the first up to below the second."""
    low, high = (0, IMPORTED_END) if day == IMPORTED else (first_id(day), first_id(day + 1))
    first, last = await _first_since(connection, day, tenant_id, wanted.since, wanted.until)
    low, high = max(low, first or low), min(high, last or high)
    return low, high if before is None else min(high, before)


async def _first_since(
    connection: Any, day: int, tenant_id: int, since: int | None, until: int | None
) -> tuple[int | None, int | None]:
    """Find the ids at which a tenant's submissions of a day reach two times, None where that narrows nothing."""
    inside = [at for at in (since, until) if at is not None and day in (IMPORTED, day_of(at))]
    ends = (await many(connection, "submission_ends", tenant_id, day=day)) if inside else []
    if not ends or ends[0]["last"] is None:
        return None, None
    first, last = int(ends[0]["first"]), int(ends[0]["last"])
    unit = 1 if day == IMPORTED else 1 << INDEX_BITS
    if (last - first) // unit < reading.BISECT_FROM:
        return None, None

    async def reached(at: int) -> int:
        low, high = first // unit, last // unit + 1
        while low < high:
            middle = (low + high) // 2
            rows = await many(connection, "accepted_at_or_after", tenant_id, middle * unit, day=day)
            if rows and rows[0]["accepted_at"] < at:
                low = middle + 1
            else:
                high = middle
        return low * unit

    low = None if since is None or since not in inside else await reached(since - reading.DISORDER_MS)
    high = None if until is None or until not in inside else await reached(until + reading.DISORDER_MS)
    return low, high


async def _unknown(connection: Any, tenant_id: int, wanted: MessageFilter, before: int | None, limit: int) -> list[Row]:
    """List unknown messages: they are few among all, and stand in a table of their own."""
    rows: list[Row] = []
    last = LAST_ID if before is None else before
    while len(rows) < limit:
        page = await many(connection, "unknown_before", tenant_id, last, UNKNOWN_AT_ONCE)
        if not page:
            break
        last = page[-1]["message_id"]
        for day, among in reversed(by_day((row["message_id"] for row in page), int)):
            left = limit - len(rows)
            rows += (
                await _messages_of(connection, day, tenant_id, wanted, (0, LAST_ID), left, among=among) if left else []
            )
    return rows


async def _days_back(connection: Any, before: int | None, wanted: MessageFilter) -> list[int]:
    """Name the days that may hold what is wanted, newest first; what was imported comes last."""
    last = None if before is None else part_of_id(before)
    if last == IMPORTED:
        return [IMPORTED]
    first = 0 if wanted.since is None else day_of(wanted.since)
    until = None if wanted.until is None else day_of(wanted.until)
    days = [row["day"] for row in await many(connection, "days_of_messages")]
    kept = [d for d in days if d >= first and (last is None or d <= last) and (until is None or d <= until)]
    return [*kept, IMPORTED]


async def _messages_of(
    connection: Any,
    day: int,
    tenant_id: int,
    wanted: MessageFilter,
    span: tuple[int, int],
    limit: int,
    *,
    among: list[int] | None = None,
) -> list[Row]:
    values: list[Any] = [limit]

    def bind(_name: str, value: Any) -> str:
        values.append(value)
        return f"${len(values)}"

    filters = [f"m.tenant_id = {bind('tenant', tenant_id)}", *reading.conditions(wanted, bind)]
    if among is not None:
        filters.append(f"m.id = ANY({bind('among', among)}::bigint[])")
    filters += [f"m.id >= {bind('low', span[0])}", f"m.id < {bind('high', span[1])}"]
    numbers = ", ".join(str(int(state)) for state in wanted.states)
    states = f"x.state IN ({numbers})" if numbers else "true"
    query = statement("message_page", day).format(filters=" AND ".join(filters), states=states)
    return [reading.message(dict(row)) for row in await connection.fetch(query, *values)]


async def unknown_waiting(connection: Any, tenant_id: int, since: int, limit: int) -> int:
    """Count unknown messages that wait for evidence."""
    waiting = [row["message_id"] for row in await many(connection, "unknown_waiting", tenant_id, limit)]
    count = 0
    for day, group in by_day(waiting, int):
        rows = await many(connection, "accepted_since", tenant_id, group, since, day=day)
        count += sum(row["count"] for row in rows)
    return count


async def events(connection: Any, tenant_id: int, after: int, limit: int) -> list[Row]:
    """Read events after a cursor, which is the id of the last one read."""
    at = await one(connection, "feed_position", tenant_id, after, day=part_of_id(after)) if after else None
    # Where that one is gone with its day, all that is left of the feed comes after it.
    position = (0, 0) if at is None else (at["xid"], after)
    lowest = 0 if after < IMPORTED_END else first_id(day_of_id(after) - 1)
    rows = await many(connection, "events_after", tenant_id, *position, lowest, limit)
    numbers = {row["message_id"] for row in rows}
    told = await told_of(connection, tenant_id, numbers)
    costs = await costs_of(connection, tenant_id, told.values())
    inbound = await told_inbound(connection, tenant_id, numbers)
    laid_out: list[Row] = []
    for row in rows:
        if row["message_id"] in told:
            laid_out.append(reading.event(row | told[row["message_id"]], costs))
        elif row["message_id"] in inbound:
            laid_out.append(reading.inbound_event(row, inbound[row["message_id"]]))
    return laid_out


async def told_of(connection: Any, tenant_id: int, numbers: set[int]) -> dict[int, Read]:
    """Read what events tell of messages."""
    told: dict[int, Read] = {}
    for day, group in by_day((number for number in numbers if number > 0), int):
        for row in await many(connection, "told_of", tenant_id, group, day=day):
            row["metadata"] = None if row["metadata"] is None else json.loads(row["metadata"])
            told[row["message_id"]] = row
    return told


async def costs_of(connection: Any, tenant_id: int, told: Iterable[Read]) -> dict[int, int]:
    """Give what messages cost, by their ids; attempts are read only of those for which it takes them."""
    bills = {one["message_id"]: read_bill(one["bill"]) for one in told if one["bill"]}
    costs = costs_at_once(bills)
    for _day, group in by_day(bills.keys() - costs.keys(), int):
        costs |= costs_by_attempts(bills, await _tried(connection, tenant_id, group))
    return costs


async def told_inbound(connection: Any, tenant_id: int, numbers: set[int]) -> dict[int, InboundEvent]:
    """Read the inbound events that events tell of: the numbers below 0."""
    told: dict[int, InboundEvent] = {}
    for day, group in by_day((-number for number in numbers if number < 0), int):
        for row in await many(connection, "told_of_inbound", tenant_id, group, day=day):
            told[-row["id"]] = read_told(row)
    return told


async def last_event(connection: Any, tenant_id: int) -> int:
    """Give the cursor behind the last event before which nothing can come any more."""
    row = await one(connection, "last_event", tenant_id)
    return row["id"] if row is not None else 0


async def warnings(connection: Any, tenant_id: int, limit: int) -> list[Row]:
    """Read a tenant's latest warnings."""
    return list(await many(connection, "warnings_of", tenant_id, limit))


async def orphans(connection: Any) -> list[Row]:
    """Read what is parked, by channel."""
    return list(await many(connection, "orphans"))


async def depths(connection: Any) -> list[Row]:
    """Give the kept depth of each lane that is not empty, with its first due time."""
    rows = await many(connection, "lane_depths")
    for row in rows:
        row["class"] = reading.CLASS_LABELS[row["class"]]
    return list(rows)
