"""What Zalo says to a message, and what that means for the attempt. Pure.

Errors come inside HTTP 200, so the envelope is read whatever the status; only an answer of the five hundreds is never
believed. Source: Zalo reference, sections 2, 4, 5 and 7.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from loa.channels.zalo import opening
from loa.channels.zalo.codes import Meaning, Surface, meaning_of
from loa.channels.zalo.requests import Letter
from loa.channels.zalo.settings import ZaloSettings
from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from loa.observe.redact import scrub
from loa.ports.channel import Attempt
from loa.wire.wire import Answer

TRIES: Final[Mapping[Meaning, float]] = {Meaning.TOKEN: inf, Meaning.TRANSIENT: 3, Meaning.ONCE: 2}
"""So many tries may end in a code that passes before it counts as a refusal."""

STOPPED: Final = "oa_stopped"
VIETNAM: Final = "84"
_DETAIL_CHARS: Final = 120
_REF_CHARS: Final = 64
_DIGITS: Final = 20


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, read. `code`: 0 for success, None where there is no envelope. `status`: of HTTP.

    `ref`: Zalo's id of the message. `daily`, `left`: the quota that it names, None where it names none.
    """

    code: int | None
    status: int
    ref: str = ""
    detail: str = ""
    daily: int | None = None
    left: int | None = None


def read_answer(answer: Answer) -> Said:
    """Read an answer that came whole."""
    envelope = envelope_of(answer)
    code = None if envelope is None else whole(envelope.get("error"))
    if envelope is None or code is None:
        return Said(None, answer.status)
    if code:
        return Said(code, answer.status, detail=_words(envelope.get("message")))
    data = envelope.get("data")
    if not isinstance(data, Mapping):
        return Said(0, answer.status)
    quota = data.get("quota")
    quota = quota if isinstance(quota, Mapping) else {}
    return Said(
        0,
        answer.status,
        word(data.get("msg_id")) or word(data.get("message_id")),
        daily=whole(quota.get("dailyQuota")),
        left=whole(quota.get("remainingQuota")),
    )


def envelope_of(answer: Answer) -> Mapping[str, Any] | None:
    """Give the JSON object that an answer holds, None where it holds none."""
    if answer.fault or answer.cut:
        return None
    try:
        found = json.loads(answer.excerpt)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None


def word(value: object) -> str:
    """Read an id that may come as a number, "" for none; what cannot be shown is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    found = str(value).strip()[:_REF_CHARS]
    return found if found.isprintable() else ""


def _words(value: object) -> str:
    """Read what was said for people; what cannot be shown becomes a space."""
    text = value[:_DETAIL_CHARS] if isinstance(value, str) else ""
    return "".join(each if each.isprintable() else " " for each in text)


def whole(value: object) -> int | None:
    """Read a whole number that may come as text, None for anything else, and for one that is too large to be meant."""
    if isinstance(value, str) and len(value) <= _DIGITS and value.isascii():
        value = int(value) if value.strip().removeprefix("-").isdigit() else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) < 2**53 else None


def unanswered(answer: Answer, refs: tuple[str, ...]) -> Outcome | None:
    """Give the outcome of a request that got no answer, None where it got one.

    The line between Deferred and Unknown is whether bytes of it may have left.
    """
    if not answer.written:
        return Deferred("connect_failed" if answer.fault == "connect" else answer.fault)
    if answer.fault:
        return Unknown("response_timeout" if answer.fault == "timeout" else "connection_lost", refs)
    return None


def refs_of(letter: Letter, tracking: str) -> tuple[str, ...]:
    """Give what a later receipt may name an unanswered attempt by: a template to a number carries our own id."""
    return (tracking,) if letter.surface is Surface.NUMBER else ("",)


def outcome_of(
    said: Said, attempt: Attempt, letter: Letter, settings: ZaloSettings, refs: tuple[str, ...], now: int
) -> Outcome:
    """Give what an answer means for its attempt; what a stop means for the channel is for the channel to see."""
    if said.status >= 500 or said.code is None:
        return _without_envelope(said.status, refs, now)
    if said.code == 0:
        return Accepted((said.ref,)) if said.ref else Unknown("answer_without_reference", refs)
    reason = f"zalo_{said.code}"
    meaning = meaning_of(letter.surface, said.code)
    later = _waits(meaning, letter, settings, now)
    if later:
        return Deferred(reason, later + opening.jitter(attempt.message_id), counts=False, alone=True)
    if attempt.tries + 1 < TRIES.get(meaning, 0):
        return Deferred(reason)
    match meaning:
        case Meaning.RATE:
            return Deferred(reason, opening.next_minute(now), counts=False)
        case Meaning.SET_UP | Meaning.MONEY:
            return Deferred(f"{STOPPED}:{said.code}", now, counts=False, alone=True)
        case Meaning.NUMBER:
            # Zalo takes a number from abroad for none, which says nothing of other channels.
            return Refused(reason, everywhere=str(attempt.destination).startswith(VIETNAM))
        case Meaning.UNKNOWN:
            return Refused(f"{reason}: {scrub(said.detail)}"[:_DETAIL_CHARS], lasting=False)
        case _:
            return Refused(reason)


def _waits(meaning: Meaning, letter: Letter, settings: ZaloSettings, now: int) -> int:
    """Give until when a refusal of this kind holds, 0 where it is not one of time."""
    match meaning:
        case Meaning.QUOTA_DAY:
            return opening.next_day(now)
        case Meaning.QUOTA_MONTH:
            return opening.next_month(now)
        case Meaning.HOURS:
            return opening.next_opening(settings.hours(letter.tag), now)
        case _:
            return 0


def _without_envelope(status: int, refs: tuple[str, ...], now: int) -> Outcome:
    if status == 429:
        return Deferred("http_429", opening.next_minute(now), counts=False)
    if 300 <= status < 500 and status != 408:
        return Refused(f"http_{status}", lasting=False)
    return Unknown("answer_unreadable" if 200 <= status < 300 else f"http_{status}", refs)
