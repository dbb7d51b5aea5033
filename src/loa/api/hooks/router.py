"""`POST /v1/hooks/{provider}`: a provider posts an event. No API key: what counts is the event's own signature.

Answered 200 only when what it says is on disk, so that the provider sends it again otherwise. Why an event is not
believed is in the log and the metrics, and not told to whoever asks.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from loa.api import problems
from loa.api.bodies import Disconnected, read_raw_body
from loa.api.boundary import REQUEST_ID, App, Boundary, Header, Receive, Scope, Send, answer, language_in
from loa.api.texts import DEFAULT_LANGUAGE, Language
from loa.domain.rules import findings_of
from loa.errors import CallerError, StorageError
from loa.observe.log import get_logger
from loa.stages.hearing import Hearing

PREFIX: Final = "/v1/hooks"
BODY_LIMIT: Final = 256 * 1024

_TAKEN: Final = b"{}"
_JSON: Final[Header] = (b"content-type", b"application/json")
_RETRY: Final[Header] = (b"retry-after", str(problems.DEFAULT_RETRY_AFTER_S).encode())

_log = get_logger(__name__)

Reply = tuple[int, bytes, list[Header]]


def build_hooks(hearing: Hearing, language: Language = DEFAULT_LANGUAGE) -> App:
    """Make the application."""
    return Boundary(Hooks(hearing, language), problems.fault, language)


class Hooks:
    """Takes events in."""

    def __init__(self, hearing: Hearing, language: Language) -> None:
        self._hearing = hearing
        self._language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            status, body, headers = await self._reply(scope, receive)
        except Disconnected:
            return
        await answer(send, status, b"" if scope["method"] == "HEAD" else body, headers)

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        provider = scope["path"].removeprefix(PREFIX + "/")
        if not self._hearing.knows(provider):
            return self._problem(scope, "not_found")
        if scope["method"] != "POST":
            return self._problem(scope, "method_not_allowed", more=((b"allow", b"POST"),))
        try:
            raw = await read_raw_body(scope["headers"], receive, BODY_LIMIT)
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            refused = await self._hearing.take(provider, headers, raw)
        except Disconnected:
            raise
        except CallerError as error:
            (wrong,) = findings_of(error)
            return self._problem(scope, wrong.code, values=wrong.values)
        except StorageError as error:
            _log.warning("an event was turned away", provider=provider, error=error)
            return self._problem(scope, "storage_unavailable", more=(_RETRY,))
        return (200, _TAKEN, [_JSON]) if refused is None else self._problem(scope, "event_not_believed")

    def _problem(
        self, scope: Scope, code: str, *, values: Mapping[str, object] | None = None, more: Iterable[Header] = ()
    ) -> Reply:
        language = language_in(scope["headers"], self._language)
        request_id = scope["state"][REQUEST_ID]
        document = problems.document(code, language, request_id, instance=scope["path"], values=values)
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
        described = [(b"content-type", problems.MEDIA_TYPE.encode()), (b"content-language", language.value.encode())]
        return document["status"], body, [*described, *more]
