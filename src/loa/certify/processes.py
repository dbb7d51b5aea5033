"""Processes of this machine by id: who descends from whom, and who still runs.

For servers that were started here; nothing in it searches by name.
"""

import subprocess
from pathlib import Path
from typing import Final, NamedTuple

_PROC: Final = Path("/proc")


class Entry(NamedTuple):
    """A process. `state` is the letter that ps(1) shows: T is stopped, Z has ended and was not collected yet."""

    parent: int
    state: str


def table() -> dict[int, Entry]:
    """Give every process there is."""
    if not (_PROC / "self" / "stat").exists():
        return _told_by_ps()
    numbers = (int(path.name) for path in _PROC.iterdir() if path.name.isdecimal())
    return {pid: entry for pid in numbers if (entry := _look(pid)) is not None}


def descendants(pid: int) -> list[int]:
    """Give the children of a process and theirs, parents before children."""
    parents = {child: entry.parent for child, entry in table().items()}
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


def runs(pid: int) -> bool:
    """Say whether a process is there and has not ended."""
    entry = _entry(pid)
    return entry is not None and entry.state != "Z"


def is_stopped(pid: int) -> bool:
    """Say whether a process is held by SIGSTOP."""
    entry = _entry(pid)
    return entry is not None and entry.state == "T"


def _entry(pid: int) -> Entry | None:
    return _look(pid) if (_PROC / "self" / "stat").exists() else _told_by_ps().get(pid)


def _look(pid: int) -> Entry | None:
    try:
        line = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:  # it has ended meanwhile
        return None
    state, parent = line.rpartition(")")[2].split()[:2]  # the name in brackets may hold anything
    return Entry(int(parent), state)


def _told_by_ps() -> dict[int, Entry]:
    """Ask ps(1), where there is no /proc."""
    told = subprocess.run(("/bin/ps", "-A", "-o", "pid=,ppid=,stat="), capture_output=True, text=True, check=True)
    return read_ps(told.stdout)


def read_ps(told: str) -> dict[int, Entry]:
    """Read lines of process id, parent's id and state, as `ps -o pid=,ppid=,stat=` writes them."""
    rows = (line.split() for line in told.splitlines())
    return {int(pid): Entry(int(parent), state[0]) for pid, parent, state in rows}
