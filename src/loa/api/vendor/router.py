"""The vendor face: its two paths, and the same envelope for whatever else is asked under `/api/vendor`."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from loa.api.bodies import Disconnected
from loa.api.boundary import REQUEST_ID, Receive, Scope, Send, answer, language_in
from loa.api.texts import DEFAULT_LANGUAGE, Language
from loa.api.vendor import envelope
from loa.api.vendor.envelope import Reply
from loa.errors import CallerError, Forbidden, LoaError, StorageError, Unauthorised
from loa.observe import metrics
from loa.observe.log import get_logger

PREFIX: Final = "/api/vendor"
SEND_PATH: Final = "/api/vendor/v1/sms/send-message"
CALLBACK_PATH: Final = "/api/vendor/v1/sms/callback"

Handler = Callable[[Scope, Receive, Language], Awaitable[Reply]]

_invalid = metrics.submissions_total.labels("invalid")
_denied = metrics.submissions_total.labels("denied")
_unavailable = metrics.submissions_total.labels("unavailable")
_log = get_logger(__name__)


class VendorApi:
    """Serves the vendor's paths; every path takes POST alone."""

    def __init__(self, handlers: Mapping[str, Handler], language: Language = DEFAULT_LANGUAGE) -> None:
        self._handlers = dict(handlers)
        self._language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        language = language_in(scope["headers"], self._language)
        try:
            reply = await self._reply(scope, receive, language)
        except Disconnected:
            return
        headers = envelope.usual_headers(language)
        headers += reply.headers
        await answer(send, reply.status, b"" if scope["method"] == "HEAD" else reply.body, headers)

    async def _reply(self, scope: Scope, receive: Receive, language: Language) -> Reply:
        handler = self._handlers.get(scope["path"])
        if handler is None:
            return envelope.not_found(language)
        if scope["method"] != "POST":
            return envelope.method_not_allowed(language, "POST")
        try:
            return await handler(scope, receive, language)
        except Disconnected:
            raise
        except LoaError as error:
            request_id = scope["state"][REQUEST_ID]
            if scope["path"] == SEND_PATH:
                _count(error)
            if isinstance(error, StorageError):
                _log.warning("a request was turned away", request_id=request_id, error=error)
            return envelope.refused(error, language, request_id)


def _count(error: LoaError) -> None:
    match error:
        case Unauthorised() | Forbidden():
            _denied.inc()
        case CallerError():
            _invalid.inc()
        case _:
            _unavailable.inc()
