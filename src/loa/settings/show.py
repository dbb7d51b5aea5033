"""Shows settings to people: as TOML that loads again, as rows with their origin, and as the reference page."""

from pathlib import Path
from typing import Any, NamedTuple

from loa.settings.load import Loaded
from loa.settings.outline import Setting, outline, sections, value_of
from loa.settings.secret import Secret


class Shown(NamedTuple):
    """One setting as it is shown; secrets as stars."""

    name: str
    value: Any
    origin: str


def rows(loaded: Loaded) -> list[Shown]:
    """Give every setting with its value, ready for JSON, and its origin."""
    return [Shown(name, _plain(value_of(loaded.settings, name)), loaded.origins[name]) for name in outline()]


def to_toml(loaded: Loaded, *, origin: bool = False) -> str:
    """Write the settings as a file that `load` takes; secrets stand in it as comments of stars."""
    lines: list[str] = []
    section = ""
    for name, setting in outline().items():
        head, _, leaf = name.rpartition(".")
        if head != section:
            lines += ["", f"[{head}]"]
            section = head
        value = value_of(loaded.settings, name)
        line = f"{leaf} = {_toml(value)}"
        if setting.secret:
            line = f"# {leaf} = {value}, from the environment only"
        lines.append(f"{line}  # {loaded.origins[name]}" if origin else line)
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Path | Secret):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    escaped = "".join(_escape(character) for character in str(value))
    return f'"{escaped}"'


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08X}"


_KINDS = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    Secret: "secret",
    tuple[str, ...]: "list of texts",
    tuple[int, ...]: "list of numbers",
}

_INTRODUCTION = """# Settings

Settings come from four places; the first that names a value wins:

1. flags: `--set server.listen_port=8081`, and the short flags that `--help` names;
2. the environment: `LOA_SERVER__LISTEN_PORT=8081` (two underscores between section and name; lists with commas);
3. one TOML file, named by `--config` or `LOA_CONFIG`;
4. the defaults below.

An unknown name or a bad value stops the start, with every mistake in one message. `loa config show --origin` tells
where each value came from. A secret may not stand in the file: give it as a variable, or give the path of a file that
holds it in the variable with `_FILE` at its end, or in the file under the name with `_file` at its end.

Units stand in the names: `_s` seconds, `_ms` milliseconds, `_hours`, `_days`, `_bytes`, `_kib` units of 1,024 bytes.

This page is generated from `loa.settings.tree`.
"""


def reference_page() -> str:
    """Write docs/reference/settings.md."""
    lines = [_INTRODUCTION]
    for section, meaning in sections().items():
        title = f"## `[{section}]`: {meaning}" if section else "## Top level"
        lines += [title.rstrip("."), "", "| Name | Default | Values | Meaning |", "|---|---|---|---|"]
        for name, setting in outline().items():
            if name.rpartition(".")[0] == section:
                lines.append(_reference_line(setting))
        lines.append("")
    return "\n".join(lines)


def _reference_line(setting: Setting) -> str:
    leaf = setting.name.rpartition(".")[2]
    default = "" if setting.secret else f"`{_toml(setting.default)}`"
    values = setting.about.bounds() or _KINDS[setting.kind]
    return f"| `{leaf}` | {default} | {values} | {setting.about.doc} |"
