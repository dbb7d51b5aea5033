"""Problems of the native API: RFC 9457 documents, in the caller's language, by stable code.

Every way to fail ends here, so that no answer of the native API looks different: our own errors, invalid parameters,
unknown paths and methods, storage that cannot serve, and faults nobody expected.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from loa.api.boundary import REQUEST_ID, Header, language_in
from loa.api.texts import CATALOGUE, DEFAULT_LANGUAGE, Language, Text, say
from loa.domain.rules import findings_of
from loa.errors import CallerError, Forbidden, NotFound, StorageError, Unauthorised

MEDIA_TYPE: Final = "application/problem+json"
DOCS: Final = "/docs/reference/native-api.md#"
"""Where the page about a problem lies, in the repository and on any site made from it; the code follows."""

RETRY_AFTER_S: Final = {"storage_full": 60}
"""Units: seconds a caller is asked to wait on a 503; others: DEFAULT_RETRY_AFTER_S."""
DEFAULT_RETRY_AFTER_S: Final = 5
BODY_LIMIT: Final = 1024 * 1024
"""Units: bytes; the dry run has the send call's limit."""


class Kind(NamedTuple):
    """One kind of problem: its status and title; a detail where the catalogue of texts has none."""

    status: int
    title: Text
    detail: Text | None = None


KINDS: Final[Mapping[str, Kind]] = {
    "invalid_request": Kind(422, Text("Invalid request", "Yêu cầu không hợp lệ")),
    "unauthorised": Kind(401, Text("API key needed", "Cần API key")),
    "event_not_believed": Kind(
        401,
        Text("Event not believed", "Sự kiện không được chấp nhận"),
        Text(
            "No channel here has the secret with which this event is signed; the log says why.",
            "Không kênh nào ở đây có khóa đã ký sự kiện này; lý do có trong nhật ký.",
        ),
    ),
    "forbidden": Kind(403, Text("Not allowed", "Không được phép")),
    "not_found": Kind(404, Text("Not found", "Không tìm thấy")),
    "method_not_allowed": Kind(405, Text("Method not allowed", "Phương thức không được phép")),
    "not_cancellable": Kind(
        409,
        Text("Nothing left to cancel", "Không còn gì để hủy"),
        Text(
            "Only messages that are still queued can be cancelled; here none is any more.",
            "Chỉ hủy được tin đang chờ gửi; ở đây không còn tin nào như vậy.",
        ),
    ),
    "body_too_large": Kind(413, Text("Body too large", "Nội dung quá lớn")),
    "internal": Kind(500, Text("Internal error", "Lỗi hệ thống")),
    "storage_unavailable": Kind(503, Text("Not available just now", "Tạm thời không phục vụ được")),
    "storage_full": Kind(503, Text("No room left", "Hết chỗ lưu trữ")),
    "overloaded": Kind(503, Text("Overloaded", "Quá tải")),
}
"""Every problem by code; docs/reference/native-api.md has a section for each."""

FIELD_TEXTS: Final[Mapping[str, Text]] = {
    "unknown_field": Text("There is no such field.", "Không có trường này."),
    "url_not_allowed": Text(
        "Callbacks may not go to this address ({reason}).", "Không được gửi callback đến địa chỉ này ({reason})."
    ),
    "wrong_form": Text("This does not have the right form.", "Giá trị không đúng định dạng."),
    "invalid_cursor": Text(
        "This cursor was not given out here; start again without one.",
        "Con trỏ này không hợp lệ; hãy bắt đầu lại không kèm con trỏ.",
    ),
    "too_small": Text("At least {limit} is needed.", "Giá trị tối thiểu là {limit}."),
    "too_great": Text("At most {limit} is allowed.", "Giá trị tối đa là {limit}."),
}
"""What only the native API says of a field; the rest is shared with the vendor API."""
_HEADERS: Final = frozenset({"Content-Type", "Content-Encoding"})
_BY_STATUS: Final = {401: "unauthorised", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
_PYDANTIC_CODES: Final = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "json_invalid": "body_not_json",
    "greater_than_equal": "too_small",
    "less_than_equal": "too_great",
    "too_short": "empty",
    "string_too_short": "empty",
}


def sentence(code: str, language: Language, values: Mapping[str, object] | None = None) -> str:
    """Give the text of a field's error, native or shared with the vendor API."""
    own = FIELD_TEXTS.get(code)
    if own is None:
        return say(code, language, values)
    return (own.vi if language is Language.VIETNAMESE else own.en).format_map(dict(values or {}))


