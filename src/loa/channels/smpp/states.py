"""What a message_state of SMPP proves about a message: one table."""

from typing import Final

from loa.domain.lifecycle import State
from loa.smpp import commands as c

STATES: Final[dict[int, State]] = {
    c.STATE_DELIVERED: State.DELIVERED,
    c.STATE_EXPIRED: State.EXPIRED,
    c.STATE_DELETED: State.UNDELIVERED,
    c.STATE_UNDELIVERABLE: State.UNDELIVERED,
    c.STATE_REJECTED: State.REJECTED,
}
"""Scheduled, en route, accepted, unknown and skipped only inform."""
