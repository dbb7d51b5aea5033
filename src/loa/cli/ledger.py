"""`loa ledger`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from loa.app import admin_files, admin_postgres, ledger_copy
from loa.app.admin_reach import administer
from loa.app.ledgers import backup_time
from loa.cli.command import command, group
from loa.cli.failures import Exit
from loa.cli.progress import bar
from loa.cli.terminal import Terminal
from loa.errors import CallerError, NotFound
from loa.observe.clock import SystemClock

app = group("The ledger: the file or database in which everything accepted is written down.")


@command(app, "status", example="loa ledger status\nloa ledger status --json")
async def status(terminal: Terminal) -> None:
    """Say how large the ledger is, what waits in it, and which receipts match no message."""
    settings = terminal.settings
    state = await _server_state(terminal) if settings.on_postgres else _file_state(terminal)
    lanes = await administer(settings, "ledger.lanes")
    orphans = await administer(settings, "ledger.orphans")
    ping = await administer(settings, "ledger.ping")
    shown = {**state, "commitMs": ping["elapsedMs"], "lanes": lanes, "orphans": orphans}
    if terminal.as_json:
        terminal.line(shown)
        return
    terminal.fields({name: value for name, value in shown.items() if name not in ("lanes", "orphans")})
    columns = {"channel": "CHANNEL", "class": "CLASS", "queued": "QUEUED", "oldestDueAt": "OLDEST DUE"}
    terminal.rows(lanes, columns, "nothing waits")
    columns = {"channel": "CHANNEL", "count": "RECEIPTS WITHOUT A MESSAGE", "oldestAt": "OLDEST"}
    terminal.rows(orphans, columns, "every receipt has its message")


def _file_state(terminal: Terminal) -> dict[str, Any]:
    state = admin_files.file_state(terminal.settings.ledger_path)
    shown = {"path": str(state.path), "bytes": state.octets, "schema": state.schema}
    return shown if state.backup_at is None else {**shown, "backupAt": backup_time(state.backup_at)}


async def _server_state(terminal: Terminal) -> dict[str, Any]:
    found = await admin_postgres.look_at(terminal.settings)
    return {
        "database": found.place,
        "server": f"PostgreSQL {found.version}",
        "bytes": found.octets,
        "schema": found.schema.schema,
        "processes": found.nodes,
        **({"restored": True} if found.restored else {}),
    }


@command(
    app,
    "migrate",
    example="""
loa ledger backup before.db
loa ledger migrate
LOA_DATABASE=postgresql://loa:…@db1/loa LOA_POSTGRES__OWNER=postgresql://loa_owner:…@db1/loa loa ledger migrate
""",
)
async def migrate(
    terminal: Terminal,
    *,
    finish: Annotated[
        bool, typer.Option("--finish", help="Take away what only older programs need; on PostgreSQL alone.")
    ] = False,
) -> None:
    """Bring the ledger to the schema of this program; make a backup first.

    On PostgreSQL this works beside running processes: it only adds, and grants the role of `database` what it needs.
    `postgres.owner` names the role that owns the tables, where that is another one. When no older process is left,
    --finish takes away what only those needed.
    """
    if terminal.settings.on_postgres:
        await _migrate_server(terminal, finish=finish)
    elif finish:
        raise CallerError("finish", "--finish is for PostgreSQL: a ledger file is migrated at once")
    else:
        await _migrate_file(terminal)


async def _migrate_server(terminal: Terminal, *, finish: bool) -> None:
    settings = terminal.settings
    before = await admin_postgres.schema_of(settings)
    with terminal.working("migrating the ledger"):
        done = await admin_postgres.migrate_schema(settings, finish=finish)
    after = await admin_postgres.schema_of(settings)
    shown = {"database": admin_postgres.place(settings), "before": before, "after": after, "done": done}
    terminal.data(shown, "\n".join(done) if done else f"schema {after}, up to date")


async def _migrate_file(terminal: Terminal) -> None:
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
    """Copy the ledger to a new file while work goes on; it appears only when it is whole.

    A PostgreSQL database is backed up by the tools of its server, pg_dump and pg_basebackup.
    """
    if terminal.settings.on_postgres:
        raise admin_postgres.refuse_backup(terminal.settings)
    with bar(terminal, "copying the ledger") as told:
        octets = admin_files.back_up(
            terminal.settings.ledger_path, target, lambda done, pages: told("copying the ledger", done, pages)
        )
    terminal.data({"path": str(target), "bytes": octets}, f"{target}: {octets:,} bytes")


@command(app, "release", example="loa ledger release --hold\nloa ledger release --send")
async def release(
    terminal: Terminal,
    *,
    hold: Annotated[
        bool, typer.Option("--hold", help="End all that waits as unknown: the original may have sent it.")
    ] = False,
    send: Annotated[
        bool, typer.Option("--send", help="Send what waits: right only if nothing was sent since the backup.")
    ] = False,
) -> None:
    """Let a ledger that was restored from a backup go on; until then loa serve refuses it.

    With --hold, all that is queued, on its way or waiting as unknown becomes finally unknown, "restored from a backup";
    its tenants are told, and it is never sent. With --send the queue goes on as if nothing had happened. If the command
    is broken off, run it again.
    """
    if hold == send:
        raise CallerError("way", "name one: --hold ends what waits as unknown, --send sends it")
    with terminal.working("releasing the ledger"):
        done = await administer(terminal.settings, "ledger.release", {"hold": hold})
    terminal.data(done, _said_of_release(done))


def _said_of_release(done: dict[str, Any]) -> str:
    what = "ended as unknown, never to be sent" if done["way"] == "hold" else "queued, to be sent once Loa starts"
    counts = ", ".join(f"{count:,} {name}" for name, count in done["messages"].items())
    return f"{what}: {counts}\nthe ledger goes on: start Loa"


@command(
    app,
    "copy",
    example="""
