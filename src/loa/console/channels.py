"""Channels: a card for each, with how it stands in this process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from loa.console.pages import render
from loa.console.parts import Parts
from loa.console.place import place_of
from loa.ports.channel import ChannelStatus
from loa.ports.records import ChannelRecord


@dataclass(frozen=True, slots=True)
class Card:
    """One channel. `condition`: up, partly, down, paused, or elsewhere where another process runs it."""

    name: str
    provider: str
    condition: str
    tone: str
    status: ChannelStatus | None
    version: int

    @property
    def address(self) -> str:
        """Where its page is."""
        return address_of(self.name)


TONES = {"up": "good", "partly": "warn", "down": "bad", "paused": "warn", "elsewhere": "plain"}


def address_of(name: str) -> str:
    """Give the address of a channel's page."""
    return f"/console/channels/{quote(name, safe='')}"


def cards(records: Sequence[ChannelRecord], states: Mapping[int, ChannelStatus]) -> list[Card]:
    """Put together what the directory and this process know of the channels."""
    made = []
    for record in sorted(records, key=lambda each: each.name):
        status = states.get(record.id)
        condition = _condition(record, status)
        made.append(Card(record.name, record.provider, condition, TONES[condition], status, record.version))
    return made


def _condition(record: ChannelRecord, status: ChannelStatus | None) -> str:
    if record.paused:
        return "paused"
    if status is None:
        return "elsewhere"
    if not status.ready:
        return "down"
    return "up" if status.links_up >= status.links else "partly"


async def channels(request: Request, parts: Parts) -> Response:
    """Show all channels."""
    place = await place_of(request, parts)
    shown = cards(await parts.ledger.channels(), parts.channel_states())
    return render(request, "channels.html", **place.values(), cards=shown)
