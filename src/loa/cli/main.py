"""The command line: `loa`, and `python -m loa`."""

import typer

from loa.cli.late import LateGroup

app = typer.Typer(
    cls=LateGroup,
    help="Loa, a self-hosted messaging gateway: send over SMS and Zalo, and know what became of it.",
    epilog="\b\nStart here:\n  loa demo              a whole Loa with simulated networks\n"
    "  loa COMMAND --help    what a command does, with examples",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def root() -> None:
    """Take no options of its own: every command has what it needs."""


def main() -> None:
    """Run the command line."""
    app(prog_name="loa")
