"""What the native API is made of, and how a handler gets at it and at its caller."""

import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader
from pydantic import Field

from loa.api.auth import Authenticator, require
from loa.api.bodies import BODY_LIMIT
from loa.api.texts import DEFAULT_LANGUAGE, Language
from loa.api.v1.models import Asked
from loa.domain.keys import Permission
from loa.errors import Forbidden
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.stages.explain import Explanation
from loa.stages.registry import Principal
from loa.stages.request import SendRequest

PAGE_LIMIT: Final = 500
PAGE_USUAL: Final = 100

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK: Final[tuple[Network, ...]] = (ipaddress.IPv4Network("127.0.0.0/8"), ipaddress.IPv6Network("::1/128"))


@dataclass(frozen=True, slots=True)
class Parts:
    """What the native API works with.

    `explain`: says what the send call would do. `read_number`: gives a number's normal form, None where it has none.
    `check_url`: says why callbacks may not go to a URL, "" when they may. `new_secret`: makes a secret that signs them.
    `refresh`: has the directory read again after a change.
    `metrics_from`: the networks `/metrics` answers to.
    """

    ledger: Ledger
    clock: Clock
    authenticator: Authenticator
    explain: Callable[[Principal, SendRequest], Explanation]
    read_number: Callable[[str], str | None]
    check_url: Callable[[str], str]
    new_secret: Callable[[], str]
    refresh: Callable[[], Awaitable[object]]
    draining: Callable[[], bool] = lambda: False
    metrics_from: Sequence[Network] = LOOPBACK
    body_limit: int = BODY_LIMIT
    language: Language = DEFAULT_LANGUAGE
    version: str = ""


_SCHEME = APIKeyHeader(
    name="API-KEY", scheme_name="ApiKey", description="`loa_live_…` or `loa_test_…`", auto_error=False
)


def parts_of(request: Request) -> Parts:
    """Give the parts of the app that serves this request."""
    found = request.app.state.parts
    assert isinstance(found, Parts)
    return found


def caller_of(request: Request, _: Annotated[str | None, Security(_SCHEME)]) -> Principal:
    """Recognise the caller. Errors: Unauthorised."""
    address = request.client.host if request.client else None
    return parts_of(request).authenticator.from_headers(request.headers.raw, address)


def _allowed(permission: Permission) -> Callable[[Principal], Principal]:
    def check(caller: Annotated[Principal, Depends(caller_of)]) -> Principal:
        require(caller, permission)
        return caller

    return check


def _allowed_to_send(caller: Annotated[Principal, Depends(caller_of)]) -> Principal:
    if not any(permission.startswith(Permission.SEND.value) for permission in caller.key.permissions):
        raise Forbidden
    return caller


PartsHere = Annotated[Parts, Depends(parts_of)]
Caller = Annotated[Principal, Depends(caller_of)]
Reader = Annotated[Principal, Depends(_allowed(Permission.READ_MESSAGES))]
Keeper = Annotated[Principal, Depends(_allowed(Permission.MANAGE))]
Submitter = Annotated[Principal, Depends(_allowed_to_send)]


class Page(Asked):
    """Which part of a list."""

    limit: int = Field(default=PAGE_USUAL, ge=1, le=PAGE_LIMIT)
    cursor: str | None = Field(default=None, max_length=64, description="`nextCursor` of the page before.")
