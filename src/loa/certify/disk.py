"""A file system for SQLite that fails when told to: a full disk, a sync that fails. Told by files in a folder, so that
a test can switch the faults of another process."""

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import apsw

FULL = "full"
SYNC_FAILS = "sync-fails"
SYSTEM = apsw.vfs_names()[0]
"""The file system under ours; the default may become ours."""


class DiskUsage(NamedTuple):
    total: int
    used: int
    free: int


DISK_USAGE = shutil.disk_usage


class FaultyVfs(apsw.VFS):
    """The system's own file system, with faults. With `FULL` the ledger's files cannot grow beyond what they take up
    together at that moment, but room that one of them gives up may be used by the others."""

    def __init__(self, folder: Path, *, name: str = "faulty", default: bool = False) -> None:
        self._folder = folder
        self._capacity: int | None = None
        super().__init__(name, SYSTEM, makedefault=default)

    def xOpen(self, name: Any, flags: list[int]) -> "FaultyFile":
        return FaultyFile(self, name, flags)

    def says(self, fault: str) -> bool:
        return (self._folder / fault).exists()

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
        """What `shutil.disk_usage` says of this disk."""
        real, room = DISK_USAGE(path), self.room()
        return DiskUsage(real.total, real.used, real.free if room is None else max(0, room))


class FaultyFile(apsw.VFSFile):
    """One file on it."""

    def __init__(self, vfs: FaultyVfs, name: Any, flags: list[int]) -> None:
        self._vfs = vfs
        super().__init__(SYSTEM, name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        growth = offset + len(data) - self.xFileSize()
        room = self._vfs.room() if growth > 0 else None
        if room is not None and growth > room:
            raise apsw.FullError("the disk of this test is full")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        if self._vfs.says(SYNC_FAILS):
            raise apsw.IOError("fsync fails in this test")
        super().xSync(flags)


def size_of(file: Path) -> int:
    """The size of a file, 0 when it is gone by now."""
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
