"""What the page says, in Vietnamese and English at once: whoever consents has no API key and no chosen language."""

import html
from collections.abc import Mapping
from typing import Final

from loa.api.boundary import Header
from loa.api.texts import Language, Text
from loa.stages.consent import Ended, Ending

HEADERS: Final[tuple[Header, ...]] = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    # The address of the page holds the code.
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)

_AGAIN: Final = Text(
    "Ask for a new link and open it within ten minutes: loa zalo connect CHANNEL",
    "Hãy tạo liên kết mới và mở trong vòng mười phút: loa zalo connect KÊNH",
)
_SAID: Final[Mapping[Ending, tuple[int, Text, Text]]] = {
    Ending.GIVEN: (
        200,
        Text("Channel {channel} may work with this account now.", "Kênh {channel} đã được cấp quyền."),
        Text("You may close this page.", "Bạn có thể đóng trang này."),
    ),
    Ending.NO_STATE: (
        400,
        Text(
            "This link was used before, is too old, or was not made by this Loa.",
            "Liên kết đã được dùng, đã hết hạn, hoặc không do Loa này tạo.",
        ),
        _AGAIN,
    ),
    Ending.NO_CODE: (
        400,
        Text("No consent was given.", "Chưa có quyền nào được cấp."),
        Text(
            "Open the link once more and consent, or ask for a new one: loa zalo connect CHANNEL",
            "Hãy mở lại liên kết và chấp thuận, hoặc tạo liên kết mới: loa zalo connect KÊNH",
        ),
    ),
    Ending.OTHER_OWNER: (
        400,
        Text(
            "You consented for another account than the one of channel {channel}; nothing was kept.",
            "Bạn vừa cấp quyền cho một tài khoản khác với tài khoản của kênh {channel}; không có gì được lưu.",
        ),
        _AGAIN,
    ),
    Ending.NOT_GIVEN: (
        502,
        Text(
            "The provider gave no tokens for channel {channel} ({reason}).",
            "Nhà cung cấp không cấp token cho kênh {channel} ({reason}).",
        ),
        _AGAIN,
    ),
    Ending.NOT_KEPT: (
        503,
        Text(
            "The grant of channel {channel} could not be stored; it is lost.",
            "Không lưu được quyền của kênh {channel}; quyền này đã mất.",
        ),
        _AGAIN,
    ),
}
_FAULT: Final = Text(
    "Something went wrong on our side. Quote the request id {request_id} when asking.",
    "Đã xảy ra lỗi phía hệ thống. Vui lòng gửi kèm mã yêu cầu {request_id} khi liên hệ.",
)
_METHOD: Final = Text("Open this address in a browser.", "Hãy mở địa chỉ này bằng trình duyệt.")
_UNAVAILABLE: Final = Text(
    "The grant could not be looked up just now.", "Tạm thời không tra cứu được yêu cầu cấp quyền."
)

Page = tuple[int, bytes, list[Header]]


def ended(end: Ended) -> Page:
    """Write the page for the end of a consent."""
    status, what, then = _SAID[end.ending]
    return _page(status, what, then, channel=end.channel, reason=end.reason)


def unavailable() -> Page:
    """Write the page for a ledger that is away."""
    return _page(503, _UNAVAILABLE, _AGAIN)


def wrong_method() -> Page:
    """Write the page for any other method than GET."""
    status, body, headers = _page(405, _METHOD)
    return status, body, [*headers, (b"allow", b"GET")]


def fault(_language: Language, request_id: str) -> Page:
    """Write the page for our own fault."""
    return _page(500, _FAULT, request_id=request_id)


def _page(status: int, *texts: Text, **fields: str) -> Page:
    safe = {name: html.escape(value) for name, value in fields.items()}
    vi = "".join(f"<p>{text.vi.format(**safe)}</p>" for text in texts)
    en = "".join(f"<p>{text.en.format(**safe)}</p>" for text in texts)
    body = (
        '<!doctype html><html lang="vi"><head><meta charset="utf-8"><meta name="viewport"'
        ' content="width=device-width"><title>Loa</title></head>'
        f'<body><main>{vi}<hr><div lang="en">{en}</div></main></body></html>'
    )
    return status, body.encode(), list(HEADERS)
