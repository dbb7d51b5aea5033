"""Grants: the rights that a provider gave us for one channel, kept as tokens of which some may be spent only once.

The rules that a grant must outlive: a new pair is on disk before it is used; a refresh token whose use may have reached
the provider is never sent again; one process at a time renews, for longer than any answer takes; a late one changes
nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair as the provider gave it. Units: milliseconds since the epoch; refresh_expires_at 0 where it is unsaid."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: int
    refresh_expires_at: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """What is kept of a channel's grant.

    `version` grows with each new pair. `spent_at`: when the refresh token was marked as being spent, None when it was
    not: with no newer pair after it, nobody can say whether it is still good. `consent_needed`: why only a person can
    go on, "" while nobody must.
    """

    channel_id: int
    tokens: Tokens
    issued_at: int
    version: int
    spent_at: int | None = None
    consent_needed: str = ""


@dataclass(frozen=True, slots=True)
class Renewal:
    """The exclusive right to renew a grant until a time. `fence` is higher than that of every renewal before."""

    grant: Grant
    fence: int
    until: int


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent that was asked for and not yet given. `state` came with the link and must come back."""

    channel_id: int
    state: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect_uri: str
    asked_at: int
    expires_at: int


class Grants(Protocol):
    """The custody of grants. Every call is one commit; tokens are sealed at rest."""

    async def grant(self, channel_id: int) -> Grant | None:
        """Give the grant of a channel, None where there never was one."""
        ...

    async def grants(self) -> list[Grant]:
        """Give all grants."""
        ...

    async def begin_renewal(self, channel_id: int, now: int, until: int) -> Renewal | None:
        """Take the right to renew until a time; None while another holds it, or where there is no grant.

        Where processes on several machines share a ledger, its own clock measures how long that is.
        """
        ...

    async def mark_spent(self, renewal: Renewal, now: int) -> bool:
        """Note that the refresh token is about to be sent; only then may it be. False when the right was lost."""
        ...

    async def mark_unspent(self, renewal: Renewal) -> bool:
        """Note that no byte of the request left, or that the provider answered that it did nothing.

        False when the right was lost.
        """
        ...

    async def keep(self, channel_id: int, tokens: Tokens, now: int, renewal: Renewal | None = None) -> bool:
        """Keep a new pair, and end the renewal that brought it; without one it comes from a fresh consent.

        False when a newer pair is kept than the one that it was spent on: then nothing changes. A right that was lost
        is no reason to lose the pair too, which exists nowhere else. Errors: ValueError for half a pair.
        """
        ...

    async def need_consent(self, channel_id: int, reason: str, renewal: Renewal | None = None) -> bool:
        """Note that only a person can go on, keep the old pair, and end the renewal. False when the right was lost."""
        ...

    async def end_renewal(self, renewal: Renewal) -> None:
        """Give the right back; nothing else changes."""
        ...

    async def ask_consent(self, consent: Consent) -> None:
        """Keep what a consent link was made with; those whose time is over are forgotten."""
        ...

    async def take_consent(self, state: str, now: int) -> Consent | None:
        """Take a consent out, once; None when there is none or its time is over."""
        ...


class Failure(StrEnum):
    """How asking for tokens failed; what may be done next follows from it alone."""

    UNSENT = "unsent"
    """No byte of the request left: the same token may be sent again."""
    UNSERVED = "unserved"
    """The provider answered that it could not do it now: the same token may be sent again."""
    DOUBTFUL = "doubtful"
    """The request left and no answer came, or none that can be read: the token may be spent."""
    REFUSED = "refused"
    """The provider said no: only a person can go on."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Why no tokens came. `reason`: a stable word or code, never a token."""

    failure: Failure
    reason: str


@runtime_checkable
class Grantor(Protocol):
    """What a provider adds whose channels work with grants. Settings are those of the channel."""

    def consent_link(self, settings: Mapping[str, Any], consent: Consent) -> str:
        """Give the address at which a person consents."""
        ...

    async def exchange(self, settings: Mapping[str, Any], code: str, consent: Consent, now: int) -> Tokens | Failed:
        """Turn the code of a consent into the first pair, with one request; never raises."""
        ...

    async def renew(self, settings: Mapping[str, Any], refresh_token: str, now: int) -> Tokens | Failed:
        """Spend a refresh token on a new pair, with one request; never raises."""
        ...


class AccessTokens(Protocol):
    """A channel's view of its grant."""

    def current(self) -> str:
        """Give the access token to work with now, "" while there is none."""
        ...

    def spoiled(self, token: str) -> None:
        """Say that the provider takes this token no more; if it is still the current one, a renewal is due at once.

        The channel's `wake` is called when there is another.
        """
        ...
