"""The bodies of the vendor API: JSON bytes in, checked values out, in one pass of pydantic-core's validator.

What the validator lets pass and we do not: a member given twice (JSON leaves its meaning open), NUL, and numbers that
JSON cannot write. Lone surrogates, broken UTF-8, control characters and deep nesting end in the parser itself.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from pydantic_core import SchemaValidator, ValidationError, core_schema
from pydantic_core.core_schema import CoreSchema, TypedDictField

from loa.domain.rules import Finding, refusal
from loa.domain.traffic import VENDOR_TYPES
from loa.stages.request import SendRequest

REQUEST_ID_MAX: Final = 50
VALUES_MAX: Final = 120_000
"""Commas and brackets of a body; more can be no request we would take and would only cost memory."""
REPORT_FIELDS: Final = (
    "msisdn",
    "requestId",
    "sendTime",
    "responseTimeTelco",
    "status",
    "referentId",
    "retryCount",
)
"""The vendor's seven fields of a report, in its order."""

_NUMERALS: Final = {0: 0, 1: 1, 2: 2, "0": 0, "1": 1, "2": 2}


def _field(schema: CoreSchema, *, required: bool = True) -> TypedDictField:
    return core_schema.typed_dict_field(schema if required else core_schema.nullable_schema(schema), required=required)


def _numeral() -> CoreSchema:
    number = core_schema.int_schema(strict=True, ge=0, le=2)
    return core_schema.union_schema([number, core_schema.literal_schema(["0", "1", "2"])], mode="left_to_right")


def _object() -> CoreSchema:
    return core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema())


def _body(fields: dict[str, TypedDictField]) -> SchemaValidator:
    config = core_schema.CoreConfig(hide_input_in_errors=True)
    schema = core_schema.typed_dict_schema(fields, extra_behavior="allow", strict=True, config=config)
    return SchemaValidator(schema)


_REQUIRED_OF_REPORT: Final = frozenset({"msisdn", "referentId"})
_WORD: Final = core_schema.union_schema([core_schema.str_schema(), core_schema.int_schema(strict=True)])

_SEND: Final = _body(
    {
        "destinations": _field(core_schema.list_schema(core_schema.str_schema(), min_length=1)),
        "from": _field(core_schema.str_schema(min_length=1)),
        "text": _field(core_schema.str_schema(min_length=1)),
        "scheduled": _field(core_schema.str_schema(), required=False),
        "requestId": _field(core_schema.str_schema(max_length=REQUEST_ID_MAX), required=False),
        "useUnicode": _field(_numeral()),
        "type": _field(_numeral()),
        "ext": _field(_object(), required=False),
    }
)
_REPORT: Final = _body({name: _field(_WORD, required=name in _REQUIRED_OF_REPORT) for name in REPORT_FIELDS})


def read_send(body: bytes) -> SendRequest:
    """Read the body of a send call. Errors: CallerError with a finding for each bad field."""
    fields = _read(_SEND, body)
    request_id = fields.get("requestId") or ""
    if not request_id.isprintable():
        raise refusal(Finding("requestId", "not_printable"))
    return SendRequest(
        destinations=fields["destinations"],
        sender=fields["from"],
        text=fields["text"],
        use_unicode=_NUMERALS[fields["useUnicode"]],
        traffic_class=VENDOR_TYPES[_NUMERALS[fields["type"]]],
        scheduled=fields.get("scheduled") or "",
        request_id=request_id,
        ext=fields.get("ext") or {},
    )


def read_report(body: bytes) -> dict[str, Any]:
    """Read the body of a delivery report. Errors: CallerError with a finding for each bad field."""
    return _read(_REPORT, body)


def _read(validator: SchemaValidator, body: bytes) -> dict[str, Any]:
    if len(body) > VALUES_MAX and body.count(b",") + body.count(b"[") + body.count(b"{") > VALUES_MAX:
        raise refusal(Finding("body", "body_too_complex", {"limit": VALUES_MAX}))
    try:
        fields = cast("dict[str, Any]", validator.validate_json(body))
    except ValidationError as wrong:
        raise refusal(*_findings(wrong, body)) from None
    _refuse_repeated_members(body, fields)
    if b"\\u0000" in body and (found := _everywhere(fields, _nul)):
        raise refusal(*found)
    if fields.get("ext") or not fields.keys() <= _KNOWN:
        loose = {name: value for name, value in fields.items() if name not in _CHECKED}
        if found := _everywhere(loose, _number):
            raise refusal(*found)
    return fields


_CHECKED: Final = frozenset({"destinations", "from", "text", "scheduled", "requestId", "useUnicode", "type"})
"""Members whose type leaves no room for a number that JSON cannot write."""
_KNOWN: Final = _CHECKED | {"ext"}

