"""The error codes that the platform answers with, by surface; the texts are ours, for people who read a log.

Source: Zalo reference, section 7: the same number means different things on the two surfaces.
"""

from collections.abc import Mapping
from typing import Any, Final

TEMPLATE_TEXTS: Final[Mapping[int, str]] = {
    -100: "Unknown error",
    -101: "Application is invalid",
    -108: "Phone number is invalid",
    -109: "Template is invalid",
    -111: "Template data is empty",
    -112: "Template data is invalid",
    -114: "User cannot receive the message",
    -115: "Out of money",
    -118: "Zalo account does not exist or is disabled",
    -119: "Account cannot receive",
    -1121: "A parameter is too long",
    -1122: "A parameter is missing",
    -1124: "A parameter has a wrong format",
    -124: "Access token is invalid",
    -126: "Development wallet is empty",
    -127: "A test template reaches administrators only",
    -131: "Template is not approved",
    -132: "Parameter is invalid",
    -133: "No sending at night",
    -135: "OA is not verified",
    -137: "Payment failed",
    -139: "User refuses this type of message",
    -144: "OA is over its daily quota",
    -1441: "OA is over its monthly promotion quota",
    -145: "OA may not send this kind of template",
    -146: "Template is disabled for low quality",
    -147: "Template is over its daily quota",
    -1471: "User is over the monthly promotion limit",
    -1472: "User is over the daily promotion limit",
    -148: "Journey token not found",
    -149: "Journey token is invalid",
    -1491: "Journey token does not fit the template",
    -150: "Journey token is expired",
    -162: "This sending mode is not allowed",
}
OA_TEXTS: Final[Mapping[int, str]] = {
    -32: "Request rate limit of the app is exceeded",
    -100: "Attachment is expired",
    -200: "Send failed",
    -201: "A parameter is invalid",
    -204: "OA is deleted",
    -210: "A parameter is over its limit",
    -211: "Out of quota",
    -213: "User has not followed the OA",
    -216: "Access token is invalid",
    -217: "User has blocked the OA",
    -218: "User is over the limit",
    -220: "Access token is expired",
    -221: "OA is not verified",
    -224: "Package of the OA is too low",
    -227: "User is banned or inactive for more than 45 days",
    -230: "User has not interacted with the OA in the past 7 days",
    -232: "No interaction, or it is expired",
    -234: "No sending at night",
    -240: "This API is no longer supported",
    -244: "User restricts this type of message",
    -249: "Template cannot be sent to a user id",
    -320: "OA needs a Zalo Cloud Account",
    -321: "Zalo Cloud Account has no money",
}
BAD_APP: Final = -14002
BAD_REDIRECT: Final = -14003
BAD_REFRESH: Final = -14014
OLD_REFRESH: Final = -14020
UNATTESTED: Final = -14000
"""Ours: for what the token endpoint refuses with a code that no source names (wrong secret, code or verifier)."""

_OAUTH_TEXTS: Final[Mapping[int, tuple[str, str]]] = {
    BAD_APP: ("Invalid app id", "app id is invalid or the app is not active"),
    BAD_REDIRECT: ("Invalid redirect uri", "redirect uri is not the callback url of the app"),
    BAD_REFRESH: ("Invalid refresh token", "refresh token is invalid"),
    OLD_REFRESH: ("Refresh token expired", "refresh token is expired"),
}


def template_error(code: int, detail: str = "") -> dict[str, Any]:
    """Write an error of the template surface."""
    return {"error": code, "message": detail or TEMPLATE_TEXTS.get(code, f"Error {code}")}


def oa_error(code: int, detail: str = "") -> dict[str, Any]:
    """Write an error of the OA surface."""
    return {"error": code, "message": detail or OA_TEXTS.get(code, f"Error {code}")}


def oauth_error(code: int, detail: str = "") -> dict[str, Any]:
    """Write a failure of the token endpoint, which has a shape of its own."""
    name, reason = _OAUTH_TEXTS.get(code, ("Request refused", "the request is refused"))
    reason = detail or reason
    return {
        "error": code,
        "error_name": name,
        "error_reason": reason,
        "error_description": reason,
        "ref_doc": "https://developers.zalo.me/docs",
    }
