"""Writes docs/reference/cli.md from the commands themselves: `python -m loa.cli.reference`."""

import inspect
import sys
from collections.abc import Iterator
from typing import Any, Final

from loa.cli.failures import MEANINGS
from loa.cli.late import COMMANDS, load_command

_INTRODUCTION: Final = """# Command line

`loa COMMAND --help` says the same with less. Data goes to standard output, everything else to standard error. With
`--json` data is JSON: one document, or one a line where a command goes on, with members in camel case; a failure is
then one JSON object `{"error", "detail", "exit"}` on standard error. Colour and progress appear on terminals only, and
`NO_COLOR` is respected. `loa --install-completion` installs completion for bash, zsh and fish.

Commands that change something ask the Loa that runs on the same data folder, through its control socket
`loa.sock`, which only its user may open: the change takes effect at once. Where none runs they open the ledger
themselves, for as long as they take.

This page is generated from the commands by `python -m loa.cli.reference`.

## Exit codes

| Code | Meaning |
|---|---|
"""
_SHARED: Final = {
    "--json": "Write data as JSON.",
    "--data DIR": "Folder for everything Loa keeps.",
    "--config FILE": "Settings file (TOML).",
    "--set NAME=VALUE": "Any setting; may be repeated.",
}


def reference_page() -> str:
    """Write the page."""
    lines = [_INTRODUCTION.rstrip("\n")]
    lines += [f"| {code.value} | {meaning} |" for code, meaning in MEANINGS.items()]
    lines += ["| 130, 143 | ended by Ctrl-C or SIGTERM before it was done |", "", "## Options all commands share", ""]
    lines += ["| Option | Meaning |", "|---|---|"]
    lines += [f"| `{option}` | {meaning} |" for option, meaning in _SHARED.items()]
    lines += [
        "",
        "Commands that need no settings take `--json` alone; `channels add` and `channels set` use `--set` for",
    ]
    lines += ["the settings of the channel."]
    for name in COMMANDS:
        lines += _command(load_command(name), f"loa {name}", depth=2)
    return "\n".join(lines) + "\n"


def _command(command: Any, path: str, *, depth: int) -> Iterator[str]:
    yield from ("", f"{'#' * depth} {path}", "", inspect.cleandoc(command.help))
    below = getattr(command, "commands", None)
    if below is not None:
        for name, each in below.items():
            yield from _command(each, f"{path} {name}", depth=depth + 1)
        return
    rows = [_row(each) for each in command.params if _option(each) not in _SHARED and each.name != "help"]
    if rows:
        yield from ("", "| Argument or option | Meaning |", "|---|---|", *rows)
    examples = command.epilog.removeprefix("\b\nExamples:\n")
    yield from ("", "```sh", inspect.cleandoc(examples), "```")


def _option(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    names = ", ".join((*parameter.opts, *parameter.secondary_opts))
    return f"{names} {'' if parameter.is_flag else parameter.metavar}".rstrip()


def _row(parameter: Any) -> str:
    default = parameter.default
    said = f" Without it: `{default}`." if _worth_saying(parameter, default) else ""
    needed = " Required." if parameter.required and parameter.param_type_name == "option" else ""
    option = _option(parameter).replace("|", "\\|")
    return f"| `{option}` | {parameter.help}{said}{needed} |"


def _worth_saying(parameter: Any, default: Any) -> bool:
    return parameter.show_default is not False and default not in (None, "", False, ()) and not parameter.required


if __name__ == "__main__":
    sys.stdout.write(reference_page())
