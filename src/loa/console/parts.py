"""What the screens of the console work with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import Request

from loa.console.acts import Acts
from loa.console.streams import Streams
from loa.console.visitor import Visitor
from loa.ports.channel import ChannelStatus
from loa.ports.clock import Clock
from loa.ports.ledger import Directory, Figures, Search


class Reading(Search, Directory, Figures, Protocol):
    """What the screens read from."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the screens are made of.

    `read_number`: gives a number's normal form, None where it has none. `channel_states`: how the channels stand that
    this process runs, by id. `content_shown`: writes into the audit log that somebody is about to see the content of a
    message; what it raises keeps the content hidden. `acts`: what administration can be asked for.
    """

    ledger: Reading
    clock: Clock
    read_number: Callable[[str], str | None]
    channel_states: Callable[[], Mapping[int, ChannelStatus]]
    content_shown: Callable[[Request, str], Awaitable[None]]
    acts: Acts
    streams: Streams = field(default_factory=Streams)


def visitor_of(request: Request) -> Visitor:
    """Give who looks; the middleware of signing in has put the visitor there."""
    found = request.state.visitor
    assert isinstance(found, Visitor)
    return found
