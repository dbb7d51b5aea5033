"""A model of power loss: what a disk may hold when the power fails between any two steps SQLite asks of it.

A file system writes down every write, sync, truncate and delete; from that the files after each step are put together.

What a disk owes: a write is safe once a later sync of the same file returned. Without a sync it may be there, be there
in part, or be missing, and later ones may be there without earlier ones. That a file was made or deleted is safe once
its folder was synced, which SQLite's unix file system does with the first sync of a new journal or write-ahead log.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import apsw

SECTOR: Final = 512

Kind = Literal["write", "truncate", "sync", "delete"]
Loss = Literal["all", "some", "torn"]
"""What becomes of unsynced writes: all are lost; a random part of their sectors stays; all stay, the last one torn."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing SQLite asked of a file."""

    kind: Kind
    name: str
    offset: int = 0
    data: bytes = b""


@dataclass
class File:
    """What is known of one file: whether its name is safe, what of it is safe, and what came after."""

    named: bool = False
    safe: bytearray | None = None
    loose: list[Step] = field(default_factory=list)


class RecordingVfs(apsw.VFS):
    """The system's own file system, with every step written down."""

    def __init__(self, name: str) -> None:
        self.steps: list[Step] = []
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> "RecordingFile":  # noqa: N802 - SQLite's own name
        """Open a file whose steps are written down."""
        return RecordingFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's own name
        """Delete a file."""
        self.steps.append(Step("delete", filename, offset=int(syncdir)))
        super().xDelete(filename, syncdir)


class RecordingFile(apsw.VFSFile):
    """One file of it."""

    def __init__(self, vfs: RecordingVfs, name: Any, flags: list[int]) -> None:
        self._steps = vfs.steps
        self._name = name if isinstance(name, str) or name is None else name.filename()
        super().__init__("", name, flags)

    def _note(self, kind: Kind, offset: int = 0, data: bytes = b"") -> None:
        if self._name is not None:
            self._steps.append(Step(kind, self._name, offset, data))

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802 - SQLite's own name
        """Write."""
        self._note("write", offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's own name
        """Cut off."""
        self._note("truncate", newsize)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's own name
        """Sync, and note it only once it returned."""
        super().xSync(flags)
        self._note("sync")


def cuts(steps: list[Step], loss: Loss, chance: random.Random) -> Iterator[tuple[int, Mapping[str, bytes]]]:
    """Give, for the moment before the first step and after each one, the number of steps and what the disk holds."""
    files: dict[str, File] = {}
    yield 0, {}
    for done, step in enumerate(steps, start=1):
        _advance(files, step)
        held = {name: _what_is_left(file, loss, chance) for name, file in files.items()}
        yield done, {name: data for name, data in held.items() if data is not None}


def _advance(files: dict[str, File], step: Step) -> None:
    file = files.setdefault(step.name, File())
    if step.kind != "sync":
        file.loose.append(step)
        if step.kind == "delete" and step.offset:
            _sync_folder(files)
        return
    is_new = not file.named or any(loose.kind == "delete" for loose in file.loose)
    if is_new and step.name.endswith(("-wal", "-journal")):
        _sync_folder(files)
    for loose in file.loose:
        file.safe = _apply(file.safe, loose)
    file.loose.clear()


def _sync_folder(files: dict[str, File]) -> None:
    """Make safe which files there are: what was deleted stays so, what is new keeps its name."""
    for file in files.values():
        deletes = [index for index, loose in enumerate(file.loose) if loose.kind == "delete"]
        if deletes:
            file.safe = None
            del file.loose[: deletes[-1] + 1]
        file.named = file.safe is not None or bool(file.loose)


def _apply(data: bytearray | None, step: Step) -> bytearray:
    """Do one step to what a file holds; a deleted file begins anew."""
    held = data if data is not None else bytearray()
    if step.kind == "delete":
        return bytearray()
    if step.kind == "truncate":
        del held[step.offset :]
        return held
    if len(held) < step.offset:
        held.extend(bytes(step.offset - len(held)))
    held[step.offset : step.offset + len(step.data)] = step.data
    return held


def _what_is_left(file: File, loss: Loss, chance: random.Random) -> bytes | None:
    if not file.named and (loss == "all" or (loss == "some" and chance.random() < 0.5)):
        return None
    if loss == "all" or not file.loose:
        return None if file.safe is None else bytes(file.safe)
    kept = _torn(file.loose) if loss == "torn" else _some(file.loose, chance)
    held = None if file.safe is None else bytearray(file.safe)
    for step in kept:
        held = None if step.kind == "delete" else _apply(held, step)
    return None if held is None else bytes(held)


def _torn(loose: list[Step]) -> list[Step]:
    """Keep everything in order, but of the last write only the first half."""
    *before, last = loose
    if last.kind == "write":
        last = Step("write", last.name, last.offset, last.data[: len(last.data) // 2])
    return [*before, last]


def _some(loose: list[Step], chance: random.Random) -> list[Step]:
    """Keep a random part of the sectors of all writes, in their order; truncates and deletes happened or not.

    After a delete that did not happen nothing did: what was written then went into another file of the same name.
    """
    kept: list[Step] = []
    for step in loose:
        if step.kind != "write":
            if chance.random() < 0.5:
                kept.append(step)
            elif step.kind == "delete":
                break
            continue
        kept += [
            Step("write", step.name, step.offset + start, step.data[start : start + SECTOR])
            for start in range(0, len(step.data), SECTOR)
            if chance.random() < 0.5
        ]
    return kept
