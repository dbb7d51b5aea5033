"""What the console can show, in the order of its navigation."""

from dataclasses import dataclass
from typing import Final

from loa.domain.roles import May


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its address, its icon in the sprite, the key of its name, and what a visitor has to be allowed."""

    path: str
    icon: str
    name: str
    needs: May = May.READ_MESSAGES


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that belong together, under the key of their heading."""

    name: str
    entries: tuple[Entry, ...]


GROUPS: Final = (
    Group(
        "nav.group.watch",
        (
            Entry("/console/", "overview", "nav.overview"),
            Entry("/console/tail", "tail", "nav.tail"),
            Entry("/console/messages", "messages", "nav.messages"),
        ),
    ),
    Group(
        "nav.group.send",
        (Entry("/console/batches", "batches", "nav.batches", May.SEND),),
    ),
    Group(
        "nav.group.carry",
        (Entry("/console/channels", "channels", "nav.channels"),),
    ),
    Group("nav.group.connect", ()),
    Group("nav.group.govern", ()),
)
