"""`loa channels`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from loa.app.admin_reach import administer
from loa.cli.command import command, group
from loa.cli.failures import Exit
from loa.cli.terminal import Terminal, words
from loa.cli.values import channel_settings

app = group("Channels: configured connections to providers. Changes reach a running Loa at once.")

Name = Annotated[str, typer.Argument(help="Name of the channel.")]
Pairs = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the channel; repeat it.", show_default=False),
]
Files = Annotated[
    list[str] | None,
    typer.Option(
        "--set-file",
        metavar="NAME=FILE",
        help="A setting read from a file, for secrets; - is standard input.",
        show_default=False,
    ),
]


@command(
    app,
    "add",
    example="""
loa channels add viettel smpp --set host=smsc.example.vn --set system_id=acme --set-file password=./password
loa channels add upstream vendor --set base_url=https://sms.example.vn --set-file api_key=-
loa channels add shop zalo --set app_id=4242 --set oa_id=5797 --set-file app_secret=./app-secret
loa channels add trial sandbox
""",
    takes_set=False,
)
async def add(
    terminal: Terminal,
    name: Name,
    provider: Annotated[str, typer.Argument(help="smpp, vendor, zalo, sandbox, or one that a package added.")],
    settings: Pairs = None,
    files: Files = None,
) -> None:
    """Add a channel; a running Loa connects it at once."""
    given = channel_settings(settings or [], files or [])
    wanted = {"name": name, "provider": provider, "settings": given}
    added = await administer(terminal.settings, "channels.add", wanted)
    terminal.data(added, f"added channel {name} ({provider}); try it with: loa channels test {name}")


@command(app, "providers", example="loa channels providers\nloa channels providers smpp")
async def providers(
    terminal: Terminal,
    name: Annotated[str, typer.Argument(metavar="[PROVIDER]", help="Only this one, with its settings.")] = "",
) -> int:
    """List what a channel can be of; of one, which settings it takes."""
    rows = await administer(terminal.settings, "channels.providers")
    found = [row for row in rows if name in ("", row["name"])]
    if terminal.as_json:
        terminal.line(found)
    elif name:
        fields = [{**each, "default": _default(each)} for row in found for each in row["settings"]]
        columns = {"name": "SETTING", "default": "DEFAULT", "takes": "TAKES", "meaning": "MEANING"}
        terminal.rows(fields, columns, f"there is no provider {name}, or it does not say what it takes")
    else:
        shown = [{"name": row["name"], "settings": str(len(row["settings"]))} for row in found]
        terminal.rows(shown, {"name": "PROVIDER", "settings": "SETTINGS"}, "there is no provider")
    return Exit.OK if found else Exit.NOT_FOUND


@command(app, "list", example="loa channels list\nloa channels list --json")
async def list_all(terminal: Terminal) -> None:
    """List channels and, where Loa runs, how they do."""
    rows = await administer(terminal.settings, "channels.list")
    if terminal.as_json:
        terminal.line(rows)
        return
    shown = [{**row, "state": state_words(row), "window": _window(row)} for row in rows]
    columns = {"id": "ID", "name": "NAME", "provider": "PROVIDER", "state": "STATE", "window": "WINDOW"}
    terminal.rows(shown, columns, "there is no channel yet; add one with: loa channels add NAME PROVIDER")


@command(app, "show", example="loa channels show viettel")
async def show(terminal: Terminal, name: Name) -> None:
    """Show a channel with all its settings; secrets are stars."""
    shown = await administer(terminal.settings, "channels.show", {"name": name})
    if terminal.as_json:
        terminal.line(shown)
        return
    chosen = shown["settings"]
    terminal.fields({"name": shown["name"], "provider": shown["provider"], "state": state_words(shown)})
    rows = [
        {"name": each, "value": words(value), "chosen": "chosen" if each in chosen else "default"}
        for each, value in shown.get("allSettings", chosen).items()
    ]
    terminal.rows(rows, {"name": "SETTING", "value": "VALUE", "chosen": ""}, "it has no settings")


@command(
    app,
    "set",
    example="""
loa channels set viettel --set window=50 --set rate=200
loa channels set viettel --set-file password=./password
loa channels set viettel --unset rate
""",
    takes_set=False,
)
async def change(
    terminal: Terminal,
    name: Name,
    settings: Pairs = None,
    files: Files = None,
    unset: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Back to the default; repeat it.", show_default=False)
    ] = None,
) -> None:
    """Change settings of a channel; the running one finishes what is in flight and connects anew."""
    given = channel_settings(settings or [], files or [])
    wanted = {"name": name, "settings": given, "unset": unset or []}
    terminal.data(await administer(terminal.settings, "channels.set", wanted), f"changed channel {name}")


@command(app, "test", example="loa channels test viettel")
async def test(terminal: Terminal, name: Name) -> int:
    """Try the connection step by step, beside the running links; nothing is sent to a handset."""
    with terminal.working(f"trying {name}"):
        tried = await administer(terminal.settings, "channels.test", {"name": name})
    steps = [f"{'ok  ' if step['ok'] else 'FAIL'}  {step['name']}: {step['detail']}" for step in tried["steps"]]
    terminal.data(tried, "\n".join(steps))
    return Exit.OK if tried["ok"] else Exit.FAILURE


@command(app, "pause", example="loa channels pause viettel")
async def pause(terminal: Terminal, name: Name) -> None:
    """Hand nothing more over; receipts still come in, and messages wait."""
    paused = await administer(terminal.settings, "channels.pause", {"name": name})
    terminal.data(paused, f"channel {name} is paused")


@command(app, "resume", example="loa channels resume viettel")
async def resume(terminal: Terminal, name: Name) -> None:
    """Go on handing over."""
    resumed = await administer(terminal.settings, "channels.resume", {"name": name})
    terminal.data(resumed, f"channel {name} goes on")


def _default(field: Mapping[str, Any]) -> str:
    return "required" if field["needed"] else words(field["default"]) or "empty"


def state_words(row: Mapping[str, Any]) -> str:
    """Say in a few words how a channel does."""
    if row.get("problem"):
        return f"broken: {row['problem']}"
    status = row.get("status")
    if row["paused"]:
        return "paused"
    if status is None:
        return "not running"
    links = f"{status['linksUp']}/{status['links']} links"
    return f"{'ready' if status['ready'] else 'not ready'}, {links}" + (
        f": {status['detail']}" if status["detail"] else ""
    )


def _window(row: Mapping[str, Any]) -> str | None:
    status = row.get("status")
    return None if status is None else f"{status['windowInUse']}/{status['windowSize']}"
