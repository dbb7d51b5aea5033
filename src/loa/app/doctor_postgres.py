"""The doctor's look at a ledger on PostgreSQL: is it there, is it ours, does it keep what it promises."""

from collections.abc import Callable, Mapping
from typing import Final

from loa.app.admin_postgres import Remark, ServerState, Weight, lines_needed, look_at, place, remarks
from loa.app.findings import Finding, Level
from loa.errors import LoaError
from loa.settings.tree import Settings

_LEVELS: Final = {Weight.WRONG: Level.FAIL, Weight.POOR: Level.WARN, Weight.NOTE: Level.OK}
NAMES: Final[Mapping[str, tuple[str, Callable[[ServerState], str]]]] = {
    "schema": ("ledger", lambda found: f"schema {found.schema.schema}, {found.octets / 2**20:,.1f} MiB"),
    "safety": ("durability", lambda _found: "commits are on disk when they are told"),
    "health": ("vacuum", lambda _found: "it gets through"),
    "clock": ("server clock", lambda found: f"within {abs(found.ahead_ms):,} ms of ours"),
    "connections": ("connections", lambda found: f"{found.connections.free:,} of {found.connections.most:,} are free"),
}
"""What remarks are about: the finding's name, and what it says where there is nothing to remark."""


async def examine_server(settings: Settings, *, is_running: bool) -> list[Finding]:
    """Look at the server and the ledger on it. `is_running`: our process has its connections already."""
    try:
        found = await look_at(settings)
    except LoaError as error:
        cure = "see that the server runs, that `database` is right, and that this machine may connect (pg_hba.conf)"
        return [Finding("postgresql", Level.FAIL, f"{place(settings)}: {error}", cure)]
    seen = remarks(found, needed=0 if is_running else lines_needed(settings))
    findings = [Finding("postgresql", Level.OK, f"{found.version} at {found.place}, {found.nodes} processes")]
    for about, (name, well) in NAMES.items():
        own = [_finding(name, each) for each in seen if each.about == about]
        findings += own or [Finding(name, Level.OK, well(found))]
    return findings


def _finding(name: str, remark: Remark) -> Finding:
    level = _LEVELS[remark.weight]
    return Finding(name, level, remark.text, "" if level is Level.OK else remark.cure)
