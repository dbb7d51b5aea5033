"""Claims on due messages, and the record of what came of them."""

import json
from collections.abc import Sequence

from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from loa.domain.receipt import stored_form
from loa.domain.standing import POSSIBLE_DUPLICATE, Verdict, expire, lose_track, settle
from loa.domain.traffic import TrafficClass
from loa.ledger.sqlite import receipts, standings
from loa.ledger.sqlite.unit import CLASSES, Content, Unit
from loa.ports.channel import Attempt
from loa.ports.records import Settlement, UnknownPolicy

ClaimCall = tuple[int, Sequence[tuple[TrafficClass, int]], int, int, int]
STALE_PER_CALL = 5_000


def claim(unit: Unit, calls: list[ClaimCall]) -> list[list[Attempt]]:
    """Claim due messages for each caller."""
    return [_claim_lanes(unit, *call) for call in calls]


def _claim_lanes(
    unit: Unit, channel_id: int, wanted: Sequence[tuple[TrafficClass, int]], limit: int, now: int, until: int
) -> list[Attempt]:
    attempts: list[Attempt] = []
    late: list[int] = []
    for traffic_class, share in wanted:
        count = min(share, limit) - len(attempts)
        if count <= 0 or not unit.depths.get((channel_id, int(traffic_class))):
            continue
        rows = unit.rows("due_in_lane", channel_id, int(traffic_class), now, count)
        contents = unit.content({row[1] for row in rows})
        in_time = [row for row in rows if contents[row[1]].expires_at > now]
        if len(in_time) < len(rows):
            late += [row[0] for row in rows if contents[row[1]].expires_at <= now]
        attempts += [_attempt(row, contents[row[1]], channel_id, traffic_class) for row in in_time]
        unit.moved(channel_id, int(traffic_class), -len(in_time))
    if late:
        _expire(unit, late, now)
    if attempts:
        ids = [attempt.message_id for attempt in attempts]
        unit.run("mark_sending", ids, now)
        unit.run("open_attempts", ids, unit.boot, now, until)
    return attempts


def _attempt(row: list[int], content: Content, channel_id: int, traffic_class: TrafficClass) -> Attempt:
    message_id, _submission_id, destination, attempts, flags, tries, tenant_id = row
    return Attempt(
        message_id,
        attempts + 1,
        channel_id,
        traffic_class,
        destination,
        content.sender,
        content.text,
        content.encoding,
        content.segment_count,
        content.expires_at,
        content.referent_id,
        bool(flags & POSSIBLE_DUPLICATE),
        content.ext,
        tries,
        tenant_id,
    )


def _expire(unit: Unit, ids: list[int], now: int) -> None:
    working = standings.read(unit, ids)
    for message in working.messages.values():
        expire(message, now)
    standings.write(unit, working, now)


def record(unit: Unit, calls: list[Sequence[Settlement]]) -> list[int]:
    """Record outcomes, the references of handed-over segments, and receipts that came before their response."""
    together = [settlement for call in calls for settlement in call]
    if not together:
        return [0] * len(calls)
    now = max(s.at for s in together)
    sent = _mark_sent(unit, together, now)
    rest = {s.message_id for s in together} - sent
    working = standings.read(unit, rest) if rest else standings.Working()
    results = []
    closes: dict[tuple[int, int], list[object]] = {}
    segments: list[list[object]] = []
    for call in calls:
        took = 0
        for s in call:
            took += s.message_id in sent or settle(
                working.messages[s.message_id],
                s.number,
                s.outcome,
                Verdict(s.at, s.retry_at, s.wait_until, s.resend, s.dead),
            )
            _note(s, closes, segments)
        results.append(took)
    unit.run("close_attempts", list(closes.values()))
    standings.write(unit, working, now)
    if segments:
        unit.run("insert_segments", segments)
        if unit.has_parked:
            waiting = unit.rows("parked_for_refs", [[row[0], row[1]] for row in segments])
            receipts.settle_parked(unit, waiting, now)
    return results


def _mark_sent(unit: Unit, settlements: list[Settlement], now: int) -> set[int]:
    """Settle the plain case at once: an accepted attempt that is the open one, of a message nobody is told of yet.

    What the rules would make of it is known; the rest is left to them.
    """
    numbers = {s.message_id: s.number for s in settlements if type(s.outcome) is Accepted}
    if not numbers or len({s.message_id for s in settlements}) < len(settlements):
        return set()
    rows = unit.rows("read_open", list(numbers))
    sent = [message_id for message_id, attempts in rows if numbers[message_id] == attempts]
    if sent:
        unit.run("mark_sent", sent, now)
    return set(sent)


def _note(s: Settlement, closes: dict[tuple[int, int], list[object]], segments: list[list[object]]) -> None:
    outcome = s.outcome
    refs = () if isinstance(outcome, Deferred) else outcome.provider_refs
    stored = ""
    if refs:
        pairs = []
        for index, raw in enumerate(refs):
            form = stored_form(raw) if raw else ""
            pairs.append([raw, form])
            if raw:
                segments.append([s.channel_id, form, s.message_id, s.number, index])
        stored = json.dumps(pairs)
    reason = "" if isinstance(outcome, Accepted) else outcome.reason
    # Of two answers to one attempt in one commit the later one counts.
    closes[s.message_id, s.number] = [s.message_id, s.number, s.at, outcome_word(outcome), reason, stored]


def outcome_word(outcome: Outcome) -> str:
    """Give the word under which an outcome is stored and shown."""
    return _WORDS[type(outcome)]


_WORDS = {Accepted: "accepted", Refused: "refused", Deferred: "deferred", Unknown: "unknown"}


def settle_stale(unit: Unit, calls: list[tuple[int, UnknownPolicy, bool]]) -> list[int]:
    """Turn attempts whose owner is gone or overdue into unknown: nobody can say whether their bytes left."""
    return [_settle_stale(unit, *call) for call in calls]


def _settle_stale(unit: Unit, now: int, policy: UnknownPolicy, former: bool) -> int:
    if former:
        unit.run("release_callbacks")
        rows = unit.rows("former_attempts", unit.boot, STALE_PER_CALL)
        reason = "the process ended before an answer was recorded"
    else:
        rows = unit.rows("stale_attempts", now, STALE_PER_CALL)
        reason = "the claim ran out before an answer was recorded"
    if not rows:
        return 0
    working = standings.read(unit, {row[0] for row in rows})
    for message_id, number in rows:
        message = working.messages[message_id]
        if message.attempts == number and message.state.label == "sending":
            wait_ms, resend = policy(message.tenant_id, CLASSES[working.classes[message_id]])
            lose_track(message, reason, Verdict(now, wait_until=now + wait_ms, resend=resend))
    unit.run("close_attempts", [[row[0], row[1], now, "unknown", reason, ""] for row in rows])
    standings.write(unit, working, now)
    return len(rows)


def next_due(unit: Unit, calls: list[tuple[int, int]]) -> list[int | None]:
    """Give when the next message of each channel is due."""
    results: list[int | None] = []
    for channel_id, now in calls:
        times = [unit.value("next_due_in_lane", channel_id, int(c), now) for c in TrafficClass]
        results.append(min((t for t in times if t is not None), default=None))
    return results
