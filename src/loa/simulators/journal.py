"""A file of JSON lines that are on disk before anyone hears of them.

Lines of one moment share one write and one fsync; what must wait for the disk is called back afterwards, in order.
Without a path nothing is written and everything is called back at once.
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

_Entry = tuple[Mapping[str, Any] | None, Callable[[], None] | None]


class Journal:
    """Appends lines and says when they are on disk.

    Errors: a failed write ends the journal: nothing more is called back, and `close` raises the OSError.
    """

    __slots__ = ("_file", "_path", "_pending", "_writer")

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: int | None = None
        self._pending: list[_Entry] = []
        self._writer: asyncio.Task[None] | None = None

    @property
    def kept(self) -> bool:
        """Whether lines are written anywhere."""
        return self._path is not None

    def open(self) -> None:
        """Open the file for appending; a line torn by a crash is closed off so that it spoils no other."""
        if self._path is None:
            return
        torn = _ends_torn(self._path)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if torn:
            os.write(self._file, b"\n")

    def append(self, line: Mapping[str, Any] | None, then: Callable[[], None] | None = None) -> None:
        """Write a line, if there is one, and call `then` once it and all before it are on disk."""
        if self._file is None:
            if then is not None:
                then()
            return
        self._pending.append((line, then))
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write(self._file))

    async def close(self) -> None:
        """Write what is pending and close the file."""
        try:
            if self._writer is not None:
                await self._writer
        finally:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    async def _write(self, file: int) -> None:
        while self._pending:
            entries, self._pending = self._pending, []
            lines = [json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line, _ in entries if line]
            if lines:
                await asyncio.to_thread(_write_down, file, ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass"))
            for _, then in entries:
                if then is not None:
                    then()
        self._writer = None


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Give the whole lines of a journal; a line torn by a crash is passed over."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="surrogatepass") as file:
        for text in file:
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict):
                yield line


def _write_down(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
    os.fsync(file)


def _ends_torn(path: Path) -> bool:
    if not path.exists() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
