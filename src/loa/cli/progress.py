"""How far a long command is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from loa.cli.terminal import Terminal

Told = Callable[[str, int, int], None]
"""Told what is done, how much of it, of how much."""


@contextmanager
def bar(terminal: Terminal, text: str) -> Iterator[Told]:
    """Show how far something is, on a terminal only; gives what is to be told."""
    parts = (TextColumn("{task.description:<24}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    hidden = terminal.as_json or not terminal.err.is_terminal
    with Progress(*parts, console=terminal.err, transient=True, disable=hidden) as shown:
        task = shown.add_task(text)
        yield lambda what, done, total: shown.update(task, description=what, completed=done, total=total)
