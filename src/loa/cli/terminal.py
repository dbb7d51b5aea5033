"""What a command works with: its settings, and a terminal that keeps data and talk apart.

Data goes to standard output, everything else to standard error. With `--json` data is JSON, one document a command,
or one a line where a command goes on. Colour and progress appear on a terminal only; NO_COLOR is respected.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loa.errors import CallerError, ConfigError
from loa.settings.load import Loaded, load
from loa.settings.tree import Settings

WIDE = 10_000
"""Columns where no terminal sets a limit: what is piped on is never cut or wrapped."""


class Terminal:
    """One command's way to its settings and to people."""

    def __init__(
        self,
        *,
        as_json: bool = False,
        data: Path | None = None,
        config: Path | None = None,
        settings: Sequence[str] = (),
    ) -> None:
        self.as_json = as_json
        self._config = config
        self._flags: dict[str, object] = dict(map(_pair, settings))
        if data is not None:
            self._flags["data_dir"] = data
        self.out = _console(stderr=False)
        self.err = _console(stderr=True)

    # settings

    def give(self, name: str, value: object) -> None:
        """Set a setting from a flag of the command, unless the flag was not given (None)."""
        if value is not None:
            self._flags[name] = value
            self.__dict__.pop("loaded", None)

    @cached_property
    def loaded(self) -> Loaded:
        """The settings and where each came from. Errors: ConfigError."""
        return load(self._config, os.environ, self._flags)

    @property
    def settings(self) -> Settings:
        """The settings. Errors: ConfigError."""
        return self.loaded.settings

    # data

    def data(self, value: Any, text: str | None = None) -> None:
        """Write a result: as JSON where that was asked for, else as text, "" for nothing."""
        if self.as_json:
            self.line(value)
        elif text is None:
            self.fields(value)
        elif text:
            self.text(text)

    def text(self, text: str) -> None:
        """Write a result as text."""
        self.out.print(text, markup=False, highlight=False, soft_wrap=True)

    def line(self, value: Any) -> None:
        """Write one JSON document on one line."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def fields(self, value: Mapping[str, Any]) -> None:
        """Write the members of one thing under each other."""
        table = Table.grid(padding=(0, 2), pad_edge=False)
        for name, each in value.items():
            table.add_row(f"[bold]{name}[/bold]", escape(words(each)))
        self.out.print(table)

    def rows(self, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], nothing: str) -> None:
        """Write a list: as a JSON array, or as a table with these columns (member: heading)."""
        if self.as_json:
            self.line(list(rows))
            return
        if not rows:
            self.note(nothing)
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in columns.values():
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(escape(words(row.get(member))) for member in columns))
        self.out.print(table)

    # talk

    def note(self, text: str) -> None:
        """Say something to the person, beside the data."""
        self.err.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def working(self, text: str) -> Iterator[None]:
        """Show that something goes on, on a terminal only."""
        if self.err.is_terminal and not self.as_json:
            with self.err.status(escape(text)):
                yield
        else:
            yield

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before something that cannot be undone. Errors: CallerError when there is nobody to ask, or on a no."""
        if yes:
            return
        if not sys.stdin.isatty():
            raise CallerError("not_confirmed", f"{question} Nobody is there to answer: add --yes")
        self.err.print(f"{question} [y/N] ", end="", markup=False)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise CallerError("not_confirmed", "nothing was changed")


def words(value: Any) -> str:
    """Write a JSON value for people."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(words, value)) or "-"
        case dict():
            return ", ".join(f"{name}={words(each)}" for name, each in value.items()) or "-"
        case _:
            return str(value)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else WIDE)


def _pair(given: str) -> tuple[str, object]:
    name, equals, value = given.partition("=")
    if not equals or not name:
        raise ConfigError(f"--set {given}: write NAME=VALUE, as in --set log.level=debug")
    return name.strip(), value
