"""What the console can show, in the order of its navigation."""

from dataclasses import dataclass
from typing import Final

from loa.domain.roles import May


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its address, its icon in the sprite, the key of its name, and what a visitor has to be allowed.

    `key`: the letter that leads there after `g`, "" for none.
    """

    path: str
    icon: str
    name: str
    needs: May = May.READ_MESSAGES
    key: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that belong together, under the key of their heading."""

    name: str
    entries: tuple[Entry, ...]


GROUPS: Final = (
    Group(
        "nav.group.watch",
        (
            Entry("/console/", "overview", "nav.overview", key="o"),
            Entry("/console/tail", "tail", "nav.tail", key="t"),
            Entry("/console/messages", "messages", "nav.messages", key="m"),
        ),
    ),
    Group("nav.group.send", ()),
    Group(
        "nav.group.carry",
        (Entry("/console/channels", "channels", "nav.channels", key="c"),),
    ),
    Group(
        "nav.group.connect",
        (Entry("/console/callbacks", "callbacks", "nav.callbacks", key="b"),),
    ),
    Group("nav.group.govern", ()),
)
