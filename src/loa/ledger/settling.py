"""What an engine writes down of the outcomes of one commit, beside what they make of the messages."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from loa.domain.receipt import stored_form
from loa.domain.standing import Verdict
from loa.ports.records import Settlement

_WORDS = {Accepted: "accepted", Refused: "refused", Deferred: "deferred", Unknown: "unknown"}


def outcome_word(outcome: Outcome) -> str:
    """Give the word under which an outcome is stored and shown."""
    return _WORDS[type(outcome)]


def verdict(s: Settlement) -> Verdict:
    """Give what the rules must know beside the outcome."""
    return Verdict(s.at, s.retry_at, s.wait_until, s.after, s.dead)


@dataclass(frozen=True, slots=True)
class Close:
    """How one attempt ended. `refs`: its references as they are stored, "" for none."""

    settlement: Settlement
    outcome: str
    reason: str
    refs: str


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """One reference of a handed-over segment."""

    settlement: Settlement
    form: str
    segment: int


@dataclass(slots=True)
class Notes:
    """The attempts that ended in one commit, and the references by which receipts will find them."""

    closes: dict[tuple[int, int], Close] = field(default_factory=dict)
    segments: list[SegmentRef] = field(default_factory=list)

    def take(self, s: Settlement) -> None:
        """Note one settlement; of two answers to one attempt the later one counts."""
        outcome = s.outcome
        refs = () if isinstance(outcome, Deferred) else outcome.provider_refs
        stored = ""
        if refs:
            pairs = []
            for index, raw in enumerate(refs):
                form = stored_form(raw) if raw else ""
                pairs.append([raw, form])
                if raw:
                    self.segments.append(SegmentRef(s, form, index))
            stored = json.dumps(pairs)
        reason = "" if isinstance(outcome, Accepted) else outcome.reason
        self.closes[s.message_id, s.number] = Close(s, outcome_word(outcome), reason, stored)


def notes_of(settlements: Iterable[Settlement]) -> Notes:
    """Note all settlements of a commit."""
    notes = Notes()
    for s in settlements:
        notes.take(s)
    return notes


def plain_accepts(settlements: list[Settlement]) -> list[Settlement]:
    """Name the settlements that may take the short way: accepted, and the only one of their message in this commit."""
    if len({s.message_id for s in settlements}) < len(settlements):
        return []
    return [s for s in settlements if type(s.outcome) is Accepted]


FORMER_RUN = "the process ended before an answer was recorded"
CLAIM_OVER = "the claim ran out before an answer was recorded"
RESTORED = "restored from a backup"
"""Why an attempt has no known outcome."""
