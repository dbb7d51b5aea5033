"""`loa templates`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from loa.app.admin_reach import administer
from loa.cli.command import command, group
from loa.cli.failures import Exit
from loa.cli.terminal import Terminal
from loa.cli.values import read_text
from loa.errors import CallerError

app = group("Templates that providers have approved for a channel, and how they read as plain text.")

Channel = Annotated[str, typer.Argument(help="Name of the channel.")]
TemplateId = Annotated[str, typer.Argument(help="Its id at the provider.")]


@command(app, "list", example="loa templates list\nloa templates list shop --json")
async def list_all(
    terminal: Terminal,
    channel: Annotated[str | None, typer.Argument(help="Name of the channel; all of them without it.")] = None,
) -> None:
    """List templates, and when they were last read from the provider."""
    said = await administer(terminal.settings, "templates.list", {"channel": channel})
    if terminal.as_json:
        terminal.line(said)
        return
    columns = {
        "channel": "CHANNEL",
        "templateId": "ID",
        "name": "NAME",
        "status": "STATUS",
        "tag": "TAG",
        "quality": "QUALITY",
        "text": "TEXT",
    }
    terminal.rows(said["templates"], columns, "there is no template yet; read them with: loa templates sync CHANNEL")
    for look in said["looks"]:
        terminal.note(_look_words(look))


@command(app, "show", example="loa templates show shop 302117")
async def show(terminal: Terminal, channel: Channel, template_id: TemplateId) -> None:
    """Show a template with its parameters, price and quota."""
    shown = await administer(terminal.settings, "templates.show", {"channel": channel, "template_id": template_id})
    if terminal.as_json:
        terminal.line(shown)
        return
    rows = shown.pop("parameters")
    terminal.fields(shown)
    columns = {
        "name": "PARAMETER",
        "kind": "KIND",
        "required": "REQUIRED",
        "acceptsEmpty": "MAY BE EMPTY",
        "minLength": "AT LEAST",
        "maxLength": "AT MOST",
    }
    terminal.rows(rows, columns, "it has no parameters")


@command(
    app,
    "text",
    example="""
loa templates text shop 302117 "Ma OTP cua ban la <otp>"
loa templates text shop 302117 --from-file otp.txt
loa templates text shop 302117 --clear
""",
)
async def text(
    terminal: Terminal,
    channel: Channel,
    template_id: TemplateId,
    text: Annotated[
        str | None, typer.Argument(help="The text as it is sent over SMS, with <name> for each parameter.")
    ] = None,
    from_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Read it from a file; - is standard input.", show_default=False)
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="No plain text is this template any more.")] = False,
) -> None:
    """Say how a template reads as plain text, so that such texts are sent with it."""
    if (text is not None) + (from_file is not None) + clear != 1:
        raise CallerError("text", "give the text, --from-file FILE or --clear")
    wanted = "" if clear else text if text is not None else read_text(from_file or "-")
    if not clear and not wanted.strip():
        raise CallerError("text", "the text is empty; --clear takes a text away")
    args = {"channel": channel, "template_id": template_id, "text": wanted}
    kept = await administer(terminal.settings, "templates.text", args)
    said = f"{kept['name']} reads: {kept['text']}" if kept["text"] else f"{kept['name']} has no text any more"
    terminal.data(kept, said)


@command(app, "sync", example="loa templates sync shop")
async def sync(terminal: Terminal, channel: Channel) -> None:
    """Have the Loa that runs the channel read its templates anew; it does so within a minute."""
    asked = await administer(terminal.settings, "templates.sync", {"channel": channel})
    terminal.data(asked, f"asked; see what came of it with: loa templates list {channel}")


@command(app, "match", example='loa templates match shop "Ma OTP cua ban la 482913"')
async def match(
    terminal: Terminal,
    channel: Channel,
    text: Annotated[str, typer.Argument(help="A text as a program would send it.")],
) -> int:
    """Say which template a plain text is and with which values, or why it is none; the exit code is 0 for one."""
    said = await administer(terminal.settings, "templates.match", {"channel": channel, "text": text})
    if terminal.as_json:
        terminal.line(said)
    elif said["result"] == "match":
        terminal.fields({"template": f"{said['name']} ({said['templateId']})", **said["data"]})
    else:
        terminal.text(_ambiguous(said) if said["result"] == "ambiguous" else _none(said))
    return Exit.OK if said["result"] == "match" else Exit.FAILURE


def _ambiguous(said: Mapping[str, Any]) -> str:
    names = ", ".join(f"{each['name']} ({each['templateId']})" for each in said["templates"])
    return f"refused, it fits several templates: {names}"


def _none(said: Mapping[str, Any]) -> str:
    if said["notEnabled"]:
        return f"no template that may be sent; it would be {said['notEnabled']} if that were enabled"
    near = said["nearest"]
    if near is None:
        return "no template: none that may be sent has a text; see: loa templates text"
    why = near["problem"] or (f"then {near['expected']!r} must follow" if near["expected"] else "then it must end")
    return f"no template; nearest is {near['name']} ({near['templateId']}), up to character {near['follows']}: {why}"


def _look_words(look: Mapping[str, Any]) -> str:
    done = f"read at {look['doneAt']}" if look["doneAt"] else "never read"
    return f"{look['channel']}: {done}" + (f"; the last try failed: {look['problem']}" if look["problem"] else "")
