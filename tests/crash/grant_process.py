"""A process that keeps one grant, and kills itself at a point of its renewal. For tests of what is left then.

`python -m tests.crash.grant_process FOLDER PORT LATER_S [POINT]`: asks the server on that port for pairs, by a clock
that runs ahead by so many seconds; without a point it ends once the grant is at rest, and prints the token it works with.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loa.app.probes import probe_from
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.grants import Failed, Failure, Tokens
from loa.stages.custody import Custody
from loa.stages.renewal import Charge
from tests.support.fakes import QuietProbe, SetClock
from tests.support.grants import Issuer

CHANNEL = 3


class Remote(Issuer):
    """Asks the server of the test."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    async def renew(self, settings: Mapping[str, Any], refresh_token: str, now: int) -> Tokens | Failed:
        """See ports.grants.Grantor."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(json.dumps([refresh_token, now]).encode() + b"\n")
        answer = json.loads(await reader.readline())
        writer.close()
        return Tokens(*answer) if answer else Failed(Failure.REFUSED, "-14014")


async def keep(folder: Path, port: int, later_s: float, point: str) -> None:
    clock = SetClock()
    clock.set_by(later_s)
    ledger = await SqliteLedger.open(folder / "loa.db", probe=QuietProbe())
    custody = Custody(ledger, clock=clock, probe=probe_from(point))
    moved = asyncio.Event()
    custody.follow({CHANNEL: Charge(CHANNEL, "oa", Remote(port), {})})
    tokens = custody.tokens(CHANNEL, moved.set)
    assert tokens is not None
    while True:
        grant = await ledger.grant(CHANNEL)
        assert grant is not None
        if grant.consent_needed or grant.version > 1:
            break
        await clock.sleep(0.01)
    await moved.wait()
    await custody.stop(1)
    await ledger.close()
    sys.stdout.write(tokens.current())


if __name__ == "__main__":
    where, number, ahead, *named = sys.argv[1:]
    asyncio.run(keep(Path(where), int(number), float(ahead), *named or [""]))
