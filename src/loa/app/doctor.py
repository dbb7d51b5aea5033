"""Looks at everything that commonly goes wrong, and says what cures it."""

import os
import resource
import shutil
import socket
import stat
import sys
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import apsw

from loa.app.admin_files import file_state
from loa.app.admin_reach import administer, running
from loa.app.doctor_postgres import examine_server
from loa.app.doctor_seal import seal_findings
from loa.app.doctor_templates import template_findings
from loa.app.findings import Finding, Level
from loa.app.ledgers import RELEASE, backup_time
from loa.errors import LoaError, NotFound
from loa.ledger.sqlite.connection import OLDEST_SQLITE
from loa.observe.clock import SystemClock
from loa.settings.tree import Settings

OLDEST_PYTHON: Final = (3, 11)
FILES_MIN: Final = 4_096
OLDEST_NOW_MS: Final = 1_790_000_000_000
"""Autumn of 2026: a clock before it is wrong."""
SKEW_MS: Final = 60_000
SET_CLOCK: Final = "set the clock and keep it with NTP: lifetimes depend on it"
NETWORK_FILE_SYSTEMS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph", "glusterfs"}
)


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything."""
    about = await running(settings)
    looks: Iterable[Callable[[], Iterable[Finding]]] = (
        lambda: [_python(), *([] if settings.on_postgres else [_sqlite()])],
        lambda: [_clock(settings), _time_zones(), _open_files()],
        lambda: _folder(settings.data_dir),
        lambda: [] if settings.on_postgres else [_disk(settings), _file_system(settings.data_dir)],
        lambda: [_port(settings, about)],
    )
    findings = [finding for look in looks for finding in look()]
    if settings.on_postgres:
        findings += await examine_server(settings, is_running=about is not None)
    else:
        findings.append(_ledger(settings, about))
    reached = _is_reached(settings, findings)
    sealed = await seal_findings(settings, reached=reached)
    if not reached or any(finding.level is Level.FAIL for finding in sealed):
        return [*findings, *sealed]
    return [*findings, *sealed, *await _channels(settings, about)]


def _python() -> Finding:
    have = sys.version.split()[0]
    if sys.version_info >= OLDEST_PYTHON:
        return Finding("python", Level.OK, have)
    return Finding("python", Level.FAIL, have, "install Python 3.11 or newer")


def _sqlite() -> Finding:
    have = apsw.sqlite_lib_version()
    if tuple(int(part) for part in have.split(".")) >= OLDEST_SQLITE:
        return Finding("sqlite", Level.OK, have)
    oldest = ".".join(map(str, OLDEST_SQLITE))
    return Finding("sqlite", Level.FAIL, have, f"install a newer apsw: SQLite before {oldest} can damage a busy ledger")


def _clock(settings: Settings) -> Finding:
    now = SystemClock().now()
    if now >= OLDEST_NOW_MS:
        file = None if settings.on_postgres else settings.ledger_path
        written_ms = file.stat().st_mtime * 1000 if file is not None and file.exists() else 0
        if written_ms <= now + SKEW_MS:
            return Finding("clock", Level.OK, "plausible")
        return Finding("clock", Level.WARN, "the ledger was written in the future", SET_CLOCK)
    return Finding("clock", Level.FAIL, "it runs years late", SET_CLOCK)


def _time_zones() -> Finding:
    try:
        zoneinfo.ZoneInfo("Asia/Ho_Chi_Minh")
    except zoneinfo.ZoneInfoNotFoundError:
        return Finding("time zones", Level.FAIL, "no data for Asia/Ho_Chi_Minh", "install the package tzdata")
    return Finding("time zones", Level.OK, "present")


def _open_files() -> Finding:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY or limit >= FILES_MIN:
        return Finding("open files", Level.OK, f"limit {limit}")
    cure = f"raise it to {FILES_MIN} or more (ulimit -n, LimitNOFILE=): each connection needs one"
    return Finding("open files", Level.WARN, f"limit {limit}", cure)


def _folder(path: Path) -> Iterator[Finding]:
    name = "data folder"
    if not path.exists():
        parent = next(each for each in path.absolute().parents if each.exists())
        if os.access(parent, os.W_OK):
            yield Finding(name, Level.OK, f"{path} will be made")
        else:
            yield Finding(
                name, Level.FAIL, f"{path} cannot be made", f"allow writing in {parent}, or choose another --data"
            )
        return
    if not path.is_dir() or not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(
            name, Level.FAIL, f"{path} cannot be written", "mend its owner and rights, or choose another --data"
        )
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield Finding(name, Level.WARN, f"{path} is open to others ({mode:03o})", f"chmod 700 {path}")
    else:
        yield Finding(name, Level.OK, str(path))


def _existing(path: Path) -> Path:
    return path if path.exists() else next(each for each in path.absolute().parents if each.exists())


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(_existing(settings.data_dir)).free
    floor, reserve = settings.limits.disk_free_min_bytes, settings.ledger.reserve_bytes
    detail = f"{free // 2**20:,} MiB free"
    if free < floor + reserve:
        cure = "free some space: nothing is accepted below limits.disk_free_min_bytes"
        return Finding("disk", Level.FAIL, detail, cure)
    if free < 4 * (floor + reserve):
        return Finding("disk", Level.WARN, detail, "free some space soon")
    return Finding("disk", Level.OK, detail)


def _file_system(path: Path) -> Finding:
    kind = _kind_of_file_system(_existing(path).resolve())
    if kind in NETWORK_FILE_SYSTEMS:
        cure = "move the data folder to a local disk: the ledger's lock and log need one"
        return Finding("file system", Level.FAIL, f"{kind}, over the network", cure)
    return Finding("file system", Level.OK, kind or "not known")


def _kind_of_file_system(path: Path) -> str:
    """Find the mount that holds a path, "" where the system does not tell."""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = ("", "")
    for line in mounts.splitlines():
        _, point, kind, *_ = line.split(" ")
        if path.is_relative_to(point) and len(point) >= len(found[0]):
            found = (point, kind)
    return found[1]


def _port(settings: Settings, about: Mapping[str, Any] | None) -> Finding:
    if about is not None:
        return Finding("port", Level.OK, f"Loa runs at {about['url']} (process {about['pid']})")
    host, port = settings.server.listen_host, settings.server.listen_port
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            detail = f"{host}:{port}: {error.strerror}"
            return Finding("port", Level.FAIL, detail, "choose another with --port, or end what uses it")
    return Finding("port", Level.OK, f"{host}:{port} is free")


def _ledger(settings: Settings, about: Mapping[str, Any] | None) -> Finding:
    try:
        state = file_state(settings.ledger_path)
    except NotFound:
        return Finding("ledger", Level.OK, f"{settings.ledger_path} will be made")
    except LoaError as error:
        return Finding("ledger", Level.FAIL, str(error), "loa ledger check says more; a backup may be needed")
    detail = f"schema {state.schema}, {state.octets / 2**20:,.1f} MiB"
    if state.moved_to:
        cure = "set LOA_DATABASE to that one; the way back is told in docs/how-to/move-to-postgres.md"
        return Finding("ledger", Level.FAIL, f"it was copied to {state.moved_to}, which goes on with it", cure)
    if state.backup_at is not None:
        detail = f"it was restored from a backup of {backup_time(state.backup_at)}: loa serve refuses it"
        return Finding("ledger", Level.FAIL, detail, RELEASE)
    if state.schema > state.serves:
        return Finding("ledger", Level.FAIL, detail, f"run a newer Loa: this one serves up to schema {state.serves}")
    if state.schema < state.serves and about is None:
        return Finding("ledger", Level.WARN, detail, "loa ledger backup FILE, then loa ledger migrate")
    return Finding("ledger", Level.OK, detail)


def _is_reached(settings: Settings, findings: Iterable[Finding]) -> bool:
    """Tell whether the ledger may be opened: not one that is not well, or would be made or migrated by a look."""
    levels = {(finding.name, finding.level) for finding in findings}
    sound = not levels & {("ledger", Level.FAIL), ("ledger", Level.WARN), ("data folder", Level.FAIL)}
    there = ("postgresql", Level.OK) in levels if settings.on_postgres else settings.ledger_path.exists()
    return sound and there


async def _channels(settings: Settings, about: Mapping[str, Any] | None) -> list[Finding]:
    try:
        rows = await administer(settings, "channels.list")
        grants = await administer(settings, "grants.list")
        templates = await administer(settings, "templates.list")
    except LoaError as error:
        cure = "loa ledger check says more" if settings.on_postgres else "end the process that owns the ledger"
        return [Finding("channels", Level.FAIL, str(error), cure)]
    if not rows:
        return [Finding("channels", Level.WARN, "there is none", "loa channels add NAME PROVIDER")]
    shown = [_channel(row, is_running=about is not None) for row in rows]
    return [*shown, *map(grant_finding, grants), *template_findings(templates)]


def _channel(row: Mapping[str, Any], *, is_running: bool) -> Finding:
    name = f"channel {row['name']}"
    if row["problem"]:
        return Finding(name, Level.FAIL, row["problem"], f"loa channels set {row['name']} --set NAME=VALUE")
    if row["paused"]:
        return Finding(name, Level.WARN, "paused: its messages wait", f"loa channels resume {row['name']}")
    status = row["status"]
    if not is_running or status is None:
        return Finding(name, Level.OK, "not running")
    detail = f"{status['linksUp']} of {status['links']} links up" + (
        f": {status['detail']}" if status["detail"] else ""
    )
    if status["linksUp"] < status["links"] or not status["ready"]:
        return Finding(name, Level.WARN, detail, f"loa channels test {row['name']}")
    return Finding(name, Level.OK, detail)


def grant_finding(row: Mapping[str, Any]) -> Finding:
    """Say how a channel's grant stands, from what `grants.list` shows of it."""
    name = f"grant {row['channel']}"
    if row["consentNeeded"]:
        detail = f"a person must consent: {row['consentNeeded']}"
        if row.get("accessExpiresAt"):
            detail += f"; its last token is good until {row['accessExpiresAt']}"
        return Finding(name, Level.FAIL, detail, f"loa zalo connect {row['channel']}")
    detail = f"issued {row['issuedAt']}, access until {row['accessExpiresAt']}"
    if row["alarms"]:
        cure = "run a Loa with the role dispatch that reaches the provider; its log says why it did not renew"
        return Finding(name, Level.WARN, f"{detail}: {', '.join(row['alarms'])}", cure)
    return Finding(name, Level.OK, detail)
