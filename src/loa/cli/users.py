"""`loa users`."""

from typing import Annotated, Any

import typer

from loa.app.admin_reach import administer
from loa.cli.command import command, group
from loa.cli.options import Yes
from loa.cli.terminal import Terminal
from loa.domain.roles import Role

app = group("Users: the people who may sign in to the console, and what they did.")

UserName = Annotated[str, typer.Argument(help="The name they sign in with.")]
RoleOption = Annotated[
    Role,
    typer.Option(metavar="ROLE", help=f"What they may do: {', '.join(Role)}; docs/reference/console.md has the table."),
]


@command(app, "add", example="loa users add mai --role admin\nloa users add an@example.vn --role analyst --json")
async def add(terminal: Terminal, name: UserName, *, role: RoleOption) -> None:
    """Add a user and show the link by which they choose password and second factor, once, within 15 minutes."""
    made = await administer(terminal.settings, "users.add", {"name": name, "role": role.value})
    _show_link(terminal, made)


@command(app, "list", example="loa users list")
async def list_all(terminal: Terminal) -> None:
    """List users."""
    rows = await administer(terminal.settings, "users.list", {})
    columns = {
        "id": "ID",
        "name": "NAME",
        "role": "ROLE",
        "canSignIn": "CAN SIGN IN",
        "createdAt": "CREATED",
        "disabledAt": "DISABLED",
    }
    terminal.rows(rows, columns, "there is no user yet; open the link that loa serve shows when it starts")


@command(app, "role", example="loa users role mai owner")
async def set_role(
    terminal: Terminal, name: UserName, role: Annotated[Role, typer.Argument(help="What they may do from now on.")]
) -> None:
    """Give a user another role; they have to sign in again."""
    changed = await administer(terminal.settings, "users.role", {"name": name, "role": role.value})
    terminal.data(changed, f"{changed['name']} is {changed['role']} now")


@command(app, "disable", example="loa users disable mai\nloa users disable mai --yes")
async def disable(terminal: Terminal, name: UserName, yes: Yes = False) -> None:
    """Shut a user out at once: their sign-ins and links end."""
    terminal.confirm(f"{name} is signed out and can sign in no more. Shut them out?", yes=yes)
    changed = await administer(terminal.settings, "users.disable", {"name": name})
    terminal.data(changed, f"{changed['name']} is shut out")


@command(app, "enable", example="loa users enable mai")
async def enable(terminal: Terminal, name: UserName) -> None:
    """Let a user in again, with the password of before."""
    changed = await administer(terminal.settings, "users.enable", {"name": name})
    terminal.data(changed, f"{changed['name']} may sign in again")


@command(app, "reset-link", example="loa users reset-link mai")
async def reset_link(terminal: Terminal, name: UserName) -> None:
    """Show a link by which a user chooses a new password and second factor; their sign-ins end when it is used."""
    _show_link(terminal, await administer(terminal.settings, "users.reset_link", {"name": name}))


@command(app, "audit", example="loa users audit\nloa users audit --limit 20 --before 345 --json")
async def audit(
    terminal: Terminal,
    *,
    limit: Annotated[int, typer.Option(metavar="N", help="How many entries.", min=1, max=1_000)] = 100,
    before: Annotated[
        int | None, typer.Option(metavar="ID", help="Only entries below this id.", show_default=False)
    ] = None,
) -> int:
    """Show the audit log from new to old, and check its whole chain; exit code 1 where an entry does not fit."""
    found = await administer(terminal.settings, "users.audit.list", {"limit": limit, "before": before})
    columns = {
        "id": "ID",
        "at": "AT",
        "who": "WHO",
        "verb": "VERB",
        "subject": "SUBJECT",
        "before": "BEFORE",
        "after": "AFTER",
        "address": "ADDRESS",
    }
    terminal.rows(found["entries"], columns, "nothing has been done yet")
    if found["broken"] is not None:
        terminal.note(f"entry {found['broken']} does not fit to those before it: something was changed or taken away")
    return int(found["broken"] is not None)


def _show_link(terminal: Terminal, made: dict[str, Any]) -> None:
    if not terminal.as_json:
        terminal.note(f"{made['name']} ({made['role']}) opens this once, until {made['linkExpiresAt']}:")
    terminal.data(made, made["link"])
