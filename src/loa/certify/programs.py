"""PostgreSQL's own programs: where they lie, as whom they run, and running one to its end."""

import asyncio
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loa.errors import ConfigError

NEEDED: Final = ("initdb", "pg_ctl", "pg_basebackup", "postgres")
SUPPORTED: Final = range(13, 19)
CURE: Final = "Install it with: sudo apt-get install -y postgresql"
_SHELVES: Final = (("/usr/lib/postgresql", "*/bin"), ("/usr", "pgsql-*/bin"), ("/opt/homebrew/opt", "postgresql@*/bin"))
_TAIL_LINES: Final = 15


def find_programs(folder: Path | None = None) -> Path:
    """Give the folder with the programs of a PostgreSQL server: the named one, PATH's, else the newest installed.

    Errors: ConfigError when there is none from version 13 to 18 that is whole.
    """
    if folder is not None:
        if _version(folder) in SUPPORTED:
            return folder
        raise ConfigError(f"{folder} is no folder with {', '.join(NEEDED)} of PostgreSQL {_named_versions()}. {CURE}")
    for found in _on_path():
        if _version(found) in SUPPORTED:
            return found
    installed = (path for shelf, pattern in _SHELVES for path in Path(shelf).glob(pattern))
    fits = [(version, path) for path in installed if (version := _version(path)) in SUPPORTED]
    if not fits:
        raise ConfigError(f"no server programs of PostgreSQL {_named_versions()} are installed here. {CURE}")
    return max(fits)[1]


def _named_versions() -> str:
    return f"{SUPPORTED[0]} to {SUPPORTED[-1]}"


def _on_path() -> Iterator[Path]:
    """Follow links to the folder where a program really lies: its siblings are there."""
    for name in ("postgres", "initdb"):
        found = shutil.which(name)
        if found is not None:
            yield Path(found).resolve().parent


def _version(folder: Path) -> int:
    """Give the major version of the server in a folder, 0 when it is none or not whole."""
    if not all(os.access(folder / name, os.X_OK) for name in NEEDED):
        return 0
    try:
        told = subprocess.run(  # noqa: S603
            (folder / "postgres", "--version"), capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.match(r"postgres \(PostgreSQL\) (\d+)", told.stdout)
    return int(found[1]) if found else 0


@dataclass(frozen=True, slots=True)
class RunAs:
    """Whom the programs run as. PostgreSQL refuses root, so root lends itself to somebody who owns little."""

    uid: int
    gid: int
    lent: bool

    @classmethod
    def choose(cls) -> "RunAs":
        """Take ourselves; for root `postgres`, else `nobody`."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), lent=False)
        for name in ("postgres", "nobody"):
            try:
                known = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(known.pw_uid, known.pw_gid, lent=True)
        raise ConfigError("PostgreSQL does not run as root, and this machine knows neither postgres nor nobody")

    def __str__(self) -> str:
        return f"{self.uid}:{self.gid}" if self.lent else ""


def environment(home: Path) -> dict[str, str]:
    """Give an environment without anybody's settings for PostgreSQL."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**own, "LC_ALL": "C", "HOME": str(home)}


async def run(command: Sequence[str | Path], *, run_as: RunAs, home: Path) -> str:
    """Run a program to its end and give what it said. Errors: ConfigError when it fails."""
    process = subprocess.Popen(  # noqa: ASYNC220, S603 - returns at once; other event loops cannot change the user
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=home,
        env=environment(home),
        user=run_as.uid if run_as.lent else None,
        group=run_as.gid if run_as.lent else None,
        extra_groups=[] if run_as.lent else None,
    )
    try:
        said, _ = await asyncio.to_thread(process.communicate)
    except BaseException:
        process.kill()
        raise
    if process.returncode != 0:
        raise ConfigError(f"{Path(command[0]).name} ended with {process.returncode}:\n{tail(said)}")
    return said


def tail(text: str) -> str:
    """Give the last lines, for messages."""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])
