"""A file system for SQLite that fails when told to: a full disk, a sync that fails, a disk that stalls.

Told by files in a folder, so that one process can switch the faults of another.
"""

import shutil
import threading
from pathlib import Path
from typing import Any, Final, NamedTuple

import apsw

FULL: Final = "full"
SYNC_FAILS: Final = "sync-fails"
STALL: Final = "stall"
STALLED: Final = "stalled"
"""Made by the stalled process itself once something waits for the disk."""
LOOK_AGAIN_S: Final = 0.01
SYSTEM: Final = apsw.vfs_names()[0]
"""The file system under ours; the default may become ours."""


class DiskUsage(NamedTuple):
    """What there is of a disk. Units: octets."""

    total: int
    used: int
    free: int


DISK_USAGE: Final = shutil.disk_usage


class FaultyVfs(apsw.VFS):
    """The system's own file system, with faults.

    With `FULL` the ledger's files cannot grow beyond what they take up together at that moment, but room that one of
    them gives up may be used by the others.
    """

    def __init__(self, folder: Path, *, name: str = "faulty", default: bool = False) -> None:
        self._folder = folder
        self._capacity: int | None = None
        super().__init__(name, SYSTEM, makedefault=default)

    def xOpen(self, name: Any, flags: list[int]) -> "FaultyFile":  # noqa: N802 - SQLite's own name
        """Open a file on it."""
        return FaultyFile(self, name, flags)

    def says(self, fault: str) -> bool:
        """Tell whether a fault is switched on."""
        return (self._folder / fault).exists()

    def wait_while_stalled(self) -> None:
        """Hold the caller for as long as the disk stalls."""
        while self.says(STALL):
            (self._folder / STALLED).touch()
            threading.Event().wait(LOOK_AGAIN_S)

    def room(self) -> int | None:
        """How much the files may grow, None for as much as they like."""
        if not self.says(FULL):
            self._capacity = None
            return None
        used = sum(map(size_of, self._folder.glob("loa.db*")))
        if self._capacity is None:
            self._capacity = used
        return self._capacity - used

    def disk_usage(self, path: Path) -> DiskUsage:
        """Say what `shutil.disk_usage` would say of this disk."""
        real, room = DISK_USAGE(path), self.room()
        return DiskUsage(real.total, real.used, real.free if room is None else max(0, room))


class FaultyFile(apsw.VFSFile):
    """One file on it."""

    def __init__(self, vfs: FaultyVfs, name: Any, flags: list[int]) -> None:
        self._vfs = vfs
        super().__init__(SYSTEM, name, flags)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802 - SQLite's own name
        """Write, where there is room and the disk does not stall."""
        self._vfs.wait_while_stalled()
        growth = offset + len(data) - self.xFileSize()
        room = self._vfs.room() if growth > 0 else None
        if room is not None and growth > room:
            raise apsw.FullError("the disk is full because it was told to be")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's own name
        """Sync, unless syncs fail."""
        self._vfs.wait_while_stalled()
        if self._vfs.says(SYNC_FAILS):
            raise apsw.IOError("fsync fails because it was told to")
        super().xSync(flags)


def size_of(file: Path) -> int:
    """Give the size of a file, 0 when it is gone by now."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def switch(folder: Path, fault: str, *, on: bool) -> None:
    """Switch a fault on or off."""
    if on:
        (folder / fault).touch()
    else:
        (folder / fault).unlink(missing_ok=True)


def install(folder: Path) -> None:
    """Put every SQLite file that this process opens, and what it hears of free space, on a faulty disk."""
    vfs = FaultyVfs(folder, default=True)
    shutil.disk_usage = vfs.disk_usage  # type: ignore[assignment]
