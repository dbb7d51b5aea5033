"""Claims on due messages, and the record of what came of them."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted
from loa.domain.receipt import stored_form
from loa.domain.standing import ARRIVED, FOLLOWED, Verdict, end_unclaimed, lose_track, settle
from loa.domain.traffic import TrafficClass
from loa.errors import StorageUnavailable
from loa.ledger.postgres import receipts, standings
from loa.ledger.postgres.days import day_of
from loa.ledger.postgres.unit import CLASSES, Batch, Claimed, Unit
from loa.ledger.settling import CLAIM_OVER, FORMER_RUN, Notes, SegmentRef, notes_of, plain_accepts, verdict
from loa.ports.records import Settlement, UnknownPolicy

ClaimCall = tuple[int, Sequence[tuple[TrafficClass, int]], int, int, int, int | None]
LANES = 3
NO_LANE = -1
CLAIMS_PER_CALL = 200
LOST_PER_CALL = 2_500
"""How many messages of stale claims one call settles, or a little more: claims go whole."""
OTHERS_GRACE_MS = 15_000
"""How much later than its owner a living process's claim is settled by others, whose clocks may be ahead."""


async def claim(unit: Unit, calls: list[ClaimCall]) -> list[Claimed]:
    """Claim due messages for each caller."""
    await give_back(unit)
    return [await _claim_lanes(unit, *call) for call in calls]


async def give_back(unit: Unit) -> None:
    """Put back what claims took whose commit was in doubt."""
    in_doubt = unit.shared.in_doubt
    if not in_doubt:
        return
    # One whose commit may still come stays in doubt: it would come after this.
    decided = [row[0] for row in await unit.write("decided_claims", list(in_doubt.items()))]
    if decided:
        taken = await unit.rows("take_back", unit.shared.node.boot, decided)
        for channel_id, traffic_class, due_at in await unit.write_by_day("give_back", taken, 1):
            unit.moved(channel_id, traffic_class, 1)
            unit.shared.marks.lower((channel_id, traffic_class), due_at)

        async def settled() -> None:
            for claim_id in decided:
                in_doubt.pop(claim_id, None)

        unit.after.append(settled)


async def _claim_lanes(
    unit: Unit,
    channel_id: int,
    wanted: Sequence[tuple[TrafficClass, int]],
    limit: int,
    now: int,
    until: int,
    waited_ms: int | None,
) -> Claimed:
    lanes = [(int(lane), min(share, limit)) for lane, share in wanted]
    if waited_ms is None:
        rows = await _take_due(unit, channel_id, lanes, now)
    else:
        # The marks of the lanes stay: others are left before these.
        rows = await _take(unit, channel_id, lanes, now - waited_ms, [0] * LANES, FOLLOWED)
    late = [row for row in rows if row["expires_at"] <= now or row["flags"] & ARRIVED]
    due = [row for row in rows if row["expires_at"] > now and not row["flags"] & ARRIVED]
    if late:
        await _expire(unit, late, now)
    if not due:
        return []
    order = {lane: place for place, (lane, _) in enumerate(lanes)}
    due.sort(key=lambda row: (order[row["class"]], row["due_at"], row["message_id"]))
    contents = await unit.content({(row["tenant_id"], row["submission_id"]) for row in due})
    attempts = [
        contents[row["submission_id"]].attempt(tuple(row)[:7], channel_id, CLASSES[row["class"]]) for row in due
    ]
    await _keep_claim(unit, channel_id, attempts, now, until)
    return attempts


async def _take_due(unit: Unit, channel_id: int, lanes: list[tuple[int, int]], now: int) -> list[Any]:
    """Take due rows out of the queue, from the marks of their lanes on."""
    marks, moment = unit.shared.marks, time.monotonic()
    starts = [marks.start((channel_id, lane), moment) for lane, _ in _padded(lanes)]
    rows = await _take(unit, channel_id, lanes, now, starts, 0)
    took = time.monotonic() - moment
    taken: dict[int, list[int]] = {}
    for row in rows:
        taken.setdefault(row["class"], []).append(row["due_at"])
    room = dict(lanes)
    for (lane, _), start in zip(lanes, starts, strict=False):
        dues = taken.get(lane, [])
        full = len(rows) >= room[lane]
        if start == 0:
            marks.swept((channel_id, lane), moment, took)
        if dues or not full:
            marks.reached((channel_id, lane), max(dues) if full else None, now)
    return rows


