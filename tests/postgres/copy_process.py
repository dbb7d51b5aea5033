"""A copy in a process of its own that ends the hard way: `python -m tests.postgres.copy_process FILE URL OWNER WHERE`.

WHERE: words with which a step begins whose end is the end of the process, or `inside`: after a batch was written and
before it was committed. Prints the step it dies at.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from loa.app.ledger_copy import Ends, copy_ledger
from loa.ledger.postgres import copying
from loa.observe.clock import SystemClock

PAGE_ROWS = 9


def die(where: str) -> None:
    sys.stdout.write(f"{where}\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def main(file: str, url: str, owner: str, *words: str) -> None:
    def progress(what: str, _done: int, _total: int) -> None:
        if what.startswith(words):
            die(what)

    if words == ("inside",):
        # What is called between the rows of a batch and its mark.
        copying._key_text = lambda _key: die("inside") or ""
    asyncio.run(copy_ledger(Ends(Path(file), url, owner), SystemClock(), progress, PAGE_ROWS))


if __name__ == "__main__":
    main(*sys.argv[1:])
