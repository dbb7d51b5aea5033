"""What people may do in the console, by the role they have. Pure.

A role is a person's here; what a process does is called a role too, and stands in the settings.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What somebody is to this installation."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    OPERATOR = "operator"
    ANALYST = "analyst"
    AUDITOR = "auditor"


class May(StrEnum):
    """One thing that somebody may be allowed to do."""

    READ_MESSAGES = "read_messages"
    SEE_NUMBERS = "see_numbers"
    """Destinations whole; they are masked for everybody else."""
    SEE_CONTENT = "see_content"
    """Texts of messages; every look is written into the audit log."""
    SEND = "send"
    SETTLE = "settle"
    """Say what became of unknown messages, cancel, send again, post callbacks again."""
    PAUSE_CHANNELS = "pause_channels"
    CHANGE_CHANNELS = "change_channels"
    """Channels, routes, senders and templates."""
    CHANGE_ENDPOINTS = "change_endpoints"
    CHANGE_KEYS = "change_keys"
    CHANGE_USERS = "change_users"
    READ_AUDIT = "read_audit"
    READ_SYSTEM = "read_system"
    """How program and ledger do, and by which settings they run."""


_DEVELOPER: Final = frozenset({May.READ_MESSAGES, May.SEND, May.CHANGE_KEYS, May.CHANGE_ENDPOINTS})
_OPERATOR: Final = frozenset(
    {May.READ_MESSAGES, May.SEE_NUMBERS, May.SEND, May.SETTLE, May.PAUSE_CHANNELS, May.READ_SYSTEM}
)
ALLOWED: Final[Mapping[Role, frozenset[May]]] = {
    Role.OWNER: frozenset(May),
    Role.ADMIN: frozenset(May) - {May.CHANGE_USERS},
    Role.DEVELOPER: _DEVELOPER,
    Role.OPERATOR: _OPERATOR,
    Role.ANALYST: frozenset({May.READ_MESSAGES}),
    Role.AUDITOR: frozenset({May.READ_MESSAGES, May.READ_AUDIT, May.READ_SYSTEM}),
}


def may(role: Role, what: May) -> bool:
    """Tell whether somebody with a role may do something."""
    return what in ALLOWED[role]


_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


def user_name_fits(name: str) -> bool:
    """Tell whether somebody may be called so: 1 to 64 of a-z 0-9 . _ @ + -, beginning with a letter or digit."""
    return _NAME.fullmatch(name) is not None
