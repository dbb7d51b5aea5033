"""What a person may say of a message that nothing else can tell of. Pure."""

from enum import StrEnum
from typing import Final


class Ruling(StrEnum):
    """What somebody says. `dealt_with` is of a dead letter, the others are of an unknown message."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    DEALT_WITH = "dealt_with"


class Effect(StrEnum):
    """What saying it did to one message.

    ALREADY: the same had been said before. UNFIT: it is not, or no longer, what can be ruled on. MISSING: the tenant
    has no such message.
    """

    DONE = "done"
    ALREADY = "already"
    UNFIT = "unfit"
    MISSING = "missing"


BY_HAND: Final = "settled_by_hand"
"""The error of a message that is undelivered because a person said so."""
