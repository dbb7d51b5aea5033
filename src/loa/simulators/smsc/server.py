"""The simulated SMSC as tests, the demo and the command line use it."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from loa.observe.clock import SystemClock
from loa.ports.clock import Clock
from loa.simulators.journal import Journal, read_journal
from loa.simulators.smsc.desk import Desk
from loa.simulators.smsc.events import SmscCounts, SmscEvent, Taken, Watcher
from loa.simulators.smsc.link import Link
from loa.simulators.smsc.record import still_owed
from loa.simulators.smsc.script import Script
from loa.smpp.pdu import DataSm, DeliverSm


class SmscSimulator:
    """An SMSC that listens on a socket and plays a script.

    With a journal every accepted submit is on disk before its response leaves, and a new run on the same file sends
    the receipts that were never answered. `keep` bounds the segments remembered in `taken`.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        script: Script | None = None,
        clock: Clock | None = None,
        journal: Path | None = None,
        on_event: Watcher | None = None,
        keep: int = 1000,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self._host = host
        self._wanted_port = port
        self._journal_path = journal
        self._journal = Journal(journal)
        self._desk = Desk(script or Script(), clock or SystemClock(), self._journal, on_event or _unwatched, keep)
        self._server: asyncio.Server | None = None
        self.port = port

    async def start(self) -> None:
        """Listen; `port` then tells where. Errors: OSError when the address or the journal cannot be had."""
        if self._journal_path is not None:
            for taken in still_owed(read_journal(self._journal_path)):
                self._desk.deliveries.owe(0, taken)
        self._journal.open()
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: Link(self._desk), self._host, self._wanted_port, ssl=self._tls
            )
        except OSError:
            await self._journal.close()
            raise
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, close every connection, and write the journal out; it cannot be started again."""
        if self._server is None:
            return
        self._server.close()
        self._desk.close()
        await self.until(lambda counts: counts.connections == 0)
        await self._server.wait_closed()
        await self._journal.close()
        self._server = None

    # --- what happened ---

    @property
    def counts(self) -> SmscCounts:
        """What happened since the start; changes as it goes."""
        return self._desk.counts

    @property
    def taken(self) -> Sequence[Taken]:
        """The last accepted segments, oldest first."""
        return self._desk.taken

    async def until(self, condition: Callable[[SmscCounts], bool]) -> None:
        """Wait until the counts satisfy a condition."""
        await self._desk.waits.until(condition)

    # --- what to do ---

    @property
    def script(self) -> Script:
        """The script in force."""
        return self._desk.script

    def change(self, script: Script, *, recount: bool = False) -> None:
        """Put another script in force at once; with `recount` the next submit is number 1 for every `Pick`."""
        self._desk.change(script, recount=recount)

    def reset_all(self) -> int:
        """Cut every connection with a TCP reset; give how many there were."""
        links = tuple(self._desk.links)
        for link in links:
            link.reset()
        return len(links)

    def close_all(self) -> int:
        """Close every connection without an unbind; give how many there were."""
        links = tuple(self._desk.links)
        for link in links:
            link.finish()
        return len(links)

    def unbind_all(self) -> int:
        """Send unbind over every bound link; give how many there were."""
        links = [link for link in self._desk.links if link.bound]
        for link in links:
            self._desk.unbind(link)
        return len(links)

    def deliver(self, system_id: str, pdu: DeliverSm | DataSm) -> None:
        """Deliver a ready PDU to a client: an odd receipt, or a message from a handset."""
        self._desk.deliveries.deliver(system_id, pdu)

    def write(self, raw: bytes) -> int:
        """Write raw octets to every connection; give how many there were."""
        links = tuple(self._desk.links)
        for link in links:
            link.write(raw)
        return len(links)


def _unwatched(event: SmscEvent) -> None:
    """Watch nothing."""
