"""How grants and consents lie in rows, the same in both engines: tokens and verifiers sealed, a state as its digest."""

import hashlib
from typing import Any, Final, Protocol

from loa.ports.grants import Consent, Grant, Tokens

Values = tuple[str, str, int, int]
"""A pair in the order of its columns: sealed tokens, when each is over."""

GRANT_COLUMNS: Final = 9
"""How many columns of a row make the grant; what follows is of the renewal."""
_ACCESS: Final = "channel_grant.access_token:{}"
_REFRESH: Final = "channel_grant.refresh_token:{}"
_VERIFIER: Final = "consent.verifier:{}"
"""Places for which values are sealed, each with what names its row."""


class Sealer(Protocol):
    """What closes a text for one place, and opens it there."""

    def seal(self, place: str, plain: str) -> str:
        """Close a text."""
        ...

    def open(self, place: str, sealed: str) -> str:
        """Open it. Errors: StorageError when it was closed with another key or for another place."""
        ...


def seal_tokens(sealer: Sealer, channel_id: int, tokens: Tokens) -> Values:
    """Seal a pair. Errors: ValueError for half a pair, which must never replace a whole one."""
    if not tokens.access_token or not tokens.refresh_token:
        raise ValueError(f"half a pair of tokens was given for channel {channel_id}")
    return (
        sealer.seal(_ACCESS.format(channel_id), tokens.access_token),
        sealer.seal(_REFRESH.format(channel_id), tokens.refresh_token),
        tokens.expires_at,
        tokens.refresh_expires_at,
    )


def read_grant(sealer: Sealer, row: Any) -> Grant:
    """Read a row of grants. Errors: StorageError when it was sealed with another key."""
    channel_id, access, refresh, expires_at, refresh_expires_at, issued_at, version, spent_at, reason = row
    access, refresh = sealer.open(_ACCESS.format(channel_id), access), sealer.open(_REFRESH.format(channel_id), refresh)
    tokens = Tokens(access, refresh, expires_at, refresh_expires_at)
    return Grant(channel_id, tokens, issued_at, version, spent_at, reason)


def digest_of(state: str) -> str:
    """Give what a state is kept as."""
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()


def consent_values(sealer: Sealer, consent: Consent) -> tuple[Any, ...]:
    """Give the columns of a consent."""
    digest = digest_of(consent.state)
    return (
        digest,
        consent.channel_id,
        sealer.seal(_VERIFIER.format(digest), consent.verifier),
        consent.redirect_uri,
        consent.asked_at,
        consent.expires_at,
    )


def read_consent(sealer: Sealer, state: str, row: Any) -> Consent:
    """Read the row of a consent that was asked for under this state. Errors: as `read_grant`."""
    channel_id, verifier, redirect_uri, asked_at, expires_at = row
    plain = sealer.open(_VERIFIER.format(digest_of(state)), verifier)
    return Consent(channel_id, state, plain, redirect_uri, asked_at, expires_at)
