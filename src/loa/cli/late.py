"""The top of the command line: it knows every command's name and line, and loads only the one that runs.

A gateway's parts take most of a second to load; `loa --help`, a spelling mistake or `loa keys list` need none of them.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Late(NamedTuple):
    """A command that is loaded when it runs. `module` holds its group as `app`; `alone`: the group is one command."""

    module: str
    line: str
    alone: bool = False


COMMANDS: Final[Mapping[str, Late]] = {
    "demo": Late("loa.cli.demo", "Run a whole Loa with simulated networks, to try it.", alone=True),
    "serve": Late("loa.cli.serve", "Run the gateway.", alone=True),
    "send": Late("loa.cli.send", "Send a message through a running Loa.", alone=True),
    "messages": Late("loa.cli.messages", "List, show, follow and settle messages."),
    "keys": Late("loa.cli.keys", "API keys: create, list, revoke."),
    "tenants": Late("loa.cli.tenants", "Tenants: add, list, policies."),
    "senders": Late("loa.cli.senders", "Senders: add, list."),
    "users": Late("loa.cli.users", "Users of the console: add, list, role, disable, enable, reset-link, audit."),
    "channels": Late("loa.cli.channels", "Channels: add, list, show, set, test, pause, resume."),
    "zalo": Late("loa.cli.zalo", "Grants of Zalo channels: connect, list, bring a token along."),
    "templates": Late("loa.cli.templates", "Templates of a channel: list, show, text, sync, match."),
    "routes": Late("loa.cli.routes", "Routes: add, list, remove, explain."),
    "endpoints": Late("loa.cli.endpoints", "Endpoints that take callbacks: add, list, change, test."),
    "callbacks": Late("loa.cli.callbacks", "Callbacks once more."),
    "ledger": Late("loa.cli.ledger", "The ledger: status, migrate, backup, check, copy."),
    "seal": Late("loa.cli.seal", "Master keys: status, rotate, abandon."),
    "doctor": Late("loa.cli.doctor", "Look for what is wrong, and say how to cure it.", alone=True),
    "certify": Late("loa.cli.certify", "Prove on this machine that nothing accepted is lost.", alone=True),
    "config": Late("loa.cli.config", "Settings: show, check, reference."),
    "simulate": Late("loa.cli.simulate", "Simulators: SMSC, callback receiver, Zalo."),
    "version": Late("loa.cli.version", "Say which Loa this is.", alone=True),
}


class LateGroup(TyperGroup):
    """A group whose commands are loaded one at a time."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        stubs = {name: TyperCommand(name, help=late.line, rich_markup_mode=None) for name, late in COMMANDS.items()}
        self.commands = dict(stubs)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that runs, and load it."""
        name, stub, rest = super().resolve_command(ctx, args)
        return name, stub if name is None else load_command(name), rest


def load_command(name: str) -> Any:
    """Load a command of the table, with everything below it."""
    late = COMMANDS[name]
    app: typer.Typer = import_module(late.module).app
    loaded = typer.main.get_command(app) if late.alone else typer.main.get_group(app)
    loaded.name = name
    return loaded
