"""Reading connections on threads of their own: reading never waits for writing, nor the event loop for either."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import apsw

from loa.ledger.sqlite.connection import open_reader
from loa.ledger.sqlite.errors import translate

T = TypeVar("T")


class Readers:
    """A small pool of threads, each with a read-only connection opened on first use."""

    def __init__(self, path: Path, threads: int, vfs: str | None) -> None:
        self._path = path
        self._vfs = vfs
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="loa-ledger-reader")
        self._local = threading.local()
        self._open: list[apsw.Connection] = []

    async def read(self, query: Callable[[apsw.Connection], T]) -> T:
        """Run a query on a reading connection. Errors: StorageError."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, query)

    def _run(self, query: Callable[[apsw.Connection], T]) -> T:
        try:
            connection: apsw.Connection | None = getattr(self._local, "connection", None)
            if connection is None:
                connection = open_reader(self._path, self._vfs)
                self._local.connection = connection
                self._open.append(connection)
            return query(connection)
        except apsw.Error as error:
            raise translate(error) from error

    def close(self) -> None:
        """Wait for running queries and close the connections."""
        self._pool.shutdown()
        for connection in self._open:
            connection.close()
