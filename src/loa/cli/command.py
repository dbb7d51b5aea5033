"""One way to declare a command: its options beside those all commands share, its example, and how it fails.

A command is a plain or an async function whose first argument is the terminal. An expected error ends it with one
sentence on standard error (a JSON object with `--json`) and the exit code of `failures`.
"""

import asyncio
import inspect
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from loa.cli.failures import Exit, exit_for
from loa.cli.terminal import Terminal
from loa.errors import LoaError
from loa.observe.log import configure

Body = Callable[..., Any]

_JSON: Final = Annotated[bool, typer.Option("--json", help="Write data as JSON.")]
_DATA: Final = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Folder for everything Loa keeps.", show_default=False)
]
_CONFIG: Final = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings file (TOML).", show_default=False)
]
_SET: Final = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any setting; may be repeated.", show_default=False),
]


def group(text: str) -> typer.Typer:
    """Make a group of commands."""
    return typer.Typer(help=text, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


def command(
    app: typer.Typer, name: str, *, example: str, settings: bool = True, takes_set: bool = True
) -> Callable[[Body], Body]:
    """Declare a command. `settings`: it reads settings; `takes_set`: `--set` means a setting there."""

    def declare(body: Body) -> Body:
        own = list(inspect.signature(body, eval_str=True).parameters.values())[1:]
        shared = _shared(settings=settings, takes_set=settings and takes_set)

        def run(**given: Any) -> None:
            _run(body, given, [parameter.name for parameter in shared])

        run.__name__ = body.__name__
        run.__doc__ = body.__doc__
        parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *shared)]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        app.command(name, help=_help(body), epilog=_epilog(example), no_args_is_help=False)(run)
        return body

    return declare


def _shared(*, settings: bool, takes_set: bool) -> list[inspect.Parameter]:
    wanted: list[tuple[str, Any, Any]] = [("as_json", _JSON, False)]
    if settings:
        wanted += [("data", _DATA, None), ("config", _CONFIG, None)]
    if takes_set:
        wanted.append(("settings", _SET, None))
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(name, keyword, default=default, annotation=kind) for name, kind, default in wanted]


def _help(body: Body) -> str:
    return inspect.getdoc(body) or ""


def _epilog(example: str) -> str:
    # The mark keeps the help from joining the lines.
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in example.strip().splitlines())


def _run(body: Body, given: dict[str, Any], shared: list[str]) -> None:
    options = {name: given.pop(name) for name in shared}
    if options.get("settings") is None:
        options.pop("settings", None)
    as_json = bool(options["as_json"])
    # A command says itself what went wrong; what its parts would log is for programs that go on.
    configure(json=False, level="critical")
    try:
        answer = body(Terminal(**options), **given)
        code = asyncio.run(answer) if inspect.iscoroutine(answer) else answer
    except LoaError as error:
        tell(error, as_json=as_json)
        raise typer.Exit(exit_for(error)) from None
    except BrokenPipeError:
        _forget_output()
        raise typer.Exit(128 + signal.SIGPIPE) from None
    except KeyboardInterrupt:
        raise typer.Exit(128 + signal.SIGINT) from None
    raise typer.Exit(int(code or Exit.OK))


def tell(error: LoaError, *, as_json: bool) -> None:
    """Say what went wrong on standard error."""
    if as_json:
        said = {"error": error.code, "detail": str(error), "exit": int(exit_for(error))}
        sys.stderr.write(json.dumps(said, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"Error: {error}\n")


def _forget_output() -> None:
    """Keep the interpreter from failing once more when it closes a pipe nobody reads."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
