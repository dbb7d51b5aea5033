"""What the console can show, in the order of its navigation."""

from dataclasses import dataclass
from typing import Final

from loa.domain.roles import May


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its address, its icon in the sprite, the key of its name, and what a visitor has to be allowed.

    `demo`: it is there only in a demo.
    """

    path: str
    icon: str
    name: str
    needs: May = May.READ_MESSAGES
    demo: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that belong together, under the key of their heading."""

    name: str
    entries: tuple[Entry, ...]


GROUPS: Final = (
    Group(
        "nav.group.watch",
        (
            Entry("/console/phone", "phone", "nav.phone", demo=True),
            Entry("/console/", "overview", "nav.overview"),
            Entry("/console/tail", "tail", "nav.tail"),
            Entry("/console/messages", "messages", "nav.messages"),
        ),
    ),
    Group("nav.group.send", ()),
    Group(
        "nav.group.carry",
        (Entry("/console/channels", "channels", "nav.channels"),),
    ),
    Group("nav.group.connect", ()),
    Group("nav.group.govern", ()),
)
