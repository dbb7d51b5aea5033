"""`loa ledger`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from loa.app import admin_files
from loa.app.admin_reach import administer
from loa.cli.command import command, group
from loa.cli.failures import Exit
from loa.cli.terminal import Terminal
from loa.errors import NotFound

app = group("The ledger: the file in which everything accepted is written down.")


@command(app, "status", example="loa ledger status\nloa ledger status --json")
async def status(terminal: Terminal) -> None:
    """Say how large the ledger is, what waits in it, and which receipts match no message."""
    settings = terminal.settings
    state = admin_files.file_state(settings.ledger_path)
    lanes = await administer(settings, "ledger.lanes")
    orphans = await administer(settings, "ledger.orphans")
    ping = await administer(settings, "ledger.ping")
    shown = {
        "path": str(state.path),
        "bytes": state.octets,
        "schema": state.schema,
        "commitMs": ping["elapsedMs"],
        "lanes": lanes,
        "orphans": orphans,
    }
    if terminal.as_json:
        terminal.line(shown)
        return
    terminal.fields({name: value for name, value in shown.items() if name not in ("lanes", "orphans")})
    columns = {"channel": "CHANNEL", "class": "CLASS", "queued": "QUEUED", "oldestDueAt": "OLDEST DUE"}
    terminal.rows(lanes, columns, "nothing waits")
    columns = {"channel": "CHANNEL", "count": "RECEIPTS WITHOUT A MESSAGE", "oldestAt": "OLDEST"}
    terminal.rows(orphans, columns, "every receipt has its message")


@command(app, "migrate", example="loa ledger backup before.db\nloa ledger migrate")
async def migrate(terminal: Terminal) -> None:
    """Bring the ledger to the schema of this program; make a backup first."""
    path = terminal.settings.ledger_path
    before = _schema(path)
    with terminal.working("migrating the ledger"):
        await administer(terminal.settings, "ledger.ping")
    after = _schema(path)
    said = f"migrated the ledger from schema {before} to {after}" if before != after else f"schema {after}, up to date"
    terminal.data({"path": str(path), "before": before, "after": after}, said)


def _schema(path: Path) -> int:
    try:
        return admin_files.file_state(path).schema
    except NotFound:
        return 0


@command(app, "backup", example="loa ledger backup /backups/loa-2026-11-24.db")
def backup(
    terminal: Terminal,
    target: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; one that is there is not overwritten.")],
) -> None:
    """Copy the ledger to a new file while work goes on; it appears only when it is whole."""
    parts = (TextColumn("copying the ledger"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    hidden = terminal.as_json or not terminal.err.is_terminal
    with Progress(*parts, console=terminal.err, transient=True, disable=hidden) as bar:
        task = bar.add_task("copy")

        def told(done: int, pages: int) -> None:
            bar.update(task, completed=done, total=pages)

        octets = admin_files.back_up(terminal.settings.ledger_path, target, told)
    terminal.data({"path": str(target), "bytes": octets}, f"{target}: {octets:,} bytes")


@command(app, "check", example="loa ledger check\nloa ledger check --file /backups/loa-2026-11-24.db")
def check(
    terminal: Terminal,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Another file, such as a backup.", show_default=False)
    ] = None,
) -> int:
    """Read the whole ledger and look for damage; works beside a running Loa."""
    path = file or terminal.settings.ledger_path
    with terminal.working(f"reading {path}"):
        findings = admin_files.check(path)
    said = "\n".join(findings) if findings else f"{path} is sound"
    terminal.data({"path": str(path), "ok": not findings, "findings": findings}, said)
    return Exit.FAILURE if findings else Exit.OK
