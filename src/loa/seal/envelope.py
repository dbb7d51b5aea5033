"""The envelope of one value: a data key of its own seals the value, a master key wraps the data key. Pure.

    sealed:1:<id of the master key>:<base64 of
        nonce (12), wrapped data key (32 + 16), nonce (12), sealed value (its length + 16)>

Both by AES-256-GCM. Both are bound to the place of the value, so an envelope that is moved to another row or column
does not open; the wrapped key is bound to the id of its master key too. Changing the master key wraps the data key
anew and leaves the value alone.
"""

import base64
import binascii
import os
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from loa.seal.keyring import KEY_OCTETS, MasterKey

PREFIX: Final = "sealed:"
VERSION: Final = "1"
_NONCE: Final = 12
_TAG: Final = 16
_KEY_END: Final = _NONCE + KEY_OCTETS + _TAG
_SHORTEST: Final = _KEY_END + _NONCE + _TAG


class Damaged(ValueError):
    """An envelope that cannot be read, or does not open at this place."""


def is_sealed(stored: str) -> bool:
    """Tell whether a stored value is an envelope; a ledger from before holds plain ones."""
    return stored.startswith(PREFIX)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One sealed value."""

    key_id: str
    wrapped: bytes
    """The nonce and the wrapped data key."""
    closed: bytes
    """The nonce and the sealed value."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `written` wrote. Errors: Damaged."""
        parts = text.split(":")
        if len(parts) != 4 or f"{parts[0]}:" != PREFIX:
            raise Damaged("it has not the parts of an envelope")
        if parts[1] != VERSION:
            raise Damaged(f"its version {parts[1][:8]!r} is not known here: it was sealed by a newer Loa")
        try:
            octets = base64.b64decode(parts[3], validate=True)
        except binascii.Error:
            raise Damaged("it is not base64") from None
        if len(octets) < _SHORTEST or base64.b64encode(octets).decode() != parts[3]:
            raise Damaged("it is cut off or changed")
        return cls(parts[2], octets[:_KEY_END], octets[_KEY_END:])

    def written(self) -> str:
        """Write it as text."""
        return f"{PREFIX}{VERSION}:{self.key_id}:{base64.b64encode(self.wrapped + self.closed).decode()}"


def close(place: str, plain: str, key: MasterKey) -> Envelope:
    """Seal a value for a place."""
    data_key = os.urandom(KEY_OCTETS)
    return Envelope(key.id, _wrap(data_key, place, key), _encrypt(data_key, plain.encode(), _value_at(place)))


def unclose(place: str, envelope: Envelope, key: MasterKey) -> str:
    """Open it. Errors: Damaged when it was changed, or sealed for another place."""
    data_key = _decrypt(key.octets, envelope.wrapped, _key_at(place, key.id))
    return _decrypt(data_key, envelope.closed, _value_at(place)).decode()


def rewrap(place: str, envelope: Envelope, old: MasterKey, new: MasterKey) -> Envelope:
    """Wrap the data key by another master key; the value itself stays sealed. Errors: Damaged."""
    data_key = _decrypt(old.octets, envelope.wrapped, _key_at(place, old.id))
    return Envelope(new.id, _wrap(data_key, place, new), envelope.closed)


def _wrap(data_key: bytes, place: str, key: MasterKey) -> bytes:
    return _encrypt(key.octets, data_key, _key_at(place, key.id))


def _value_at(place: str) -> bytes:
    return f"loa:{VERSION}:value:{place}".encode("utf-8", "surrogatepass")


def _key_at(place: str, key_id: str) -> bytes:
    return f"loa:{VERSION}:key:{key_id}:{place}".encode("utf-8", "surrogatepass")


def _encrypt(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def _decrypt(key: bytes, closed: bytes, bound_to: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(closed[:_NONCE], closed[_NONCE:], bound_to)
    except InvalidTag:
        raise Damaged("it was changed, or sealed for another place") from None
