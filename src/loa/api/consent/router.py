"""The one path of the consent face. No API key: what counts is a state that nobody can guess, good once.

An unknown state costs one small statement and no sync of the disk; one that cannot be ours costs nothing.
"""

import re
from typing import Final
from urllib.parse import parse_qsl

from loa.api.boundary import App, Boundary, Receive, Scope, Send, answer
from loa.api.consent import page
from loa.api.consent.page import Page
from loa.errors import StorageError
from loa.observe.log import get_logger
from loa.stages.consent import Consents, Ended, Ending

CALLBACK_PATH: Final = "/v1/consent/callback"
QUERY_MAX: Final = 4_096
_STATE: Final = re.compile(r"[A-Za-z0-9_-]{43}")

_log = get_logger(__name__)


def build_consent(consents: Consents) -> App:
    """Make the application."""
    return Boundary(ConsentCallback(consents), page.fault)


class ConsentCallback:
    """Takes a person who comes back from the provider."""

    def __init__(self, consents: Consents) -> None:
        self._consents = consents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Serve one request."""
        await answer(send, *(await self._page(scope)))

    async def _page(self, scope: Scope) -> Page:
        if scope["method"] != "GET":
            return page.wrong_method()
        given = _query(scope.get("query_string", b""))
        if scope["path"] != CALLBACK_PATH or not _STATE.fullmatch(given.get("state", "")):
            return page.ended(Ended(Ending.NO_STATE))
        try:
            return page.ended(await self._consents.take(given))
        except StorageError as error:
            _log.warning("a consent could not be looked up", error=error)
            return page.unavailable()


def _query(raw: bytes) -> dict[str, str]:
    if len(raw) > QUERY_MAX:
        return {}
    return dict(parse_qsl(raw.decode("ascii", "replace"), max_num_fields=20))