def place(where: str) -> dict[str, str]:
    """Say where an error lies: a JSON pointer into the body, a parameter of the query, or a header.

    Shapes: `destinations[3]` -> {"pointer": "/destinations/3"}; `?cursor` -> {"parameter": "cursor"}.
    """
    if where.startswith("?"):
        return {"parameter": where[1:]}
    if where in _HEADERS:
        return {"header": where}
    if where == "body":
        return {"pointer": ""}
    return {"pointer": "/" + where.replace("[", "/").replace("]", "").replace(".", "/")}


def problem(
    request: Request,
    code: str,
    *,
    values: Mapping[str, object] | None = None,
    errors: Iterable[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with a problem. Shapes: an unknown code is an invalid request and keeps its own name in `code`."""
    language = speaks(request)
    body = document(
        code,
        language,
        request.scope.get("state", {}).get(REQUEST_ID, ""),
        instance=request.url.path,
        values=values or {},
        errors=list(errors),
    )
    sent = {**(headers or {}), "Content-Language": language.value}
    if body["status"] == 503:
        wait_s = (values or {}).get("retry_after_s", RETRY_AFTER_S.get(code, DEFAULT_RETRY_AFTER_S))
        sent["Retry-After"] = str(wait_s)
    if body["status"] == 401:
        sent["WWW-Authenticate"] = 'API-KEY realm="loa"'
    return Response(_dump(body), body["status"], headers=sent, media_type=MEDIA_TYPE)


def speaks(request: Request) -> Language:
    """Choose the language of an answer: what the caller asks for, or else this installation's."""
    default = getattr(request.app.state, "language", DEFAULT_LANGUAGE)
    assert isinstance(default, Language)
    return language_in(request.scope["headers"], default)


def document(
    code: str,
    language: Language,
    request_id: str,
    *,
    instance: str = "",
    values: Mapping[str, object] | None = None,
    errors: Iterable[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Give a problem's members."""
    kind = KINDS.get(code) or KINDS["invalid_request"]
    return {
        "type": DOCS + (code if code in KINDS else "invalid_request"),
        "title": kind.title.vi if language is Language.VIETNAMESE else kind.title.en,
        "status": kind.status,
        "detail": _detail(code, kind, language, {"request_id": request_id, **(values or {})}),
        "instance": instance,
        "code": code,
        "request_id": request_id,
        "errors": list(errors),
    }


def fault(language: Language, request_id: str) -> tuple[int, bytes, list[Header]]:
    """Answer for our own fault, see boundary.Fault."""
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-language", language.value.encode())]
    return 500, _dump(document("internal", language, request_id)), headers


def _dump(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def _detail(code: str, kind: Kind, language: Language, values: Mapping[str, object]) -> str:
    if kind.detail is not None:
        return kind.detail.vi if language is Language.VIETNAMESE else kind.detail.en
    return say(code if code in CATALOGUE else "invalid_request", language, values)


def install(app: FastAPI) -> None:
    """Have every expected error of an app answered as a problem; the boundary around it answers for faults."""
    app.add_exception_handler(Unauthorised, _unauthorised)
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(Forbidden, _caller_error)
    app.add_exception_handler(CallerError, _caller_error)
    app.add_exception_handler(StorageError, _storage)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _unauthorised(request: Request, _: Exception) -> Response:
    return problem(request, "unauthorised")


async def _not_found(request: Request, _: Exception) -> Response:
    return problem(request, "not_found")


async def _caller_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CallerError | Forbidden)
    language = speaks(request)
    findings = findings_of(error)
    if findings and findings[0].code == "body_too_large":
        return problem(request, "body_too_large", values=findings[0].values)
    errors = [
        {**place(each.where), "code": each.code, "detail": sentence(each.code, language, each.values)}
        for each in findings
    ]
    return problem(request, error.code, values=error.fields, errors=errors)


async def _storage(request: Request, error: Exception) -> Response:
    assert isinstance(error, StorageError)
    code = "overloaded" if error.detail == "overloaded" else error.code
    return problem(request, code if code in KINDS else "storage_unavailable", values=error.fields)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _BY_STATUS.get(error.status_code, "invalid_request")
    allowed = (error.headers or {}).get("Allow", "")
    return problem(request, code, values={"allowed": allowed}, headers=error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    language = speaks(request)
    return problem(request, "invalid_request", errors=[_invalid_field(found, language) for found in error.errors()])


def _invalid_field(found: Mapping[str, Any], language: Language) -> dict[str, str]:
    source, *path = found["loc"]
    code = _PYDANTIC_CODES.get(found["type"], "wrong_form")
    context = found.get("ctx", {})
    values = {"limit": context.get("ge", context.get("le", "")), "reason": context.get("error", "")}
    if source != "body":
        where = {"parameter": ".".join(str(step) for step in path)}
    else:
        # For broken JSON the rest of the path is a position in the text.
        where = {"pointer": "" if code == "body_not_json" else "".join(f"/{step}" for step in path)}
    return {**where, "code": code, "detail": sentence(code, language, values)}
