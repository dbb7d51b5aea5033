"""The states of a message and every move between them, as data.

A final state never changes, but for the upgrades listed here; anything else a receipt says is a conflict to be shown.
"""

from enum import IntEnum


class State(IntEnum):
    """Where a message stands. The numbers are stored; never renumber."""

    QUEUED = 0
    SENDING = 1
    SENT = 2
    UNKNOWN = 3
    DELIVERED = 4
    UNDELIVERED = 5
    REJECTED = 6
    EXPIRED = 7
    CANCELLED = 8

    @property
    def label(self) -> str:
        """The word used in the API, logs and metrics."""
        return self.name.lower()


FINAL = frozenset({State.DELIVERED, State.UNDELIVERED, State.REJECTED, State.EXPIRED, State.CANCELLED})

MOVES: dict[State, dict[State, str]] = {
    State.QUEUED: {
        State.SENDING: "claimed",
        State.CANCELLED: "the tenant cancelled it",
        State.EXPIRED: "its lifetime ended before it was handed over",
        State.REJECTED: "no channel can take it",
        State.DELIVERED: "waiting for a re-send, a receipt proves that the first try arrived",
        State.UNKNOWN: "its ledger was restored from a backup, the original may have sent it",
    },
    State.SENDING: {
        State.SENT: "the provider accepted it",
        State.QUEUED: "definitely not handed over, or the next step of the route plan",
        State.UNKNOWN: "bytes may have left, no answer came",
        State.REJECTED: "the provider refused it for good",
        State.EXPIRED: "its lifetime ended and it was not handed over",
        State.DELIVERED: "an earlier step arrived while this one was on its way",
    },
    State.SENT: {
        State.DELIVERED: "receipt",
        State.UNDELIVERED: "receipt",
        State.REJECTED: "receipt",
        State.EXPIRED: "receipt",
        State.QUEUED: "undelivered here, or silent for too long: the next step of the route plan",
    },
    State.UNKNOWN: {
        State.SENT: "late response",
        State.DELIVERED: "receipt, or a person who knows",
        State.UNDELIVERED: "receipt, or a person who knows",
        State.REJECTED: "late response or receipt",
        State.EXPIRED: "receipt",
        State.QUEUED: "policy: one re-send or the next step of the route plan, flagged possible_duplicate",
    },
    State.EXPIRED: {
        State.DELIVERED: "upgrade: a receipt proves delivery after we gave up",
        State.UNDELIVERED: "upgrade: a receipt names the reason after we gave up",
    },
    State.DELIVERED: {},
    State.UNDELIVERED: {
        State.DELIVERED: "upgrade: an earlier attempt proves to have arrived after the last one failed",
    },
    State.REJECTED: {
        State.DELIVERED: "upgrade: an earlier attempt proves to have arrived after the last one was refused",
    },
    State.CANCELLED: {},
}


_ALLOWED = tuple(sum(1 << new for new in MOVES[old]) for old in State)
_FINAL = sum(1 << state for state in FINAL)
# An enum's hash is a Python call, and these two questions are asked several times a message.


def may_move(old: State, new: State) -> bool:
    """Tell whether the table allows the move."""
    return bool(_ALLOWED[old] >> new & 1)


def is_final(state: State) -> bool:
    """Tell whether a state is an end."""
    return bool(_FINAL >> state & 1)


VENDOR_STATUS: dict[State, int] = {
    State.SENT: 1,
    State.DELIVERED: 2,
    State.UNDELIVERED: -2,
    State.REJECTED: -1,
    State.CANCELLED: -1,
    State.EXPIRED: 6,
    State.UNKNOWN: 0,
}
"""The number a callback carries for a state; states without one are not reported.

Source: design section 6; the meaning of each number at the vendor's origin stands in docs/reference/vendor-api.md.
"""

STATUS_STATE: dict[int, State] = {
    2: State.DELIVERED,
    -2: State.UNDELIVERED,
    -1: State.REJECTED,
    6: State.EXPIRED,
}
"""What a status in a report of an upstream gateway of the same family means to us; 0 and 1 decide nothing."""
