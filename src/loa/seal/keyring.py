"""Master keys: their ids, and how they are written in a file or in the environment.

A key is 32 random bytes. Its id is made from it and tells nothing of it, so a key that was copied wrongly is noticed
at once, and one id never means two keys.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
from dataclasses import dataclass, field
from typing import Final, Self

from loa.errors import ConfigError

KEY_OCTETS: Final = 32
_ID_DIGITS: Final = 12
_ID_OF: Final = b"loa master key"
_ENTRY: Final = re.compile(r"(?:(?P<id>[0-9a-f]{12}):)?(?P<key>[A-Za-z0-9+/]{43}=)")
_CURE: Final = "write ID:KEY, or KEY alone, as openssl rand -base64 32 gives it"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """One master key and its id."""

    id: str
    octets: bytes = field(repr=False)

    @classmethod
    def of(cls, octets: bytes) -> Self:
        """Name a key. Errors: ValueError when it has not 32 bytes."""
        if len(octets) != KEY_OCTETS:
            raise ValueError(f"a master key has {KEY_OCTETS} bytes, not {len(octets)}")
        return cls(hmac.digest(octets, _ID_OF, hashlib.sha256).hex()[:_ID_DIGITS], octets)

    @classmethod
    def fresh(cls) -> Self:
        """Make a new one."""
        return cls.of(os.urandom(KEY_OCTETS))

    def written(self) -> str:
        """Write it as `ID:KEY`, the key in base64."""
        return f"{self.id}:{base64.b64encode(self.octets).decode()}"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The master keys that a process has. The first is taken where a ledger has none in use yet."""

    keys: tuple[MasterKey, ...] = ()

    @classmethod
    def read(cls, text: str, where: str) -> Self:
        """Read keys, parted by commas or lines; what follows a `#` is a remark.

        Errors: ConfigError that says what is wrong at `where` and never repeats a key.
        """
        lines = (line.partition("#")[0] for line in text.splitlines())
        entries = [entry.strip() for line in lines for entry in line.split(",") if entry.strip()]
        keys = tuple(_read(entry, f"key {number} of {where}") for number, entry in enumerate(entries, start=1))
        return cls(tuple({key.id: key for key in keys}.values()))

    def get(self, key_id: str) -> MasterKey | None:
        """Give a key by its id."""
        return next((key for key in self.keys if key.id == key_id), None)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, in order."""
        return tuple(key.id for key in self.keys)

    def with_first(self, key: MasterKey) -> "Keyring":
        """Give these keys with another one before them."""
        return Keyring((key, *(each for each in self.keys if each.id != key.id)))

    def written(self) -> str:
        """Write the keys, parted by commas."""
        return ",".join(key.written() for key in self.keys)


def _read(entry: str, where: str) -> MasterKey:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise ConfigError(f"{where} is not a master key: {_CURE}")
    try:
        octets = base64.b64decode(found["key"], validate=True)
    except binascii.Error:
        raise ConfigError(f"{where} is not base64: {_CURE}") from None
    key = MasterKey.of(octets)
    if found["id"] not in (None, key.id):
        raise ConfigError(f"{where} does not belong to its id {found['id']}: it was copied wrongly, copy it again")
    return key