async def _take(
    unit: Unit, channel_id: int, lanes: list[tuple[int, int]], due: int, starts: list[int], flags: int
) -> list[Any]:
    padded = _padded(lanes)
    names, counts = [lane for lane, _ in padded], [count for _, count in padded]
    return await unit.rows("claim_lanes", channel_id, due, names, starts, counts, flags)


def _padded(lanes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return lanes + [(NO_LANE, 0)] * (LANES - len(lanes))


async def _keep_claim(unit: Unit, channel_id: int, attempts: Claimed, now: int, until: int) -> None:
    shared = unit.shared
    batch = Batch(shared.next_claim, now, len(attempts))
    shared.next_claim += 1
    left = Counter(int(a.traffic_class) for a in attempts)
    xid = await unit.value(
        "keep_claim",
        batch.id,
        shared.node.boot,
        channel_id,
        now,
        until,
        [a.tenant_id for a in attempts],
        [a.message_id for a in attempts],
        [a.number for a in attempts],
        list(left),
        [-count for count in left.values()],
    )
    if xid is None:
        shared.node.fenced()
        raise StorageUnavailable("this process was taken for dead by others; it starts over")
    shared.in_doubt[batch.id] = xid

    async def committed() -> None:
        shared.in_doubt.pop(batch.id, None)
        shared.open.update(((a.message_id, a.number), batch) for a in attempts)

    unit.after.append(committed)


async def _expire(unit: Unit, late: list[Any], now: int) -> None:
    ids = {row["message_id"] for row in late}
    held = await standings.read(unit, [(row["tenant_id"], row["message_id"]) for row in late], taken=ids)
    for message in held.messages.values():
        end_unclaimed(message, now)
    await standings.write(unit, held, now)


async def record(unit: Unit, calls: list[Sequence[Settlement]]) -> list[int]:
    """Record outcomes, the references of handed-over segments, and receipts that came before their response."""
    together = [settlement for call in calls for settlement in call]
    if not together:
        return [0] * len(calls)
    now = max(s.at for s in together)
    notes = notes_of(together)
    if notes.segments:
        await unit.shared.days.ensure([now])
    sent = await _mark_sent(unit, together, notes, day_of(now))
    rest = [s for s in together if s.message_id not in sent]
    took, others = await _settle(unit, rest, notes, now) if rest else ({}, {})
    if notes.segments:
        await _keep_refs(unit, notes.segments, sent, others, now)
    await _end_claims(unit, together)
    return [sum(s.message_id in sent or took[id(s)] for s in call) for call in calls]


async def _settle(
    unit: Unit, settlements: list[Settlement], notes: Notes, now: int
) -> tuple[dict[int, bool], dict[int, int]]:
    """Let the rules decide on what took no short way; tell whether each settlement took effect, and all numbers."""
    held = await standings.read(unit, {(s.tenant_id, s.message_id) for s in settlements})
    took = {
        id(s): s.message_id in held.messages and settle(held.messages[s.message_id], s.number, s.outcome, verdict(s))
        for s in settlements
    }
    closes = [notes.closes[key] for key in sorted({(s.message_id, s.number) for s in settlements})]
    rows = [
        [
            close.settlement.tenant_id,
            close.settlement.message_id,
            close.settlement.number,
            close.settlement.channel_id,
            _claimed_at(unit, close.settlement),
            close.settlement.at,
            close.outcome,
            close.reason,
            close.refs,
        ]
        for close in closes
    ]
    await unit.write("close_attempts", rows)
    await standings.write(unit, held, now)
    return took, {message_id: destination for message_id, (_, destination) in held.places.items()}


def _claimed_at(unit: Unit, s: Settlement) -> int:
    batch = unit.shared.open.get((s.message_id, s.number))
    return s.at if batch is None else batch.claimed_at


async def _mark_sent(unit: Unit, settlements: list[Settlement], notes: Notes, today: int) -> dict[int, int]:
    """Settle the plain case at once: what the rules would make of it is known. Gives the numbers of those messages."""
    plain = plain_accepts(settlements)
    rows = [
        [
            s.tenant_id,
            s.message_id,
            s.number,
            s.channel_id,
            _claimed_at(unit, s),
            s.at,
            notes.closes[s.message_id, s.number].refs,
            _only_form(s),
        ]
        for s in plain
    ]
    return dict(await unit.write_by_day("mark_sent", rows, 1, today))


def _only_form(s: Settlement) -> str:
    """Give the form of the only reference of a message, "" where it has several segments or no reference."""
    refs = s.outcome.provider_refs if isinstance(s.outcome, Accepted) else ()
    return stored_form(refs[0]) if len(refs) == 1 and refs[0] else ""


async def _keep_refs(
    unit: Unit, refs: list[SegmentRef], sent: Mapping[int, int], others: Mapping[int, int], now: int
) -> None:
    """Write the references that are not written yet, and see whether receipts wait for any."""
    day = day_of(now)
    left = [r for r in refs if r.settlement.message_id not in sent or not _only_form(r.settlement)]
    numbers = {**sent, **others}
    rows = [
        [
            r.settlement.channel_id,
            r.form,
            r.settlement.tenant_id,
            r.settlement.message_id,
            numbers.get(r.settlement.message_id, 0),
            r.settlement.number,
            r.segment,
            day,
        ]
        for r in left
    ]
    if rows:
        await unit.write("insert_segments", rows)
    receipts.look_again(unit, [(r.settlement.channel_id, r.form) for r in refs], now)


async def _end_claims(unit: Unit, settlements: Iterable[Settlement]) -> None:
    """Forget the claims of which nothing is left open."""
    shared = unit.shared
    done = {(s.message_id, s.number) for s in settlements} & shared.open.keys()
    left: dict[int, int] = {}
    for key in done:
        batch = shared.open[key]
        left[batch.id] = left.get(batch.id, batch.left) - 1
    over = [batch_id for batch_id, count in left.items() if count == 0]
    if over:
        await unit.run("end_claims", shared.node.boot, over)

    async def committed() -> None:
        for key in done:
            shared.open.pop(key).left -= 1

    unit.after.append(committed)


async def settle_stale(unit: Unit, calls: list[tuple[int, UnknownPolicy, bool]]) -> list[int]:
    """Turn attempts whose owner is dead or overdue into unknown: nobody can say whether their bytes left."""
    return [await _settle_stale(unit, *call) for call in calls]


async def _settle_stale(unit: Unit, now: int, policy: UnknownPolicy, former: bool) -> int:
    shared = unit.shared
    judging = shared.node.may_judge()
    died = await unit.rows("note_dead", shared.node.boot, shared.node.dead_after_s) if judging else []
    if died or former:
        await unit.run("release_callbacks")
    claims = await unit.rows("stale_claims", shared.node.boot, now, now - OTHERS_GRACE_MS, CLAIMS_PER_CALL)
    stale, count = [], 0
    for row in claims:
        if count < LOST_PER_CALL:
            stale.append(row)
            count += len(row["message_ids"])
    if not stale:
        return 0
    lost = await _lose_claims(unit, stale, now, policy)
    await unit.write("end_stale_claims", [[row["boot"], row["id"]] for row in stale])
    return lost


async def _lose_claims(unit: Unit, claims: list[Any], now: int, policy: UnknownPolicy) -> int:
    claimed: dict[tuple[int, int], Any] = {}
    ids: set[tuple[int, int]] = set()
    for row in claims:
        claimed.update(dict.fromkeys(zip(row["message_ids"], row["numbers"], strict=True), row))
        ids.update(zip(row["tenant_ids"], row["message_ids"], strict=True))
    held = await standings.read(unit, ids)
    closes = []
    for message in held.messages.values():
        row = claimed.get((message.id, message.attempts))
        if row is not None and message.state is State.SENDING:
            reason = FORMER_RUN if row["dead"] else CLAIM_OVER
            attempt = [message.tenant_id, message.id, message.attempts, row["channel_id"], row["claimed_at"], now]
            closes.append([*attempt, "unknown", reason, ""])
            wait_ms, after = policy(message.tenant_id, CLASSES[held.classes[message.id]])
            lose_track(message, reason, Verdict(now, wait_until=now + wait_ms, after=after))
    if closes:
        await unit.write("close_attempts", closes)
        await standings.write(unit, held, now)
    return len(closes)


async def next_due(unit: Unit, calls: list[tuple[int, int]]) -> list[int | None]:
    """Give when the next message of each channel is due."""
    lanes = [int(lane) for lane in TrafficClass]
    return [await unit.value("next_due", channel_id, lanes, now) for channel_id, now in calls]
