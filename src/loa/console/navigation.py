"""What the console can show, in the order of its navigation."""

from dataclasses import dataclass
from typing import Final

from loa.domain.roles import May


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its address, its icon in the sprite, the key of its name, and what a visitor has to be allowed.

    `key`: the letter that leads there after `g`, "" for none. `demo`: it is there only in a demo.
    """

    path: str
    icon: str
    name: str
    needs: May = May.READ_MESSAGES
    key: str = ""
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
            Entry("/console/phone", "phone", "nav.phone", key="p", demo=True),
            Entry("/console/", "overview", "nav.overview", key="o"),
            Entry("/console/tail", "tail", "nav.tail", key="t"),
            Entry("/console/messages", "messages", "nav.messages", key="m"),
            Entry("/console/unknown", "unknown", "nav.unknown", key="u"),
        ),
    ),
    Group(
        "nav.group.send",
        (
            Entry("/console/send", "send", "nav.send", May.SEND, key="s"),
            Entry("/console/batches", "batches", "nav.batches", May.SEND, key="f"),
        ),
    ),
    Group(
        "nav.group.carry",
        (
            Entry("/console/channels", "channels", "nav.channels", key="c"),
            Entry("/console/routes", "routes", "nav.routes", key="r"),
            Entry("/console/senders", "senders", "nav.senders", key="n"),
            Entry("/console/templates", "templates", "nav.templates", key="l"),
        ),
    ),
    Group(
        "nav.group.connect",
        (
            Entry("/console/api", "api", "nav.api", key="i"),
            Entry("/console/callbacks", "callbacks", "nav.callbacks", key="b"),
            Entry("/console/keys", "keys", "nav.keys", May.CHANGE_KEYS, key="k"),
        ),
    ),
    Group(
        "nav.group.govern",
        (
            Entry("/console/rules", "rules", "nav.rules", key="x"),
            Entry("/console/balance", "balance", "nav.balance", key="a"),
            Entry("/console/users", "users", "nav.users", May.CHANGE_USERS, key="e"),
            Entry("/console/audit", "audit", "nav.audit", May.READ_AUDIT, key="d"),
            Entry("/console/system", "system", "nav.system", May.READ_SYSTEM, key="y"),
        ),
    ),
)
