"""Reads the settings: flags before environment before one TOML file before the defaults.

The only place of the program that looks at the environment. Unknown names and bad values stop the start; every one is
named in the same error, with where it stands and what it should be. Each value's origin is kept.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from loa.errors import ConfigError
from loa.settings.outline import Setting, outline, sections
from loa.settings.parse import Unusable, parse
from loa.settings.secret import Secret
from loa.settings.tree import OPTIONAL, ROLES, Settings, minute_of_day

PREFIX = "LOA_"
FILE_VARIABLE = "LOA_CONFIG"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where each value came from: `default`, `file …`, `environment …` or `flag …`, by dotted name."""

    settings: Settings
    origins: Mapping[str, str]


class Given(NamedTuple):
    """One value as somebody wrote it. `name` is dotted and may be unknown."""

    name: str
    value: object
    origin: str


def load(
    file: Path | None = None, env: Mapping[str, str] | None = None, flags: Mapping[str, object] | None = None
) -> Loaded:
    """Read the settings.

    Shapes: flags by dotted name, None where not given. Without `file`, LOA_CONFIG may name one.
    Errors: ConfigError naming every unknown name and every bad value.
    """
    env = env or {}
    named = env.get(FILE_VARIABLE, "")
    path = file or (Path(named) if named else None)
    wrong: list[str] = []
    values: dict[str, Any] = {}
    origins = dict.fromkeys(outline(), "default")
    given = [*(_from_file(path, wrong) if path else ()), *_from_environment(env, wrong), *_from_flags(flags or {})]
    for item in given:
        setting = outline().get(item.name)
        if setting is None:
            wrong.append(_unknown(item))
            continue
        try:
            values[item.name] = parse(setting, item.value)
            origins[item.name] = item.origin
        except Unusable as problem:
            shown = "" if setting.secret else f" is {item.value!r} but"
            wrong.append(f"{item.name}{shown} {problem} ({item.origin})")
    settings = _build(values)
    if not wrong:
        wrong += _contradictions(settings)
    if wrong:
        raise ConfigError("; ".join(wrong), problems=tuple(wrong))
    return Loaded(settings, origins)


def _build(values: Mapping[str, Any]) -> Settings:
    top: dict[str, Any] = {}
    below: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        section, dot, leaf = name.rpartition(".")
        if dot:
            below.setdefault(section, {})[leaf] = value
        else:
            top[name] = value
    defaults = Settings()
    changed = {section: replace(getattr(defaults, section), **leaves) for section, leaves in below.items()}
    return replace(defaults, **top, **changed)


def _contradictions(settings: Settings) -> Iterator[str]:
    ads = settings.advertising
    minutes = [minute_of_day(text) for text in (ads.hours_open, ads.hours_last, ads.hours_close)]
    if not minutes[0] < minutes[1] <= minutes[2]:
        yield "advertising: hours_open must come before hours_last, and hours_last not after hours_close"
    if settings.callbacks.per_endpoint > settings.callbacks.concurrency:
        yield "callbacks: per_endpoint must not be above concurrency"
    server = settings.server
    if server.admin_port and (server.admin_host, server.admin_port) == (server.listen_host, server.listen_port):
        yield "server: admin_port must differ from listen_port, or be 0 for no listener of its own"
    yield from _many_processes(settings)


def _many_processes(settings: Settings) -> Iterator[str]:
    """Find what many processes need and one file cannot give."""
    server, missing = settings.server, [role for role in ROLES if role not in {*settings.roles, *OPTIONAL}]
    if missing and not settings.on_postgres:
        yield (
            f"roles: {', '.join(missing)} would run nowhere: a SQLite ledger belongs to one process; leave roles at its"
            " default, or set database to the address of a PostgreSQL"
        )
    if server.workers == 1:
        return
    if not settings.on_postgres:
        yield (
            "server: workers is above 1, but a SQLite ledger belongs to one process; set it to 1, or set database to"
            " the address of a PostgreSQL"
        )
    if "api" not in settings.roles:
        yield "server: workers is above 1, but this process has not the role api; set it to 1, or add api to roles"
    if server.admin_port and 0 < server.listen_port - server.admin_port <= server.workers:
        yield "server: listen_port is among the ports that workers take above admin_port; choose another admin_port"


def _from_file(path: Path, wrong: list[str]) -> list[Given]:
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        wrong.append(f"cannot read the settings file {path}: {error.strerror}")
        return []
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        wrong.append(f"the settings file {path} is not TOML: {error}")
        return []
    given = []
    for item in _flatten(tree, "", f"file {path}"):
        setting = outline().get(item.name)
        if setting is not None and setting.secret:
            wrong.append(_secret_in_file(setting, path))
        else:
            given += _read_secret(item, item.name, wrong)
    return given


def _flatten(tree: Mapping[str, Any], prefix: str, origin: str) -> Iterator[Given]:
    for name, value in tree.items():
        if isinstance(value, dict) and (value or name in sections()):
            yield from _flatten(value, f"{prefix}{name}.", origin)
        else:
            yield Given(prefix + name, value, origin)


def _secret_in_file(setting: Setting, path: Path) -> str:
    leaf = setting.name.rpartition(".")[2]
    return (
        f"{setting.name} is a secret and may not stand in {path}: set {setting.variable} or {setting.variable}_FILE,"
        f" or write {leaf}_file with the path of a file that holds it"
    )


def _from_environment(env: Mapping[str, str], wrong: list[str]) -> Iterator[Given]:
    for variable in sorted(env):
        if not variable.startswith(PREFIX) or variable == FILE_VARIABLE:
            continue
        name = variable.removeprefix(PREFIX).lower().replace("__", ".")
        yield from _read_secret(Given(name, env[variable], f"environment {variable}"), name, wrong)


def _from_flags(flags: Mapping[str, object]) -> Iterator[Given]:
    for name, value in flags.items():
        if value is not None:
            yield Given(name, value, f"flag {name}")


def _read_secret(item: Given, name: str, wrong: list[str]) -> list[Given]:
    """Follow the `_file` form of a secret; everything else stays as it is."""
    plain = name.removesuffix("_file")
    setting = outline().get(plain)
    if plain == name or setting is None or not setting.secret:
        return [item]
    path = Path(str(item.value))
    try:
        return [Given(plain, Secret(path.read_text(encoding="utf-8").strip()), f"{item.origin} ({path})")]
    except (OSError, UnicodeDecodeError) as error:
        wrong.append(f"{plain}: cannot read {path}: {getattr(error, 'strerror', 'not UTF-8')} ({item.origin})")
        return []


def _unknown(item: Given) -> str:
    if item.name in sections():
        return (
            f"{item.name} is a section, not a setting ({item.origin}); name one of its settings, as in {_member(item)}"
        )
    near = get_close_matches(item.name, outline(), n=1, cutoff=0.5)
    if not near:
        leaf = item.name.rpartition(".")[2]
        near = [name for name in outline() if name.rpartition(".")[2] == leaf][:1]
    setting = outline().get(near[0]) if near else None
    if setting is not None and item.origin.startswith("environment "):
        near = [setting.variable]
    hint = f"did you mean {near[0]}?" if near else "see docs/reference/settings.md"
    return f"there is no setting {item.name} ({item.origin}); {hint}"


def _member(item: Given) -> str:
    return next(name for name in outline() if name.startswith(f"{item.name}."))
