"""`POST /api/vendor/v1/sms/send-message`: the call everything is about.

A plain handler over bytes: one pass of validation, one hand-over to intake, one answer written by hand.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from loa.api.auth import Authenticator
from loa.api.bodies import BODY_LIMIT, read_json_body
from loa.api.boundary import Receive, Scope
from loa.api.texts import Language
from loa.api.vendor import envelope
from loa.api.vendor.body import read_send
from loa.api.vendor.envelope import Reply
from loa.observe import metrics
from loa.stages.intake import Intake
from loa.stages.request import SendRequest

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


def fingerprint(request: SendRequest) -> bytes:
    """Digest what a body means, so that the same request is recognised however it was written.

    Order of members, white space, `0` or `"0"`, and members that are not read make no difference; the requestId itself
    is not part of it. Shapes: 32 bytes.
    """
    ext: Any = request.ext
    meaning = "\0".join(
        (
            request.sender,
            request.text,
            request.scheduled,
            f"{request.use_unicode}{request.traffic_class:d}",
            json.dumps(ext, sort_keys=True, separators=(",", ":")) if ext else "{}",
            *request.destinations,
        )
    )
    return hashlib.sha256(meaning.encode("utf-8", "surrogatepass")).digest()
