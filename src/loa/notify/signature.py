"""Signs callbacks, and knows signed ones, so that a receiver can tell that they are ours, fresh and whole. Pure.

Source: Standard Webhooks 1.0.0: HMAC-SHA-256 over `id.timestamp.body`; secrets are 24 to 64 random bytes, written as
base64 behind `whsec_`; several secrets give several signatures, so that a receiver can change its secret without a gap.
"""

import hmac
import secrets as randomness
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from functools import lru_cache

PREFIX = "whsec_"
SECRET_BYTES_MIN, SECRET_BYTES_MAX = 24, 64

HEADER_ID = "webhook-id"
HEADER_TIMESTAMP = "webhook-timestamp"
HEADER_SIGNATURE = "webhook-signature"
TOLERANCE_S = 300
"""How old a signed request may be, and how far two clocks may differ."""


class BadSecret(ValueError):
    """The secret is not in the standard's form; the text never repeats it."""


def new_secret() -> str:
    """Make a secret of 32 random bytes."""
    return PREFIX + b64encode(randomness.token_bytes(32)).decode("ascii")


def key_of(secret: str) -> bytes:
    """Read the bytes of a secret.

    Errors: BadSecret.
    """
    if not secret.startswith(PREFIX):
        raise BadSecret(f"a secret begins with {PREFIX}")
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except NotBase64:
        raise BadSecret(f"what follows {PREFIX} is not base64") from None
    if not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise BadSecret(f"a secret has {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes, not {len(key)}")
    return key


def sign(secrets: Sequence[str], callback_id: str, timestamp_s: int, body: bytes) -> str:
    """Give the value of the signature header: one `v1,…` a secret, in their order.

    Shapes: at least one secret; callback_id without a full stop.
    Errors: BadSecret.
    """
    if not secrets:
        raise BadSecret("an endpoint needs a secret")
    signed = b"%b.%d.%b" % (callback_id.encode("ascii"), timestamp_s, body)
    return " ".join([_signature(secret, signed) for secret in secrets])


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: int) -> bool:
    """Tell whether a request was signed with a secret a short while ago. Shapes: header names in lower case.

    Units: now in milliseconds since the epoch.
    """
    callback_id, timestamp = headers.get(HEADER_ID, ""), headers.get(HEADER_TIMESTAMP, "")
    fresh = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    if not fresh or not callback_id.isascii() or abs(now / 1000 - int(timestamp)) > TOLERANCE_S:
        return False
    try:
        wanted = sign((secret,), callback_id, int(timestamp), body)
    except BadSecret:
        return False
    given = headers.get(HEADER_SIGNATURE, "").split()
    return any(hmac.compare_digest(wanted.encode(), each.encode("utf-8", "replace")) for each in given)


def _signature(secret: str, signed: bytes) -> str:
    begun = _begun(secret).copy()
    begun.update(signed)
    return "v1," + b2a_base64(begun.digest(), newline=False).decode("ascii")


@lru_cache(maxsize=4096)
def _begun(secret: str) -> hmac.HMAC:
    """Take the key in once for all callbacks: that is most of the work of signing a short body."""
    return hmac.new(key_of(secret), digestmod="sha256")
