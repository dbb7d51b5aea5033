"""Destinations as they are stored: a phone number, or a user of a provider that knows people by ids of its own.

One whole number holds either, because a message is a narrow row: a phone number is positive (`84912345678`), a user id
negative. Written: `84912345678` and `zalo:1867296517606832`.
"""

from typing import Final

USER_PREFIX: Final = "zalo:"
USER_ID_MAX: Final = 2**63 - 1
"""Providers count their users in 64 bits, and so does the ledger."""


def written(destination: int) -> str:
    """Write a destination as callers know it; 0 is nobody."""
    return str(destination) if destination >= 0 else f"{USER_PREFIX}{-destination}"


def user_destination(written_id: str) -> int | None:
    """Give the destination that stands for a user id, None where the text is none."""
    digits = written_id.strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(USER_ID_MAX)):
        return None
    return -int(digits) if 0 < int(digits) <= USER_ID_MAX else None


def is_user(destination: int) -> bool:
    """Tell whether a destination is a user id."""
    return destination < 0
