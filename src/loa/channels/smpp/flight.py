"""One attempt on one link: the answers to its segments, and the one outcome they make together. Pure.

A segment is *open* while it waits to be written or for its answer. When none is open, `outcome` decides. Segments that
were definitely not taken are *held*; if others of the message were taken, the held ones are submitted again, because
sending the message anew would repeat those that are on their way.
"""

from typing import Final

from loa.channels.smpp.compose import Letter
from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from loa.ports.channel import Attempt, Settle

AGAIN_MAX: Final = 5
"""How often segments that met a passing fault are submitted again beside taken ones."""


class Flight:
    """An attempt that was given to a link."""

    __slots__ = (
        "accepted",
        "again",
        "attempt",
        "held",
        "hold_counts",
        "hold_reason",
        "letter",
        "missing",
        "open",
        "refs",
        "refusal",
        "settle",
        "settled",
        "silence",
        "started",
        "total",
    )

    def __init__(self, attempt: Attempt, settle: Settle, letter: Letter) -> None:
        self.attempt = attempt
        self.settle = settle
        self.letter = letter
        self.total = len(letter.wording.parts)
        self.open = self.total
        self.refs = [""] * self.total
        self.accepted = 0
        self.missing = 0
        self.silence = ""
        self.refusal = ""
        self.held: list[int] = []
        self.hold_reason = ""
        self.hold_counts = False
        self.again = 0
        self.started = False
        self.settled = False

    @property
    def stopped(self) -> bool:
        """Whether further segments must not be written now."""
        return bool(self.refusal or self.missing or self.held)

    def take(self, index: int, ref: str) -> None:
        """Note that a segment was taken."""
        self.open -= 1
        self.accepted += 1
        self.refs[index] = ref

    def refuse(self, reason: str) -> None:
        """Note that a segment was refused for good."""
        self.open -= 1
        self.refusal = self.refusal or reason

    def hold(self, index: int, reason: str, *, counts: bool) -> None:
        """Note that a segment was definitely not taken, but may be another time."""
        self.open -= 1
        self.held.append(index)
        self.hold_reason = reason
        self.hold_counts = self.hold_counts or counts

    def miss(self, reason: str) -> None:
        """Note that nobody knows what became of a written segment."""
        self.open -= 1
        self.missing += 1
        self.silence = self.silence or reason

    def find(self, index: int, ref: str) -> None:
        """Note that a segment given up as missing was taken after all."""
        self.missing -= 1
        self.accepted += 1
        self.refs[index] = ref

    def may_go_on(self, now: int) -> bool:
        """Tell whether held segments may be submitted again. Units: now in milliseconds since the epoch."""
        return self.again < AGAIN_MAX and (self.attempt.expires_at <= 0 or now < self.attempt.expires_at)

    def resume(self) -> list[int]:
        """Open the held segments again and give them, in order."""
        again = sorted(self.held)
        self.again += 1 if self.hold_counts else 0
        self.held = []
        self.hold_counts = False
        self.open += len(again)
        return again

    def outcome(self) -> Outcome | None:
        """Say what became of the attempt, or None when held segments stand beside taken ones."""
        if self.missing:
            return Unknown(self.silence, tuple(self.refs))
        if self.refusal:
            return Refused(self.refusal, True, self._taken())
        if self.accepted == self.total:
            return Accepted(tuple(self.refs))
        if not self.accepted:
            return Deferred(self.hold_reason, counts=self.hold_counts)
        return None

    def gave_up(self) -> Outcome:
        """Say what became of an attempt whose held segments will not be submitted again, though others were taken."""
        return Refused(self.hold_reason, True, self._taken())

    def cut_off(self, reason: str) -> Outcome:
        """Say what became of an attempt whose link was lost while segments were held beside taken ones."""
        return self.outcome() or Unknown(reason, tuple(self.refs))

    def _taken(self) -> tuple[str, ...]:
        return tuple(ref for ref in self.refs if ref)
