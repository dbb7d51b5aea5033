"""Room kept for the end of the disk: a file that is given up so that results and receipts can still be written.

New submissions are refused while it is gone; it is made again once there is space.
"""

import os
import shutil
import threading
from pathlib import Path


class Reserve:
    """A file of fixed size beside the ledger; the writing thread gives it up, anyone may ask. Units: octets."""

    def __init__(self, path: Path, octets: int, floor: int) -> None:
        self._path = path
        self._octets = octets
        self._floor = floor
        self._turn = threading.Lock()
        self._spent = False

    def free(self) -> int:
        """Give the free space of the disk."""
        return shutil.disk_usage(self._path.parent).free

    def fill(self) -> None:
        """Make the reserve if there is room for it; note when there is not."""
        with self._turn:
            self._fill()

    def _fill(self) -> None:
        if self._octets == 0 or (self._path.exists() and self._path.stat().st_size == self._octets):
            self._spent = False
        elif self.free() < self._octets + self._floor:
            self._spent = True
        else:
            self._make()

    def _make(self) -> None:
        try:
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._octets)
        except OSError:
            # Someone else took the room meanwhile, or a quota says no: half a reserve is none.
            self._release()
        else:
            self._spent = False

    def release(self) -> None:
        """Give the room up."""
        with self._turn:
            self._release()

    def _release(self) -> None:
        self._spent = True
        self._path.unlink(missing_ok=True)

    def has_room(self) -> bool:
        """Tell whether new submissions may be taken: the reserve stands and the floor is free."""
        with self._turn:
            if self._spent:
                self._fill()
            return not self._spent and self.free() >= self._floor
