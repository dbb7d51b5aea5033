"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes for when it is lost."""

import binascii
import hashlib
import hmac
import re
import secrets
from typing import Final

import pyotp

STEP_MS: Final = 30_000
SEED_LENGTH: Final = 32
RECOVERY_CODES: Final = 10
_SEED: Final = re.compile(rf"[A-Z2-7]{{{SEED_LENGTH}}}")
_CODE: Final = re.compile(r"[0-9]{6}")
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are easily taken for one another."""
_GROUPS: Final = 5
_GROUP_LENGTH: Final = 5


def new_seed() -> str:
    """Make a seed of 160 bits, in base 32."""
    return pyotp.random_base32(SEED_LENGTH)


def seed_fits(seed: str) -> bool:
    """Tell whether a seed has the form of ours."""
    return _SEED.fullmatch(seed) is not None


def app_link(seed: str, name: str) -> str:
    """Give the `otpauth:` address by which an app takes a seed."""
    return pyotp.TOTP(seed).provisioning_uri(name=name, issuer_name="Loa")


def step_of(seed: str, code: str, now: int) -> int | None:
    """Give the time step of a code, None when it is none of now, of just before or of just after."""
    given = "".join(code.split())
    if not seed_fits(seed) or not _CODE.fullmatch(given):
        return None
    try:
        made = pyotp.TOTP(seed)
        present = now // STEP_MS
        fitting = [
            step for step in (present - 1, present, present + 1) if hmac.compare_digest(made.generate_otp(step), given)
        ]
    except binascii.Error:
        return None
    return fitting[-1] if fitting else None


def new_recovery_codes() -> tuple[str, ...]:
    """Make codes that are good once each, with 123 random bits."""
    return tuple(
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    )


def recovery_digest(code: str) -> str:
    """Give what is kept of a recovery code, however it is typed."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
