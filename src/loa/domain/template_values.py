"""What the values of a template's parameters may be. Pure."""

import unicodedata
from collections.abc import Mapping
from typing import Final

from loa.domain.rules import Finding
from loa.domain.template import Parameter, Template

_DIGITS: Final = str.maketrans("0123456789", "0000000000")
_TIMES: Final = ("00:00", "00:00:00")
_DAY: Final = "00/00/0000"

DATE_FORMS: Final = tuple(
    sorted(
        (*_TIMES, _DAY, "00/0000", *(f"{time} {_DAY}" for time in _TIMES), *(f"{_DAY} {time}" for time in _TIMES)),
        key=len,
    )
)
"""How a value of the kind `date` may be written, a 0 for any digit, shortest first.

Source: Zalo reference, template messages by phone.
"""


def shape(text: str) -> str:
    """Write a 0 for every digit."""
    return text.translate(_DIGITS)


def check_value(parameter: Parameter, value: str, where: str) -> Finding | None:
    """Hold a value against its parameter; None when it fits. `where`: the value's place in the caller's own names."""
    length = len(unicodedata.normalize("NFC", value))
    said = {"parameter": parameter.name, "length": length}
    if not value.strip():
        return None if parameter.accepts_empty else Finding(where, "parameter_empty", said)
    if length < parameter.min_length:
        return Finding(where, "parameter_too_short", {**said, "limit": parameter.min_length})
    if 0 < parameter.max_length < length:
        return Finding(where, "parameter_too_long", {**said, "limit": parameter.max_length})
    if parameter.kind == "date" and shape(value) not in DATE_FORMS:
        return Finding(where, "parameter_no_date", said)
    return None


def check_data(template: Template, data: Mapping[str, str], where: str) -> tuple[Finding, ...]:
    """Hold the values of a message against all parameters of its template; `where` is the path of the values."""
    known = {each.name: each for each in template.parameters}
    found = [Finding(f"{where}.{name}", "parameter_unknown", {"parameter": name}) for name in data if name not in known]
    for name, parameter in known.items():
        if name in data:
            fault = check_value(parameter, data[name], f"{where}.{name}")
            found += [fault] if fault else []
        elif parameter.required:
            found.append(Finding(f"{where}.{name}", "parameter_missing", {"parameter": name}))
    return tuple(found)
