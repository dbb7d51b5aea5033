"""The demo: a whole Loa with Zalo, an SMSC and a callback receiver that are simulated here.

This process holds the world outside and a supervisor; the gateway runs in one of its own, so that it can be killed and
comes back. It listens on loopback only and reaches no real network. A second start in the same folder goes on where
the first ended, however it ended, with the same keys and, where they are free, the same ports.
"""

import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from loa.app.admin_files import owner_of
from loa.app.console import demo_link
from loa.app.demo_calls import sms_call, zalo_call
from loa.app.demo_door import serve_door
from loa.app.demo_furnish import furnish
from loa.app.demo_keeper import Keeper
from loa.app.demo_state import DEMO_SENDER, DemoState, state_to_begin, write_state
from loa.app.demo_world import LOOPBACK, DemoWorld
from loa.app.demo_zalo import NOT_ON_ZALO, example
from loa.app.ledgers import open_ledger
from loa.app.probes import NoProbe
from loa.app.servers import bind, is_free, url_of
from loa.errors import ConfigError, LedgerBusy
from loa.observe.clock import SystemClock
from loa.settings.tree import Otp, Settings, Transactional
from loa.simulators.receiver.server import Delivery
from loa.simulators.smsc.events import SmscEvent
from loa.simulators.zalo.watch import Watcher

ZALO_NUMBER: Final = "0912345678"
GATEWAY: Final = (sys.executable, "-m", "loa.cli.demo_gateway")
EVIDENCE_WAIT_S: Final = 5
"""Nobody waits two minutes in a demo to see what becomes of an unknown outcome."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Where everything is. `smsc`: host and port; `receiver`: the URL that callbacks go to.

    `console`: the link by which to look at it all, good once, "" where there is no console.
    `zalo_example`: the members of a request that goes over Zalo; `not_on_zalo`: a number that Zalo does not reach.
    """

    url: str
    api_key: str
    test_api_key: str
    sender: str
    smsc: str
    receiver: str
    data_dir: Path
    zalo_example: Mapping[str, Any]
    not_on_zalo: str
    console: str


def demo_settings(settings: Settings) -> Settings:
    """Allow callbacks to this machine, over plain HTTP and to any port; wait less for evidence, unless told else."""
    own = settings.callbacks
    networks = (*own.allow_networks, "127.0.0.0/8")
    otp, transactional = settings.otp, settings.transactional
    if otp.evidence_wait_s == Otp().evidence_wait_s:
        otp = replace(otp, evidence_wait_s=EVIDENCE_WAIT_S)
    if transactional.evidence_wait_s == Transactional().evidence_wait_s:
        transactional = replace(transactional, evidence_wait_s=EVIDENCE_WAIT_S)
    return replace(
        settings,
        callbacks=replace(own, allow_http=True, ports=(), allow_networks=networks),
        otp=otp,
        transactional=transactional,
        server=replace(settings.server, workers=1),
    )


def _unwatched(_event: object) -> None:
    """Watch nothing."""


class Demo:
    """The world, and the gateway in a process of its own. `on_…`: hear of everything that happens out there."""

    def __init__(
        self,
        settings: Settings,
        *,
        on_smsc: Callable[[SmscEvent], None] = _unwatched,
        on_callback: Callable[[Delivery], None] = _unwatched,
        on_zalo: Watcher = _unwatched,
    ) -> None:
        self.settings = demo_settings(settings)
        self._on_smsc = on_smsc
        self._on_callback = on_callback
        self._on_zalo = on_zalo
        self._clock = SystemClock()
        self._bound: socket.socket | None = None
        self._world: DemoWorld | None = None
        self._keeper: Keeper | None = None

    async def start(self) -> Ready:
        """Start everything. Errors: ConfigError, StorageError; then nothing is left running."""
        try:
            return await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> Ready:
        data_dir = self.settings.data_dir
        if self.settings.on_postgres:
            raise ConfigError(
                "the demo keeps a ledger file of its own: it would join the processes on your PostgreSQL and give them"
                " a simulated channel. Unset LOA_DATABASE for it, or add --set database="
            )
        if owner := owner_of(self.settings.ledger_path):
            raise LedgerBusy(f"process {owner} runs in {data_dir} already: stop it, or choose another --data")
        state = state_to_begin(data_dir)
        settings = _with_port(self.settings, state)
        self._bound = bind(settings.server.listen_host, settings.server.listen_port)
        world = await self._start_world(state)
        url = url_of(self._bound)
        world.tell_events(url)
        state = replace(state, url=url, smsc_port=world.smsc.port)
        state = replace(state, zalo_port=world.zalo.port, receiver_port=world.receiver.port)
        write_state(data_dir, state)
        link = await self._furnish(state, world)
        members = example(DEMO_SENDER, ZALO_NUMBER)
        world.calls = {
            "sms": sms_call(url, state.api_key, DEMO_SENDER),
            "zalo": zalo_call(url, state.api_key, members),
            "test": sms_call(url, state.test_api_key, DEMO_SENDER),
        }
        await self._start_gateway(settings, self._bound, world)
        return Ready(
            url=url,
            api_key=state.api_key,
            test_api_key=state.test_api_key,
            sender=DEMO_SENDER,
            smsc=f"{LOOPBACK}:{world.smsc.port}",
            receiver=world.callback_url,
            data_dir=data_dir,
            zalo_example=members,
            not_on_zalo=ZALO_NUMBER[:-2] + NOT_ON_ZALO,
            console=link,
        )

    async def _start_world(self, state: DemoState) -> DemoWorld:
        self._world = DemoWorld(
            self.settings.data_dir,
            state,
            self._clock,
            kill=self.crash,
            on_smsc=self._on_smsc,
            on_callback=self._on_callback,
            on_zalo=self._on_zalo,
        )
        await self._world.start()
        return self._world

    async def _furnish(self, state: DemoState, world: DemoWorld) -> str:
        """Bring the ledger to what the demo needs, before the gateway owns it; give the link into the console."""
        ledger = await open_ledger(self.settings, NoProbe(), self._clock)
        try:
            await furnish(ledger, self._clock, state, world.callback_url, world.zalo)
            return await demo_link(ledger, self._clock, self.settings, state.url)
        finally:
            await ledger.close()

    async def _start_gateway(self, settings: Settings, bound: socket.socket, world: DemoWorld) -> None:
        async def door(end: socket.socket) -> None:
            await serve_door(world, end)

        self._keeper = Keeper(settings, bound, GATEWAY, self._clock, door=door, back=world.gateway_is_back)
        await self._keeper.start()

    def crash(self) -> None:
        """Kill the gateway; it comes back by itself."""
        if self._keeper is not None:
            self._keeper.crash()

    async def wait(self) -> None:
        """Wait until the supervisor has failed. Errors: LoaError, OSError."""
        assert self._keeper is not None
        await self._keeper.wait()

    async def stop(self) -> None:
        """Stop everything, the gateway first, so that it can finish what is in flight."""
        if self._keeper is not None:
            await self._keeper.stop()
        if self._world is not None:
            await self._world.stop()
        if self._bound is not None:
            self._bound.close()


def _with_port(settings: Settings, state: DemoState) -> Settings:
    """Where any port is fine, take the one of the last time if it is free."""
    own = settings.server
    last = int(state.url.rpartition(":")[2]) if state.url else 0
    if own.listen_port or not last or not is_free(LOOPBACK, last):
        return settings
    return replace(settings, server=replace(own, listen_port=last))
