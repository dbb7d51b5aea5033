"""API keys: how they look, what they may do, how they are recognised without being stored. Pure.

A key that Loa made is `loa_<live|test>_` + 32 random base-62 characters + 6 that check them, so that a mistyped or
invented key is refused before any look-up and scanners can recognise a leaked one. Keys brought along from another
gateway have no checksum; they are found by their digest alone.
"""

import hashlib
import re
import secrets
import zlib
from enum import StrEnum
from typing import Final, NamedTuple

from loa.domain.traffic import TrafficClass

BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_LENGTH: Final = 32
CHECK_LENGTH: Final = 6
PATTERN: Final = r"loa_(?:live|test)_[0-9A-Za-z]{38}"
"""What a secret scanner looks for."""

_OURS: Final = re.compile(PATTERN)
_IMPORTED: Final = re.compile(r"[\x21-\x7e]{16,128}")
_PREFIXES: Final = ("loa_live", "loa_test")


class Permission(StrEnum):
    """What a key may be allowed to do; `send` stands for all three classes."""

    SEND = "send"
    SEND_OTP = "send:otp"
    SEND_TRANSACTIONAL = "send:transactional"
    SEND_ADVERTISING = "send:advertising"
    READ_MESSAGES = "read:messages"
    READ_CONTENT = "read:content"
    REPORT = "report"
    MANAGE = "manage"


DEFAULT_PERMISSIONS: Final = frozenset({Permission.SEND.value, Permission.READ_MESSAGES.value})
"""What a new key gets when nothing is said: it sends and follows what it sent, and cannot read old texts."""

SEND_PERMISSIONS: Final = {
    TrafficClass.OTP: Permission.SEND_OTP.value,
    TrafficClass.TRANSACTIONAL: Permission.SEND_TRANSACTIONAL.value,
    TrafficClass.ADVERTISING: Permission.SEND_ADVERTISING.value,
}


class MintedKey(NamedTuple):
    """A new key: the secret to show once, and what is kept of it."""

    secret: str
    digest: bytes
    display: str


def mint(*, live: bool) -> MintedKey:
    """Make a new key with 190 random bits."""
    body = ("loa_live_" if live else "loa_test_") + "".join(secrets.choice(BASE62) for _ in range(RANDOM_LENGTH))
    return keep(body + _check(body))


def keep(secret: str) -> MintedKey:
    """Give what is kept of a key, minted or imported."""
    return MintedKey(secret, digest(secret), display(secret))


def digest(key: str) -> bytes:
    """Give the digest under which a key is stored; a key has too many bits to be guessed from it."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def display(key: str) -> str:
    """Give what people see of a key: its first eight and last four characters."""
    return f"{key[:8]}…{key[-4:]}"


def well_formed(key: str) -> bool:
    """Tell whether a key has the form and the checksum of one that Loa made."""
    return _OURS.fullmatch(key) is not None and _check(key[:-CHECK_LENGTH]) == key[-CHECK_LENGTH:]


def looks_ours(key: str) -> bool:
    """Tell whether a key, or its display form, claims to be one that Loa made."""
    return key.startswith(_PREFIXES)


def importable(key: str) -> bool:
    """Tell whether a key of another gateway may be taken over: 16 to 128 visible ASCII characters, not like ours."""
    return _IMPORTED.fullmatch(key) is not None and not looks_ours(key)


def may_send(permissions: frozenset[str], traffic_class: TrafficClass) -> bool:
    """Tell whether a key with these permissions may send messages of the class."""
    return Permission.SEND.value in permissions or SEND_PERMISSIONS[traffic_class] in permissions


_PAIRS: Final = tuple(a + b for a in BASE62 for b in BASE62)


def _check(body: str) -> str:
    rest, last = divmod(zlib.crc32(body.encode("ascii")), len(_PAIRS))
    first, middle = divmod(rest, len(_PAIRS))
    return _PAIRS[first] + _PAIRS[middle] + _PAIRS[last]
