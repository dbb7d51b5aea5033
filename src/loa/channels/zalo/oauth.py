"""How an Official Account gives us its grant: the consent link, and the token endpoint with its own failures.

Each call is one request. What may be done after a failure follows from whether bytes left and from the shape of what
came back, because no full list of codes is published. Source: Zalo reference, section 3.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from time import monotonic
from typing import Any, Final
from urllib.parse import urlencode

from loa.channels.zalo.answers import whole
from loa.channels.zalo.client import Client, fits_header
from loa.channels.zalo.settings import ZaloSettings, tls_of
from loa.ports.grants import Consent, Failed, Failure, Tokens
from loa.wire.wire import Answer

PERMISSION_PATH: Final = "/v4/oa/permission"
TOKEN_PATH: Final = "/v4/oa/access_token"  # noqa: S105 - a path
LIFE_S: Final = 90_000
"""How long an access token lives where the answer does not say."""

REFRESH_LIFE_MS: Final = 90 * 86_400_000
"""A refresh token lives three months; no answer says so."""

NOW: Final = frozenset({429})
"""Statuses below 500 with which an HTTP server does nothing now."""


def consent_link(settings: ZaloSettings, consent: Consent) -> str:
    """Give the address at which an admin of the Official Account consents."""
    query = {
        "app_id": settings.app_id,
        "redirect_uri": consent.redirect_uri or settings.redirect_uri,
        "code_challenge": challenge(_verifier(settings, consent)),
        "state": consent.state,
    }
    return f"{settings.oauth_url.rstrip('/')}{PERMISSION_PATH}?{urlencode(query)}"


def challenge(verifier: str) -> str:
    """Give the challenge of a verifier. Source: RFC 7636 section 4.2, S256."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _verifier(settings: ZaloSettings, consent: Consent) -> str:
    return settings.pkce_verifier or consent.verifier


async def exchange(settings: ZaloSettings, code: str, consent: Consent, now: int) -> Tokens | Failed:
    """Turn the code of a consent into the first pair."""
    form = {"code": code, "grant_type": "authorization_code", "code_verifier": _verifier(settings, consent)}
    return await _ask(settings, form, now)


async def renew(settings: ZaloSettings, refresh_token: str, now: int) -> Tokens | Failed:
    """Spend a refresh token on a new pair."""
    return await _ask(settings, {"refresh_token": refresh_token, "grant_type": "refresh_token"}, now)


async def _ask(settings: ZaloSettings, form: Mapping[str, str], now: int) -> Tokens | Failed:
    client = Client(settings, tls_of(settings), limit=1, now=monotonic)
    try:
        answer = await client.post_form(
            client.oauth, TOKEN_PATH, {"secret_key": settings.app_secret}, {**form, "app_id": settings.app_id}
        )
    finally:
        await client.close()
    return read_tokens(answer, now)


def read_tokens(answer: Answer, now: int) -> Tokens | Failed:
    """Read what the token endpoint answered; only a whole pair is one."""
    if not answer.written:
        return Failed(Failure.UNSENT, answer.fault or "connect")
    if answer.fault:
        return Failed(Failure.DOUBTFUL, answer.fault)
    if answer.status >= 500 or answer.status in NOW:
        return Failed(Failure.UNSERVED, f"http_{answer.status}")
    body = _object(answer.excerpt)
    if 200 <= answer.status < 300:
        return Failed(Failure.DOUBTFUL, "answer_unreadable") if body is None else _read(body, now)
    return Failed(Failure.REFUSED, _code(body or {}) or f"http_{answer.status}")


def _object(body: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None


def _read(body: Mapping[str, Any], now: int) -> Tokens | Failed:
    access, refresh = _token(body, "access_token"), _token(body, "refresh_token")
    if access and refresh:
        life_s = whole(body.get("expires_in")) or LIFE_S
        return Tokens(access, refresh, now + max(1, life_s) * 1000, now + REFRESH_LIFE_MS)
    code = _code(body)
    if code and not (access or refresh):
        return Failed(Failure.REFUSED, code)
    return Failed(Failure.DOUBTFUL, "half_a_pair" if access or refresh else "no_pair")


def _token(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) and fits_header(value) else ""


def _code(body: Mapping[str, Any]) -> str:
    """Name an error body of any shape: its number, or that it has none; "" when it is no error body."""
    number = whole(body.get("error"))
    if number:
        return f"zalo_{number}"
    return "error_without_code" if any(str(name).startswith("error") and value for name, value in body.items()) else ""
