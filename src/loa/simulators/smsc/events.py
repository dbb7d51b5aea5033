"""What the simulated SMSC tells whoever watches it, and what it counts."""

from collections.abc import Callable
from dataclasses import dataclass

from loa.smpp.payload import Part


@dataclass(frozen=True, slots=True)
class Linked:
    """A client is bound. `kind`: transmitter, receiver or transceiver."""

    at: int
    system_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class BindRefused:
    """A bind was refused."""

    at: int
    system_id: str
    status: int


@dataclass(frozen=True, slots=True)
class Unlinked:
    """A bound client is gone."""

    at: int
    system_id: str


@dataclass(frozen=True, slots=True)
class Taken:
    """One accepted submit, which is one segment.

    `number` is the id, `message_id` its spelling in the response, `sequence` that of the request. `owes`: the states
    that are still to be reported. `reference`: user_message_reference of the client, None when there was none.
    """

    at: int
    number: int
    message_id: str
    system_id: str
    source: str
    destination: str
    text: str
    part: Part | None
    sequence: int
    data_coding: int
    owes: tuple[str, ...] = ()
    error: str = ""
    reference: bytes | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A handset got a whole message."""

    at: int
    source: str
    destination: str
    text: str
    parts: int


@dataclass(frozen=True, slots=True)
class Declined:
    """A submit was refused."""

    at: int
    system_id: str
    destination: str
    status: int


@dataclass(frozen=True, slots=True)
class Told:
    """The client answered a receipt. `status` 0: it took it."""

    at: int
    number: int
    destination: str
    stat: str
    status: int


SmscEvent = Linked | BindRefused | Unlinked | Taken | Shown | Declined | Told
Watcher = Callable[[SmscEvent], None]


@dataclass(slots=True)
class SmscCounts:
    """What happened since the start; `connections`, `links` and `receipts_waiting` are what there is now."""

    connections: int = 0
    links: int = 0
    binds: int = 0
    binds_refused: int = 0
    submits: int = 0
    accepted: int = 0
    refused: int = 0
    responses: int = 0
    responses_dropped: int = 0
    messages: int = 0
    receipts_sent: int = 0
    receipts_acked: int = 0
    receipts_nacked: int = 0
    receipts_waiting: int = 0
    enquiries: int = 0
    unbinds: int = 0
    faults: int = 0
