"""The embedded engine under test: a file in Loa's own folder, on a disk that can be told to fail."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import apsw

from loa.certify.disk import FULL, STALL, STALLED, SYNC_FAILS, switch
from loa.certify.engines import Faults
from loa.certify.process import Program
from loa.observe.clock import SystemClock

LEDGER_FILE: Final = "loa.db"
LOOK_AGAIN_S: Final = 0.01


class SqliteStore:
    """One ledger file. `faults`: Loa runs on the faulty disk."""

    environment: Mapping[str, str] = {}

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clock = SystemClock()
        self.faults = False

    def command(self, program: Program) -> tuple[str, ...]:
        """See engines.Store."""
        return (*program.faulty, str(self._folder)) if self.faults else program.plain

    async def prepare(self, faults: Faults) -> None:
        """See engines.Store."""
        self.faults = faults != "none"

    async def stall(self) -> None:
        """See engines.Store."""
        switch(self._folder, STALLED, on=False)
        switch(self._folder, STALL, on=True)

    async def stalled(self) -> None:
        """See engines.Store."""
        while not (self._folder / STALLED).exists():
            await self._clock.sleep(LOOK_AGAIN_S)

    async def resume(self) -> None:
        """See engines.Store."""
        switch(self._folder, STALL, on=False)

    async def fill(self) -> None:
        """See engines.Store."""
        switch(self._folder, FULL, on=True)

    async def clear(self) -> None:
        """See engines.Store."""
        switch(self._folder, FULL, on=False)

    async def fail_syncs(self, *, failing: bool) -> None:
        """See engines.Store."""
        switch(self._folder, SYNC_FAILS, on=failing)

    async def unsound(self) -> str:
        """See engines.Store."""
        path = self._folder / LEDGER_FILE
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            said = str(connection.pragma("integrity_check"))
        finally:
            connection.close()
        return "" if said == "ok" else f"{path}: {said}"

    async def keep(self, folder: Path) -> None:
        """See engines.Store: its file lies with the journals already."""

    async def remove(self) -> None:
        """See engines.Store: its file goes with the folder."""


class SqliteEngine:
    """SQLite, inside Loa's own process."""

    name = "sqlite"
    server = None

    async def start(self, folder: Path) -> str:  # noqa: ARG002 - the files lie in each Loa's own folder
        """See engines.Engine."""
        return f"SQLite {apsw.sqlite_lib_version()}"

    def store(self, folder: Path) -> SqliteStore:
        """See engines.Engine."""
        return SqliteStore(folder)

    async def stop(self) -> None:
        """See engines.Engine: nothing was started."""
