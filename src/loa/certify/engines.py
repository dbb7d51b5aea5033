"""What the certificate must know of an engine: how a Loa is set on a fresh ledger of it, and what can be done to it.

A fault that an engine does not know, or that cannot be had on this machine, raises `NotTried` with the reason; it then
stands in the report as not tried.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

from loa.certify.process import Program

Faults = Literal["none", "stalls", "fills"]
"""What a ledger must be able to suffer: nothing but kills, storage that stalls, a disk that fills up and fails."""


class NotTried(Exception):
    """A fault could not be tried, and why."""


class Store(Protocol):
    """One fresh ledger under test. Errors of every fault: NotTried."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings that set a Loa on this ledger, without `LOA_`."""
        ...

    def command(self, program: Program) -> tuple[str, ...]:
        """Choose how Loa is run on it."""
        ...

    async def prepare(self, faults: Faults) -> None:
        """Make it ready for a kind of faults."""
        ...

    async def stall(self) -> None:
        """Have nothing that is written come to its end."""
        ...

    async def stalled(self) -> None:
        """Wait until something waits for it."""
        ...

    async def resume(self) -> None:
        """Let go on what stalled."""
        ...

    async def fill(self) -> None:
        """Leave no room for more."""
        ...

    async def clear(self) -> None:
        """Make room again."""
        ...

    async def fail_syncs(self, *, failing: bool) -> None:
        """Have every sync fail, or none."""
        ...

    async def unsound(self) -> str:
        """Say what is wrong inside it, "" when nothing is. No Loa runs on it now."""
        ...

    async def keep(self, folder: Path) -> None:
        """Put what it holds into a folder, as evidence, where `remove` takes it away. Errors: StorageError."""
        ...

    async def remove(self) -> None:
        """Give it up."""
        ...


class Server(Protocol):
    """A server of the engine's own that Loa talks to."""

    async def kill(self) -> None:
        """End it with SIGKILL, all its processes with it."""
        ...

    async def start(self) -> None:
        """Start it on its data, and wait until it takes connections."""
        ...

    async def pause(self) -> None:
        """Hold all its processes with SIGSTOP."""
        ...

    async def resume(self) -> None:
        """Let all its processes go on."""
        ...


class Engine(Protocol):
    """An engine under test."""

    @property
    def name(self) -> str:
        """Its name on the command line."""
        ...

    @property
    def server(self) -> Server | None:
        """Its server once it is started, None for one that runs inside Loa."""
        ...

    async def start(self, folder: Path) -> str:
        """Make everything ready below a folder; give the engine's version. Errors: ConfigError, StorageError."""
        ...

    def store(self, folder: Path) -> Store:
        """Think of a fresh ledger for a Loa whose data directory is `folder`."""
        ...

    async def stop(self) -> None:
        """End whatever was started."""
        ...
