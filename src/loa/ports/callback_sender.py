"""Posting one callback to one endpoint."""

from dataclasses import dataclass
from typing import Final, Protocol

NO_DESCRIPTOR: Final = "no_descriptor"
"""The code of a POST that never left, because this process had no file descriptor for it."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One signed POST to make. `secrets`: the current secret first, then those still valid in an overlap."""

    callback_id: str
    url: str
    secrets: tuple[str, ...]
    body: bytes
    timestamp_s: int


@dataclass(frozen=True, slots=True)
class PostResult:
    """What came of one POST.

    `status`: the HTTP status, 0 when there was none. `error`: a stable code, "" on success (blocked_address,
    blocked_scheme, resolve, connect, no_descriptor, tls, timeout, protocol, redirect, status). `excerpt`: the start of
    the answer as text, at most 4 kB. Units: elapsed_ms; retry_after_s 0 when not asked for.
    """

    status: int
    error: str
    excerpt: str = ""
    elapsed_ms: int = 0
    retry_after_s: int = 0

    @property
    def ok(self) -> bool:
        """Whether the endpoint took the callback."""
        return not self.error and 200 <= self.status < 300


class CallbackSender(Protocol):
    """Signs and posts; one call is one transmission, there is no hidden second try."""

    async def post(self, posting: Posting) -> PostResult:
        """Make the POST; never raises for anything the endpoint does."""
        ...

    async def close(self) -> None:
        """Close idle connections."""
        ...
