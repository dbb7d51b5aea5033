"""A file system for SQLite that fails when told to: a full disk, a sync that fails. Told by files in a folder, so that
a test can switch the faults of another process."""

from pathlib import Path
from typing import Any

import apsw

FULL = "full"
SYNC_FAILS = "sync-fails"


class FaultyVfs(apsw.VFS):
    """The system's own file system, with faults. With `FULL` the files of `disk` cannot grow beyond what they take up
    together at that moment; room that another file of the folder gives up may be used."""

    def __init__(self, control: Path, *, name: str = "faulty", disk: Path | None = None, default: bool = False) -> None:
        self.control = control
        self.disk = disk or control
        self.capacity: int | None = None
        super().__init__(name, "", makedefault=default)

    def xOpen(self, name: Any, flags: list[int]) -> "FaultyFile":
        return FaultyFile(self, name, flags)

    def says(self, fault: str) -> bool:
        return (self.control / fault).exists()

    def used(self) -> int:
        return sum(file.stat().st_size for file in self.disk.iterdir() if file.name.startswith("loa.db"))

    def check_growth(self, octets: int) -> None:
        """Let a file grow, or raise what a full disk raises."""
        if not self.says(FULL):
            self.capacity = None
            return
        used = self.used()
        if self.capacity is None:
            self.capacity = used
        if used + octets > self.capacity:
            raise apsw.FullError("the disk of this test is full")


class FaultyFile(apsw.VFSFile):
    """One file on it."""

    def __init__(self, vfs: FaultyVfs, name: Any, flags: list[int]) -> None:
        self._vfs = vfs
        super().__init__("", name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        growth = offset + len(data) - self.xFileSize()
        if growth > 0:
            self._vfs.check_growth(growth)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        if self._vfs.says(SYNC_FAILS):
            raise apsw.IOError("fsync fails in this test")
        super().xSync(flags)


def switch(control: Path, fault: str, *, on: bool) -> None:
    """Switch a fault on or off."""
    if on:
        (control / fault).touch()
    else:
        (control / fault).unlink(missing_ok=True)
