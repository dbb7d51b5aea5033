"""Checking the data of a template message, as the platform does before it takes it.

Source: Zalo reference, section 5: values are strings, capped by kind after NFC.
"""

from collections.abc import Mapping
from typing import Any, Final
from unicodedata import normalize

from loa.simulators.zalo.platform import Refusal
from loa.simulators.zalo.world import Parameter, Template

CAPS: Final[Mapping[str, int]] = {
    "name": 30,
    "phone": 15,
    "address": 200,
    "code": 30,
    "status": 30,
    "amount": 20,
    "date": 20,
    "otp": 10,
    "url": 200,
    "currency": 12,
    "bank_note": 90,
}
EMPTY: Final = -111
TOO_LONG: Final = -1121
MISSING: Final = -1122
BAD_FORMAT: Final = -1124


def cap(parameter: Parameter) -> int:
    """Say how long a value may be; 0 for any length."""
    return parameter.max_length or CAPS.get(parameter.kind, 0)


def check(template: Template, data: object) -> Mapping[str, str]:
    """Give the data once it fits the template. Errors: Refusal."""
    if not isinstance(data, dict) or (not data and template.parameters):
        raise Refusal(EMPTY)
    for parameter in template.parameters:
        _check(parameter, data.get(parameter.name))
    for name, value in data.items():
        if not isinstance(value, str):
            raise Refusal(BAD_FORMAT, f"{name} must be a string")
    return data


def _check(parameter: Parameter, value: Any) -> None:
    if value is None:
        if parameter.required:
            raise Refusal(MISSING, f"{parameter.name} is missing")
        return
    if not isinstance(value, str):
        raise Refusal(BAD_FORMAT, f"{parameter.name} must be a string")
    if not value:
        if not parameter.accepts_empty:
            raise Refusal(MISSING, f"{parameter.name} is empty")
        return
    length, longest = len(value if value.isascii() else normalize("NFC", value)), cap(parameter)
    if longest and length > longest:
        raise Refusal(TOO_LONG, f"{parameter.name} is longer than {longest}")
    if length < parameter.min_length:
        raise Refusal(BAD_FORMAT, f"{parameter.name} is shorter than {parameter.min_length}")


def rendered(template: Template, data: Mapping[str, str]) -> str:
    """Write a message as it reads on the phone."""
    if not template.text:
        return "\n".join(f"{name}: {value}" for name, value in data.items())
    text = template.text
    for name, value in data.items():
        text = text.replace(f"<{name}>", value)
    return text
