"""Settings of channels as form fields: made from what a provider declares, read back, and marked where they are wrong.

A secret that is kept is never written into a page: its field is empty, and left empty it stays as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loa.console.catalogue import has, said
from loa.console.formats import number
from loa.console.language import Language
from loa.console.refusals import said_of
from loa.errors import LoaError

FIELD: Final = "set."
"""How the name of a setting's field begins."""
FORGET: Final = "forget."
"""How the name of a box begins by which a setting goes back to its default."""


@dataclass(frozen=True, slots=True)
class Box:
    """One field. `value`: what stands in it; of a switch `1` or nothing.

    `kept`: a secret is kept for it, `removable` where it may go.
    """

    name: str
    kind: str
    meaning: str
    takes: str
    value: str
    kept: bool = False
    secret: bool = False
    needed: bool = False
    removable: bool = False
    basic: bool = False
    options: tuple[str, ...] = ()
    wrong: str = ""

    @property
    def field(self) -> str:
        """Its name in the form."""
        return f"{FIELD}{self.name}"


def boxes(
    provider: Mapping[str, Any],
    language: Language,
    values: Mapping[str, str],
    *,
    kept: frozenset[str] = frozenset(),
    wrong: Mapping[str, str] | None = None,
) -> list[Box]:
    """Make the fields of a provider. `values`: by setting, as `texts_of` or a form has them; secrets are left out."""
    return [
        Box(
            name=each["name"],
            kind=each["kind"],
            meaning=meaning(provider["name"], each, language),
            takes=_takes(each, language),
            value="" if each["secret"] else values.get(each["name"], ""),
            kept=each["name"] in kept,
            secret=each["secret"],
            needed=each["needed"] and each["name"] not in kept,
            removable=each["name"] in kept and not each["needed"],
            basic=each["basic"],
            options=tuple(each["options"]),
            wrong=(wrong or {}).get(each["name"], ""),
        )
        for each in provider["settings"]
    ]


def meaning(provider: str, declared: Mapping[str, Any], language: Language) -> str:
    """Say what a setting is for: in the language where a catalogue knows it, else as its provider says."""
    key = f"setting.{provider}.{declared['name']}"
    text = said(language, key) if has(key) else str(declared["meaning"])
    return text.replace("`", "")


def _takes(declared: Mapping[str, Any], language: Language) -> str:
    """Say between which bounds a number lies; of other kinds the field itself shows it."""
    if declared["kind"] != "number":
        return ""
    whole = "whole" if declared["whole"] else "any"
    low, high = (_number(declared[end], language) for end in ("low", "high"))
    return said(language, f"takes.{whole}", low=low, high=high)


def _number(value: float, language: Language) -> str:
    return number(value, language, 0 if value == int(value) else 2)


def texts_of(settings: Mapping[str, Any], declared: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Write settings as the fields hold them; what is not set has its default."""
    return {each["name"]: _text(settings.get(each["name"], each["default"])) for each in declared}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {each}" for name, each in value.items())
    return "" if value is None else str(value)


def read_fields(
    form: Mapping[str, str], declared: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read a form: settings that are given, and those that go back to their default."""
    given: dict[str, Any] = {}
    unset = [name.removeprefix(FORGET) for name in form if name.startswith(FORGET)]
    for each in declared:
        name = each["name"]
        text = form.get(f"{FIELD}{name}", "")
        if each["secret"]:
            if text and name not in unset:
                given[name] = text
        elif text.strip() == _text(each["default"]).strip() or not (text.strip() or each["kind"] == "switch"):
            unset.append(name)
        else:
            given[name] = _read(each["kind"], text)
    return given, tuple(unset)


def _read(kind: str, text: str) -> Any:
    if kind == "switch":
        return bool(text)
    if kind == "table":
        lines = (line.partition(":") for line in text.splitlines() if line.strip())
        return {name.strip(): value.strip() for name, _, value in lines}
    return text.strip()


def wrong_of(error: LoaError, declared: Sequence[Mapping[str, Any]], language: Language) -> dict[str, str]:
    """Say what an error has against which setting; "" is the key of what speaks of no setting in the form."""
    name, fault = str(error.fields.get("field", "")), f"fault.{error.fields.get('fault', '')}"
    about = next((each for each in declared if each["name"] == name), None)
    if about is None:
        text = said(language, fault) if has(fault) else said_of(error, language)
        return {"": f"{name}: {text}" if name and has(fault) else text}
    if not has(fault):
        return {name: said_of(error, language)}
    bounds = {end: _number(about[end] or 0, language) for end in ("low", "high")}
    return {name: said(language, fault, **bounds, options=", ".join(about["options"]))}
