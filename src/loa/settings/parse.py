"""Turns what a file, the environment or a flag says into the value a setting wants. Pure."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from loa.settings.outline import Setting
from loa.settings.secret import Secret


class Unusable(ValueError):
    """The value cannot be used; the text says what it should be."""


def parse(setting: Setting, raw: object) -> Any:
    """Read one value and hold it against its limits.

    Shapes: text from the environment or a flag; bool, int, float, str or list from TOML.
    Errors: Unusable.
    """
    value = _READERS[setting.kind](raw)
    wrong = setting.about.wrong_with(value)
    if wrong:
        raise Unusable(wrong)
    return value


_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


def _bool(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = raw.strip().lower() if isinstance(raw, str) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise Unusable("must be true or false")


def _int(raw: object) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str):
        try:
            return int(raw.strip())
        except ValueError:
            pass
    raise Unusable("must be a whole number")


def _float(raw: object) -> float:
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return float(raw)
    if isinstance(raw, str):
        try:
            return float(raw.strip())
        except ValueError:
            pass
    raise Unusable("must be a number")


def _str(raw: object) -> str:
    if isinstance(raw, str):
        return raw
    raise Unusable("must be text, in quotes")


def _path(raw: object) -> Path:
    if isinstance(raw, Path):
        return raw
    text = _str(raw)
    if not text:
        raise Unusable("must name a file or folder")
    return Path(text).expanduser()


def _secret(raw: object) -> Secret:
    return raw if isinstance(raw, Secret) else Secret(_str(raw).strip())


def _items(raw: object, read: Callable[[object], Any]) -> tuple[Any, ...]:
    if isinstance(raw, str):
        return tuple(read(part.strip()) for part in raw.split(",") if part.strip())
    if isinstance(raw, list | tuple):
        return tuple(read(part) for part in raw)
    raise Unusable("must be a list")


_READERS: Mapping[Any, Callable[[object], Any]] = {
    bool: _bool,
    int: _int,
    float: _float,
    str: _str,
    Path: _path,
    Secret: _secret,
    tuple[str, ...]: lambda raw: _items(raw, _str),
    tuple[int, ...]: lambda raw: _items(raw, _int),
}
