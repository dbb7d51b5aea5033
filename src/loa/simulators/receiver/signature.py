"""Checking Standard Webhooks signatures, written apart from the code that signs, so that each checks the other.

Source: Standard Webhooks 1.0.0: HMAC-SHA256 over `id.timestamp.body`, `v1,` and base64, several separated by spaces.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

from loa.simulators.receiver.script import Verdict

TOLERANCE_S: Final = 300
_PREFIX: Final = "whsec_"


def check(secret: str, headers: Mapping[str, str], body: bytes, now_ms: int) -> Verdict:
    """Judge one request; without a secret nothing is checked. `headers` must ignore case."""
    if not secret:
        return "unchecked"
    given = headers.get("webhook-signature", "")
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (given and message_id and timestamp):
        return "unsigned"
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(now_ms / 1000 - int(timestamp)) > TOLERANCE_S:
        return "invalid"
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()
    matches = [hmac.compare_digest(f"v1,{expected}", candidate) for candidate in given.split()]
    return "valid" if any(matches) else "invalid"


def _key(secret: str) -> bytes:
    """Read a secret: base64 behind its prefix, its own octets otherwise."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return secret.encode()
