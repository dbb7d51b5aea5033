"""Room kept for the end of the disk: a file that is given up so that results and receipts can still be written.

New submissions are refused while it is gone; it is made again once there is space.
"""

import os
import shutil
from pathlib import Path


class Reserve:
    """A file of fixed size beside the ledger. Units: octets."""

    def __init__(self, path: Path, octets: int, floor: int) -> None:
        self._path = path
        self._octets = octets
        self._floor = floor
        self.spent = False

    def free(self) -> int:
        """Give the free space of the disk."""
        return shutil.disk_usage(self._path.parent).free

    def fill(self) -> None:
        """Make the reserve if there is room for it; note when there is not."""
        if self._octets == 0:
            return
        if self._path.exists() and self._path.stat().st_size == self._octets:
            self.spent = False
            return
        if self.free() < self._octets + self._floor:
            self.spent = True
            return
        with self._path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, self._octets)
        self.spent = False

    def release(self) -> None:
        """Give the room up."""
        self._path.unlink(missing_ok=True)
        self.spent = True

    def has_room(self) -> bool:
        """Tell whether new submissions may be taken: the reserve stands and the floor is free."""
        if self.spent:
            self.fill()
        return not self.spent and self.free() >= self._floor
