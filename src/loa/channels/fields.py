"""Settings of a channel: declared once as a dataclass, read from a mapping, refused with the field and the cure.

Values arrive from the ledger (JSON) or from a command line, so numbers and switches are also read from their text.
Used by every provider; a third-party provider may use it too.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Protocol, TypeVar

from loa.errors import ConfigError
from loa.ports.channel import FieldKind, SettingField

_KIND = "loa.kind"
_MEANING = "loa.meaning"
_SECRET = "loa.secret"  # noqa: S105 - the name of a mark, not a secret
_BASIC = "loa.basic"

Settings = TypeVar("Settings")


class Kind(Protocol):
    """Reads one value and says in words what it takes."""

    @property
    def takes(self) -> str:
        """What the value may be, for people."""
        ...

    def read(self, value: object) -> Any:
        """Give the value as plain JSON. Errors: TypeError or ValueError saying what is wanted."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """Words of a limited length."""

    longest: int = 255
    shortest: int = 0

    @property
    def takes(self) -> str:
        """What the value may be, for people."""
        return f"text of {self.shortest} to {self.longest} characters"

    def read(self, value: object) -> str:
        """Give the text. Errors: ValueError."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not self.shortest <= len(value) <= self.longest or "\0" in value:
            raise ValueError(f"give a {self.takes}")
        return value


@dataclass(frozen=True, slots=True)
class Number:
    """A number within bounds; `whole` refuses fractions."""

    low: float
    high: float
    whole: bool = True

    @property
    def takes(self) -> str:
        """What the value may be, for people."""
        return f"{'whole number' if self.whole else 'number'} {self.low:g} to {self.high:g}"

    def read(self, value: object) -> int | float:
        """Give the number. Errors: TypeError, ValueError."""
        wanted = f"give a {self.takes}"
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise TypeError(wanted)
        try:
            found = float(value)
        except ValueError:
            raise ValueError(wanted) from None
        if not self.low <= found <= self.high or (self.whole and found != int(found)):
            raise ValueError(wanted)
        return int(found) if self.whole else found


_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True)
class Switch:
    """True or false."""

    takes: str = "true or false"

    def read(self, value: object) -> bool:
        """Give the switch. Errors: ValueError."""
        found = value if isinstance(value, bool) else _WORDS.get(str(value).lower())
        if found is None:
            raise ValueError(f"give {self.takes}")
        return found


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    options: tuple[str, ...]

    @property
    def takes(self) -> str:
        """What the value may be, for people."""
        return ", ".join(f"`{option}`" for option in self.options)

    def read(self, value: object) -> str:
        """Give the word. Errors: ValueError."""
        if value not in self.options:
            raise ValueError(f"choose one of {', '.join(self.options)}")
        return str(value)


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping whose keys and values are each read by a function that raises ValueError."""

    takes: str
    key: Callable[[object], str]
    value: Callable[[object], Any]

    def read(self, value: object) -> dict[str, Any]:
        """Give the mapping. Errors: TypeError, ValueError."""
        if not isinstance(value, Mapping):
            raise TypeError(f"give a mapping: {self.takes}")
        return {self.key(name): self.value(found) for name, found in value.items()}


def about(kind: Kind, meaning: str, *, secret: bool = False, basic: bool = False) -> Mapping[str, Any]:
    """Describe a field whose default is made by a factory: `field(default_factory=..., metadata=about(...))`."""
    return {_KIND: kind, _MEANING: meaning, _SECRET: secret, _BASIC: basic}


def setting(
    kind: Kind, meaning: str, default: Any = MISSING, *, secret: bool = False, basic: bool | None = None
) -> Any:
    """Declare one field of a settings dataclass; without a default it has to be given.

    `basic`: nearly everybody has to say it, as is so of what has no default.
    """
    asked = default is MISSING if basic is None else basic
    return field(default=default, metadata=about(kind, meaning, secret=secret, basic=asked), repr=not secret)


def read(declared: type[Settings], provider: str, given: Mapping[str, Any]) -> Settings:
    """Read a mapping into the declared settings.

    Errors: ConfigError naming the field and how to cure it; a secret's value is never repeated.
    """
    known = {each.name: each for each in fields(declared)}  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
            raise ConfigError(f"{provider}: unknown setting {name}; {hint}", field=str(name), fault="unknown")
    values: dict[str, Any] = {}
    for name, each in known.items():
        if name in given:
            try:
                values[name] = each.metadata[_KIND].read(given[name])
            except (TypeError, ValueError) as wrong:
                raise ConfigError(f"{provider}: {name}: {wrong}", field=name, fault=_fault(each)) from None
        elif each.default is MISSING and each.default_factory is MISSING:
            message = f"{provider}: {name} is missing: {each.metadata[_MEANING]}"
            raise ConfigError(message, field=name, fault="missing")
    return declared(**values)


def _fault(declared: Any) -> str:
    """Say in a word what is wrong with a value, as its kind has it."""
    return f"no_{_described(declared).kind}"


def plain(settings: Any) -> dict[str, Any]:
    """Give settings as the mapping that is stored."""
    return {each.name: getattr(settings, each.name) for each in fields(settings)}


def secrets_of(declared: type) -> frozenset[str]:
    """Name the fields that must never be shown."""
    return frozenset(each.name for each in fields(declared) if each.metadata[_SECRET])


def describe(declared: type) -> tuple[SettingField, ...]:
    """Describe the declared settings, for forms and for the command line."""
    return tuple(map(_described, fields(declared)))


def _described(each: Any) -> SettingField:
    meta, kind = each.metadata, each.metadata[_KIND]
    low: float | None = None
    high: float | None = None
    whole, options = True, tuple[str, ...]()
    match kind:
        case Text():
            asked, low, high = FieldKind.TEXT, kind.shortest, kind.longest
        case Number():
            asked, low, high, whole = FieldKind.NUMBER, kind.low, kind.high, kind.whole
        case Switch():
            asked = FieldKind.SWITCH
        case Choice():
            asked, options = FieldKind.CHOICE, kind.options
        case Table():
            asked = FieldKind.TABLE
        case _:
            asked = FieldKind.TEXT
    needed = each.default is MISSING and each.default_factory is MISSING
    default = {} if each.default is MISSING else each.default
    return SettingField(
        name=each.name,
        kind=asked,
        takes=kind.takes,
        meaning=meta[_MEANING],
        default=None if needed else default,
        needed=needed,
        secret=meta[_SECRET],
        basic=meta[_BASIC],
        low=low,
        high=high,
        whole=whole,
        options=options,
    )


def reference(declared: type) -> list[str]:
    """Write the declared settings as the lines of a Markdown table."""
    lines = ["| Setting | Takes | Default | Meaning |", "|---|---|---|---|"]
    for each in fields(declared):
        meta = each.metadata
        secret = " Never shown." if meta[_SECRET] else ""
        lines.append(f"| `{each.name}` | {meta[_KIND].takes} | {_default(each)} | {meta[_MEANING]}{secret} |")
    return lines


def _default(declared: Any) -> str:
    if declared.default_factory is not MISSING:
        return "empty"
    if declared.default is MISSING:
        return "required"
    shown: Sequence[Any] | Any = declared.default
    if isinstance(shown, bool):
        return "true" if shown else "false"
    return "empty" if shown == "" else f"`{shown}`"
