"""`POST /api/vendor/v1/sms/send-message`: the call everything is about.

A plain handler over bytes: one pass of validation, one hand-over to intake, one answer written by hand.
"""

from collections.abc import Callable

from loa.api.auth import Authenticator
from loa.api.bodies import BODY_LIMIT, read_json_body
from loa.api.boundary import Receive, Scope
from loa.api.texts import Language
from loa.api.vendor import envelope
from loa.api.vendor.body import read_send
from loa.api.vendor.envelope import Reply
from loa.observe import metrics
from loa.stages.intake import Intake
from loa.stages.request import fingerprint

Monotonic = Callable[[], float]


class SendMessage:
    """Handles the send call."""

    def __init__(
        self,
        authenticator: Authenticator,
        intake: Intake,
        monotonic: Monotonic,
        body_limit: int = BODY_LIMIT,
    ) -> None:
        self._authenticator = authenticator
        self._intake = intake
        self._monotonic = monotonic
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, language: Language) -> Reply:
        """Take a request in and answer it. Errors: those of the steps, all LoaError."""
        headers = scope["headers"]
        client = scope.get("client")
        principal = self._authenticator.from_headers(headers, client[0] if client else None)
        body = await read_json_body(headers, receive, self._body_limit)
        began = self._monotonic()
        request = read_send(body)
        key = principal.key
        recognised = request.request_id and key.request_id_mode != "off"
        taken = await self._intake.submit(principal, request, fingerprint(request) if recognised else b"")
        status = 200 if taken.repeated else 201
        reply = envelope.accepted(
            status,
            language,
            code=status if key.success_code is None else key.success_code,
            token=taken.token,
            referent_id=taken.referent_id,
            answer=taken.answer,
        )
        metrics.accept_seconds.observe(self._monotonic() - began)
        if taken.warnings:
            return reply._replace(headers=((b"x-loa-warning", ", ".join(taken.warnings).encode()),))
        return reply
