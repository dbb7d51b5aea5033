"""The vendor API's envelope: one shape for every answer, `code` equal to the HTTP status.

    {"code", "data": {"token"}, "message", "referentId"}          and "errors" on failure

Only the statuses of the vendor's own table are used: bad input of every kind is 400, and whatever passes by itself is
503 with `Retry-After`, because a client that knows only that table gives up on anything else.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from loa.api.boundary import Header
from loa.api.texts import Language, say
from loa.domain.rules import Finding, findings_of
from loa.errors import CallerError, Forbidden, LoaError, NotFound, StorageError, StorageFull, Unauthorised

RETRY_AFTER_S: Final = 5
RETRY_AFTER_FULL_S: Final = 60
ERRORS_MAX: Final = 10_000
NAME_MAX: Final = 120
"""How much of a member's name is repeated to the caller who chose it."""


class Reply(NamedTuple):
    """One answer: status, body, and headers beside the usual ones."""

    status: int
    body: bytes
    headers: tuple[Header, ...] = ()


_ACCEPTED: Final = {
    (status, language): json.dumps(say(code, language), ensure_ascii=False).encode()
    for status, code in ((201, "accepted"), (200, "repeated"))
    for language in Language
}


def accepted(
    status: int, language: Language, *, code: int, token: str, referent_id: str, answer: Mapping[str, Any]
) -> Reply:
    """Answer a send call that is on disk; written by hand, because this is the answer that must be fast."""
    rest = json.dumps(answer, separators=(",", ":"), ensure_ascii=False)[1:-1] if answer else ""
    body = b'{"code":%d,"data":{"token":"%s"%s},"message":%s,"referentId":"%s"}' % (
        code,
        token.encode(),
        b"," + rest.encode() if rest else b"",
        _ACCEPTED[status, language],
        referent_id.encode(),
    )
    return Reply(status, body)


def refused(error: LoaError, language: Language, request_id: str) -> Reply:
    """Answer an error of ours in the envelope."""
    match error:
        case Unauthorised():
            return _failure(401, "unauthorised", language)
        case Forbidden():
            return _failure(403, "forbidden", language, findings_of(error))
        case NotFound():
            return _failure(404, "not_found", language)
        case CallerError():
            return _failure(400, "invalid_request", language, findings_of(error))
        case StorageError():
            return _unavailable(error, language)
        case _:
            return _failure(500, "internal", language, values={"request_id": request_id})


def not_found(language: Language) -> Reply:
    """Answer a path that is none of ours."""
    return _failure(404, "not_found", language)


def method_not_allowed(language: Language, allowed: str) -> Reply:
    """Answer a method that a path does not take."""
    reply = _failure(405, "method_not_allowed", language, values={"allowed": allowed})
    return reply._replace(headers=((b"allow", allowed.encode()),))


def fault(language: Language, request_id: str) -> tuple[int, bytes, list[Header]]:
    """Answer what should never happen, for the boundary."""
    reply = _failure(500, "internal", language, values={"request_id": request_id})
    return reply.status, reply.body, usual_headers(language)


def usual_headers(language: Language) -> list[Header]:
    """Give the headers that every answer carries."""
    return list(_USUAL[language])


_USUAL: Final[Mapping[Language, tuple[Header, ...]]] = {
    language: (
        (b"content-type", b"application/json"),
        (b"content-language", language.value.encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    )
    for language in Language
}


def report_stored(fields: Mapping[str, Any], language: Language) -> Reply:
    """Answer a stored report in the older envelope, which this one call still has, with its seven fields."""
    body = {
        "code": 200,
        "data": dict(fields),
        "message": say("report_stored", language),
        "errors": {},
        "total_record": 0,
        "current_page": 0,
    }
    return Reply(200, _json(body))


def _unavailable(error: StorageError, language: Language) -> Reply:
    full = isinstance(error, StorageFull)
    code = "storage_full" if full else "overloaded" if error.detail == "overloaded" else "storage_unavailable"
    wait_s = error.fields.get("retry_after_s", RETRY_AFTER_FULL_S if full else RETRY_AFTER_S)
    return _failure(503, code, language)._replace(headers=((b"retry-after", str(wait_s).encode()),))


def _failure(
    status: int,
    code: str,
    language: Language,
    findings: Iterable[Finding] = (),
    values: Mapping[str, object] | None = None,
) -> Reply:
    body: dict[str, Any] = {"code": status, "data": {}, "message": say(code, language, values), "referentId": ""}
    body["errors"] = _errors(findings, language)
    return Reply(status, _json(body))


def _errors(findings: Iterable[Finding], language: Language) -> dict[str, str]:
    """Name each bad field once, with all that is wrong with it."""
    errors: dict[str, str] = {}
    for finding in findings:
        where = finding.where[:NAME_MAX]
        said = say(finding.code, language, finding.values)
        if where not in errors and len(errors) == ERRORS_MAX:
            break
        errors[where] = f"{errors[where]} {said}" if where in errors else said
    return errors


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "backslashreplace")
