"""What a command_status means for the message and for the session: one table.

A channel may override any status, vendor ones above all. No answer at all is not in here: that is the link's
`Unknown`.

Source: `smpp-practice`, SMPP 5.0 section 4.7.6, and the retry tables of other gateways (2026).
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from loa.smpp import status as s


class StatusClass(Enum):
    """The kinds of answer that a sender must treat differently."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"
    """Too fast or queue full: slow down, put back without using up an attempt."""
    DEFERRED = "deferred"
    """A passing fault of the SMSC: bounded back-off."""
    REFUSED = "refused"
    """Lasting: this message will never be taken over this channel."""
    NOT_BOUND = "not_bound"
    """The session is not what we think: bind again, put the message back."""
    ALREADY_BOUND = "already_bound"
    """An older session is still open over there: wait."""
    BIND_REFUSED = "bind_refused"
    """Wrong credentials or no right to bind: alarm, slow back-off."""


TABLE: Final[Mapping[int, StatusClass]] = {
    s.ESME_ROK: StatusClass.ACCEPTED,
    s.ESME_RTHROTTLED: StatusClass.THROTTLED,
    s.ESME_RMSGQFUL: StatusClass.THROTTLED,
    s.ESME_RSYSERR: StatusClass.DEFERRED,
    s.ESME_RX_T_APPN: StatusClass.DEFERRED,
    s.ESME_RSUBMITFAIL: StatusClass.DEFERRED,
    s.ESME_RSERTYPUNAVAIL: StatusClass.DEFERRED,
    s.ESME_RDELIVERYFAILURE: StatusClass.DEFERRED,
    s.ESME_RUNKNOWNERR: StatusClass.DEFERRED,
    s.ESME_RINVBNDSTS: StatusClass.NOT_BOUND,
    s.ESME_RALYBND: StatusClass.ALREADY_BOUND,
    s.ESME_RBINDFAIL: StatusClass.BIND_REFUSED,
    s.ESME_RINVPASWD: StatusClass.BIND_REFUSED,
    s.ESME_RINVSYSID: StatusClass.BIND_REFUSED,
}

NAMES: Final[Mapping[str, StatusClass]] = {kind.value: kind for kind in StatusClass}


def classify(status: int, overrides: Mapping[int, StatusClass] | None = None) -> StatusClass:
    """Say what an answer means; `overrides` is the map of the channel and wins.

    Defaults: a named status that the table leaves out says that a field or right is wrong, so it is refused
    for good. A vendor's or an unknown number says nothing, so it is tried again, within bounds.
    """
    if overrides is not None and status in overrides:
        return overrides[status]
    found = TABLE.get(status)
    if found is not None:
        return found
    return StatusClass.REFUSED if status in s.NAMES else StatusClass.DEFERRED
