"""The mark beside a ledger that was copied to another engine: two that hold the same messages would both send them."""

import json
import os
from pathlib import Path

from loa.errors import StorageUnavailable


def mark_of(path: Path) -> Path:
    """Say where the mark of a ledger lies."""
    return Path(f"{path}.moved")


def moved_to(path: Path) -> str:
    """Say which ledger goes on with what is in this one, "" where this one does."""
    try:
        said = json.loads(mark_of(path).read_text(encoding="utf-8"))
        return str(said["to"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, TypeError, LookupError):
        return "another ledger"


def refuse_moved(path: Path) -> None:
    """Refuse a ledger that another one goes on with. Errors: StorageUnavailable that says the ways out."""
    place = moved_to(path)
    if place:
        raise StorageUnavailable(
            f"the ledger {path} was copied to {place}, which goes on with its messages: both would send them. Set"
            f" LOA_DATABASE to that one; or, to go back to this file, stop every Loa there and remove {mark_of(path)},"
            " see docs/how-to/move-to-postgres.md"
        )


def note_moved(path: Path, place: str, at: str) -> None:
    """Write the mark; it is on disk when this returns. Errors: StorageUnavailable."""
    mark = mark_of(path)
    part = mark.with_name(f".{mark.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            json.dump({"to": place, "at": at}, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(mark)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise StorageUnavailable(f"cannot write {mark}: {error.strerror}; mend the rights of its folder") from error
