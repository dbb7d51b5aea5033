"""The demo: a whole Loa in one process, with Zalo, an SMSC and a callback receiver that are simulated here.

It listens on loopback only and reaches no real network. A second start in the same folder goes on where the first
ended, however it ended, with the same keys and, where they are free, the same ports.
"""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from loa.app.admin_files import owner_of
from loa.app.console import demo_link
from loa.app.control import open_control
from loa.app.demo_furnish import furnish
from loa.app.demo_state import DEMO_SENDER, DemoState, state_to_begin, write_state
from loa.app.demo_zalo import NOT_ON_ZALO, example, tell_events, zalo_simulator
from loa.app.gateway import Gateway
from loa.errors import ConfigError, LedgerBusy
from loa.ports.records import Tenant
from loa.settings.tree import Settings
from loa.simulators.receiver.server import CallbackReceiver, Delivery
from loa.simulators.smsc.events import SmscEvent
from loa.simulators.smsc.script import Fortune, Script
from loa.simulators.smsc.server import SmscSimulator
from loa.simulators.zalo.server import ZaloSimulator
from loa.simulators.zalo.watch import Watcher

LOOPBACK: Final = "127.0.0.1"
CALLBACK_PATH: Final = "/callbacks"
SMSC_JOURNAL: Final = "demo-smsc.jsonl"
RECEIVER_JOURNAL: Final = "demo-receiver.jsonl"
EVENTS_PATH: Final = "/v1/hooks/zalo"
ZALO_NUMBER: Final = "0912345678"
SCRIPT: Final = Script(
    receipt_delay_s=1.0,
    fortunes=(
        Fortune("UNDELIV", digits="90"),
        Fortune("REJECTD", digits="91"),
        Fortune("EXPIRED", digits="92"),
        Fortune("NONE", digits="98"),
    ),
)
"""Receipts come after a second, so that people see the state before; the endings are those of the sandbox."""


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
    """Allow callbacks to this machine, over plain HTTP and to any port."""
    own = settings.callbacks
    networks = (*own.allow_networks, "127.0.0.0/8")
    return replace(settings, callbacks=replace(own, allow_http=True, ports=(), allow_networks=networks))


def _unwatched(_event: object) -> None:
    """Watch nothing."""


class Demo:
    """Gateway, SMSC and receiver. `on_smsc`, `on_callback`: hear of everything the two see."""

    def __init__(
        self,
        settings: Settings,
        *,
        on_smsc: Callable[[SmscEvent], None] = _unwatched,
        on_callback: Callable[[Delivery], None] = _unwatched,
        on_zalo: Watcher = _unwatched,
    ) -> None:
        self._settings = demo_settings(settings)
        self._on_smsc = on_smsc
        self._on_callback = on_callback
        self._on_zalo = on_zalo
        self._zalo: ZaloSimulator | None = None
        self._smsc: SmscSimulator | None = None
        self._receiver: CallbackReceiver | None = None
        self.gateway: Gateway | None = None
        self.tenant: Tenant | None = None

    async def start(self) -> Ready:
        """Start everything. Errors: ConfigError, StorageError; then nothing is left running."""
        try:
            return await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> Ready:
        data_dir = self._settings.data_dir
        if self._settings.on_postgres:
            raise ConfigError(
                "the demo keeps a ledger file of its own: it would join the processes on your PostgreSQL and give them"
                " a simulated channel. Unset LOA_DATABASE for it, or add --set database="
            )
        if owner := owner_of(self._settings.ledger_path):
            raise LedgerBusy(f"process {owner} runs in {data_dir} already: stop it, or choose another --data")
        state = state_to_begin(data_dir)
        # First the world outside, so that the gateway finds it when it connects.
        self._smsc = await self._start_smsc(state.smsc_port)
        self._receiver = await self._start_receiver(state)
        self._zalo = await self._start_zalo(state.zalo_port)
        gateway = Gateway(_with_port(self._settings, state))
        await gateway.start()
        self.gateway = gateway
        tell_events(self._zalo, gateway.url + EVENTS_PATH)
        state = replace(state, url=gateway.url, zalo_port=self._zalo.port)
        state = replace(state, smsc_port=self._smsc.port, receiver_port=self._receiver.port)
        write_state(data_dir, state)
        receiver_url = self._receiver.url + CALLBACK_PATH
        self.tenant = await furnish(gateway.ledger, gateway.clock, state, receiver_url, self._zalo)
        await gateway.registry.refresh()
        await open_control(gateway)
        return Ready(
            url=gateway.url,
            api_key=state.api_key,
            test_api_key=state.test_api_key,
            sender=DEMO_SENDER,
            smsc=f"{LOOPBACK}:{self._smsc.port}",
            receiver=receiver_url,
            data_dir=data_dir,
            zalo_example=example(DEMO_SENDER, ZALO_NUMBER),
            not_on_zalo=ZALO_NUMBER[:-2] + NOT_ON_ZALO,
            console=await demo_link(gateway.ledger, gateway.clock, self._settings, gateway.url),
        )

    async def _start_zalo(self, port: int) -> ZaloSimulator:
        at = port if _is_free(port) else 0
        zalo = zalo_simulator(self._settings.data_dir, LOOPBACK, at, self._on_zalo)
        await zalo.start()
        return zalo

    async def _start_smsc(self, port: int) -> SmscSimulator:
        journal = self._settings.data_dir / SMSC_JOURNAL

        def made(at: int) -> SmscSimulator:
            return SmscSimulator(LOOPBACK, at, script=SCRIPT, journal=journal, on_event=self._on_smsc)

        smsc = made(port if _is_free(port) else 0)
        await smsc.start()
        return smsc

    async def _start_receiver(self, state: DemoState) -> CallbackReceiver:
        port = state.receiver_port if _is_free(state.receiver_port) else 0
        receiver = CallbackReceiver(
            LOOPBACK,
            port,
            journal=self._settings.data_dir / RECEIVER_JOURNAL,
            secret=state.callback_secret,
            on_event=self._on_callback,
        )
        await receiver.start()
        return receiver

    async def stop(self) -> None:
        """Stop everything, the gateway first, so that it can finish what is in flight."""
        if self.gateway is not None:
            await self.gateway.stop()
        if self._smsc is not None:
            await self._smsc.stop()
        if self._receiver is not None:
            await self._receiver.stop()
        if self._zalo is not None:
            await self._zalo.stop()


def _with_port(settings: Settings, state: DemoState) -> Settings:
    """Where any port is fine, take the one of the last time if it is free."""
    own = settings.server
    last = int(state.url.rpartition(":")[2]) if state.url else 0
    if own.listen_port or not last or not _is_free(last):
        return settings
    return replace(settings, server=replace(own, listen_port=last))


def _is_free(port: int) -> bool:
    """Tell whether a port of this machine can be had."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
