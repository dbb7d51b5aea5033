"""A small disk to fill up: a file system in memory, mounted for as long as it is needed. Only root can have one."""

import asyncio
import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from loa.certify.engines import NotTried

HOME: Final = Path("/tmp")  # noqa: S108 - mkdtemp below it; the account of a server has to get there
CHUNK: Final = bytes(64 * 1024)
BALLAST: Final = "ballast"


class SmallDisk:
    """One such disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    async def mount(cls, octets: int) -> "SmallDisk":
        """Make one. Errors: NotTried where that may not be done."""
        if os.geteuid() != 0:
            raise NotTried("filling a server's disk takes a small disk of its own, which only root can mount")
        folder = Path(tempfile.mkdtemp(prefix="loa-small-", dir=HOME))
        options = f"size={octets},mode=755"
        said = await _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder))
        if said is not None:
            await asyncio.to_thread(folder.rmdir)
            raise NotTried(f"no small disk can be mounted on this machine: {said}")
        return cls(folder)

    def fill(self) -> None:
        """Leave no room."""
        with (self.folder / BALLAST).open("ab", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(CHUNK)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def clear(self) -> None:
        """Make room again."""
        (self.folder / BALLAST).unlink(missing_ok=True)

    async def remove(self) -> None:
        """Give it up."""
        await _run("umount", str(self.folder))
        shutil.rmtree(self.folder, ignore_errors=True)


async def _run(*command: str) -> str | None:
    """Run a program; None when it did well, else what it said."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    _, said = await process.communicate()
    return None if process.returncode == 0 else said.decode("utf-8", "replace").strip()
