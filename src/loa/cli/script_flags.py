"""Flags for every field of a simulator's script, made from the script itself; the texts for people stand here.

Shapes: a pick is written `every=10`, `first=3,destination=99`, `numbers=1+4+9`, `after=100` or `all`; a refusal is a
pick with `status=0x58`; a fortune is `stat=UNDELIV,share=0.1,digits=99`; the rules of the Zalo platform are written
with the names of their fields and of the fields below, as in `does=page,status=502,surface=number,first=3`.
"""

import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import typer

from loa.errors import CallerError
from loa.simulators.pick import Pick
from loa.simulators.smsc.script import Fortune, Refusal
from loa.simulators.zalo.script import EventFault, Fault, Refused, When

PICK: Final = "PICK"
_ALL: Final = {"every": 1}


def parameters(script: type, texts: Mapping[str, str]) -> list[inspect.Parameter]:
    """Give one keyword parameter for each field of a script, None where the flag is not given."""
    hints = get_type_hints(script)
    return [_parameter(each.name, hints[each.name], texts[each.name]) for each in fields(script)]


def _parameter(name: str, kind: Any, text: str) -> inspect.Parameter:
    plain = _plain(kind)
    if plain is bool:
        flag = f"--{name.replace('_', '-')}/--no-{name.replace('_', '-')}"
        option = typer.Option(flag, help=text, show_default=False)
    else:
        metavar = "|".join(get_args(plain)) if get_origin(plain) is Literal else _metavar(name, kind)
        option = typer.Option(f"--{name.replace('_', '-')}", metavar=metavar, help=text, show_default=False)
    annotation: Any = Annotated[plain | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _plain(kind: Any) -> Any:
    """Say as what a field's flag is taken: numbers, switches and choices as they are, the rest as text."""
    if kind in (bool, float) or get_origin(kind) is Literal:
        return kind
    repeated = get_origin(kind) is tuple
    return list[str] if repeated else str


_METAVARS: Final[Mapping[Any, str]] = {
    Pick: PICK,
    Refusal: "REFUSAL",
    Fortune: "FORTUNE",
    When: "WHEN",
    Refused: "REFUSED",
    Fault: "FAULT",
    EventFault: "FAULT",
    int: "N",
    float: "SECONDS",
    bytes: "HEX",
    str: "TEXT",
}


def _metavar(name: str, kind: Any) -> str:
    if name.endswith(("_per_s", "_pace")):
        return "N"
    return next(_METAVARS[each] for each in (kind, *get_args(kind)) if each in _METAVARS)


def values(script: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Read the flags that were given into the values of a script. Errors: CallerError naming the flag."""
    hints = get_type_hints(script)
    read = {}
    for name, value in given.items():
        if value is not None:
            try:
                read[name] = _value(hints[name], value)
            except ValueError as wrong:
                raise CallerError("script", f"--{name.replace('_', '-')}: {wrong}") from None
    return read


def _value(kind: Any, value: Any) -> Any:
    inner = _inner(kind)
    if get_origin(kind) is tuple:
        return [_value(inner, each) for each in value]
    read = _READERS.get(inner)
    return value if read is None else read(value)


def _inner(kind: Any) -> Any:
    """Look through `X | None` and `tuple[X, ...]`."""
    if get_origin(kind) in (Union, types.UnionType, tuple):
        return get_args(kind)[0]
    return kind


def _members(written: str) -> dict[str, str]:
    members = {}
    for part in written.split(","):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise ValueError(f"{part!r}: write NAME=VALUE, joined by commas, as in every=10,destination=99")
        members[name.strip()] = value.strip()
    return members


def _pick(members: Mapping[str, str]) -> dict[str, Any]:
    pick: dict[str, Any] = {}
    for name, value in members.items():
        if name in ("first", "every", "after"):
            pick[name] = _number(value)
        elif name == "numbers":
            pick[name] = [_number(each) for each in value.split("+")]
        elif name == "destination":
            pick[name] = value
        else:
            raise ValueError(f"a pick has no {name!r}; it has first, every, numbers, after and destination")
    return pick


def _picked(written: str) -> dict[str, Any]:
    return _ALL if written == "all" else _pick(_members(written))


def _refusal(written: str) -> dict[str, Any]:
    members = _members(written)
    status = _number(members.pop("status", ""))
    return {"status": status, "pick": _pick(members) if members else _ALL}


def _fortune(written: str) -> dict[str, Any]:
    fortune: dict[str, Any] = dict(_members(written))
    if "share" in fortune:
        fortune["share"] = float(fortune["share"])
    return fortune


def _rule(kind: type) -> Callable[[str], dict[str, Any]]:
    """Make a reader of a rule whose `pick`, and whose `when` with another, are written among its own fields."""

    def read(written: str) -> dict[str, Any]:
        return {} if written == "all" else _spread(kind, _members(written))

    return read


def _spread(kind: type, members: dict[str, str]) -> dict[str, Any]:
    names = [each.name for each in fields(kind)]
    rule: dict[str, Any] = {name: members.pop(name) for name in names if name in members}
    if members and "when" in names:
        rule["when"] = _spread(When, members)
    elif members:
        rule["pick"] = _pick(members)
    return rule


def _number(written: str) -> int:
    try:
        return int(written, 0)
    except ValueError:
        raise ValueError(f"{written!r} is no number; write for instance 88 or 0x58") from None


_READERS: Final[Mapping[Any, Callable[[str], Any]]] = {
    Pick: _picked,
    Refusal: _refusal,
    Fortune: _fortune,
    int: _number,
    **{kind: _rule(kind) for kind in (When, Refused, Fault, EventFault)},
}