loa ledger copy --from sqlite:////var/lib/loa/loa.db --to postgresql://loa:…@db1/loa
LOA_DATABASE=postgresql://loa:…@db1/loa loa ledger copy --data /var/lib/loa
""",
)
async def copy(
    terminal: Terminal,
    *,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="URL", help="sqlite:///PATH; the ledger file of the settings without.", show_default=False
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="URL", help="postgresql://…, an empty database; `database` without.", show_default=False
        ),
    ] = None,
) -> None:
    """Copy a ledger file into a PostgreSQL database, prove that it is whole, and let work go on there.

    Stop the Loa of the file first. A copy that was broken off goes on where it stopped when the command is run again.
    At the end the file is marked, so that no Loa starts on it: both would send what is queued. An address in --to can
    be read by other users of this machine while the command runs; in LOA_DATABASE it cannot.
    """
    chosen = ledger_copy.ends(terminal.settings, source, target)
    with bar(terminal, "looking") as told:
        copied = await ledger_copy.copy_ledger(chosen, SystemClock(), told)
    terminal.data(
        {"from": str(chosen.path), "to": copied.place, "again": copied.again, "rows": copied.rows},
        _said_of_copy(copied, chosen.path),
    )


def _said_of_copy(copied: ledger_copy.Copied, path: Path) -> str:
    rows = sum(copied.rows.values())
    if copied.again:
        return f"{copied.place} has had all {rows:,} rows already"
    return (
        f"copied {rows:,} rows, {copied.rows['message']:,} of them messages, to {copied.place}:"
        " counts and digests agree\n"
        f"{path} is marked, no Loa starts on it any more: set LOA_DATABASE to the new one and start Loa"
    )


@command(app, "check", example="loa ledger check\nloa ledger check --file /backups/loa-2026-11-24.db")
async def check(
    terminal: Terminal,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Another file, such as a backup.", show_default=False)
    ] = None,
) -> int:
    """Read the whole ledger and look for damage; works beside a running Loa.

    Of a PostgreSQL database: whether its schema, the walls between tenants, its partitions and the settings of the
    server are as they must be. What is only worth knowing is noted and is no failure.
    """
    if terminal.settings.on_postgres and file is None:
        return await _check_server(terminal)
    path = file or terminal.settings.ledger_path
    with terminal.working(f"reading {path}"):
        findings = admin_files.check(path)
    said = "\n".join(findings) if findings else f"{path} is sound"
    terminal.data({"path": str(path), "ok": not findings, "findings": findings}, said)
    return Exit.FAILURE if findings else Exit.OK


async def _check_server(terminal: Terminal) -> int:
    with terminal.working("looking"):
        found = await admin_postgres.look_at(terminal.settings)
    seen = admin_postgres.remarks(found)
    findings = [str(each) for each in seen if each.weight is not admin_postgres.Weight.NOTE]
    notes = [str(each) for each in seen if each.weight is admin_postgres.Weight.NOTE]
    lines = [*findings, *(f"note: {text}" for text in notes), *([] if findings else [f"{found.place} is sound"])]
    shown = {"database": found.place, "ok": not findings, "findings": findings, "notes": notes}
    terminal.data(shown, "\n".join(lines))
    return Exit.FAILURE if findings else Exit.OK
