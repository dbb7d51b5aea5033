"""The gateway: builds what its roles need, starts it in order, and stops it without losing an answer.

Order of starting: the ledger, what a former run left open, channels, callbacks, upkeep; the API last, when what it
promises can be kept. Order of stopping: the other way round, after telling the balancers.
"""

import asyncio
import gc
import socket
import sys
from collections.abc import Coroutine, Mapping
from functools import cached_property
from typing import Any

from loa import __version__
from loa.app import translate
from loa.app.admin import Admin, rules_of
from loa.app.channel_host import ChannelHost
from loa.app.faces import Faces
from loa.app.ledgers import open_ledger
from loa.app.probes import probe_from
from loa.app.roles import Ground, Stages
from loa.app.servers import Listener, bind, bind_several, make_listener, url_of
from loa.channels.registry import providers
from loa.console.world import WORLD_VERBS, World
from loa.errors import CallerError
from loa.observe import metrics
from loa.observe.clock import SystemClock
from loa.observe.log import get_logger
from loa.ports.channel import ChannelStatus
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.ports.probe import Probe
from loa.ports.users import Actor
from loa.settings.tree import Settings
from loa.stages.registry import Registry

EXIT_LEDGER_FAILED = 7
MEASURE_S = 2.0
GC_THRESHOLDS = (20_000, 20, 50)
"""Messages in flight are many small objects without cycles: the usual thresholds look through them over and over."""

log = get_logger("loa.app")