# --- what the validator refuses ---


def _findings(wrong: ValidationError, body: bytes) -> list[Finding]:
    """Give one finding for each bad place, in our codes."""
    findings: dict[str, Finding] = {}
    for error in wrong.errors(include_url=False, include_input=False):
        where = _where(error["loc"])
        if error["type"] == "json_invalid":
            return _unreadable(str(error.get("ctx", {}).get("error", "")), body)
        findings.setdefault(where, _finding(where, error["type"], error.get("ctx", {})))
    return list(findings.values())


def _where(place: tuple[int | str, ...]) -> str:
    if not place:
        return "body"
    if len(place) > 1 and isinstance(place[1], int):
        return f"{place[0]}[{place[1]}]"
    return str(place[0])


def _finding(where: str, kind: str, values: Mapping[str, Any]) -> Finding:
    if where in {"useUnicode", "type"} and kind != "missing":
        return Finding(where, "not_allowed", {"allowed": "0, 1, 2"})
    if where == "body":
        return Finding(where, "body_not_object")
    match kind:
        case "missing":
            return Finding(where, "required")
        case "too_short" | "string_too_short":
            return Finding(where, "empty")
        case "too_long":
            return Finding(where, "too_many", {"limit": values["max_length"], "count": values["actual_length"]})
        case "string_too_long":
            return Finding(where, "too_long", {"limit": values["max_length"]})
        case _:
            return Finding(where, "wrong_type", {"expected": _EXPECTED.get(kind, "string")})


_EXPECTED: Final = {"list_type": "array", "dict_type": "object"}
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def _unreadable(reason: str, body: bytes) -> list[Finding]:
    if "escape" in reason:
        try:
            loose = json.loads(body)
        except (ValueError, RecursionError):
            loose = None
        if isinstance(loose, dict) and (found := _everywhere(loose, _surrogate)):
            return found
    return [Finding("body", "body_not_json", {"reason": reason})]


# --- members given twice ---


def _refuse_repeated_members(body: bytes, fields: dict[str, Any]) -> None:
    """Refuse a body in which an object names a member twice.

    Every member has one colon of its own, so the colons of a body are those after names and those inside strings. A
    member that was given twice has been dropped by the parser, and its colon is missing from our count. Only where a
    colon may be written as an escape is the count not exact, and the slow way is gone.
    """
    if b"\\u003" not in body and body.count(b":") == _colons(fields):
        return
    repeated: dict[str, None] = {}

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        known = dict(pairs)
        if len(known) != len(pairs):
            repeated.update(dict.fromkeys(name for name, times in Counter(n for n, _ in pairs).items() if times > 1))
        return known

    json.loads(body, object_pairs_hook=note)
    if repeated:
        raise refusal(*(Finding(name, "duplicate_key") for name in repeated))


def _colons(fields: dict[str, Any]) -> int:
    """Count the colons of an object: one for each member, and those inside its names and texts."""
    count = len(fields)
    for name, value in fields.items():
        if isinstance(value, str):
            count += value.count(":")
        elif value.__class__ is not int:
            count += _colons_in(value)
        if ":" in name:
            count += name.count(":")
    return count


def _colons_in(value: Any) -> int:
    if isinstance(value, dict):
        return _colons(value)
    if isinstance(value, list):
        if _holds_more_than_text(value):
            return sum(value.count(":") if isinstance(value, str) else _colons_in(value) for value in value)
        return "".join(value).count(":")
    return 0


def _holds_more_than_text(values: list[Any]) -> bool:
    return set(map(type, values)) != {str}


# --- what JSON allows and we do not ---


def _nul(value: Any) -> str:
    return "contains_nul" if isinstance(value, str) and "\0" in value else ""


def _number(value: Any) -> str:
    return "not_finite" if isinstance(value, float) and not math.isfinite(value) else ""


def _surrogate(value: Any) -> str:
    return "unpaired_surrogate" if isinstance(value, str) and _SURROGATES.search(value) else ""


def _everywhere(fields: Mapping[str, Any], judge: Callable[[Any], str]) -> list[Finding]:
    """Judge every value and every name, with a stack of our own, because callers choose the depth."""
    findings = [Finding("body", code) for name in fields if (code := judge(name))]
    open_values = [(name, value) for name, value in reversed(list(fields.items()))]
    while open_values:
        where, value = open_values.pop()
        if isinstance(value, dict):
            findings += [Finding(where, code) for name in value if (code := judge(name))]
            open_values += [(f"{where}.{name}", each) for name, each in reversed(list(value.items()))]
        elif isinstance(value, list):
            open_values += [(f"{where}[{index}]", value[index]) for index in reversed(range(len(value)))]
        elif code := judge(value):
            findings.append(Finding(where, code))
    return findings
