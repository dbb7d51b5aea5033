"""`loa config`."""

from typing import Annotated

import typer

from loa.cli.command import command, group
from loa.cli.terminal import Terminal
from loa.settings import show as showing

app = group("Settings: flags before environment (LOA_…) before one TOML file before defaults.")


@command(
    app,
    "show",
    example="""
loa config show --origin
loa config show --config loa.toml --json
""",
)
def show(
    terminal: Terminal,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value came from.")] = False,
) -> None:
    """Show the settings in force, as a file that can be loaded again; secrets are stars."""
    rows = [{"name": row.name, "value": row.value, "origin": row.origin} for row in showing.rows(terminal.loaded)]
    terminal.data(rows, showing.to_toml(terminal.loaded, origin=origin).rstrip("\n"))


@command(app, "check", example="loa config check --config loa.toml")
def check(terminal: Terminal) -> None:
    """Check the settings; every mistake is named at once."""
    changed = sum(origin != "default" for origin in terminal.loaded.origins.values())
    terminal.data({"ok": True, "changed": changed}, f"the settings are fine; {changed} differ from the defaults")


@command(app, "reference", example="loa config reference", settings=False)
def reference(terminal: Terminal) -> None:
    """Print the page about every setting, as Markdown."""
    page = showing.reference_page().rstrip("\n")
    terminal.data({"markdown": page}, page)
