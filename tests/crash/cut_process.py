"""A process that begins upkeep or a backup and kills itself in the middle. For tests of what is left then.

`python -m tests.crash.cut_process purge LEDGER ROWS` dies when so many rows were changed;
`python -m tests.crash.cut_process backup LEDGER FILE STEPS` dies when so many steps of the copy are done.
"""

import asyncio
import os
import signal
import sys
from itertools import count
from pathlib import Path

from loa.app import admin_files
from loa.ledger.sqlite.ledger import SqliteLedger
from tests.contract.ledger.values import DAY, EPOCH, keep
from tests.support.fakes import QuietProbe

LATER = EPOCH + 10 * DAY
EVERYTHING = keep(request_ids=DAY, content=DAY, content_otp=DAY, numbers=DAY, receipts=DAY, history=DAY)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def purge(path: Path, rows: int) -> None:
    ledger = await SqliteLedger.open(path, probe=QuietProbe())
    seen = count(1)

    def changed(*_: object) -> None:
        if next(seen) == rows:
            die()

    ledger._writer._unit.connection.set_update_hook(changed)
    await ledger.purge(10_000, LATER, EVERYTHING)
    await ledger.close()


def back_up(path: Path, target: Path, steps: int) -> None:
    seen = count(1)

    def told(_done: int, _pages: int) -> None:
        if next(seen) == steps:
            die()

    admin_files.back_up(path, target, told)


if __name__ == "__main__":
    what, ledger_path, *rest = sys.argv[1:]
    if what == "purge":
        asyncio.run(purge(Path(ledger_path), int(rest[0])))
    else:
        back_up(Path(ledger_path), Path(rest[0]), int(rest[1]))
