"""Passwords: how they are kept and compared, away from the event loop."""

import asyncio
import unicodedata
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 256
AT_ONCE: Final = 2
"""Each takes 19 MiB and a core for some 30 ms: a flood of them must wait."""
NOBODYS: Final = "$argon2id$v=19$m=19456,t=2,p=1$wwPHDLut3z240EUVT833Gw$7SZA5v/ikIKE6baB6D7tI3B470OcOeUOX95ni4dC6eY"
"""Compared with when there is no such user, so that the answer takes as long."""

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)


class Passwords:
    """Hashes and compares with Argon2id: 19 MiB, two rounds, one lane."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def hashed(self, password: str) -> str:
        """Give what is kept of a password."""
        async with self._turns:
            return await asyncio.to_thread(_HASHER.hash, _normal(password))

    async def fits(self, kept: str, password: str) -> bool:
        """Tell whether a password is the one that was kept; "" is nobody's, and takes as long."""
        async with self._turns:
            return await asyncio.to_thread(_fits, kept, _normal(password[:LENGTH_MAX]))


def length_fits(password: str) -> bool:
    """Tell whether a password is neither too short nor too long."""
    return LENGTH_MIN <= len(password) <= LENGTH_MAX


def _fits(kept: str, password: bytes) -> bool:
    try:
        _HASHER.verify(kept or NOBODYS, password)
        return bool(kept)
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> bytes:
    # Keyboards differ in how they write ấ.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
