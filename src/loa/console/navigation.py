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
            Entry("/console/unknown", "unknown", "nav.unknown"),
        ),
    ),
    Group("nav.group.send", (Entry("/console/send", "send", "nav.send", May.SEND),)),
    Group(
        "nav.group.carry",
        (
            Entry("/console/channels", "channels", "nav.channels"),
            Entry("/console/routes", "routes", "nav.routes"),
            Entry("/console/senders", "senders", "nav.senders"),
            Entry("/console/templates", "templates", "nav.templates"),
        ),
    ),
    Group("nav.group.connect", (Entry("/console/keys", "keys", "nav.keys", May.CHANGE_KEYS),)),
    Group(
        "nav.group.govern",
        (
            Entry("/console/rules", "rules", "nav.rules"),
            Entry("/console/balance", "balance", "nav.balance"),
            Entry("/console/users", "users", "nav.users", May.CHANGE_USERS),
            Entry("/console/audit", "audit", "nav.audit", May.READ_AUDIT),
            Entry("/console/system", "system", "nav.system", May.READ_SYSTEM),
        ),
    ),
)
