"""The simulated Zalo platform as tests, the demo and the command line use it.

async with ZaloSimulator(script=ZaloScript(off_zalo=("99",), events_url=address)) as zalo:
    access_token, refresh_token = zalo.tokens()             # or a consent at zalo.url, then a code
    ...                                                     # a channel whose three addresses are zalo.url
    await zalo.until(lambda counts: counts.shown == 1)      # waits for what happens
    assert zalo.shown[0].text.startswith("Chào")            # what a phone shows
    zalo.change(ZaloScript(faults=(Fault("silent"),)))      # takes effect with the next request
    zalo.acts.say("8764230215434982221", "Còn hàng không?") # what people do, and its signed event
    assert zalo.counts.double_refresh == 0
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from loa.observe.clock import SystemClock
from loa.ports.clock import Clock
from loa.simulators.journal import Journal, read_journal
from loa.simulators.zalo import oauth
from loa.simulators.zalo.acts import Acts
from loa.simulators.zalo.desk import Desk
from loa.simulators.zalo.exchange import Connection
from loa.simulators.zalo.platform import Platform
from loa.simulators.zalo.script import ZaloScript
from loa.simulators.zalo.state import Message, OaState
from loa.simulators.zalo.watch import Accepted, Shown, Watcher, ZaloCounts, ZaloEvent
from loa.simulators.zalo.world import PLAIN_OA, Oa


class ZaloSimulator:
    """A Zalo platform that listens on one socket for its three hosts and plays a script.

    With a journal every accepted message, every refusal and every pair of tokens is on disk before its answer leaves,
    and a new run on the same file knows the tokens and the messages of the earlier one. `keep` bounds what is
    remembered in `accepted` and `shown`. `acts` are what people do meanwhile.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        script: ZaloScript | None = None,
        oas: Iterable[Oa] = (PLAIN_OA,),
        clock: Clock | None = None,
        journal: Path | None = None,
        on_event: Watcher | None = None,
        keep: int = 1000,
    ) -> None:
        self._host = host
        self._wanted_port = port
        self._journal_path = journal
        self._journal = Journal(journal)
        self._platform = Platform(tuple(oas), script or ZaloScript(), clock or SystemClock())
        self._desk = Desk(self._platform, self._journal, on_event or _unwatched, keep)
        self._server: asyncio.Server | None = None
        self.acts = Acts(self._platform, self._desk.mail)
        self.port = port

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; `port` and `url` then tell where. Errors: OSError when the address or the journal cannot be had."""
        if self._journal_path is not None:
            _remember(self._platform, read_journal(self._journal_path))
        self._journal.open()
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: Connection(self._desk), self._host, self._wanted_port)
        except OSError:
            await self._journal.close()
            raise
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, close every connection, and write the journal out; it cannot be started again."""
        if self._server is None:
            return
        self._server.close()
        await self._desk.close()
        await self.until(lambda counts: counts.connections == 0)
        await self._server.wait_closed()
        await self._journal.close()
        self._server = None

    # --- what happened ---

    @property
    def url(self) -> str:
        """Where it listens, without a path: the base address of all three hosts."""
        return f"http://{self._host}:{self.port}"

    @property
    def counts(self) -> ZaloCounts:
        """What happened since the start; changes as it goes."""
        return self._desk.counts

    @property
    def accepted(self) -> Sequence[Accepted]:
        """The last accepted messages, oldest first."""
        return self._desk.accepted

    @property
    def shown(self) -> Sequence[Shown]:
        """What phones showed last, oldest first."""
        return self._desk.shown

    def oa(self, oa_id: str = "") -> OaState:
        """Give an Official Account as things stand; the first without a name. Errors: ConfigError."""
        return self._platform.oa(oa_id)

    async def until(self, condition: Callable[[ZaloCounts], bool]) -> None:
        """Wait until the counts satisfy a condition."""
        await self._desk.waits.until(condition)

    # --- what to do ---

    @property
    def script(self) -> ZaloScript:
        """The script in force."""
        return self._platform.script

    def change(self, script: ZaloScript, *, recount: bool = False) -> None:
        """Put another script in force at once; with `recount` the next request is number 1 for every rule."""
        self._desk.change(script, recount=recount)

    def tokens(self, oa_id: str = "") -> tuple[str, str]:
        """Give a fresh pair for an Official Account, access and refresh token, without a consent."""
        line = oauth.give(self._platform, self.oa(oa_id), "given")
        self._journal.append(line)
        return line["access"], line["refresh"]

    def reset_all(self) -> int:
        """Cut every connection with a TCP reset; give how many there were."""
        connections = tuple(self._desk.connections)
        for connection in connections:
            connection.reset()
        return len(connections)


def _unwatched(event: ZaloEvent) -> None:
    """Watch nothing."""


def _remember(platform: Platform, lines: Iterable[Mapping[str, Any]]) -> None:
    """Know the tokens and the messages of earlier runs; a message is then as it stood when it was accepted."""
    for line in lines:
        oa = platform.oas.get(line.get("oaId", ""))
        if oa is None:
            continue
        if line["kind"] == "tokens":
            platform.tokens.restore(oa, line["access"], line["refresh"], line["at"], line["spent"])
        elif line["kind"] == "send":
            tracking_id, template_id = line.get("trackingId", ""), line.get("templateId", "")
            found = Message(
                line["msgId"], oa, line["surface"], line["destination"], tracking_id, line["at"], template_id
            )
            platform.remember(found)
