"""What the screens of the console work with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from loa.console.acts import Acts
from loa.console.sending import Sending
from loa.console.visitor import Visitor
from loa.ports.batches import BatchReading
from loa.ports.channel import ChannelStatus
from loa.ports.clock import Clock
from loa.ports.ledger import Directory, Search
from loa.stages.signing_in import SigningIn


class Reading(Search, Directory, BatchReading, Protocol):
    """What the screens read from."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the screens are made of.

    `read_number`: gives a number's normal form, None where it has none. `channel_states`: how the channels stand that
    this process runs, by id. `content_shown`: writes into the audit log that somebody is about to see the content of a
    message; what it raises keeps the content hidden. `acts`: what administration can be asked for. `sending`: the
    way into intake. `signing`: who is known, and where.
    """

    ledger: Reading
    clock: Clock
    read_number: Callable[[str], str | None]
    channel_states: Callable[[], Mapping[int, ChannelStatus]]
    content_shown: Callable[[Request, str], Awaitable[None]]
    acts: Acts
    sending: Sending
    signing: SigningIn


def visitor_of(request: Request) -> Visitor:
    """Give who looks; the middleware of signing in has put the visitor there."""
    found = request.state.visitor
    assert isinstance(found, Visitor)
    return found
