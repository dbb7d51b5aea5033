"""The segments a link has to write or has written: window, order, answers, time-outs, what a lost link means.

Knows no socket: it hands out octets and takes answers, so every rule here is tested without a connection. What was
handed out by `next_batch` counts as written, because nobody can tell how far it got.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from loa.channels.pace import Pace
from loa.channels.smpp.compose import CannotSend, Composer
from loa.channels.smpp.flight import Flight
from loa.channels.smpp.known import KnownRefs
from loa.channels.smpp.settings import SmppSettings
from loa.domain.outcome import Accepted, Deferred, Outcome, Refused
from loa.ports.channel import Attempt, Settle
from loa.smpp.outcomes import StatusClass, classify
from loa.smpp.status import status_name

LATE_KEPT: Final = 10_000
"""Segments without an answer whose late answer is still recognised, a link."""

Late = Callable[[Attempt, Outcome], None]

_OF_THE_SESSION: Final = frozenset({StatusClass.NOT_BOUND, StatusClass.ALREADY_BOUND})


class Window:
    """The outgoing side of one link. Units: monotonic seconds for timers, epoch milliseconds for lifetimes."""

    def __init__(self, settings: SmppSettings, composer: Composer, pace: Pace, known: KnownRefs, late: Late) -> None:
        self._size = settings.window
        self._timeout_s = settings.response_timeout_s
        self._statuses = settings.statuses
        self._known = known
        self._composer = composer
        self._pace = pace
        self._report_late = late
        self._queue: deque[tuple[Flight, int]] = deque()
        self._sent: dict[int, tuple[Flight, int, float]] = {}
        self._late: dict[int, tuple[Flight, int]] = {}
        self._held: list[Flight] = []
        self.strays = 0

    @property
    def in_use(self) -> int:
        """Count the written segments without an answer."""
        return len(self._sent)

    @property
    def idle(self) -> bool:
        """Whether nothing is written, queued or held."""
        return not (self._sent or self._queue or self._held)

    @property
    def waiting(self) -> bool:
        """Whether segments wait to be written."""
        return bool(self._queue or self._held)

    @property
    def queued(self) -> int:
        """Count the segments that wait for room."""
        return len(self._queue)

    @property
    def free(self) -> int:
        """Count the segments that could be added and written at once."""
        return max(0, self._size - len(self._sent) - len(self._queue))

    def add(self, attempts: Sequence[Attempt], settle: Settle, now_ms: int) -> list[tuple[Attempt, Outcome]]:
        """Queue attempts; give those that can never be written with their outcome, to be settled by the caller."""
        refused: list[tuple[Attempt, Outcome]] = []
        added: list[tuple[Flight, int]] = []
        letter_of = self._composer.letter
        append = added.append
        for attempt in attempts:
            try:
                letter = letter_of(attempt, now_ms)
            except CannotSend as cannot:
                refused.append((attempt, Refused(cannot.reason)))
                continue
            flight = Flight(attempt, settle, letter)
            append((flight, 0))
            for index in range(1, flight.total):
                append((flight, index))
        # All or none: what is given up because a letter failed must not be written later.
        self._queue.extend(added)
        return refused

    def next_batch(self, number: Callable[[], int], now: float, now_ms: int) -> list[bytes]:
        """Give the PDUs to write now, as the window and the pace allow; they count as written from here on."""
        room = min(self._size - len(self._sent), self._pace.room(now)) if self._queue or self._held else 0
        if room <= 0:
            return []
        if self._held:
            self._resume(now_ms)
        queue, sent, pdu_of = self._queue, self._sent, self._composer.pdu
        pdus: list[bytes] = []
        while queue and room > 0:
            flight, index = queue.popleft()
            flight.started = True
            sequence = number()
            pdus.append(pdu_of(flight.letter, index, sequence))
            sent[sequence] = (flight, index, now)
            room -= 1
        self._pace.take(len(pdus), now)
        return pdus

    def answered(self, sequence: int, status: int, message_id: str, now: float) -> StatusClass | None:
        """Take the answer to a segment; give its kind, None when no segment waits under that number."""
        entry = self._sent.pop(sequence, None)
        if entry is None:
            return self._answered_late(sequence, status, message_id)
        flight, index, _ = entry
        if status == 0 and flight.total == 1:
            flight.settled = True
            attempt = flight.attempt
            flight.settle(attempt, Accepted((self._known.take(message_id, attempt.destination),)))
            return StatusClass.ACCEPTED
        kind = classify(status, self._statuses)
        if kind is StatusClass.ACCEPTED:
            flight.take(index, self._known.take(message_id, flight.attempt.destination))
        elif kind is StatusClass.REFUSED:
            flight.refuse(status_name(status))
        else:
            self._hold(flight, index, kind, status, now)
        if flight.stopped:
            self._withdraw(flight)
        if not flight.open:
            self._conclude(flight, now)
        return kind

    def overdue(self, now: float) -> int:
        """Give up waiting for segments that were written too long ago; give how many."""
        limit = now - self._timeout_s
        due = []
        for sequence, (_, _, written_at) in self._sent.items():
            if written_at > limit:
                break
            due.append(sequence)
        for sequence in due:
            flight, index, _ = self._sent.pop(sequence)
            flight.miss("response_timeout")
            self._late[sequence] = (flight, index)
            self._withdraw(flight)
            if not flight.open:
                self._conclude(flight, now)
        while len(self._late) > LATE_KEPT:
            del self._late[next(iter(self._late))]
        return len(due)

    def lost(self, reason: str) -> None:
        """Settle everything: the link is gone. What was never written is deferred, what was is unknown."""
        flights: dict[Flight, None] = dict.fromkeys(self._held)
        for flight, _, _ in self._sent.values():
            flight.miss(reason)
            flights[flight] = None
        for flight, index in self._queue:
            flight.hold(index, reason, counts=False)
            flights[flight] = None
        self._sent.clear()
        self._queue.clear()
        self._late.clear()
        self._held.clear()
        for flight in flights:
            self._settle(flight, flight.cut_off(reason))

    def _hold(self, flight: Flight, index: int, kind: StatusClass, status: int, now: float) -> None:
        if kind is StatusClass.THROTTLED:
            self._pace.throttled(now)
            flight.hold(index, "throttled", counts=False)
            self._give_back("throttled")
        elif kind in _OF_THE_SESSION:
            flight.hold(index, "not_bound", counts=False)
        else:
            flight.hold(index, status_name(status), counts=True)

    def _give_back(self, reason: str) -> None:
        """Defer what waits and was not begun: in a pause it is better off in the ledger."""
        back = {flight: None for flight, _ in self._queue if not flight.started}
        if back:
            self._queue = deque(entry for entry in self._queue if entry[0].started)
        for flight in back:
            self._settle(flight, Deferred(reason, counts=False))

    def _withdraw(self, flight: Flight) -> None:
        """Take the segments of a stopped flight that were not written yet out of the queue."""
        if flight.total == 1 or not self._queue:
            return
        kept: deque[tuple[Flight, int]] = deque()
        for entry in self._queue:
            if entry[0] is flight:
                flight.hold(entry[1], flight.hold_reason, counts=False)
            else:
                kept.append(entry)
        self._queue = kept

    def _conclude(self, flight: Flight, now: float) -> None:
        outcome = flight.outcome()
        if outcome is None:
            # Others were taken: only these may be submitted again, after a pause.
            if flight.hold_counts:
                self._pace.throttled(now)
            self._held.append(flight)
        else:
            self._settle(flight, outcome)

    def _resume(self, now_ms: int) -> None:
        held, self._held = self._held, []
        again: list[tuple[Flight, int]] = []
        for flight in held:
            if flight.may_go_on(now_ms):
                again += [(flight, index) for index in flight.resume()]
            else:
                self._settle(flight, flight.gave_up())
        self._queue.extendleft(reversed(again))

    def _settle(self, flight: Flight, outcome: Outcome) -> None:
        flight.settled = True
        flight.settle(flight.attempt, outcome)

    def _answered_late(self, sequence: int, status: int, message_id: str) -> StatusClass | None:
        entry = self._late.pop(sequence, None)
        if entry is None:
            self.strays += 1
            return None
        flight, index = entry
        kind = classify(status, self._statuses)
        if kind is StatusClass.ACCEPTED:
            flight.find(index, self._known.take(message_id, flight.attempt.destination))
        elif kind is StatusClass.REFUSED:
            flight.missing -= 1
            flight.refusal = flight.refusal or status_name(status)
        else:
            # Not taken after all; but the message was given up, and only evidence may change that now.
            return kind
        outcome = flight.outcome()
        if flight.settled and isinstance(outcome, Accepted | Refused):
            self._report_late(flight.attempt, outcome)
        return kind
