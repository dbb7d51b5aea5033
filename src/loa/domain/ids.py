"""Public identifiers: unguessable where they are handles, sortable where people page through them. Pure."""

import os
import secrets
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U. Source: crockford.com/base32."""

REFERENT_PREFIX: Final = "sub_"
REFERENT_DIGITS: Final = 26
MESSAGE_PREFIX: Final = "msg_"

_FIVE_BITS: Final = ALPHABET.encode() * 8
"""Turns any octet into the digit for its last five bits."""
_PAIRS: Final = tuple(a + b for a in ALPHABET for b in ALPHABET)
_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}
_MESSAGE_ID_MAX: Final = 2**63 - 1
_LONGEST: Final = 13  # base-32 digits of the largest message id


def _digits(value: int, pairs: int) -> str:
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(10 * (pairs - 1), -1, -10)])


def new_referent_id(now: int) -> str:
    """Make the public id of a submission: ids made later sort later, and none can be guessed from another.

    Shapes: "sub_" + 26 characters, 48 bits of time and 80 random bits. Units: now in milliseconds since the epoch.
    """
    return REFERENT_PREFIX + _digits(now & (1 << 48) - 1, 5) + os.urandom(16).translate(_FIVE_BITS).decode()


def referent_time(referent_id: str) -> int | None:
    """Read when a submission's public id was made, None when it is no such id. Units: milliseconds since the epoch."""
    digits = referent_id.removeprefix(REFERENT_PREFIX)
    if len(digits) != REFERENT_DIGITS or digits == referent_id:
        return None
    at = 0
    for character in digits[:10]:
        value = _VALUES.get(character)
        if value is None:
            return None
        at = at << 5 | value
    return at


def new_token(referent_id: str) -> str:
    """Make the handle that reads a submission's status without a key.

    It begins with the referent id's own characters, so that the ledger finds it without an index of random keys.
    Shapes: 26 characters of the referent id + 32 URL-safe characters, 192 random bits.
    """
    return referent_id[len(REFERENT_PREFIX) :] + secrets.token_urlsafe(24)


def message_public_id(message_id: int) -> str:
    """Give the public form of a message's id.

    Shapes: 0 <= message_id < 2**63 -> "msg_" + at most 13 characters.
    """
    digits = _digits(message_id, 7).lstrip("0")
    return MESSAGE_PREFIX + (digits or "0")


def message_id_from(public: str) -> int | None:
    """Read a message's public id, or None when it is not the exact form that `message_public_id` gives."""
    digits = public.removeprefix(MESSAGE_PREFIX)
    if not 0 < len(digits) <= _LONGEST or len(digits) == len(public):
        return None
    value = 0
    for character in digits:
        digit = _VALUES.get(character)
        if digit is None:
            return None
        value = value << 5 | digit
    return value if value <= _MESSAGE_ID_MAX and message_public_id(value) == public else None
