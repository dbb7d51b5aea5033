"""The gateway: builds every part from settings, starts them in order, and stops them without losing an answer.

Order of starting: the ledger, what a former run left open, channels, callbacks, upkeep; the API last, when what it
promises can be kept. Order of stopping: the other way round.
"""

import asyncio
import gc
import sys
from collections.abc import Coroutine
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from loa import __version__
from loa.api.app import VendorParts, build_api
from loa.api.auth import Authenticator
from loa.api.texts import Language
from loa.api.v1.build import build_native
from loa.api.v1.parts import Parts
from loa.app import translate
from loa.app.channel_host import ChannelHost
from loa.app.ledgers import open_ledger
from loa.app.probes import probe_from
from loa.app.servers import Listener, OnlyPaths, bind, make_listener
from loa.channels.registry import providers
from loa.domain import msisdn
from loa.domain.traffic import OnUnknown, TrafficClass
from loa.notify.guard import url_check
from loa.notify.poster import HttpCallbackSender
from loa.notify.signature import new_secret
from loa.observe import metrics
from loa.observe.clock import SystemClock
from loa.observe.log import get_logger
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.ports.probe import Probe
from loa.ports.records import AcceptResult, NewSubmission
from loa.settings.tree import Settings
from loa.stages.callbacks import CallbackStage
from loa.stages.intake import Intake
from loa.stages.planning import Planner
from loa.stages.receipts import ReceiptStage
from loa.stages.registry import Registry, Snapshot
from loa.stages.upkeep import Upkeep

EXIT_LEDGER_FAILED = 7
MEASURE_S = 2.0
ADMIN_PATHS = frozenset({"/metrics", "/livez", "/readyz"})
GC_THRESHOLDS = (20_000, 20, 50)
"""Messages in flight are many small objects without cycles: the usual thresholds look through them over and over."""

log = get_logger("loa.app")


class _Announcing:
    """Intake's way to the ledger: tells dispatch that there is something new."""

    def __init__(self, ledger: Ledger, host: ChannelHost) -> None:
        self._ledger = ledger
        self._host = host

    async def accept(self, submission: NewSubmission) -> AcceptResult:
        """See ports.ledger.Submissions."""
        result = await self._ledger.accept(submission)
        self._host.wake()
        return result

    async def cancel(self, tenant_id: int, referent_id: str, now: int) -> int | None:
        """See ports.ledger.Submissions."""
        return await self._ledger.cancel(tenant_id, referent_id, now)

    async def cancel_message(self, tenant_id: int, message_id: int, now: int) -> bool | None:
        """See ports.ledger.Submissions."""
        return await self._ledger.cancel_message(tenant_id, message_id, now)