class Gateway:
    """One process of Loa, in one event loop: the whole of it, or the roles that the settings name.

    `main`: the bound socket of the main listener; without it one is bound as the settings say. Where there are several
    workers, one is bound for each and kept in `mains`; this process then serves on its admin listener only. `origins`:
    where each setting came from, as loa.settings.load tells. `world`: the simulated outside, in a demo.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        probe: Probe | None = None,
        main: socket.socket | None = None,
        origins: Mapping[str, str] | None = None,
        world: World | None = None,
    ) -> None:
        self.settings = settings
        self._origins = origins
        self._world = world
        self._given = main
        self.clock: Clock = clock or SystemClock()
        self._probe: Probe = probe or probe_from(settings.probe)
        self._tasks: list[asyncio.Task[Any]] = []
        self._listeners: list[tuple[Listener, asyncio.Task[None]]] = []
        self._stopping = asyncio.Event()
        self._stopped = False
        self.providers = providers()
        self.url = ""
        self.exit_code = 0

    @property
    def host(self) -> ChannelHost | None:
        """The channels of this process, None where it has none."""
        return self._stages.host

    def _channel_states(self) -> dict[int, ChannelStatus]:
        running = self.host.running if self.host is not None else {}
        return {channel_id: each.channel.status() for channel_id, each in running.items()}

    @cached_property
    def admin(self) -> Admin:
        """The verbs of administration, over what runs in this process; once it has started."""
        return Admin(
            self.ledger,
            clock=self.clock,
            providers=self.providers,
            rules=rules_of(self.settings, self.url, self._origins),
            host=self.host,
            url=self.url,
            changed=self.registry.refresh,
        )

    async def _do(self, verb: str, args: Mapping[str, Any], by: Actor | None = None) -> Any:
        if self._world is not None and verb in WORLD_VERBS:
            return await self._world.do(verb, **args)
        return await self.admin.do(verb, args, by)

    @property
    def _roles(self) -> str:
        return ",".join(self.settings.roles) or "none"

    # starting

    async def start(self) -> None:
        """Start everything. Errors: ConfigError, StorageError; then nothing is left running."""
        sys.setswitchinterval(self.settings.ledger.switch_interval_s)
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        own = self.settings.server
        self.mains = self._bind_main()
        try:
            self.ledger: Ledger = await open_ledger(self.settings, self._probe, self.clock)
        except BaseException:
            for bound in self.mains:
                bound.close()
            raise
        self._build()
        await self._ensure_sandbox()
        await self.registry.refresh()
        await self._stages.begin()
        self.registry.on_change(self._stages.follow)
        for loop in (
            *self._stages.loops(),
            *self._faces.loops(),
            self.registry.watch,
            self._measure,
            self._watch_ledger,
        ):
            self._run(loop())
        self.url = url_of(self.mains[0])
        if own.workers == 1:
            await self.listen(self._faces.main(), self.mains[0])
        if own.admin_port:
            await self.listen(self._faces.admin(), bind(own.admin_host, own.admin_port))
        log.info("loa is ready", origin=self.url, version=__version__, roles=self._roles)

    def _bind_main(self) -> list[socket.socket]:
        own = self.settings.server
        if self._given is not None:
            return [self._given]
        if own.workers > 1:
            return bind_several(own.listen_host, own.listen_port, own.workers)
        return [bind(own.listen_host, own.listen_port)]

    def _build(self) -> None:
        self.registry = Registry(self.ledger, self.clock, translate.class_policies(self.settings))
        ground = Ground(self.settings, self.ledger, self.registry, self.providers, self.clock, self._probe)
        self._stages = Stages(ground)
        self._faces = Faces(
            ground,
            receipts=self._stages.receipts.offer,
            due=self._stages.due,
            told=self._stages.told,
            changed=self._stages.templates_changed,
            draining=self._stopping.is_set,
            channel_states=self._channel_states,
            verbs=self._do,
            world=self._world,
        )

    async def _ensure_sandbox(self) -> None:
        """Make the channel that test keys reach, where there is none of its kind."""
        simulated = {name for name, provider in self.providers.items() if provider.info.simulated}
        if any(channel.provider in simulated for channel in await self.ledger.channels()):
            return
        own = self.settings.sandbox
        settings = {"window": own.window, "receipt_s": own.receipt_delay_ms / 1000}
        try:
            await self.ledger.add_channel("sandbox", "sandbox", self.providers["sandbox"].check(settings))
        except CallerError:
            log.info("another process has made the sandbox", channel="sandbox")

    async def listen(self, app: Any, bound: socket.socket) -> None:
        """Serve an application on a bound socket until the gateway stops."""
        server = self.settings.server
        listener = make_listener(
            app,
            keep_alive_s=server.keep_alive_s,
            trusted_proxies=server.trusted_proxies,
            drain_s=self.settings.drain_s,
        )
        task = asyncio.create_task(listener.serve(sockets=[bound]), name="http")
        self._listeners.append((listener, task))

    def _run(self, loop: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(loop))

    # while running

    async def _measure(self) -> None:
        metrics.build_info.labels(__version__, sys.version.split()[0], self.ledger.engine, self._roles).set(1)
        while True:
            self._stages.measure()
            free = self.ledger.disk_free()
            if free is not None:
                metrics.disk_free_bytes.set(free)
            await self.clock.sleep(MEASURE_S)

    async def _watch_ledger(self) -> None:
        """Stop the process once the ledger is in doubt: only a fresh start knows what is on disk."""
        await self.ledger.failed.wait()
        self.exit_code = EXIT_LEDGER_FAILED
        self._stopping.set()

    def ask_to_stop(self) -> None:
        """Begin an orderly stop."""
        self._stopping.set()

    async def wait(self) -> int:
        """Wait until a stop is asked for or the ledger failed; give the exit code."""
        await self._stopping.wait()
        return self.exit_code

    # stopping

    async def stop(self) -> None:
        """Tell the balancers, take nothing new, let what is in flight come to its end, record it, close."""
        if self._stopped:
            return
        self._stopped = True
        self._stopping.set()
        sound = not self.ledger.failed.is_set()
        if sound and "api" in self.settings.roles:
            await self.clock.sleep(self.settings.server.drain_notice_s)
        for listener, _ in self._listeners:
            listener.should_exit = True
        closing = [task for _, task in self._listeners]
        await asyncio.gather(*closing, *([self._stages.stop()] if sound else []), return_exceptions=True)
        if sound:
            await self.registry.flush_used()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stages.close()
        await self.ledger.close()
        for bound in self.mains:
            bound.close()
        log.info("loa has stopped")
