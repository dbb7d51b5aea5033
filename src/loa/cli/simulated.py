"""What the commands below `loa simulate` share: their options, running until a signal, telling what happens."""

import asyncio
import contextlib
import inspect
import json
import tomllib
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from loa.cli import process, script_flags
from loa.cli.failures import Unwell
from loa.cli.terminal import Terminal
from loa.cli.values import read_text
from loa.errors import CallerError

Host = Annotated[str, typer.Option(metavar="ADDRESS", help="Where it listens.")]
Journal = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write everything down here; a new run goes on.", show_default=False),
]
ControlPort = Annotated[
    int | None,
    typer.Option(metavar="N", help="Port to change the script while it runs; 0 for a free one.", show_default=False),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Do not show what happens.")]

Body = Callable[..., int]


def scripted(script: type, texts: Mapping[str, str]) -> Callable[[Body], Body]:
    """Give a command one flag for each field of a script; the command takes them as `**script`."""

    def declare(body: Body) -> Body:
        own = list(inspect.signature(body, eval_str=True).parameters.values())[:-1]
        signature = inspect.Signature([*own, *script_flags.parameters(script, texts)])
        body.__signature__ = signature  # type: ignore[attr-defined]
        return body

    return declare


async def until_told(simulator: Coroutine[Any, Any, None]) -> int:
    """Run a simulator until a signal comes. Errors: Unwell when it cannot listen or write."""
    running = asyncio.create_task(simulator)
    process.on_signal(running.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await running
    except OSError as error:
        raise Unwell(f"the simulator cannot run: {error.strerror or error}") from error
    return 0


def announce(terminal: Terminal, ready: Mapping[str, Any], text: str) -> None:
    """Say where a simulator listens: one line of JSON, or a sentence."""
    if terminal.as_json:
        terminal.line(ready)
    else:
        terminal.note(f"{text}; Ctrl-C ends it")


def show(terminal: Terminal, kind: str, event: Mapping[str, Any]) -> None:
    """Show one thing that happened."""
    if terminal.as_json:
        terminal.line({"event": kind, **_readable(event)})
        return
    shown = "  ".join(f"{name}={value}" for name, value in _readable(event).items() if value not in (None, "", (), 0))
    terminal.text(f"{kind:<11} {shown}")


def _readable(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in event.items()}


def document(path: Path) -> dict[str, Any]:
    """Read a JSON or TOML file that holds one object. Errors: CallerError."""
    written = read_text(str(path))
    try:
        found = tomllib.loads(written) if path.suffix == ".toml" else json.loads(written)
    except ValueError as wrong:
        raise CallerError("file", f"{path} is neither JSON nor, ending in .toml, TOML: {wrong}") from None
    if not isinstance(found, dict):
        raise CallerError("file", f"{path} must hold one object of named values")
    return found
