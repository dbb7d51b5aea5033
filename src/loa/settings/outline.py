"""The tree seen from outside: every setting by its dotted name, with type, default, text and environment variable."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, cast, get_type_hints

from loa.settings.about import About
from loa.settings.secret import Secret
from loa.settings.tree import Settings


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `name` is dotted, as in `server.listen_port`; `kind` is its Python type."""

    name: str
    kind: Any
    default: Any
    about: About

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "LOA_" + self.name.replace(".", "__").upper()

    @property
    def flag(self) -> str:
        """How it is named on the command line."""
        return f"--set {self.name}=…"

    @property
    def secret(self) -> bool:
        """Whether it may never be shown or stand in a file."""
        return self.kind is Secret


@cache
def outline() -> Mapping[str, Setting]:
    """Give every setting by its dotted name, in the order of the tree."""
    return MappingProxyType({setting.name: setting for setting in _walk(Settings, Settings(), "")})


@cache
def sections() -> Mapping[str, str]:
    """Give every section by its name, "" for the top, with what it is about."""
    found = {"": str(Settings.__doc__)}
    for item in fields(Settings):
        value = getattr(Settings(), item.name)
        if is_dataclass(value):
            found[item.name] = str(value.__doc__)
    return MappingProxyType(found)


def _walk(kind: type, default: object, prefix: str) -> Iterator[Setting]:
    hints = get_type_hints(kind)
    for item in fields(cast("Any", kind)):
        value = getattr(default, item.name)
        name = prefix + item.name
        if is_dataclass(value):
            yield from _walk(type(value), value, f"{name}.")
        else:
            yield Setting(name, hints[item.name], value, item.metadata["about"])


def value_of(settings: Settings, name: str) -> Any:
    """Give the value of a setting by its dotted name."""
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value
