"""What a ledger must make of its calls, said once more in the fewest words: the oracle of the state machine.

Every message here has one segment and one channel. Times are milliseconds.
"""

from dataclasses import dataclass, field

EVIDENCE_WAIT = 30_000
CLAIM = 90_000
UPGRADES = {"sent": {"delivered", "undelivered", "expired"}, "expired": {"delivered", "undelivered"}}
UPGRADES |= {"unknown": UPGRADES["sent"], "queued": {"delivered"}}


Receipt = tuple[tuple[str, ...], str, int]
"""The spellings of its reference, as received first, the state it proves, and when it came."""


@dataclass
class Message:
    number: int
    kind: str
    expires_at: int
    due: int
    state: str = "queued"
    attempts: int = 0
    resent: bool = False
    wait_until: int | None = None
    claimed_at: int = 0
    ruled: str = ""
    told: list[str] = field(default_factory=list)
    refs: set[str] = field(default_factory=set)
    parked: list[Receipt] = field(default_factory=list)

    def end(self, state: str) -> None:
        self.state, self.wait_until = state, None
        self.told.append(state)

    def claim(self, now: int) -> bool:
        if self.expires_at <= now:
            self.end("expired")
            return False
        self.state, self.attempts, self.claimed_at = "sending", self.attempts + 1, now
        return True

    def lose(self, now: int) -> None:
        self.state, self.wait_until = "unknown", now + EVIDENCE_WAIT

    def answer(self, number: int, outcome: str, now: int, retry_at: int = 0) -> None:
        """Take an answer: of the open attempt anything counts, after it was given up only yes and no do."""
        if number == self.attempts and self.state in ("sending", "unknown"):
            if outcome == "accepted":
                self.state, self.wait_until = "sent", None
            elif outcome == "refused":
                self.end("rejected")
            elif self.state == "sending" and outcome == "unknown":
                self.lose(now)
            elif self.state == "sending" and self.expires_at <= max(now, retry_at):
                self.end("expired")
            elif self.state == "sending":
                self.state, self.due = "queued", retry_at or self.due
        if outcome == "accepted":
            self.refs.add(f"r{self.number}-{number}")

    def rule(self, says: str) -> str:
        """Take a person's word."""
        if self.state == "unknown":
            self.end(says)
            self.ruled = says
            return "done"
        return "already" if self.ruled == self.state == says else "unfit"

    def match_known(self) -> None:
        """Apply the receipts that came before their answer, now that it is there."""
        waiting = [one for one in self.parked if self.refs & {*one[0]}]
        self.parked = [one for one in self.parked if one not in waiting]
        self.match(waiting)

    def match(self, receipts: list[Receipt]) -> None:
        """Apply receipts whose reference is known; one more may speak of a message that nothing else is known of."""
        known, unknown = set(self.refs), self.state == "unknown"
        for refs, proves, at in receipts:
            if known & {*refs}:
                self.apply(proves)
            elif unknown and self.claimed_at <= at:
                self.refs.add(refs[0])
                self.apply(proves)
                unknown = False
            else:
                self.parked.append((refs, proves, at))

    def apply(self, proves: str) -> None:
        if proves != self.state and proves in UPGRADES.get(self.state, ()):
            self.end(proves)

    def time(self, now: int) -> None:
        """Let time pass: claims run out, waits end, lifetimes end."""
        if self.state == "sending" and self.claimed_at + CLAIM <= now:
            self.lose(now)
        waiting, self.parked = self.parked, []
        self.match(waiting)
        if self.state == "unknown" and self.wait_until is not None and self.wait_until <= now:
            self.wait_until = None
            if self.kind == "transactional" and not self.resent and self.expires_at > now:
                self.state, self.due, self.resent = "queued", now, True
            else:
                self.told.append("unknown")
        if self.state == "queued" and self.expires_at <= now:
            self.end("expired")