class Gateway:
    """One whole Loa in one event loop."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None, probe: Probe | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._probe: Probe = probe or probe_from(settings.probe)
        self._tasks: list[asyncio.Task[Any]] = []
        self._listeners: list[tuple[Listener, asyncio.Task[None]]] = []
        self._stopping = asyncio.Event()
        self._stopped = False
        self.providers = providers()
        self.url = ""
        self.exit_code = 0

    # starting

    async def start(self) -> None:
        """Start everything. Errors: ConfigError, StorageError; then nothing is left running."""
        sys.setswitchinterval(self.settings.ledger.switch_interval_s)
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        socket = bind(self.settings.server.listen_host, self.settings.server.listen_port)
        try:
            self.ledger: Ledger = await open_ledger(self.settings, self._probe, self.clock)
        except BaseException:
            socket.close()
            raise
        self._build()
        await self._ensure_sandbox()
        await self.registry.refresh()
        await self.upkeep.recover()
        self.callbacks.remember(self.registry.snapshot.endpoints.values())
        await self.host.reconcile(self.registry.snapshot.channels)
        self.registry.on_change(self._directory_changed)
        for loop in (self.receipts.run, *self.callbacks.loops(), self.upkeep.run, self.registry.watch, self._measure):
            self._run(loop())
        self._run(self._watch_ledger())
        host, port = socket.getsockname()[:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        native = self._native_parts()
        await self.listen(build_api(self._vendor_parts(), native), socket)
        await self._listen_to_admins(native)
        log.info("loa is ready", origin=self.url, version=__version__)

    def _build(self) -> None:
        settings, clock = self.settings, self.clock
        self.registry = Registry(self.ledger, clock, translate.class_policies(settings))
        self.authenticator = Authenticator(self.registry)
        self._guard = translate.guard_policy(settings)
        self.sender = HttpCallbackSender(
            self._guard,
            timeout_s=settings.callbacks.timeout_s,
            concurrency=settings.callbacks.concurrency,
            version=__version__,
        )
        self.callbacks = CallbackStage(
            self.ledger, self.sender, clock=clock, probe=self._probe, rules=translate.callback_rules(settings)
        )
        self.receipts = ReceiptStage(
            self.ledger,
            clock=clock,
            probe=self._probe,
            batch_max=settings.receipts.batch_max,
            applied=self._applied,
        )
        self.host = ChannelHost(
            self.ledger,
            self.providers,
            clock=clock,
            probe=self._probe,
            receipts=self.receipts.offer,
            policy=self._unknown_policy,
            rules=translate.dispatch_rules(settings),
            told=self.callbacks.wake,
            drain_s=settings.drain_s,
        )
        self.upkeep = Upkeep(
            self.ledger,
            clock=clock,
            policy=self._unknown_policy,
            keep_ms=translate.keep_ms(settings),
            channel_names=self._channel_name,
            requeued=self.host.wake,
            told=self.callbacks.wake,
        )
        planner = Planner(
            self.registry,
            rules=translate.ruleset(settings),
            numbers=translate.numbers(settings),
            limits=translate.planning_limits(settings),
            simulated_providers=[name for name, provider in self.providers.items() if provider.info.simulated],
            check_url=self._check_url,
        )
        announcing = _Announcing(self.ledger, self.host)
        limits = translate.intake_limits(settings)
        self.intake = Intake(announcing, self.registry, planner, clock, self._probe, limits)

    async def _ensure_sandbox(self) -> None:
        """Make the channel that test keys reach, where there is none of its kind."""
        simulated = {name for name, provider in self.providers.items() if provider.info.simulated}
        if not any(channel.provider in simulated for channel in await self.ledger.channels()):
            own = self.settings.sandbox
            settings = {"window": own.window, "receipt_s": own.receipt_delay_ms / 1000}
            await self.ledger.add_channel("sandbox", "sandbox", self.providers["sandbox"].check(settings))

    def _check_url(self, url: str) -> str:
        return url_check(url, self._guard)

    def _vendor_parts(self) -> VendorParts:
        return VendorParts(
            self.authenticator,
            self.intake,
            self.registry,
            self.clock,
            self.receipts.offer,
            {name: provider.read_report for name, provider in self.providers.items() if provider.info.takes_reports},
            body_limit=self.settings.limits.body_bytes_max,
            language=Language(self.settings.language),
        )

    def _native_parts(self) -> Parts:
        settings = self.settings
        numbers = translate.numbers(settings)

        def read_number(raw: str) -> str | None:
            try:
                return msisdn.parse(raw, table=numbers.table, allow_countries=None, convert_2018=numbers.convert_2018)
            except msisdn.NumberRefused:
                return None

        return Parts(
            self.ledger,
            self.clock,
            self.authenticator,
            self.intake.explain,
            read_number,
            self._check_url,
            new_secret,
            self.registry.refresh,
            draining=self._stopping.is_set,
            body_limit=settings.limits.body_bytes_max,
            language=Language(settings.language),
            version=__version__,
        )

    async def _listen_to_admins(self, native: Parts) -> None:
        """Serve health and metrics on a listener of its own, to whoever reaches it."""
        server = self.settings.server
        if server.admin_port:
            everyone = replace(native, metrics_from=(ip_network("0.0.0.0/0"), ip_network("::/0")))
            await self.listen(
                OnlyPaths(build_native(everyone), ADMIN_PATHS), bind(server.admin_host, server.admin_port)
            )

    async def listen(self, app: Any, socket: Any) -> None:
        """Serve an application on a bound socket until the gateway stops."""
        server = self.settings.server
        listener = make_listener(app, keep_alive_s=server.keep_alive_s, trusted_proxies=server.trusted_proxies)
        task = asyncio.create_task(listener.serve(sockets=[socket]), name="http")
        self._listeners.append((listener, task))

    def _run(self, loop: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(loop))

    # while running

    def _unknown_policy(self, tenant_id: int, traffic_class: TrafficClass) -> tuple[int, bool]:
        policy = self.registry.policies(tenant_id)[traffic_class]
        return policy.evidence_wait_s * 1000, policy.on_unknown is OnUnknown.RESEND_ONCE

    def _channel_name(self, channel_id: int) -> str:
        record = self.registry.channel(channel_id)
        return record.name if record is not None else str(channel_id)

    def _applied(self) -> None:
        self.callbacks.wake()
        self.host.wake()

    def _directory_changed(self, snapshot: Snapshot) -> None:
        self.callbacks.remember(snapshot.endpoints.values())
        self._run(self.host.reconcile(snapshot.channels))

    async def _measure(self) -> None:
        metrics.build_info.labels(__version__, sys.version.split()[0], self.ledger.engine).set(1)
        while True:
            self.host.measure()
            free = self.ledger.disk_free()
            if free is not None:
                metrics.disk_free_bytes.set(free)
            self._tasks = [task for task in self._tasks if not task.done()]
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
        """Take nothing new, let what is in flight come to its end, record it, close."""
        if self._stopped:
            return
        self._stopped = True
        self._stopping.set()
        for listener, _ in self._listeners:
            listener.should_exit = True
        await asyncio.gather(*(task for _, task in self._listeners), return_exceptions=True)
        if not self.ledger.failed.is_set():
            await self.host.stop()
            await self.callbacks.drain(min(self.settings.drain_s, self.settings.callbacks.timeout_s))
            await self.registry.flush_used()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sender.close()
        await self.ledger.close()
        log.info("loa has stopped")
