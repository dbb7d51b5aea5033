"""What the screens of the console work with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import Request

from loa.console.acts import Acts
from loa.console.api_book import ApiBook
from loa.console.errands import Errands
from loa.console.exchanges import Exchanges
from loa.console.sending import Sending
from loa.console.streams import Streams
from loa.console.troubles import Trouble
from loa.console.visitor import Visitor
from loa.console.world import World
from loa.domain.latency import Wait
from loa.ports.batches import BatchReading
from loa.ports.channel import ChannelStatus, Retells
from loa.ports.clock import Clock
from loa.ports.ledger import Directory, Search, Templates
from loa.ports.watching import Deliveries, Figures
from loa.stages.signing_in import SigningIn


class Learned(Protocol):
    """What Loa has learned of its channels."""

    async def usual_waits(self) -> Mapping[Wait, int]:
        """See ports.ledger.Silence."""
        ...


class Reading(Search, Directory, Templates, Deliveries, Figures, BatchReading, Learned, Protocol):
    """What the screens read from."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the screens are made of.

    `read_number`: gives a number's normal form, None where it has none. `channel_states`: how the channels stand that
    this process runs, by id. `content_shown`: writes into the audit log that somebody is about to see the content of a
    message; what it raises keeps the content hidden. `acts`: what administration can be asked for. `sending`: the
    way into intake. `signing`: who is known, and where. `retells`: providers that can show what they sent, by
    name. `errands`: what is done to many messages. `world`: the simulated outside of a demo, None everywhere else.
    `still_known`: whether who looks is still signed in with the same role. `exchanges`: composes callbacks as they are
    posted. `troubles`: what is wrong, cheap to ask for every page. `api`: the API as it is explained.
    """

    ledger: Reading
    clock: Clock
    read_number: Callable[[str], str | None]
    channel_states: Callable[[], Mapping[int, ChannelStatus]]
    content_shown: Callable[[Request, str], Awaitable[None]]
    acts: Acts
    sending: Sending
    signing: SigningIn
    api: Callable[[], Awaitable[ApiBook]]
    still_known: Callable[[Request], Awaitable[bool]]
    exchanges: Exchanges
    troubles: Callable[[], Awaitable[Sequence[Trouble]]]
    retells: Mapping[str, Retells] = field(default_factory=dict)
    errands: Errands = field(default_factory=Errands)
    world: World | None = None
    streams: Streams = field(default_factory=Streams)


def visitor_of(request: Request) -> Visitor:
    """Give who looks; the middleware of signing in has put the visitor there."""
    found = request.state.visitor
    assert isinstance(found, Visitor)
    return found
