"""`loa version`."""

import platform

import apsw

from loa import __version__
from loa.cli.command import command, group
from loa.cli.terminal import Terminal

app = group("Say which Loa this is.")


@command(app, "version", example="loa version\nloa version --json", settings=False)
def version(terminal: Terminal) -> None:
    """Say which Loa this is, and what it runs on."""
    shown = {
        "loa": __version__,
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "system": platform.platform(),
    }
    terminal.data(shown)
