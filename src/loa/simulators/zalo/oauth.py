"""The sign-in: consent page and token endpoint.

Source: Zalo reference, section 3.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from loa.simulators.zalo import codes
from loa.simulators.zalo.exchange import Exchange, answer, pairs
from loa.simulators.zalo.judge import Subject
from loa.simulators.zalo.platform import Case, Payload, Platform, Refusal
from loa.simulators.zalo.state import OaState
from loa.simulators.zalo.tokens import fits

FORM: Final = "application/x-www-form-urlencoded"


def consent(platform: Platform, exchange: Exchange) -> tuple[bytes | None, Payload]:
    """Consent at once, as if a person had; gives the way back, or the failure that the page shows."""
    asked = pairs(exchange.query)
    oa = next(
        (
            each
            for each in platform.oas.values()
            if each.told.app_id == asked.get("app_id") and platform.script.consent_oa in ("", each.told.oa_id)
        ),
        None,
    )
    if oa is None:
        return None, codes.oauth_error(codes.BAD_APP)
    way_back = asked.get("redirect_uri", "")
    if not way_back or oa.told.redirect_uri not in ("", way_back):
        return None, codes.oauth_error(codes.BAD_REDIRECT)
    challenge = asked.get("code_challenge", "")
    if not (challenge or oa.told.code_challenge):
        return None, codes.oauth_error(codes.UNATTESTED, "code_challenge is missing")
    state = {"state": asked["state"]} if "state" in asked else {}
    if platform.script.refuse_consent:
        query: Mapping[str, str] = {"error": "consent_refused", **state}
    else:
        platform.counts.consents += 1
        expires_at = platform.clock.now() + round(platform.script.code_life_s * 1000)
        query = {"code": platform.tokens.new_code(oa, challenge, expires_at), "oa_id": oa.told.oa_id, **state}
    location = f"{way_back}{'&' if '?' in way_back else '?'}{urlencode(query)}"
    return answer(b"", 302, b"text/html", {"Location": location}), {}


def tokens(platform: Platform, exchange: Exchange) -> Case:
    """Read a request to the token endpoint."""
    form = pairs(exchange.body.decode("utf-8", "replace"))
    case = Case(Subject("oauth", form.get("app_id", ""), key=form.get("refresh_token", "") or form.get("code", "")))
    with case:
        if not exchange.header(b"content-type").startswith(FORM):
            raise Refusal(codes.UNATTESTED, f"the body must be {FORM}")
        owners = [each for each in platform.oas.values() if each.told.app_id == form.get("app_id")]
        if not owners:
            raise Refusal(codes.BAD_APP)
        if exchange.header(b"secret_key") not in {each.told.app_secret for each in owners}:
            raise Refusal(codes.UNATTESTED, "secret_key is wrong")
        match form.get("grant_type"):
            case "authorization_code":
                _exchange(platform, case, form)
            case "refresh_token":
                _refresh(platform, case, form)
            case _:
                raise Refusal(codes.UNATTESTED, "grant_type is wrong")
    return case


def _exchange(platform: Platform, case: Case, form: Mapping[str, str]) -> None:
    found = platform.tokens.code(form.get("code", ""), platform.clock.now())
    if found is None or found.oa.told.app_id != form["app_id"]:
        raise Refusal(codes.UNATTESTED, "code is invalid, expired or used")
    if not fits(found.oa.told, found.challenge, form.get("code_verifier", "")):
        raise Refusal(codes.UNATTESTED, "code_verifier is wrong")
    case.oa = found.oa
    case.commit = partial(_give, platform, case, found.oa, "code", form["code"])


def _refresh(platform: Platform, case: Case, form: Mapping[str, str]) -> None:
    token = form.get("refresh_token", "")
    found = platform.tokens.refresh(token)
    if found is None or found.oa.told.app_id != form["app_id"]:
        raise Refusal(codes.BAD_REFRESH)
    if found.spent:
        platform.counts.double_refresh += 1
        raise Refusal(codes.BAD_REFRESH)
    if platform.clock.now() >= found.issued_at + platform.script.refresh_life_s * 1000:
        raise Refusal(codes.OLD_REFRESH)
    case.oa = found.oa
    case.commit = partial(_give, platform, case, found.oa, "refresh", token)


def _give(platform: Platform, case: Case, oa: OaState, grant: str, spent: str) -> dict[str, Any]:
    line = case.line = give(platform, oa, grant, spent)
    return {
        "access_token": line["access"],
        "refresh_token": line["refresh"],
        "expires_in": str(round(platform.script.token_life_s)),
    }


def give(platform: Platform, oa: OaState, grant: str, spent: str = "") -> dict[str, Any]:
    """Make a new pair and give its line for the journal; what was spent on it is worth nothing from now on."""
    now = platform.clock.now()
    access, refresh = platform.tokens.new_pair(oa, now, spent)
    return {
        "kind": "tokens",
        "at": now,
        "oaId": oa.told.oa_id,
        "grant": grant,
        "access": access,
        "refresh": refresh,
        "spent": spent,
    }
