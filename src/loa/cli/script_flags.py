"""Flags for every field of a simulator's script, made from the script itself; the texts for people stand here.

Shapes: a pick is written `every=10`, `first=3,destination=99`, `numbers=1+4+9`, `after=100` or `all`; a refusal is a
pick with `status=0x58`; a fortune is `stat=UNDELIV,share=0.1,digits=99`.
"""

import inspect
import types
from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import typer

from loa.errors import CallerError
from loa.simulators.pick import Pick
from loa.simulators.smsc.script import Fortune, Refusal

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
    int: "N",
    float: "SECONDS",
    bytes: "HEX",
    str: "TEXT",
}


def _metavar(name: str, kind: Any) -> str:
    if name.endswith("_per_s"):
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
    if inner is Pick:
        return _ALL if value == "all" else _pick(_members(value))
    if inner is Refusal:
        members = _members(value)
        status = _number(members.pop("status", ""))
        return {"status": status, "pick": _pick(members) if members else _ALL}
    if inner is Fortune:
        return _fortune(_members(value))
    return _number(value) if inner is int else value


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


def _fortune(members: Mapping[str, str]) -> dict[str, Any]:
    fortune: dict[str, Any] = dict(members)
    if "share" in fortune:
        fortune["share"] = float(fortune["share"])
    return fortune


def _number(written: str) -> int:
    try:
        return int(written, 0)
    except ValueError:
        raise ValueError(f"{written!r} is no number; write for instance 88 or 0x58") from None
