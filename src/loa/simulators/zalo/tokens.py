"""Tokens and codes of the sign-in: which are good, until when, and which were spent.

Source: Zalo reference, section 3: a code works once within ten minutes, a refresh token once within three months; each
refresh gives a new pair.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from loa.simulators.zalo.state import OaState
from loa.simulators.zalo.world import Oa


@dataclass(slots=True)
class Code:
    """What a consent left to be exchanged."""

    oa: OaState
    challenge: str
    expires_at: int


@dataclass(slots=True)
class Refresh:
    """One refresh token; the script says how long it lives."""

    oa: OaState
    issued_at: int
    spent: bool = False


class TokenBook:
    """All codes and tokens there ever were; the times are milliseconds."""

    def __init__(self, now: int, oas: Iterable[OaState]) -> None:
        self._codes: dict[str, Code] = {}
        self._access: dict[str, tuple[OaState, int]] = {}
        self._refresh: dict[str, Refresh] = {}
        self._gone: set[str] = set()
        for oa in oas:
            if oa.told.access_token:
                self._access[oa.told.access_token] = (oa, now)
            if oa.told.refresh_token:
                self._refresh[oa.told.refresh_token] = Refresh(oa, now)

    def new_code(self, oa: OaState, challenge: str, expires_at: int) -> str:
        """Give a code for a consent."""
        code = secrets.token_urlsafe(24)
        self._codes[code] = Code(oa, challenge, expires_at)
        return code

    def code(self, code: str, now: int) -> Code | None:
        """Look at a code; None where there is none, or it is too old."""
        found = self._codes.get(code)
        return found if found is not None and now < found.expires_at else None

    def refresh(self, token: str) -> Refresh | None:
        """Look at a refresh token."""
        return self._refresh.get(token)

    def new_pair(self, oa: OaState, now: int, spent: str = "") -> tuple[str, str]:
        """Give a new pair for a code or refresh token; access tokens given before stay good for their time."""
        access, refresh = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
        self.restore(oa, access, refresh, now, spent)
        return access, refresh

    def restore(self, oa: OaState, access: str, refresh: str, issued_at: int, spent: str = "") -> None:
        """Know a pair that was given, and the code or refresh token that was spent on it."""
        self._access[access] = (oa, issued_at)
        self._refresh[refresh] = Refresh(oa, issued_at)
        self._codes.pop(spent, None)
        if spent in self._refresh:
            self._refresh[spent].spent = True
        elif spent:
            self._refresh[spent] = Refresh(oa, issued_at, spent=True)

    def holder(self, access: str) -> tuple[OaState, int] | None:
        """Say whose an access token is and since when; None for one that was never given, or was taken away."""
        return self._access.get(access)

    def is_gone(self, access: str) -> bool:
        """Say whether an access token was good once and was taken away."""
        return access in self._gone

    def revoke(self, oa: OaState, *, refresh: bool = True) -> None:
        """Take away the access tokens of an Official Account, and its refresh tokens as well."""
        gone = [token for token, (holder, _) in self._access.items() if holder is oa]
        self._gone.update(gone)
        for token in gone:
            del self._access[token]
        if refresh:
            for token in [token for token, each in self._refresh.items() if each.oa is oa]:
                del self._refresh[token]


def fits(told: Oa, challenge: str, verifier: str) -> bool:
    """Check a verifier against the challenge of its consent, or against the one that is saved in the console.

    Source: RFC 7636 S256: unpadded base64url of the raw SHA-256 of the verifier; 43 characters at Zalo.
    """
    expected = challenge or told.code_challenge
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return len(verifier) == 43 and bool(expected) and hmac.compare_digest(made.encode(), expected.encode())
